# SPDX-License-Identifier: EUPL-1.2
"""The word for what ails a log, from real trouble of a real store."""

import asyncio
import sqlite3
from datetime import timedelta

import pytest

from audit import Journal, LogUnavailableError
from audit.errors import LeaseHeldError, LogCorruptError, Trouble
from audit.relay.shared import SharedJournal
from audit.sqlite_errors import translated
from tests.audit.making import KEY, NOON, Clock, plain, until


@pytest.fixture
def url(tmp_path):
    place = f"sqlite:///{tmp_path}/log.db"
    Journal.create(place, keys={"BA": KEY}, now=NOON)
    return place


def test_a_full_disk_is_told_apart_from_a_store_that_does_not_answer(tmp_path):
    con = sqlite3.connect(tmp_path / "small.db", isolation_level=None)
    con.execute("PRAGMA max_page_count = 2")
    con.execute("CREATE TABLE log (row)")
    with pytest.raises(LogUnavailableError) as full, translated("small.db"):
        con.execute("INSERT INTO log VALUES (zeroblob(100000))")
    assert full.value.trouble is Trouble.DISK_FULL
    with pytest.raises(LogUnavailableError) as gone, translated("small.db"):
        con.execute("SELECT * FROM nothing")
    assert gone.value.trouble is Trouble.STORE
    con.close()
    assert LeaseHeldError("held").trouble is Trouble.LEASE
    assert LogCorruptError("torn").trouble is Trouble.DAMAGED


async def test_a_clock_that_went_back_is_the_journals_trouble(url):
    clock = Clock()
    journal = await Journal.open(url, keys={"BA": KEY}, clock=clock)
    assert journal.trouble is None
    clock.now -= timedelta(hours=1)
    with pytest.raises(LogUnavailableError):
        await journal.append([plain()])
    assert (journal.healthy, journal.trouble) == (False, Trouble.CLOCK)
    clock.now += timedelta(hours=2)
    await until(lambda: journal.healthy)
    assert journal.trouble is None
    await journal.close()


async def test_a_process_without_a_leader_says_so(url):
    leading = await SharedJournal.open(url, keys={"BA": KEY}, clock=Clock())
    follower = await SharedJournal.open(url, keys={"BA": KEY}, clock=Clock())
    assert (leading.trouble, follower.trouble) == (None, None)
    follower._sequencer.link._end()
    assert follower.trouble is Trouble.NO_LEADER
    await asyncio.gather(leading.close(), follower.close())
