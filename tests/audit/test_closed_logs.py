# SPDX-License-Identifier: EUPL-1.2
"""Details of a closed log: held and erased by entries of the country's later log."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime

import pytest

from audit import Journal, LogCorruptError, parse_envelope
from audit.copies import open_copy
from audit.erasure import Eraser, plan
from audit.review.index import Indexer
from audit.review.index_file import create_index, open_index
from audit.review.searchkey import SearchKey
from audit.sealing import Unsealer
from audit.standing import entries_of, read_country
from audit.verify import Fault, Job, verify_logs
from tests.audit.erasing import DUE, TERMS, TODAY, create, detailed, held, lifted, order
from tests.audit.making import DPO_BA, KEY, ORIGIN, Clock, new_sealer

DETAIL = b'{"v":2,"officer":"officer-1","persons":["PERSON-1"]}'
SEARCH_KEY = SearchKey(DPO_BA)
NEXT = "audit.example/BA/2027h1"
JANUARY = datetime(2027, 1, 2, tzinfo=UTC)


@pytest.fixture
async def url(tmp_path):
    """A closed log with six details that are due, and the open one after it."""
    place = f"sqlite:///{tmp_path}/log.db"
    await asyncio.to_thread(create, place)
    sealer = new_sealer()
    journal = await Journal.open(place, keys={"BA": KEY}, clock=Clock())
    await journal.append([detailed(sealer, DUE, DETAIL, correlation=f"q{n % 2}") for n in range(6)])
    await journal.close()
    journal = await Journal.open(place, keys={"BA": KEY}, clock=Clock(JANUARY))
    await journal.append([detailed(sealer, DUE, DETAIL, log=NEXT)])
    await journal.close()
    return place


def read(url):
    with open_copy(url, ORIGIN) as old, open_copy(url, NEXT) as new:
        return read_country("BA", {NEXT: new, ORIGIN: old}, TERMS)


async def erase(url):
    found = await asyncio.to_thread(read, url)
    journal = await Journal.open(url, keys={"BA": KEY}, clock=Clock(JANUARY))
    try:
        eraser = Eraser(journal, found, lambda log: order(log=log))
        return await eraser.run(plan(found, TODAY))
    finally:
        await journal.close()


async def append(url, entries):
    journal = await Journal.open(url, keys={"BA": KEY}, clock=Clock(JANUARY))
    await journal.append(entries)
    await journal.close()


def verify(url, *origins):
    jobs = [Job(url, KEY.signer(origin).vkey, origin) for origin in origins]
    return verify_logs(jobs)


async def test_a_closed_logs_details_are_erased_by_entries_of_the_open_one(url):
    done = await erase(url)
    assert (done.entries, done.details) == (2, 7)
    reports = await asyncio.to_thread(verify, url, ORIGIN, NEXT)
    assert [(r.ok, r.erased) for r in reports] == [(True, 6), (True, 1)]
    with open_copy(url, NEXT) as copy:
        told = [parse_envelope(data) for _, data in copy.envelopes(2, 4)]
    assert [e.link and e.link.log for e in told] == [ORIGIN, None]
    assert (await erase(url)).entries == 0


async def test_alone_the_closed_log_can_not_account_for_what_is_gone(url):
    await erase(url)
    (report,) = await asyncio.to_thread(verify, url, ORIGIN)
    assert report.status == Fault.DETAIL


async def test_a_hold_on_a_closed_log_stands_in_the_open_one(url):
    with open_copy(url, ORIGIN) as copy:
        named = entries_of(copy, 8, "q1")
    assert named == [2, 4, 6]
    await append(url, [held(named, of=ORIGIN, log=NEXT)])
    assert (await erase(url)).details == 4
    reports = await asyncio.to_thread(verify, url, ORIGIN, NEXT)
    assert all(report.ok for report in reports)
    (hold,) = (await asyncio.to_thread(read, url)).holds.in_force()
    assert (hold.log, hold.count) == (ORIGIN, 3)
    await append(url, [lifted(hold, log=NEXT)])
    assert (await erase(url)).details == 3
    reports = await asyncio.to_thread(verify, url, ORIGIN, NEXT)
    assert all(report.ok for report in reports)


async def test_a_log_that_is_not_whole_gets_no_erasing(url):
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as con:
        con.execute("UPDATE log_entry SET envelope = (SELECT max(envelope) FROM log_entry)")
        con.commit()
    with pytest.raises(LogCorruptError, match="not whole"):
        await asyncio.to_thread(read, url)


async def test_an_index_forgets_a_closed_logs_details_too(url, tmp_path):
    path = tmp_path / "BA.idx"
    create_index(path, SEARCH_KEY)

    def sync():
        done = []
        with open_index(path, SEARCH_KEY) as con:
            for origin in (ORIGIN, NEXT, ORIGIN):
                with open_copy(url, origin) as copy:
                    done.append(Indexer(con, SEARCH_KEY, Unsealer(DPO_BA)).sync(copy).forgotten)
        return done

    assert await asyncio.to_thread(sync) == [0, 0, 0]
    await erase(url)
    assert await asyncio.to_thread(sync) == [0, 1, 6]
