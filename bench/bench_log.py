# SPDX-License-Identifier: EUPL-1.2
"""Durable appends: the log's group commit against one transaction for each entry, on SQLite.

Both sides keep every promise: WAL, synchronous FULL, nobody is answered before the commit. The
bare side has less to do: one thread, one prepared INSERT of the same bytes, no tree, no signature.
Sides take turns; each turn is a fixed number of entries from 16 or 256 writers that wait for their
answer before they ask again.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import (
    AuditLog,
    Envelope,
    Kind,
    NoteSigner,
    Operation,
    Owner,
    Pending,
    Requester,
    Status,
    Verdict,
    encode_envelope,
    new_entry_id,
)
from bench.figure import Figure, at_least

NAME = "log"
ORIGIN = "bench.example/log"
WRITERS = {16: 100, 256: 12}  # writers -> entries of each in one turn
ROUNDS = 5
OUT = Path(__file__).parent / "out"
# What group commit is for: at least this many times one transaction each.
BARS = {16: 2.0, 256: 5.0}

Append = Callable[[Pending], Awaitable[object]]


def _pending() -> Pending:
    """An entry as an answered consultation makes it."""
    now = datetime.now(UTC)
    return Pending(
        encode_envelope(
            Envelope(
                id=new_entry_id(now, os.urandom(10)),
                kind=Kind.ACCESS,
                t=now,
                log=ORIGIN,
                requester=Requester("HR", "HR-BP", "border_officer"),
                owner=Owner("BA", "persons"),
                op=Operation.CONSULT,
                purpose="border_check",
                basis="CIR-20",
                decision=Verdict.ALLOW,
                view="full",
                fields=("biographic.sex", "direct_identifier.surnames"),
                rules=("BA-A03", "HR-Q03"),
                policy="a" * 64,
                duties=("notify_owner",),
                count=1,
                status=Status.HIT,
                correlation="0d7b6d3e",
            )
        )
    )


async def _turn(append: Append, writers: int, each: int) -> tuple[float, list[float]]:
    """Entries a second of one turn, and how long each entry waited."""
    entries = [[_pending() for _ in range(each)] for _ in range(writers)]
    waited: list[float] = []

    async def write(mine: list[Pending]) -> None:
        for entry in mine:
            asked = perf_counter()
            await append(entry)
            waited.append(perf_counter() - asked)

    start = perf_counter()
    await asyncio.gather(*(write(mine) for mine in entries))
    return writers * each / (perf_counter() - start), waited


class _Bare:
    """One INSERT and one durable commit for each entry, in the one thread that SQLite allows."""

    def __init__(self, path: Path) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._path = path
        self._pool.submit(self._open).result()

    def _open(self) -> None:
        self._con = sqlite3.connect(self._path, isolation_level=None)
        self._con.execute("PRAGMA journal_mode = WAL")
        self._con.execute("PRAGMA synchronous = FULL")
        self._con.execute("CREATE TABLE entry (idx INTEGER PRIMARY KEY, envelope BLOB NOT NULL)")

    def _insert(self, entry: Pending) -> None:
        self._con.execute("INSERT INTO entry (envelope) VALUES (?)", (entry.envelope,))

    async def append(self, entry: Pending) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, self._insert, entry)

    def close(self) -> None:
        self._pool.submit(self._con.close).result()
        self._pool.shutdown()


async def _measure(folder: Path) -> list[Figure]:
    signer = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    url = f"sqlite:///{folder / 'log.sqlite'}"
    AuditLog.create(url, origin=ORIGIN, signer=signer)
    log = await AuditLog.open(url, origin=ORIGIN, signer=signer)
    figures = []
    with closing(_Bare(folder / "bare.sqlite")) as bare:
        sides: dict[str, Append] = {
            "group commit": lambda entry: log.append([entry]),
            "one transaction each": bare.append,
        }
        for writers, each in WRITERS.items():
            rates: dict[str, list[float]] = {side: [] for side in sides}
            waits: dict[str, list[float]] = {side: [] for side in sides}
            for _ in range(ROUNDS):
                for side, append in sides.items():
                    rate, waited = await _turn(append, writers, each)
                    rates[side].append(rate)
                    waits[side] += waited
            for side in sides:
                figures += [
                    Figure(f"{writers} writers, {side}", median(rates[side]), "/s"),
                    Figure("  median wait", median(waits[side]) * 1e3, "ms"),
                ]
            group, one = (median(rates[side]) for side in sides)
            figures.append(at_least("  group over one each", group / one, "x", BARS[writers]))
    await log.close()
    return figures


def run() -> list[Figure]:
    """Measure on the disk that holds bench/out."""
    with TemporaryDirectory(dir=OUT) as folder:
        return asyncio.run(_measure(Path(folder)))
