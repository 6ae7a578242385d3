# SPDX-License-Identifier: EUPL-1.2
"""Holds, erasure and the two checks of logs, as operators and authorities call them."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from audit import AuditError
from audit.shards import first_shard
from gateway import retaining
from gateway.cli import cuvar
from gateway.commands import retention as commands
from gateway.logkeys import read_log_keys
from gateway.plausible import ClockError
from gateway.settings import load_settings
from tests.gateway.house import REASON, copy, running
from tests.gateway.small import CANARY_NAME

HIT = {
    "dataset": "registrations",
    "owners": ["RS"],
    "categories": ["record"],
    "view": "hit",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": REASON,
    "subject": {"surnames": CANARY_NAME, "forenames": "Amir", "date_of_birth": "1985-04-03"},
}
LISTED = {
    "dataset": "log",
    "owners": ["RS"],
    "purpose": "oversight",
    "basis": "GDP-07",
    "reason": REASON,
    "view": "full",
    "limit": 100,
}
BY = ("--org", "RS-DPA", "--ordered-by", "Judge Canary", "--file-no", "K 7/26")


@pytest.fixture(scope="module")
def asked(house_template, tmp_path_factory):
    """A gateway at rest that was asked thrice, and what RS's officer was shown."""
    folder = copy(house_template, tmp_path_factory.mktemp("asked") / "house")

    async def ask():
        async with running(folder) as house:
            await house.attest("presence", org="BA-BP")
            token = house.token("BA-BP", "border_officer")
            for _ in range(3):
                await house.ask("find", HIT, token=token)
            journal = house.runtime.log
            checkpoint = await journal.log(journal.current("RS")).checkpoint()
            officer = house.token("RS-DO", "dpo", strong=True)
            answer = (await house.ask("list", LISTED, token=officer)).json()
            return checkpoint, [r for part in answer["owners"][0]["results"] for r in part["rows"]]

    checkpoint, rows = asyncio.run(ask())
    (folder / "checkpoint").write_text(checkpoint, encoding="utf-8")
    (folder / "shown").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture
def folder(asked, tmp_path):
    return copy(asked, tmp_path / "house")


@pytest.fixture
def later(monkeypatch):
    """The commands are called in the year 2050."""
    for module in (commands, retaining):
        monkeypatch.setattr(module, "utc_now", lambda: datetime(2050, 1, 1, tzinfo=UTC))


