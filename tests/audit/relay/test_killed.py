# SPDX-License-Identifier: EUPL-1.2
"""Leaders are killed, the database is stopped: no entry that any member acknowledged is lost."""

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

from audit import LogUnavailableError
from audit.relay import SharedJournal
from audit.relay.board import board_for
from audit.relay.link import Link
from tests.audit.independent import StoreRows, check_log, leaf
from tests.audit.making import KEY, ORIGIN, SIGNER, plain, until

PAUSES = random.SystemRandom()
ROOT = Path(__file__).parent.parent.parent.parent


def member(url):
    """A member in a process of its own, and what part it has."""
    command = [sys.executable, "-m", "tests.audit.relay.leading", url]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    return child, child.stdout.readline().decode().strip()


def buried(child):
    """Kill it; what it said was acknowledged."""
    child.kill()
    with child:
        lines = child.stdout.read().decode().rpartition("\n")[0].splitlines()
    return {int(index): bytes.fromhex(hashed) for index, hashed in map(str.split, lines)}


async def require(url, acknowledged):
    """Everything acknowledged stands in its place; the log is whole for a verifier not ours."""
    rows = await asyncio.to_thread(StoreRows.read, url)
    entries = rows.entries(ORIGIN)
    for index, hashed in acknowledged.items():
        assert index < len(entries)
        assert leaf(entries[index]) == hashed
    check_log(rows.log(ORIGIN), vkey=SIGNER.vkey, origin=ORIGIN)


class Asking:
    """Writers of this process that go on whatever happens."""

    def __init__(self, journal):
        self.journal, self.acknowledged = journal, {}
        self.tasks = [asyncio.create_task(self.ask()) for _ in range(8)]

    async def ask(self):
        while True:
            try:
                (position,) = await self.journal.append([plain()])
                assert position.index not in self.acknowledged
                self.acknowledged[position.index] = position.leaf_hash
            except LogUnavailableError:
                await asyncio.sleep(0.01)

    async def more(self):
        """Wait until something more is acknowledged."""
        before = len(self.acknowledged)
        await until(lambda: len(self.acknowledged) > before + 3)

    async def end(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return self.acknowledged


async def test_no_acknowledged_entry_is_lost_when_leaders_are_killed(place):
    first, part = await asyncio.to_thread(member, place.url)
    assert part == "leads"
    journal = await SharedJournal.open(place.url, keys={"BA": KEY})
    assert not journal.leads
    asking = Asking(journal)
    acknowledged = {}
    second, part = await asyncio.to_thread(member, place.url)
    assert part == "follows"
    for child in (first, second):
        await asking.more()
        await asyncio.sleep(PAUSES.uniform(0, 0.1))
        told = await asyncio.to_thread(buried, child)
        assert told
        assert not acknowledged.keys() & told.keys()
        acknowledged |= told
        await asking.more()
    assert journal.leads
    told = await asking.end()
    assert not acknowledged.keys() & told.keys()
    await journal.close()
    await require(place.url, acknowledged | told)


async def test_a_leader_that_hangs_is_not_waited_for(sqlite_place, monkeypatch):
    """Stopped, not killed: its lease holds, so nobody leads, and nobody waits for ever."""
    monkeypatch.setattr("audit.relay.link.ANSWER_WITHIN", 0.3)
    monkeypatch.setattr("audit.relay.link.PING_EVERY", 0.05)
    leader, _ = await asyncio.to_thread(member, sqlite_place.url)
    journal = await SharedJournal.open(sqlite_place.url, keys={"BA": KEY})
    (position,) = await journal.append([plain()])
    leader.send_signal(signal.SIGSTOP)
    try:
        await until(lambda: not journal.healthy)
        told = await asyncio.gather(
            *(journal.append([plain()]) for _ in range(4)), return_exceptions=True
        )
        assert all(isinstance(error, LogUnavailableError) for error in told)
    finally:
        leader.send_signal(signal.SIGCONT)
    await until(lambda: journal.healthy)
    acknowledged = await asyncio.to_thread(buried, leader)
    await until(lambda: journal.leads)
    await journal.close()
    await require(sqlite_place.url, acknowledged | {position.index: position.leaf_hash})


async def test_no_member_loses_an_entry_when_postgres_is_stopped_at_once(
    postgres_place, durable_postgres
):
    journals = [await SharedJournal.open(postgres_place.url, keys={"BA": KEY}) for _ in range(2)]
    asking = [Asking(journal) for journal in journals]
    for one in asking:
        await one.more()
    await asyncio.to_thread(durable_postgres.stop)
    await until(lambda: not journals[0].healthy)
    await asyncio.to_thread(durable_postgres.start)
    for one in asking:
        await one.more()
    first, second = [await one.end() for one in asking]
    assert not first.keys() & second.keys()
    for journal in reversed(journals):
        await journal.close()
    await require(postgres_place.url, first | second)


async def test_a_secret_is_of_one_lease_and_a_stale_row_misleads_nobody(place):
    board = board_for(place.url)
    assert await board.read() is None
    leader = await SharedJournal.open(place.url, keys={"BA": KEY})
    first = await board.read()
    await leader.close()
    assert await board.read() == first  # left behind, and of no use
    again = await SharedJournal.open(place.url, keys={"BA": KEY})
    second = await board.read()
    assert second.secret != first.secret
    try:
        await Link.connect(second.address, first.secret, queue=1)
    except LogUnavailableError:
        pass
    else:
        raise AssertionError("an old lease's secret was accepted")
    await again.close()
    assert first.secret.hex() not in repr(first)
