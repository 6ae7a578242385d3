# SPDX-License-Identifier: EUPL-1.2
"""Several logs in one store: one commit for all, and the turn of a half-year."""

import asyncio
from datetime import UTC, datetime

import pytest

from audit import (
    EnvelopeError,
    Journal,
    Kind,
    Link,
    LogUnavailableError,
    parse_envelope,
    verify_receipt,
)
from audit.checkpoint import open_checkpoint
from audit.errors import HeadMovedError
from audit.shards import HOUSE
from audit.store import Cosigned
from tests.audit.making import KEY, NOON, Clock, key_of, new_sealer, plain, sealed, until

COUNTRIES = ("BA", "HR", HOUSE)
KEYS = {country: key_of(f"audit.example/{country}/2026h2") for country in COUNTRIES}
NEXT_YEAR = datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)


def origin(country, half="2026h2"):
    return f"audit.example/{country}/{half}"


@pytest.fixture
def made(nowhere):
    """The address of a store with three logs."""
    Journal.create(nowhere.url, keys=KEYS, now=NOON)
    return nowhere


async def journal_of(place, clock=None, **options):
    return await Journal.open(place.url, keys=KEYS, clock=clock or Clock(), **options)


async def envelopes(journal, name):
    log = journal.log(name)
    return [parse_envelope(entry.envelope) for entry in await log.read(0, log.size)]


async def test_each_country_begins_with_a_log_of_its_own_that_says_it_has_no_predecessor(made):
    journal = await journal_of(made)
    assert set(journal.origins) == {origin(country) for country in COUNTRIES}
    for country in COUNTRIES:
        name = journal.current(country)
        (opening,) = await envelopes(journal, name)
        assert (opening.kind, opening.log, opening.link) == (Kind.OPENING, name, None)
        note = await journal.log(name).checkpoint()
        assert open_checkpoint(note.encode(), KEYS[country].signer(name).verifier, name).size == 1
    await journal.close()


async def test_both_sides_of_a_question_stand_in_one_commit_at_one_time(made):
    journal = await journal_of(made)
    sealer = new_sealer()
    both = [sealed(sealer, log=origin("BA")), plain(log=origin("HR"))]
    ours, theirs = await journal.append(both)
    assert (ours.log, theirs.log) == (origin("BA"), origin("HR"))
    assert (ours.index, theirs.index, ours.t) == (1, 1, theirs.t)
    for position in (ours, theirs):
        verifier = journal.signer(position.log).verifier
        receipt = await journal.log(position.log).receipt(position.index)
        verify_receipt(receipt.encode(), position.leaf_hash, verifier, position.log)
    await journal.close()


async def test_many_writers_to_many_logs_get_each_place_once(made):
    journal = await journal_of(made)

    async def ask(country):
        return await journal.append([plain(log=origin(country)), plain(log=origin(HOUSE))])

    done = await asyncio.gather(*(ask(country) for country in ("BA", "HR") * 30))
    places = [(position.log, position.index) for pair in done for position in pair]
    assert len(set(places)) == len(places) == 120
    assert {country: journal.log(origin(country)).size for country in COUNTRIES} == {
        "BA": 31,
        "HR": 31,
        HOUSE: 61,
    }
    await journal.close()


async def test_an_entry_for_a_log_that_is_not_here_or_that_opens_one_is_refused(made):
    journal = await journal_of(made)
    with pytest.raises(EnvelopeError, match="not kept here"):
        await journal.append([plain(log=origin("BA")), plain(log=origin("RS"))])
    for kind in (Kind.OPENING, Kind.CLOSING, Kind.CHECKPOINT_GAP):
        with pytest.raises(EnvelopeError, match="only the journal"):
            await journal.append([plain(log=origin("BA"), kind=kind)])
    assert journal.log(origin("BA")).size == 1
    await journal.close()


async def test_a_new_half_year_closes_every_log_and_opens_its_successor(made):
    clock = Clock()
    journal = await journal_of(made, clock)
    await journal.append([plain(log=origin("BA"))])
    assert await journal.rotate() == []
    clock.now = NEXT_YEAR
    opened = await journal.rotate()
    assert opened == [origin(country, "2027h1") for country in sorted(COUNTRIES)]
    assert await journal.rotate() == []
    old = await envelopes(journal, origin("BA"))
    (opening,) = await envelopes(journal, origin("BA", "2027h1"))
    assert (old[-1].kind, old[-1].link.log) == (Kind.CLOSING, origin("BA", "2027h1"))
    log = journal.log(origin("BA"))
    assert log.closed
    assert (opening.link.log, opening.link.size, opening.link.root) == (
        origin("BA"),
        log.size,
        log.root.hex(),
    )
    with pytest.raises(LogUnavailableError, match="no entries any more"):
        await journal.append([plain(log=origin("BA"))])
    (position,) = await journal.append([plain(log=journal.current("BA"))])
    assert (position.log, position.index) == (origin("BA", "2027h1"), 1)
    await journal.close()
    journal = await journal_of(made, clock)
    assert journal.current("HR") == origin("HR", "2027h1")
    assert await journal.log(origin("BA")).receipt(1)
    await journal.close()