def call(folder, *arguments, code=0):
    done = CliRunner().invoke(cuvar, ["audit", *map(str, arguments)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def configured(folder, *arguments, code=0):
    return call(folder, *arguments, "--config", folder / "cuvar.toml", code=code)


def log_of(folder, country):
    """The country's open log and its verifier key."""
    key = read_log_keys(load_settings(folder / "cuvar.toml"))[country]
    origin = first_shard(key.name, datetime.now(UTC)).origin
    return origin, key.signer(origin).vkey


def complete(folder, *options, code=0):
    origin, vkey = log_of(folder, "RS")
    return call(
        folder,
        *("complete", folder / "log.sqlite", "--country", "RS", "--shown", folder / "shown"),
        *("--vkey", vkey, "--checkpoint", folder / "checkpoint", "--log", origin),
        *("--key", folder / "dpo/RS.key", *options),
        code=code,
    )


def test_an_officer_sees_that_she_was_shown_all_and_which_entry_was_left_out(folder):
    told = complete(folder)
    assert "the list is complete" in told
    assert "the logs agree" in told
    lines = (folder / "shown").read_text(encoding="utf-8").splitlines()
    left_out = json.loads(lines.pop(0))
    (folder / "shown").write_text("\n".join(lines), encoding="utf-8")
    told = complete(folder, code=5)
    assert f"entry {left_out['index']}: an entry of RS that was not shown" in told
    assert json.loads(complete(folder, "--json", code=5))["gaps"][0]["what"] == "missing"


@pytest.mark.parametrize("spoilt", [b"", b"\xff\n", b"x\r\n"])
def test_a_checkpoint_that_is_none_never_passes_for_one(folder, spoilt):
    good = (folder / "checkpoint").read_bytes()
    complete(folder)
    for kept in (spoilt, good.replace(b"\n", b"\r\n"), good.replace(b"/RS/", b"/BA/")):
        (folder / "checkpoint").write_bytes(kept)
        origin, vkey = log_of(folder, "RS")
        words = ("audit", "complete", folder / "log.sqlite", "--country", "RS", "--vkey", vkey)
        more = ("--shown", folder / "shown", "--checkpoint", folder / "checkpoint", "--log", origin)
        done = CliRunner().invoke(cuvar, [*map(str, words), *map(str, more)])
        assert isinstance(done.exception, AuditError), (kept, done.output)
        assert "complete" not in done.output


def test_logs_of_two_countries_are_compared(folder):
    told = call(folder, "reconcile", folder / "log.sqlite")
    assert "3 events alike in two logs" in told
    found = json.loads(
        call(folder, "reconcile", folder / "log.sqlite", "--country", "HR", "--json")
    )
    assert (found["ok"], found["pairs"]) == (True, 0)


def test_what_is_due_is_shown_erased_and_kept_under_a_hold(folder, later):
    origin, _ = log_of(folder, "RS")
    rows = map(json.loads, (folder / "shown").read_text(encoding="utf-8").splitlines())
    hit = next(r["index"] for r in rows if r["log_envelope.envelope"]["erase"] == "2036-06")
    told = configured(folder, "retention", "--country", "RS")
    assert f"{origin} 2036-06: 3 stand, 3 due, 0 held, 0 erased" in told
    done = CliRunner().invoke(
        cuvar, ["audit", "retention", "--do", "--config", str(folder / "cuvar.toml")]
    )
    assert isinstance(done.exception, ClockError), "a clock that nobody else's comes near"
    told = configured(
        folder, *("hold", "add", origin, "--entries", hit, "--ground", "COURT-ORDER", *BY)
    )
    name = told.partition(":")[0]
    told = configured(folder, "hold", "list", "--country", "RS")
    assert f"{name}: 1 entries of {origin}" in told
    (held,) = json.loads(configured(folder, "hold", "list", "--json"))["holds"]
    assert (held["about"], held["ground"]) == ([str(hit)], "COURT-ORDER")
    found = json.loads(configured(folder, "retention", "--do", "--clock-is-right", "--json"))
    assert found["erased"]["RS"]["details"] >= 2
    assert found["erased"]["BA"]["details"] == 4, "the change of rules too"
    assert found["leftovers"] == []
    told = configured(folder, "retention", "--country", "RS")
    assert f"{origin} 2036-06: 1 stand, not due, 1 held, 2 erased" in told
    assert "whole: " in configured(folder, "verify"), "with the log in which it is declared"
    assert b"Canary" not in (folder / "log.sqlite").read_bytes()
    assert "free again" in configured(folder, "hold", "lift", name, *BY)
    configured(folder, "hold", "lift", name, *BY, code=1)
    configured(folder, "retention", "--do", "--country", "RS")  # its entries are of 2050 now
    told = configured(folder, "retention", "--country", "RS")
    assert f"{origin} 2036-06: 0 stand, not due, 0 held, 3 erased" in told
    assert "the logs agree" in call(folder, "reconcile", folder / "log.sqlite")


def test_a_question_is_held_by_its_correlation(folder, later):
    origin, _ = log_of(folder, "RS")
    row = json.loads((folder / "shown").read_text(encoding="utf-8").splitlines()[0])
    question = row["log_envelope.envelope"]["correlation"]
    by = ("--ground", "INT-10-MONITORING", *BY)
    told = configured(folder, "hold", "add", origin, "--question", question, *by)
    assert "1 entries are held" in told
    configured(folder, "hold", "add", origin, "--question", "nobody-asked", *by, code=1)
    configured(folder, "hold", "add", origin, *by, code=2)
    configured(folder, "hold", "add", origin, "--entries", "99", *by, code=1)
    configured(folder, "hold", "lift", "hold-0", *BY, code=1)
    name = told.partition(":")[0]
    strangers = ("--org", "HR-SA", *BY[2:])
    configured(folder, "hold", "lift", name, *strangers, code=1)
    configured(folder, "erase", origin, "--entries", "1", *strangers, code=1)
    assert name in configured(folder, "hold", "list")
    configured(folder, "retention", "--country", "XX", code=1)


def test_an_order_erases_before_the_time(folder):
    origin, _ = log_of(folder, "RS")
    rows = map(json.loads, (folder / "shown").read_text(encoding="utf-8").splitlines())
    hit = next(r["index"] for r in rows if r["log_envelope.envelope"]["erase"] == "2036-06")
    told = configured(folder, "erase", origin, "--entries", hit, *BY)
    assert "1 details erased under 1 entries" in told
    assert "1 of these questions stand in test.invalid/BA/" in told, "the other side's is named"
    configured(folder, "erase", origin, "--entries", hit, *BY, code=1)
    assert "whole: " in configured(folder, "verify", "--log", origin)
    told = configured(folder, "retention", "--country", "RS")
    assert f"{origin} 2036-06: 2 stand, not due, 0 held, 1 erased" in told
