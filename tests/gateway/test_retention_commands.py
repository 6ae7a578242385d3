# SPDX-License-Identifier: EUPL-1.2
"""Holds, erasure and the two checks of logs, as operators and authorities call them."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from audit import AuditError, Journal, LogUnavailableError
from audit.copies import open_copy, origins
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
BY = ("--org", "RS-SA", "--ordered-by", "Judge Canary", "--file-no", "K 7/26")


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


ABROAD = ("--with-order", "BA-SA", "Judge Stranger", "K 9/26")


def hit_of(folder):
    """The number of an entry with a hit in RS's log, and both logs."""
    rows = map(json.loads, (folder / "shown").read_text(encoding="utf-8").splitlines())
    hit = next(r["index"] for r in rows if r["log_envelope.envelope"]["erase"] == "2036-06")
    return hit, log_of(folder, "RS")[0], log_of(folder, "BA")[0]


def details(folder):
    """Which entries have their detail, by log."""
    found = {}
    for origin in origins(str(folder / "log.sqlite")):
        with open_copy(str(folder / "log.sqlite"), origin) as log:
            found[origin] = {one.index for one in log.details(0, log.count())}
    return found


def refused(folder, *arguments):
    done = CliRunner().invoke(
        cuvar, ["audit", *map(str, arguments), "--config", str(folder / "cuvar.toml")]
    )
    assert isinstance(done.exception, AuditError), done.output
    return str(done.exception)


def test_one_countrys_order_erases_nothing_while_the_other_side_stands(folder):
    hit, rs, ba = hit_of(folder)
    before = details(folder)
    told = refused(folder, "erase", rs, "--entries", hit, *BY)
    for said in (ba, "--with-order BA-", "--leave-twins"):
        assert said in told
    assert details(folder) == before
    assert "0 erased" in configured(folder, "retention", "--country", "RS")


def test_two_orders_erase_both_sides_and_each_is_an_entry_of_its_own_log(folder):
    hit, rs, ba = hit_of(folder)
    before = details(folder)
    done = json.loads(configured(folder, "erase", rs, "--entries", hit, *BY, *ABROAD, "--json"))
    assert {c: one["details"] for c, one in done["erased"].items()} == {"RS": 1, "BA": 1}
    after = details(folder)
    assert (len(before[rs] - after[rs]), len(before[ba] - after[ba])) == (1, 1)
    for origin, body in ((rs, "RS-SA"), (ba, "BA-SA")):
        with open_copy(str(folder / "log.sqlite"), origin) as log:
            *_, (_, last) = log.envelopes(0, log.count())
        entry = json.loads(last)
        assert (entry["kind"], entry["basis"]) == ("erasure", "GDP-ORDER")
        assert (entry["requester"]["org"], entry["log"]) == (body, origin)
        assert entry["detail"], "who signed it is sealed"
    assert "whole: " in configured(folder, "verify")
    assert "erased in" not in configured(folder, "retention")
    assert "the logs agree" in call(folder, "reconcile", folder / "log.sqlite")
    assert "erased already" in refused(folder, "erase", rs, "--entries", hit, *BY, *ABROAD)


def test_an_officer_is_told_what_another_country_had_erased_and_hers_still_holds(folder):
    hit, rs, ba = hit_of(folder)
    told = configured(folder, "erase", rs, "--entries", hit, *BY, "--leave-twins")
    assert "RS: 1 details erased under 1 entries" in told
    assert f"left in {ba}" in told
    for call_ in (
        configured(folder, "retention", "--country", "BA"),
        call(folder, "reconcile", folder / "log.sqlite"),
    ):
        assert f"{ba}: erased in RS on an order and still here: entries " in call_
    assert "still here" not in configured(folder, "retention", "--country", "RS")
    (left,) = json.loads(configured(folder, "retention", "--json"))["erased_elsewhere"]
    assert (left["log"], left["by"], len(left["indices"])) == (ba, ["RS"], 1)
    other = ("--org", "BA-CT", "--ordered-by", "Judge Stranger", "--file-no", "K 9/26")
    told = configured(folder, "erase", ba, "--entries", left["indices"][0], *other)
    assert "BA: 1 details erased" in told, "its other side is gone: one order is enough now"
    assert "still here" not in configured(folder, "retention")
    assert "whole: " in configured(folder, "verify")


def test_a_hold_on_the_other_side_stops_both(folder):
    hit, rs, ba = hit_of(folder)
    with open_copy(str(folder / "log.sqlite"), rs) as log:
        ((_, entry),) = log.envelopes(hit, hit + 1)
    question = json.loads(entry)["correlation"]
    by = ("--org", "BA-SA", *BY[2:], "--ground", "COURT-ORDER")
    configured(folder, "hold", "add", ba, "--question", question, *by)
    before = details(folder)
    assert "under a legal hold" in refused(folder, "erase", rs, "--entries", hit, *BY, *ABROAD)
    assert details(folder) == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--with-order", "BA-BP", "Chief", "1"), "orders nothing of a log"),
        (("--with-order", "BA-NONE", "Chief", "1"), "is no body of BA"),
        (("--with-order", "HR-SA", "Judge", "1"), "no log of HR has these questions"),
        (("--with-order", "RS-CT", "Judge", "1"), "more than once"),
        ((*ABROAD, *ABROAD), "more than once"),
        (("--with-order", "BA-SA", " ", "31/26"), "a signatory and a file number"),
        (("--with-order", "BA-SA", "Judge B.", ""), "a signatory and a file number"),
    ],
)
def test_an_order_of_somebody_who_may_not_give_it_is_refused(folder, given, said):
    hit, rs, _ = hit_of(folder)
    before = details(folder)
    assert said in refused(folder, "erase", rs, "--entries", hit, *BY, *given)
    police = ("--org", "RS-BP", *BY[2:])
    assert "orders nothing" in refused(folder, "erase", rs, "--entries", hit, *police, *ABROAD)
    assert details(folder) == before


@pytest.mark.parametrize("again", ["erase", "retention"])
def test_a_run_that_was_cut_off_between_the_two_sides_is_finished_by_the_next(
    folder, monkeypatch, again
):
    hit, rs, ba = hit_of(folder)
    before, real, calls = details(folder), Journal.erase_details, []

    async def once(journal, origin, indices):
        calls.append(origin)
        if len(calls) == 2:
            raise LogUnavailableError("the process was cut off here")
        return await real(journal, origin, indices)

    monkeypatch.setattr(Journal, "erase_details", once)
    order = ("erase", rs, "--entries", hit, *BY, *ABROAD)
    assert "cut off" in refused(folder, *order)
    monkeypatch.undo()
    cut = details(folder)
    assert (len(before[rs] - cut[rs]), len(before[ba] - cut[ba])) == (1, 0)
    assert json.loads(configured(folder, "retention", "--json"))["unfinished"] == {ba: 1}
    assert f"{ba}: 1 details still stand though they are declared erased" in configured(
        folder, "retention"
    )
    if again == "erase":
        assert "BA: 0 details erased under 0 entries, 1 of an earlier run" in configured(
            folder, *order
        )
    else:
        configured(folder, "retention", "--do", "--clock-is-right")
    assert len(before[ba] - details(folder)[ba]) == 1
    assert json.loads(configured(folder, "retention", "--json"))["unfinished"] == {}
    assert "whole: " in configured(folder, "verify")
