# SPDX-License-Identifier: EUPL-1.2
"""Writers that are killed or whose disk fails, started quickly: one process that forks.

    python -m tests.audit.crashing

Reads commands, one a line: `FOLDER MODE`. For each it forks a child, says its number, and lets it
go once another line comes, so that a tracer can be attached before. The child makes two logs in
FOLDER/log.db unless they are there, appends questions to both at once, and writes a line to
FOLDER/acknowledged for each that was acknowledged: the question's id, and for each log its name,
entry number and leaf hash.

Modes: `group` is three writers side by side, `single` is one; `early` acknowledges before the
commit and `unsynced` does not flush: controls, which the tests must catch.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

from audit import Journal, LogUnavailableError, encode_envelope, sqlite_store
from audit.entry import Pending
from audit.envelope import new_entry_id
from audit.journal import utc_now
from tests.audit.making import KEY, NOON, envelope, key_of, new_sealer

NAMES = tuple(f"audit.example/{country}/2026h2" for country in ("BA", "HR"))
KEYS = {"BA": KEY, "HR": key_of(NAMES[1])}
QUESTIONS = 6  # of each writer
PATIENCE = 300  # looks, ten milliseconds apart, for the log to come back
_SET_TRACER = 0x59616D61
_ANY = ctypes.c_ulong(-1)


def question(sealer):
    """The entries of one question in both logs, with the id that joins them."""
    name = new_entry_id(NOON, os.urandom(10))
    found = sealer.seal(b"officer 17 asked about person 4711", ("BA", "HR"))
    told = {"detail": found.commitment.hex(), "keys": ("BA", "HR")}
    entries = [Pending(encode_envelope(envelope(id=name, log=log, **told)), found) for log in NAMES]
    return name, entries


async def ask(journal, sealer, tell, mode):
    """Questions one after the other; after a refusal wait until the log is back."""
    for _ in range(QUESTIONS):
        name, entries = question(sealer)
        if mode == "early":
            tell(name)
        with contextlib.suppress(LogUnavailableError):
            places = await journal.append(entries)
            if mode != "early":
                tell(name, *(f"{p.log} {p.index} {p.leaf_hash.hex()}" for p in places))
        for _ in range(PATIENCE):
            if journal.healthy:
                break
            await asyncio.sleep(0.01)


async def write(folder, mode):
    """Write to the logs that are there."""
    journal = await Journal.open(f"sqlite:///{folder}/log.db", keys=KEYS, clock=utc_now)
    file = os.open(Path(folder, "acknowledged"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def tell(*words):
        os.write(file, (" ".join(words) + "\n").encode())

    if mode == "unsynced":
        journal._store._writing().execute("PRAGMA synchronous = NORMAL")
    sealer = new_sealer()
    writers = 3 if mode in ("group", "early") else 1
    await asyncio.gather(*(ask(journal, sealer, tell, mode) for _ in range(writers)))
    await journal.close()


def _child(folder, mode, gate):
    ctypes.CDLL(None).prctl(_SET_TRACER, _ANY, 0, 0, 0)
    signal.alarm(30)
    os.read(gate, 1)
    status = 1
    with contextlib.suppress(LogUnavailableError):
        if not Path(folder, "log.db").exists():
            Journal.create(f"sqlite:///{folder}/log.db", keys=KEYS, now=utc_now())
        asyncio.run(write(folder, mode))
        status = 0
    os._exit(status)


def main():
    """Fork until there are no more commands."""
    assert sqlite_store  # loaded before the first fork
    while line := sys.stdin.readline().split():
        gate, opener = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(opener)
            _child(*line, gate)
        os.close(gate)
        os.write(1, b"%d\n" % child)
        sys.stdin.readline()
        os.close(opener)
        _, status = os.waitpid(child, 0)
        os.write(1, b"%d\n" % status)


if __name__ == "__main__":
    main()
