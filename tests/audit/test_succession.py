# SPDX-License-Identifier: EUPL-1.2
"""After a log that can't go on: its successor, what it says, and what it refuses to paper over."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from audit import Kind, Link, LogUnavailableError, NoteError, SuccessionError, parse_envelope
from audit.backup import keep_logs, open_snapshot, restore_logs
from audit.checkpoint import Checkpoint
from audit.shards import parse_origin
from audit.succession import Gap, succeed
from audit.verify import verify_log
from tests.audit.making import (
    KEY,
    NOON,
    ORIGIN,
    STRANGER_KEY,
    Clock,
    create_empty,
    fill,
    open_journal,
    opened,
    plain,
)

LATER = NOON + timedelta(hours=1)
NAME = f"{ORIGIN}.20261124130000"


def run(url, **given):
    given = {"keys": {"BA": KEY}, "now": LATER, **given}
    return asyncio.run(succeed(url, **given))


async def write(url, count):
    async with opened(url) as log:
        await fill(log, count)
        return await log.checkpoint()


@pytest.fixture
def restored(place, tmp_path):
    """An address where a log of ten entries was restored; the lost one had fifteen."""
    asyncio.run(write(place.url, 10))
    kept = keep_logs(place.url, tmp_path)
    lost = asyncio.run(write(place.url, 5))
    url = f"sqlite:///{tmp_path}/restored.db"
    restore_logs(tmp_path, kept, url)
    return url, lost


def opening(url):
    with open_snapshot(url) as snapshot:
        head = snapshot.heads()[-1]
        return head, parse_envelope(snapshot.entries(head, 0, 1)[0].envelope)


def test_the_successor_names_what_went_before_and_why(restored):
    url, _ = restored
    (made,) = run(url)
    head, entry = opening(url)
    assert (made.old, made.new, made.size, made.lost) == (ORIGIN, NAME, 10, 0)
    assert (head.origin, head.size, head.closed) == (NAME, 1, False)
    assert entry.kind is Kind.CHECKPOINT_GAP
    assert entry.link == Link(ORIGIN, 10, made.root.hex())
    assert (entry.purpose, entry.count) == (Gap.RESTORED, 0)


def test_a_checkpoint_that_others_hold_says_how_much_was_lost(restored):
    url, lost = restored
    (made,) = run(url, notes=[lost])
    assert (made.size, made.lost) == (15, 5)
    assert opening(url)[1].link.size == 15
    assert opening(url)[1].count == 5


def test_a_gateway_goes_on_in_the_successor_only(restored):
    url, _ = restored
    run(url)

    async def go_on():
        journal = await open_journal(url, clock=Clock(LATER))
        try:
            (position,) = await journal.append([plain(log=NAME)])
            with pytest.raises(LogUnavailableError):
                await journal.append([plain(log=ORIGIN)])
            return journal.current("BA"), position.index
        finally:
            await journal.close()

    assert asyncio.run(go_on()) == (NAME, 1)


def test_a_checkpoint_of_another_past_is_a_fork_and_no_gap(restored, tmp_path):
    url, _ = restored
    other = tmp_path / "other.db"
    create_empty(str(other))
    fork = asyncio.run(write(str(other), 7))
    with pytest.raises(SuccessionError, match="fork"):
        run(url, notes=[fork])
    with open_snapshot(url) as snapshot:
        assert len(snapshot.heads()) == 1


def test_two_checkpoints_of_one_size_and_two_pasts_are_a_fork(restored, tmp_path):
    url, lost = restored
    create_empty(str(tmp_path / "other.db"))
    fork = asyncio.run(write(str(tmp_path / "other.db"), 15))
    with pytest.raises(SuccessionError, match="fork"):
        run(url, notes=[lost, fork])


def test_a_checkpoint_that_another_key_signed_counts_for_nothing(restored):
    url, lost = restored
    text = lost.partition("\n\n")[0] + "\n"
    forged = STRANGER_KEY.signer(ORIGIN).sign(text)
    with pytest.raises(NoteError):
        run(url, notes=[forged])


def of_lost(origin, size, root=bytes(32), key=KEY):
    return Checkpoint(origin, size, root).sign(key.signer(origin))


def test_a_log_opened_after_the_backup_is_named_as_lost(restored):
    url, _ = restored
    between = f"{ORIGIN}.20261124130030"
    notes = [of_lost(between, 7), of_lost(between, 9)]
    (made,) = run(url, notes=notes, now=LATER)
    assert [(one.origin, one.size) for one in made.gone] == [(between, 9)]
    assert parse_origin(made.new).age > parse_origin(between).age
    with open_snapshot(url) as snapshot:
        head = snapshot.heads()[-1]
        told = [parse_envelope(entry.envelope) for entry in snapshot.entries(head, 0, 2)]
    assert [one.kind for one in told] == [Kind.CHECKPOINT_GAP] * 2
    assert told[0].link.log == ORIGIN
    assert (told[1].link, told[1].count) == (Link(between, 9, bytes(32).hex()), 9)
    vkey = KEY.signer(made.new).vkey
    assert verify_log(url, vkey=vkey, origin=made.new).ok
    with pytest.raises(SuccessionError, match="nothing to succeed"):
        run(url, notes=notes)


def test_a_lost_log_counts_only_under_its_countrys_key_and_with_one_past(restored):
    url, _ = restored
    between = f"{ORIGIN}.20261124130030"
    with pytest.raises(NoteError):
        run(url, notes=[of_lost(between, 7, key=STRANGER_KEY)])
    with pytest.raises(SuccessionError, match="fork"):
        run(url, notes=[of_lost(between, 7), of_lost(between, 7, bytes(range(32)))])
    with pytest.raises(NoteError, match="none of the closed logs"):
        run(url, notes=[of_lost("audit.example/BA/2025h2", 7)])


def test_a_log_that_is_open_has_no_successor(place):
    asyncio.run(write(place.url, 1))
    with pytest.raises(SuccessionError, match="nothing to succeed"):
        run(place.url)


def test_no_successor_is_opened_under_a_running_gateway(restored):
    url, _ = restored
    run(url)

    async def beside():
        journal = await open_journal(url, clock=Clock(LATER))
        try:
            await succeed(url, keys={"BA": KEY}, now=LATER)
        finally:
            await journal.close()

    with pytest.raises(LogUnavailableError, match="another process"):
        asyncio.run(beside())


def test_one_backup_restored_twice_opens_two_names(place, tmp_path):
    asyncio.run(write(place.url, 3))
    kept = keep_logs(place.url, tmp_path)
    names = set()
    for number in (1, 2):
        url = str(tmp_path / f"{number}.db")
        restore_logs(tmp_path, kept, url)
        (made,) = run(url, now=LATER + timedelta(minutes=number))
        names.add(made.new)
    assert len(names) == 2


def test_a_successor_opened_in_the_next_half_year_has_its_name(restored):
    url, _ = restored
    (made,) = run(url, now=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert made.new == "audit.example/BA/2027h1.20270102030405"


def test_the_opening_is_not_dated_before_the_old_logs_last_entry(restored):
    url, _ = restored
    with pytest.raises(LogUnavailableError, match="clock"):
        run(url, now=NOON - timedelta(days=1))


def test_a_restored_successor_is_succeeded_in_turn(restored, tmp_path):
    url, _ = restored
    run(url)
    (tmp_path / "second").mkdir()
    kept = keep_logs(url, tmp_path / "second")
    again = str(tmp_path / "again.db")
    restore_logs(tmp_path / "second", kept, again)
    (made,) = run(again, now=LATER + timedelta(days=1))
    assert made.old == NAME
    assert opening(again)[1].link.log == NAME
