# SPDX-License-Identifier: EUPL-1.2
"""A whole gateway with three witnesses over HTTP: fed, watched, stopped, refused at the start."""

import asyncio
import contextlib
import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from audit.merkle import leaf_hash
from audit.policyfile import Authority, build_policy, parse_policy, write_policy
from audit.receipt import verify_witnessed
from audit.shards import HOUSE, half_of
from gateway.cli import cuvar
from gateway.logkeys import read_log_keys
from gateway.settings import load_settings
from gateway.settings.log import WitnessSettings
from gateway.witness.serving import WitnessFolder
from gateway.witness.standing import Standing
from gateway.witness.watching import WitnessingError, read_policies
from tests.audit.making import until
from tests.gateway import house as houses
from tests.gateway.small import COUNTRIES, PERSON
from tests.gateway.test_pipeline import border
from tests.gateway.witness_serving import serving

NOWHERE = "http://127.0.0.1:9"


@contextlib.asynccontextmanager
async def watched(folder, tmp_path):
    """Three witnesses that follow every log of the gateway in this folder."""
    keys = read_log_keys(load_settings(folder / "cuvar.toml"))
    async with contextlib.AsyncExitStack() as stack:
        authorities = []
        for number in (1, 2, 3):
            files = WitnessFolder(tmp_path / f"w{number}")
            if not files.path.exists():
                files.create(f"witness.example/w{number}", mldsa=False)
                for key in keys.values():
                    files.trust(key.signer(f"{key.name}/2026h2").vkey, country=True)
            url = await stack.enter_async_context(serving(files))
            authorities.append(Authority(f"w{number}", files.cosigner().verifiers, url))
        put_before(folder, authorities)
        yield authorities


def of(origin, country):
    return origin.replace("/BA/", f"/{country}/")


def put_before(folder, authorities, **more):
    """Write the trust policy and the settings that name it."""
    policy = build_policy(authorities, least=3, owner=authorities[0].name)
    (folder / "all.policy").write_text(write_policy(policy), encoding="utf-8")
    text = (folder / "cuvar.toml").read_text(encoding="utf-8").partition("[log.witnesses]")[0]
    files = ", ".join(f'{country} = "all.policy"' for country in (*COUNTRIES, HOUSE))
    lines = ["[log.witnesses]", f"policies = {{ {files} }}", "every_s = 0.05"]
    lines += ['owners = { BA = "witness.example/w1" }', *(f"{k} = {v}" for k, v in more.items())]
    (folder / "cuvar.toml").write_text("\n".join([text, *lines, ""]), encoding="utf-8")


async def ask(house):
    await house.attest("presence", org="BA-BP")
    token = house.token("BA-BP", "border_officer")
    return await house.ask("find", border(), token=token)


def all_seen(house):
    witnessed = house.runtime.witnessing.witnessed
    return lambda: (
        len(witnessed()) == len(COUNTRIES) + 1
        and all(one.cosigned_size == one.size for one in witnessed().values())
    )


async def test_every_log_is_cosigned_and_receipts_hold_under_the_trust_policy(
    house_folder, tmp_path
):
    async with watched(house_folder, tmp_path), houses.running(house_folder) as house:
        answer = await ask(house)
        assert answer.status_code == 200
        await until(all_seen(house))
        origin, _, index = answer.headers["audit-entry"].rpartition("/")
        token = house.token("BA-BP", "border_officer")
        receipt = await house.get(f"/v1/logs/{origin}/receipts/{index}", token=token)
        policy = parse_policy((house_folder / "all.policy").read_bytes())
        entry = (await house.stored("BA"))[int(index)]
        verifier = house.runtime.log.signer(origin).verifier
        found = verify_witnessed(
            receipt.content, leaf_hash(entry.envelope), policy, origin, verifier
        )
        assert found
        ready = (await house.client.get("/readyz")).json()
        assert "witnesses" not in ready["degraded"]
        assert ready["witnessing"]["mode"] == "watched"
        assert {one["standing"] for one in ready["witnessing"]["logs"].values()} == {"fine"}
        assert "cuvar_log_unwitnessed_seconds 0.0" in (await house.client.get("/metrics")).text


async def test_a_clock_that_most_witnesses_see_off_is_told(house_folder, tmp_path):
    async with watched(house_folder, tmp_path), houses.running(house_folder) as house:
        feed = house.runtime.witnessing.feed
        await until(all_seen(house))
        assert "clock" not in (await house.client.get("/readyz")).json()["degraded"]
        feed.now = lambda: datetime.now(UTC) + timedelta(minutes=10)
        await ask(house)
        await until(lambda: feed.clocks.alarm)
        assert "clock" in (await house.client.get("/readyz")).json()["degraded"]
        metrics = (await house.client.get("/metrics")).text
        (offset,) = [v for v in metrics.splitlines() if v.startswith("cuvar_clock_offset_seconds")]
        assert 590 < float(offset.split()[1]) < 610
        await until(lambda: b"clock.off" in house.output.getvalue())


async def test_a_gateway_that_nobody_watches_says_so(house):
    ready = (await house.client.get("/readyz")).json()
    assert ready["witnessing"]["mode"] == "NOBODY WATCHES"
    assert "witnesses" in ready["degraded"]
    assert "log.unwatched" in house.output.getvalue().decode()
    assert not house.runtime.witnessing.blocks("BA")


