# SPDX-License-Identifier: EUPL-1.2
"""Attacks on what erases details: the attacker holds database and log keys; who catches each.

As in tests/audit/test_drills.py, each drill first shows how far the attacker gets.
"""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from audit import Journal
from audit.checkpoint import Checkpoint
from audit.copies import open_copy
from audit.envelope import encode_envelope
from audit.event import Link
from audit.journal import _edge_entry
from audit.sealing import Unsealer
from audit.state import Accepted, advance, unborn
from audit.store import LOG_BITS, create_store
from audit.verify import Fault, Job, verify_log, verify_logs
from audit.vocabulary import Kind
from audit.witness import AddCheckpoint, parse_trusted
from tests.audit.erasing import LATER
from tests.audit.making import DPO_HR, KEY, NOON, ORIGIN, SIGNER, Clock, envelope, new_sealer, plain
from tests.audit.test_twins import HR, HR_KEY, KEYS, append, erase, left, pair
from tests.audit.witnessing import NOW, Seconds, cosigner, witness_at

BESIDE, NEXT = f"{KEY.name}/2026h2.2", f"{KEY.name}/2027h1"
AHEAD, THEN = NOON.replace(year=2050), f"{KEY.name}/2050h2"
POLICY = f"witness w1 {cosigner(1).verifiers[0].vkey}\nquorum w1\n".encode()


@pytest.fixture
def url(tmp_path):
    """Three events in the logs of two countries, none of them due."""
    place, sealer = f"sqlite:///{tmp_path}/log.db", new_sealer()
    Journal.create(place, keys=KEYS, now=NOON)
    asyncio.run(append(place, [one for n in range(3) for one in pair(sealer, n, LATER)]))
    return place


def write(url, entries, now=NOON):
    """The log's own writer enters what the attacker wants; it signs with the true keys."""

    async def run():
        journal = await Journal.open(url, keys=KEYS, clock=Clock(now))
        positions = await journal.append(entries) if entries else []
        notes = [await journal.log(origin).checkpoint() for origin in journal.origins]
        await journal.close()
        return positions, notes

    return asyncio.run(run())


def taken(url, index, origin=ORIGIN):
    """The detail is gone, by the database's own means."""
    number = 0 if origin == ORIGIN else 1
    with sqlite3.connect(url.removeprefix("sqlite:///")) as con:
        gone = con.execute("DELETE FROM log_detail WHERE pos = ?", ((number << LOG_BITS) + index,))
        assert gone.rowcount == 1
    con.close()


def said(report):
    return [finding.what for finding in report.findings]


def test_a_second_log_beside_the_line_is_found_by_whoever_is_shown_it(url, tmp_path):
    """It declares what the true log may not: an erasure under a hold, with the true key."""
    hold = plain(kind="legal-hold", about=("1",), correlation="case", owner=None)
    write(url, [hold])
    write(url, [], NOON.replace(year=2027, month=1))  # the true line goes on in the next half-year
    with open_copy(url, ORIGIN) as copy:
        head = copy.head()
    signer = KEY.signer(BESIDE)
    lifted = envelope(
        kind="hold-lifted", about=("1",), log=BESIDE, link=Link(ORIGIN), correlation="case"
    )
    ordered = envelope(kind="erasure", about=("1",), log=BESIDE, link=Link(ORIGIN))
    entries = [
        _edge_entry(Kind.OPENING, BESIDE, Link(ORIGIN, head.size, head.root.hex()), NOON),
        *(Accepted(encode_envelope(one), None) for one in (lifted, ordered)),
    ]
    births = advance({BESIDE: unborn(BESIDE, 0, signer)}, entries, NOON, {BESIDE: signer}).batches
    beside = f"sqlite:///{tmp_path}/beside.db"
    asyncio.run(create_store(beside, births))
    taken(url, 1)

    line = [Job(url, KEY.signer(name).vkey, name) for name in (ORIGIN, NEXT)]
    old, _ = verify_logs(line)
    assert old.status == Fault.DETAIL, "without it nothing accounts for the detail"
    old, second, new = verify_logs([line[0], Job(beside, signer.vkey, BESIDE), line[1]])
    assert said(old) == [], "with it the detail is accounted for"
    assert any("one too many" in what for what in said(new))
    assert any("comes after it" in what for what in said(second))


def test_a_second_log_beside_the_line_gets_no_cosignature(tmp_path):
    """A witness knows a country's logs by name; what it was not told of is nobody's log."""
    witness = witness_at(
        tmp_path / "witness.sqlite", trusted=parse_trusted(f"log {SIGNER.vkey}\n".encode())
    )
    note = Checkpoint(BESIDE, 1, bytes(32)).sign(KEY.signer(BESIDE))
    assert witness.add_checkpoint(AddCheckpoint(0, (), note.encode()).body).status == 404


def test_an_erasure_before_its_month_is_found_by_the_verifier(url):
    write(url, [plain(kind="erasure", basis="INT-10", about=("1",), requester=None)])
    assert verify_log(url, vkey=SIGNER.vkey, origin=ORIGIN).ok, "declared, and not yet done"
    taken(url, 1)
    report = verify_log(url, vkey=SIGNER.vkey, origin=ORIGIN)
    assert report.status == Fault.DETAIL
    assert any(f"was erased before {LATER} was over" in what for what in said(report))


def test_a_clock_set_ahead_to_erase_early_contradicts_the_witnesses(url, tmp_path):
    """Every entry after it bears a time to come, so that each month seems over."""
    write(url, [], AHEAD)  # closes the log of 2026 and opens one of that year
    late = plain(
        kind="erasure", basis="INT-10", about=("1",), requester=None, log=THEN, link=Link(ORIGIN)
    )
    _, notes = write(url, [late], AHEAD)
    taken(url, 1)
    jobs = [Job(url, KEY.signer(name).vkey, name) for name in (ORIGIN, THEN)]
    assert all(report.ok for report in verify_logs(jobs)), "in itself all of it fits"

    trusted = parse_trusted(f"log {KEY.signer(THEN).vkey}\n".encode())
    witness = witness_at(tmp_path / "w.sqlite", trusted=trusted, clock=Seconds(NOW))
    (note,) = [one for one in notes if one.startswith(THEN)]
    answer = witness.add_checkpoint(AddCheckpoint(0, (), note.encode()).body)
    _, new = verify_logs(
        [jobs[0], replace(jobs[1], checkpoints=(note + answer.body,), policy=POLICY)]
    )
    assert "its time is ahead of the clocks of the witnesses that cosigned it" in said(new)


def test_a_twin_left_behind_is_told_by_the_other_officers_tool(url):
    """The operator reports the order as done: in the log of the one who gave it, it is."""
    asyncio.run(erase(url, {"BA": [1]}))
    assert verify_log(url, vkey=SIGNER.vkey, origin=ORIGIN).ok
    assert left(url, "BA") == []
    with open_copy(url, HR) as log:
        (row,) = log.rows(1, 2)
    assert b"CANARY-0" in Unsealer(DPO_HR).open(row.entry().sealed), "any of both keys opens it"
    (found,) = left(url, "HR")
    assert (found.log, found.indices, found.by) == (HR, (1,), ("BA",))


def test_a_twin_that_is_taken_without_its_own_countrys_order_is_found_by_the_verifier(url):
    asyncio.run(erase(url, {"BA": [1]}))
    taken(url, 1, HR)
    report = verify_log(url, vkey=HR_KEY.signer(HR).vkey, origin=HR)
    assert report.status == Fault.DETAIL
    assert said(report) == ["its sealed detail is missing and no erasure entry names it"]
