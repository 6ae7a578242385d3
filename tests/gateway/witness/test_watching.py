# SPDX-License-Identifier: EUPL-1.2
"""A gateway and its witnesses: fed, shown in readiness, and silent about people when unwatched."""

import asyncio
import contextlib
import io
import json
import shutil
from datetime import timedelta

import pytest

from audit.policyfile import Authority, build_policy, write_policy
from gateway.logkeys import read_log_keys
from gateway.logs import Event
from gateway.opening import open_gateway, utc_now
from gateway.settings import load_settings
from gateway.witness.serving import WitnessFolder
from gateway.witness.watching import WitnessingError
from tests.gateway import house as houses
from tests.gateway.test_pipeline import border
from tests.gateway.witness_serving import serving

HIT = {"dataset": "registrations", "owners": ["BA"], "categories": ["record"], "view": "hit"}
BLOCK_S = 3600


class Clock:
    """The system's clock, and what a test puts before it."""

    ahead = timedelta()

    def __call__(self):
        return utc_now() + self.ahead


@contextlib.asynccontextmanager
async def watched(folder, count=3):
    """Three witnesses of a folder's logs, and the settings that name them."""
    keys = read_log_keys(load_settings(folder / "cuvar.toml"))
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for number in range(1, count + 1):
            files = WitnessFolder(folder / f"w{number}")
            if not files.path.exists():
                files.create(f"witness.example/w{number}", mldsa=False)
                for key in keys.values():
                    files.trust(key.signer(f"{key.name}/2026h2").vkey, country=True)
            url = await stack.enter_async_context(serving(files))
            found.append(Authority(f"w{number}", files.cosigner().verifiers, url))
        (folder / "trust.policy").write_text(
            write_policy(build_policy(found, least=3, owner=found[0].name)), encoding="utf-8"
        )
        yield


def settings(folder):
    lines = "\n".join(f'{c} = "trust.policy"' for c in (*houses.COUNTRIES, "GATEWAY"))
    text = (folder / "cuvar.toml").read_text(encoding="utf-8")
    text += f"\n[log.witnesses]\nevery_s = 0.05\nblock_s = {BLOCK_S}\n"
    text += f"[log.witnesses.policies]\n{lines}\n"
    (folder / "cuvar.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(house_folder):
    settings(house_folder)
    return house_folder


async def until(told, seconds=20):
    async with asyncio.timeout(seconds):
        while not told():  # noqa: ASYNC110  no signal
            await asyncio.sleep(0.02)


def all_cosigned(house):
    stands = house.runtime.witnessing.witnessed()
    logs = house.runtime.log
    return stands and all(one.cosigned_size == logs.log(o).size for o, one in stands.items())


async def ask(house, **changes):
    return await house.ask("find", border(**changes), token=house.token("BA-BP", "border_officer"))


async def test_without_witnesses_a_gateway_says_so(house):
    told = (await house.client.get("/readyz")).json()
    assert told["witnessing"]["mode"] == "NOBODY WATCHES"
    assert "witnesses" in told["degraded"]
    lines = [json.loads(line) for line in house.output.getvalue().splitlines()]
    assert Event.UNWATCHED in {line["event"] for line in lines}


async def test_entries_come_under_a_quorum_and_receipts_bear_it(folder):
    async with watched(folder), houses.running(folder) as house:
        await ask(house)
        await until(lambda: all_cosigned(house))
        told = (await house.client.get("/readyz")).json()
        assert "witnesses" not in told["degraded"]
        stands = told["witnessing"]["logs"][house.log("BA").origin]
        assert stands["standing"] == "fine"
        assert set(stands["witnesses"].values()) == {"cosigned"}
        path = f"/v1/logs/{house.log('BA').origin}/receipts/1"
        receipt = (await house.get(path, token=house.token("BA-BP", "border_officer"))).text
        assert receipt.count("\n— witness.example/") == 3
        metrics = (await house.client.get("/metrics")).text
        assert "cuvar_log_unwitnessed_seconds 0.0" in metrics


async def test_past_its_limit_a_country_releases_no_identity_and_counts_go_on(folder):
    clock = Clock()
    async with watched(folder):
        pass  # they have gone again
    async with houses.running(folder, clock) as house:
        await house.attest("presence", org="BA-BP")
        answer = await ask(house)
        assert answer.json()["owners"][0]["status"] == "answered", "nobody waits for a witness"
        clock.ahead = timedelta(seconds=BLOCK_S + 60)
        await house.attest("presence", org="BA-BP", minutes=3 * BLOCK_S)
        await until(lambda: house.runtime.witnessing.blocks("BA"))
        answer = await ask(house)
        part = answer.json()["owners"][0]
        assert (part["status"], part["reason"]) == ("unavailable", "unwitnessed_log")
        entry, detail = await house.newest("BA")
        assert entry["status"] == "unavailable"
        assert detail["note"] == "unwitnessed_log"
        told = (await house.client.get("/readyz")).json()
        assert told["witnessing"]["logs"][house.log("BA").origin]["standing"] == "block"
        lines = [json.loads(line) for line in house.output.getvalue().splitlines()]
        assert "block" in {line.get("standing") for line in lines}


async def test_an_unwatched_log_is_decided_before_the_register_is_asked(folder, monkeypatch):
    clock = Clock()
    async with watched(folder):
        pass  # they have gone again
    async with houses.running(folder, clock) as house:
        clock.ahead = timedelta(seconds=BLOCK_S + 60)
        await house.attest("presence", org="BA-BP", minutes=3 * BLOCK_S)
        await until(lambda: house.runtime.witnessing.blocks("BA"))
        asked = []
        fetch = house.runtime.sources["BA"].fetch
        house.runtime.sources["BA"].fetch = lambda q: asked.append(q) or fetch(q)
        await ask(house)
        assert asked == []


async def test_a_restored_log_does_not_open_against_its_witnesses(folder):
    shutil.copy(folder / "log.sqlite", folder / "yesterday.sqlite")
    async with watched(folder):
        async with houses.running(folder) as house:
            await ask(house)
            await until(lambda: all_cosigned(house))
        for name in ("log.sqlite-wal", "log.sqlite-shm"):
            (folder / name).unlink(missing_ok=True)
        shutil.copy(folder / "yesterday.sqlite", folder / "log.sqlite")
        with pytest.raises(WitnessingError, match="cuvar audit succeed"):
            await open_gateway(load_settings(folder / "cuvar.toml"), io.BytesIO())