async def test_a_turn_that_came_while_the_gateway_stood_still_is_made_up_for_at_the_start(made):
    journal = await journal_of(made, Clock(NEXT_YEAR.replace(year=2028)))
    assert journal.current("BA") == origin("BA", "2028h1")
    (opening,) = await envelopes(journal, origin("BA", "2028h1"))
    assert opening.link.log == origin("BA")
    await journal.close()


@pytest.mark.parametrize("commits", range(6))
async def test_a_turn_cut_off_at_any_commit_is_finished_at_the_next_start(
    made, commits, monkeypatch
):
    clock = Clock()
    journal = await journal_of(made, clock)
    clock.now = NEXT_YEAR
    store, left = journal._store, [commits]
    commit = type(store).commit

    async def some(store, batches):
        if not left[0]:
            raise HeadMovedError("cut off")
        left[0] -= 1
        await commit(store, batches)

    with monkeypatch.context() as cut:
        cut.setattr(type(store), "commit", some)
        with pytest.raises(LogUnavailableError):
            await journal.rotate()
        await journal.close()
    journal = await journal_of(made, clock)
    for country in COUNTRIES:
        name = origin(country, "2027h1")
        assert journal.current(country) == name
        opening = (await envelopes(journal, name))[0]
        predecessor = journal.log(origin(country))
        assert (opening.link.size, opening.link.root) == (predecessor.size, predecessor.root.hex())
        assert (await envelopes(journal, origin(country)))[-1].kind is Kind.CLOSING
    await journal.close()


async def test_what_queued_before_a_turn_stands_before_the_closing_entry(made):
    clock = Clock()
    journal = await journal_of(made, clock)
    clock.now = NEXT_YEAR
    asking = [asyncio.create_task(journal.append([plain(log=origin("BA"))])) for _ in range(5)]
    await asyncio.sleep(0)
    await journal.rotate()
    assert [position.log for (position,) in await asyncio.gather(*asking)] == [origin("BA")] * 5
    kinds = [envelope.kind for envelope in await envelopes(journal, origin("BA"))]
    assert kinds == [Kind.OPENING, *[Kind.ACCESS] * 5, Kind.CLOSING]
    await journal.close()


async def test_a_log_marked_closed_is_never_continued(made):
    made.execute(
        "UPDATE log_head SET closed = 1"
        if made.url.startswith("sqlite")
        else "UPDATE log_head SET closed = true"
    )
    with pytest.raises(LogUnavailableError, match="cuvar audit succeed"):
        await journal_of(made)


async def test_a_store_without_a_countrys_log_is_not_opened_for_it(made):
    with pytest.raises(LogUnavailableError, match="RS has no open log"):
        await Journal.open(made.url, keys={**KEYS, "RS": key_of(origin("RS"))}, clock=Clock())
    journal = await journal_of(made)  # and the failed try left the lease free
    await journal.close()


async def test_the_newest_cosigned_checkpoint_is_kept_and_receipts_use_it(made):
    journal = await journal_of(made)
    name = origin("BA")
    positions = [await journal.append([plain(log=name)]) for _ in range(300)]
    log = journal.log(name)
    assert await journal.cosigned(name) is None
    seen = await log.checkpoint()
    await journal.save_cosigned(name, Cosigned(log.size, seen))
    await journal.save_cosigned(name, Cosigned(2, "older"))
    assert await journal.cosigned(name) == Cosigned(log.size, seen)
    assert await journal.cosigned(origin("HR")) is None
    (late,) = await journal.append([plain(log=name)])
    verifier = journal.signer(name).verifier
    for position, size in ((positions[0][0], 301), (positions[-1][0], 301), (late, 302)):
        receipt = (await log.receipt(position.index)).encode()
        _, checkpoint = verify_receipt(receipt, position.leaf_hash, verifier, name)
        assert checkpoint.size == size
    await journal.close()


async def test_a_fault_of_the_store_stops_all_logs_and_all_come_back(made, monkeypatch):
    journal = await journal_of(made)
    await journal.append([plain(log=origin("BA"))])

    async def broken(_store, _batches):
        raise HeadMovedError("moved")

    with monkeypatch.context() as cut:
        cut.setattr(type(journal._store), "commit", broken)
        with pytest.raises(LogUnavailableError):
            await journal.append([plain(log=origin("HR"))])
    await until(lambda: journal.healthy)
    assert [p.index for p in await journal.append([plain(log=origin(c)) for c in COUNTRIES])] == [
        2,
        1,
        1,
    ]
    await journal.close()


def test_a_key_never_shows_itself():
    assert KEY.private.private_bytes_raw().hex() not in repr(KEY)
    assert "private" not in repr(KEY)


async def test_the_first_logs_of_a_store_can_succeed_the_one_log_of_an_older_gateway(nowhere):
    old = Link("audit.example/old", 300, "ab" * 32)
    Journal.create(nowhere.url, keys=KEYS, now=NOON, after=old)
    journal = await journal_of(nowhere)
    for country in COUNTRIES:
        (opening,) = await envelopes(journal, journal.current(country))
        assert opening.link == old
    await journal.close()
