# SPDX-License-Identifier: EUPL-1.2
"""Leaders are killed, the database is stopped: no entry that any member acknowledged is lost."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from audit import LogUnavailableError
from audit.relay import SharedJournal
from audit.relay.board import board_for
from audit.relay.link import Link
from tests.audit.independent import StoreRows, check_log, leaf
from tests.audit.making import KEY, ORIGIN, SIGNER, plain, until

PAUSES = random.SystemRandom()
ROOT = Path(__file__).parent.parent.parent.parent


class Child:
    """A member in a process of its own; it writes to a file, so that it waits for no reader."""

    def __init__(self, url):
        # Both sides share one place in the file: only appending keeps a look from moving a line.
        self.file = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed with the child
        command = [sys.executable, "-m", "tests.audit.relay.leading", url]
        self.process = subprocess.Popen(command, stdout=self.file, cwd=ROOT)

    def said(self):
        self.file.seek(0)
        return self.file.read().decode().rpartition("\n")[0].splitlines()

    async def started(self):
        await until(lambda: self.said() or self.process.poll() is not None)
        return self.said()[0]

    def killed(self):
        """Kill it; what it said was acknowledged."""
        self.process.kill()
        self.process.wait()
        _, *lines = self.said()
        return {int(index): bytes.fromhex(hashed) for index, hashed in map(str.split, lines)}

    def close(self):
        self.process.kill()
        self.process.wait()
        self.file.close()


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


@pytest.fixture
async def stack():
    """What is undone at the end, last first, also when a test fails."""
    async with contextlib.AsyncExitStack() as found:
        yield found


async def joined(stack, url):
    """A member in this process."""
    journal = await SharedJournal.open(url, keys={"BA": KEY})
    stack.push_async_callback(journal.close)
    return journal


async def started(stack, url, part):
    """A member in a process of its own."""
    child = Child(url)
    stack.callback(child.close)
    assert await child.started() == part
    return child


def asking_with(stack, journal):
    asking = Asking(journal)
    stack.push_async_callback(asking.end)
    return asking


async def test_no_acknowledged_entry_is_lost_when_leaders_are_killed(place, stack):
    first = await started(stack, place.url, "leads")
    journal = await joined(stack, place.url)
    assert not journal.leads
    asking = asking_with(stack, journal)
    acknowledged = {}
    second = await started(stack, place.url, "follows")
    for child in (first, second):
        await asking.more()
        await asyncio.sleep(PAUSES.uniform(0, 0.1))
        told = child.killed()
        assert not acknowledged.keys() & told.keys()
        acknowledged |= told
        await until(lambda: journal.healthy)
        await asking.more()
    await until(lambda: journal.leads)
    told = await asking.end()
    assert not acknowledged.keys() & told.keys()
    await require(place.url, acknowledged | told)


async def test_a_leader_that_hangs_is_not_waited_for(sqlite_place, monkeypatch, stack):
    """Stopped, not killed: its lease holds, so nobody leads, and nobody waits for ever."""
    monkeypatch.setattr("audit.relay.link.ANSWER_WITHIN", 0.3)
    monkeypatch.setattr("audit.relay.link.PING_EVERY", 0.05)
    leader = await started(stack, sqlite_place.url, "leads")
    journal = await joined(stack, sqlite_place.url)
    (position,) = await journal.append([plain()])
    leader.process.send_signal(signal.SIGSTOP)
    await until(lambda: not journal.healthy)
    asked = (journal.append([plain()]) for _ in range(4))
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(error, LogUnavailableError) for error in told)
    leader.process.send_signal(signal.SIGCONT)
    await until(lambda: journal.healthy)
    acknowledged = leader.killed()
    await until(lambda: journal.leads)
    await require(sqlite_place.url, acknowledged | {position.index: position.leaf_hash})


async def test_no_member_loses_an_entry_when_postgres_is_stopped_at_once(
    postgres_place, durable_postgres, stack
):
    journals = [await joined(stack, postgres_place.url) for _ in range(2)]
    asking = [asking_with(stack, journal) for journal in journals]
    for one in asking:
        await one.more()
    await asyncio.to_thread(durable_postgres.stop)
    await until(lambda: not journals[0].healthy)
    await asyncio.to_thread(durable_postgres.start)
    for one in asking:
        await one.more()
    first, second = [await one.end() for one in asking]
    assert not first.keys() & second.keys()
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
