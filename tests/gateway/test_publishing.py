# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit logs`, `publish`, `vkey` and `verify` on a gateway's own logs."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from audit import (
    Envelope,
    Kind,
    Operation,
    Pending,
    Status,
    encode_envelope,
    new_entry_id,
    verify_log,
)
from audit.store import Cosigned
from gateway.cli import cuvar
from gateway.opening import open_journal
from gateway.settings import load_settings
from tests.gateway.house import copy


@pytest.fixture(scope="module")
def settings_file(house_template, tmp_path_factory):
    """A gateway at rest, with its logs just opened."""
    return copy(house_template, tmp_path_factory.mktemp("published") / "house") / "cuvar.toml"


def run(settings_file, *words):
    done = CliRunner().invoke(cuvar, ["audit", *map(str, words), "--config", str(settings_file)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def listed(settings_file):
    return json.loads(run(settings_file, "logs", "--json").stdout)["logs"]


def test_every_log_is_listed_with_its_state(settings_file):
    found = listed(settings_file)
    assert len({log["origin"] for log in found}) == len(found) > 1
    assert all(log["size"] >= 1 and log["state"] == "open" for log in found)
    told = run(settings_file, "logs").stdout.splitlines()
    assert len(told) == len(found)
    assert told[0].startswith(found[0]["origin"])


def test_every_log_is_published_and_checked_with_the_key_that_is_printed(settings_file, tmp_path):
    for number, log in enumerate(listed(settings_file)):
        out, origin = tmp_path / str(number), log["origin"]
        words = ("publish", out, "--log", origin, "--details", "--json")
        done = json.loads(run(settings_file, *words).stdout)
        assert (done["origin"], done["size"], done["before"]) == (origin, log["size"], 0)
        key = run(settings_file, "vkey", "--log", origin).stdout.strip()
        report = verify_log(str(out), vkey=key)
        assert (report.ok, report.size, report.root.hex()) == (True, log["size"], log["root"])
        assert "shows" in run(settings_file, "publish", out, "--log", origin).stdout
        done = run(settings_file, "verify", "--url", out, "--json")
        assert (done.exit_code, json.loads(done.stdout)["logs"][0]["ok"]) == (0, True)


def test_entries_that_no_witness_saw_are_held_back_and_told_of(house_template, tmp_path):
    settings_file = copy(house_template, tmp_path / "house") / "cuvar.toml"
    log = next(log for log in listed(settings_file) if log["size"] > 0)
    settings = load_settings(settings_file)

    async def cosigned_before():
        journal = await open_journal(settings)
        try:
            first = await journal.log(log["origin"]).checkpoint()
            size = int(first.split("\n")[1])
            await journal.save_cosigned(log["origin"], Cosigned(size, first))
            await journal.append([plain_of(log["origin"])])
        finally:
            await journal.close()

    asyncio.run(cosigned_before())
    done = run(settings_file, "publish", tmp_path / "out", "--log", log["origin"])
    assert f"shows {log['size']} entries" in done.stdout
    assert "1 newer entries wait for witnesses" in done.stderr
    words = ("publish", tmp_path / "out", "--log", log["origin"], "--unwitnessed")
    assert "wait" not in run(settings_file, *words).stderr


def plain_of(origin):
    now = datetime.now(UTC)
    told = {"kind": Kind.REVIEW, "op": Operation.CONSULT, "status": Status.DONE}
    envelope = Envelope(id=new_entry_id(now, bytes(10)), t=now, log=origin, **told)
    return Pending(encode_envelope(envelope), None)


def test_a_policy_that_nobody_fulfils_is_told_by_the_status(settings_file, tmp_path):
    from tests.audit.witnessing import cosigner

    policy = tmp_path / "policy"
    policy.write_text(f"witness w1 {cosigner(1).verifiers[0].vkey}\nquorum w1\n")
    assert run(settings_file, "verify", "--policy", policy).exit_code == 3


@pytest.mark.parametrize("verb", ["publish", "vkey"])
def test_a_log_that_is_not_kept_here_is_refused(settings_file, tmp_path, verb):
    words = [verb, *([tmp_path / "out"] if verb == "publish" else [])]
    for origin in ("other.example/XX/2026h2", "no log"):
        with pytest.raises(Exception, match="log"):
            run(settings_file, *words, "--log", origin)
    assert not (tmp_path / "out").exists()