@pytest.fixture
def unreachable(house_folder, tmp_path):
    """A gateway whose witnesses do not answer."""
    authorities = []
    for number in (1, 2, 3):
        files = WitnessFolder(tmp_path / f"w{number}")
        files.create(f"witness.example/w{number}", mldsa=False)
        authorities.append(Authority(f"w{number}", files.cosigner().verifiers, NOWHERE))
    put_before(house_folder, authorities, blocks_s="{ RS = 600.0 }")
    return house_folder


async def test_without_witnesses_first_an_alarm_then_no_identity_leaves_but_numbers_do(unreachable):
    async with houses.running(unreachable) as house:
        witnessing = house.runtime.witnessing
        await witnessing.look()
        assert (await ask(house)).status_code == 200
        later = {"by": timedelta(minutes=20)}
        witnessing.clock = lambda: datetime.now(UTC) + later["by"]
        assert set(witnessing.standings().values()) == {Standing.ALARM, Standing.BLOCK}
        assert (witnessing.blocks("BA"), witnessing.blocks("RS")) == (False, True)
        later["by"] = timedelta(days=2)
        answer = await ask(house)
        (part,) = answer.json()["owners"]
        assert (part["status"], part["reason"], part["results"]) == (
            "unavailable",
            "unwitnessed_log",
            [],
        )
        entry = (await house.entries("BA"))[-1]
        assert (entry["status"], entry["fields"], entry["count"]) == ("unavailable", [], 0)
        flag = border(dataset="registrations", owners=["RS"], categories=["record"], view="hit")
        token = house.token("BA-BP", "border_officer")
        (part,) = (await house.ask("find", flag, token=token)).json()["owners"]
        assert part["reason"] == "unwitnessed_log"
        listed = {
            "dataset": "persons",
            "owners": ["BA"],
            "categories": ["biographic"],
            "view": "full",
            "purpose": "humanitarian_assistance",
            "basis": "HUM-03",
            "case_no": "AID-1",
        }
        for fact in ("case_number", "consent_given"):
            await house.attest(fact, org="UNHCR", owner="BA")
        await house.attest("assigned_case", org="UNHCR", officer="officer-1", person=PERSON)
        aid = house.token("UNHCR", "caseworker", country="BA")
        (part,) = (await house.ask("list", listed, token=aid)).json()["owners"]
        assert (part["status"], part["results"][0]["view"]) == ("answered", "pseudonym")


async def test_a_log_that_was_never_looked_at_releases_nothing(unreachable):
    async with houses.running(unreachable) as house:
        house.runtime.witnessing._seen.clear()
        assert house.runtime.witnessing.blocks("BA")


async def test_a_gateway_restored_from_yesterday_does_not_start(house_folder, tmp_path):
    yesterday = tmp_path / "yesterday.sqlite"
    shutil.copy(house_folder / "log.sqlite", yesterday)
    async with watched(house_folder, tmp_path):
        async with houses.running(house_folder) as house:
            await ask(house)
            await until(all_seen(house))
        async with houses.running(house_folder) as house:  # as it is, it starts
            await ask(house)
        for file in house_folder.glob("log.sqlite*"):
            file.unlink()
        shutil.copy(yesterday, house_folder / "log.sqlite")
        with pytest.raises(WitnessingError, match="cuvar audit succeed"):
            async with houses.running(house_folder):
                pass
        behind = f"test.invalid/BA/{half_of(datetime.now(UTC))}"
        command = ["audit", "succeed", "--config", str(house_folder / "cuvar.toml"), "--json"]
        command += [word for c in (*COUNTRIES, HOUSE) for word in ("--close", of(behind, c))]
        told = await asyncio.to_thread(CliRunner().invoke, cuvar, command)
        assert told.exit_code == 0, told.output
        (ba,) = [one for one in json.loads(told.stdout) if one["old"] == behind]
        assert ba["lost"] > 0
        async with houses.running(house_folder) as house:
            assert (await ask(house)).status_code == 200
            (opening, *_) = await house.entries("BA")
            assert (opening["kind"], opening["link"]["log"]) == ("checkpoint-gap", behind)
            assert opening["count"] == ba["lost"]


@pytest.mark.parametrize(
    ("lines", "owner"),
    [
        ("quorum w1", "witness.example/w1"),
        ("group any any w1 w2 w3\nquorum any", None),
        ("group two 2 w1 w2 w3\nquorum two", None),
        ("group all all w1 w2 w3\nquorum all", "witness.example/stranger"),
        ("quorum none", None),
    ],
)
def test_a_policy_that_does_without_the_owner_or_with_too_few_is_refused(tmp_path, lines, owner):
    known = []
    for number in (1, 2, 3):
        files = WitnessFolder(tmp_path / f"w{number}")
        files.create(f"witness.example/w{number}", mldsa=False)
        known.append(f"witness w{number} {files.cosigner().verifiers[0].vkey} {NOWHERE}")
    path = tmp_path / "a.policy"
    path.write_text("\n".join([*known, lines, ""]), encoding="utf-8")
    settings = WitnessSettings.model_construct(
        policies={"BA": path}, owners={"BA": owner} if owner else {}, least=3
    )
    with pytest.raises(WitnessingError, match="every quorum for BA"):
        read_policies(settings)
