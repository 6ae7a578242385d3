# SPDX-License-Identifier: EUPL-1.2
"""Each flush and each write of a SQLite log killed or failed by strace, one at a time.

No acknowledged entry may be lost, no log left half-made, and what is there must be whole for a
verifier that is not ours. The same checks must find the loss in a writer that acknowledges before
its commit, and the missing flush in one that does not flush.
"""

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from audit import Journal
from audit.journal import utc_now
from tests.audit.crashing import KEYS, NAMES, question
from tests.audit.independent import Caught, StoreRows, check_log, leaf
from tests.audit.making import new_sealer
from tests.servers import strace
from tests.servers.used import used

ROOT = Path(__file__).parent.parent.parent
CALLS = ("fdatasync", "pwrite64")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
TRACED = "fdatasync,fsync,pwrite64,write"


class LostError(AssertionError):
    """An acknowledged entry does not stand."""


class Forks:
    """The process that forks writers, and strace around them."""

    def __init__(self):
        self._strace = strace.program()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.crashing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            text=True,
            bufsize=1,
        )

    def _say(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def run(self, folder, mode, *options):
        """Let a child write under strace; its wait status, and the trace's lines."""
        self._say(f"{folder} {mode}")
        child = int(self._process.stdout.readline())
        trace = folder / "trace"
        command = [self._strace, "-f", "-yy", "-o", trace, *options, "-p", str(child)]
        with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) as tracer:
            told = tracer.stderr.readline()
            assert "attached" in told, told
            self._say("go")
            status = int(self._process.stdout.readline())
        return status, trace.read_text(errors="replace").splitlines()

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def forks():
    """One process for all children."""
    used("strace", strace.program())
    with contextlib.closing(Forks()) as found:
        yield found


def acknowledged(folder):
    path = folder / "acknowledged"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split() for line in lines]


def check(folder):
    """What every run must leave behind; how many questions were acknowledged."""
    told = acknowledged(folder)
    path = folder / "log.db"
    if not path.exists():
        if told:
            raise LostError("the whole log")
        return 0
    rows = StoreRows.read(f"sqlite:///{path}")
    for number, name in enumerate(NAMES):
        entries = rows.entries(name)
        check_log(rows.log(name), vkey=KEYS[name.split("/")[1]].signer(name).vkey, origin=name)
        ids = {json.loads(entry)["id"] for entry in entries}
        for asked, *places in told:
            if asked not in ids:
                raise LostError(f"{asked} is not in {name}")
            if places:
                log, index, hashed = places[3 * number : 3 * number + 3]
                if (log, leaf(entries[int(index)]).hex()) != (name, hashed):
                    raise LostError(f"entry {index} of {name} is another one")
    return len(told)


async def go_on(folder):
    """The log must be opened without repair, and take entries."""
    path = folder / "log.db"
    if not path.exists():
        await asyncio.to_thread(Journal.create, f"sqlite:///{path}", keys=KEYS, now=utc_now())
    journal = await Journal.open(f"sqlite:///{path}", keys=KEYS, clock=utc_now)
    await journal.append(question(new_sealer())[1])
    await journal.close()


def counted(trace):
    """How often each call was made by the thread that made it most."""
    calls = Counter(
        (found[2], found[1])
        for line in trace
        if (found := re.match(r"(\d+) +(\w+)\(", line)) is not None
    )
    return {call: max(n for (c, _), n in calls.items() if c == call) for call in CALLS}


def points(forks, folder):
    """Every fault at every call of a run without faults."""
    (folder / "plain").mkdir()
    status, trace = forks.run(folder / "plain", "group", "-e", f"trace={TRACED}")
    assert status == 0
    assert check(folder / "plain") == 18
    count = counted(trace)
    assert min(count.values()) > 5
    return [
        (call, number, fault)
        for call in CALLS
        for number in range(1, count[call] + 1)
        for fault in FAULTS
    ]


def sweep(forks, folder, wanted, mode="group"):
    """Run each point in a folder of its own; how many questions were acknowledged in all."""
    total = 0
    for call, number, fault in wanted:
        place = folder / f"{call}-{number}-{fault}"
        place.mkdir()
        inject = f"inject={call}:{fault}:when={number}"
        forks.run(place, mode, "-e", f"trace={call}", "-e", inject)
        total += check(place)
        asyncio.run(go_on(place))
        check(place)
        shutil.rmtree(place)
    return total


def test_no_fault_at_a_flush_or_a_write_loses_an_acknowledged_entry(forks, tmp_path):
    """A part of the points, another one in each run; all of them under `-m exhaustive`."""
    every = points(forks, tmp_path)
    step = 7
    start = int.from_bytes(tmp_path.name.encode()) % step
    assert sweep(forks, tmp_path, every[start::step]) > 20


@pytest.mark.exhaustive
def test_no_fault_at_any_flush_or_write_loses_an_acknowledged_entry(forks, tmp_path):
    assert sweep(forks, tmp_path, points(forks, tmp_path)) > 300


def test_a_writer_that_acknowledges_before_its_commit_is_caught(forks, tmp_path):
    """The control: the same check, the same faults, another order."""
    points = [("pwrite64", number, "signal=KILL") for number in range(40, 100, 10)]
    with pytest.raises(LostError):
        sweep(forks, tmp_path, points, "early")


WRITTEN = re.compile(r"pwrite64\(\d+<[^>]*log\.db-wal>")
FLUSHED = re.compile(r"fdatasync\(\d+<[^>]*log\.db-wal>.*\) += 0$|fdatasync resumed.*= 0$")
TOLD = re.compile(r"write\(\d+<[^>]*acknowledged>")


def flushed_before_each_acknowledgement(trace):
    """Whether no acknowledgement is written while a write of the log waits for its flush."""
    unflushed, judged = False, 0
    for line in trace:
        if WRITTEN.search(line):
            unflushed = True
        elif FLUSHED.search(line):
            unflushed = False
        elif TOLD.search(line):
            judged += 1
            if unflushed:
                return False
    assert judged == 6
    return True


def test_the_flush_precedes_the_acknowledgement(forks, tmp_path):
    _, trace = forks.run(tmp_path, "single", "-e", f"trace={TRACED}")
    assert flushed_before_each_acknowledgement(trace)


def test_a_writer_that_does_not_flush_is_caught(forks, tmp_path):
    _, trace = forks.run(tmp_path, "unsynced", "-e", f"trace={TRACED}")
    assert not flushed_before_each_acknowledgement(trace)


def test_a_log_that_is_killed_while_it_is_made_is_whole_or_not_there(forks, tmp_path):
    """Every flush of the creation: the file has its name only once it is complete."""
    for number in range(1, 6):
        for call in ("fdatasync", "fsync", "link"):
            place = tmp_path / f"{call}-{number}"
            place.mkdir()
            inject = f"inject={call}:signal=KILL:when={number}"
            forks.run(place, "single", "-e", f"trace={call}", "-e", inject)
            with contextlib.suppress(FileNotFoundError):
                check(place)
            asyncio.run(go_on(place))


def test_the_check_itself_finds_a_missing_entry(forks, tmp_path):
    forks.run(tmp_path, "single", "-e", f"trace={CALLS[0]}")
    path = tmp_path / "acknowledged"
    told = path.read_text()
    path.write_text(told + told.replace(told[:8], "00000000", 1))
    with pytest.raises((LostError, Caught)):
        check(tmp_path)
