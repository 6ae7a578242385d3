# SPDX-License-Identifier: EUPL-1.2
"""Durable appends: the log's group commit against one transaction for each entry, on both stores.

Both sides keep every promise: SQLite with WAL and synchronous FULL, PostgreSQL with fsync and
synchronous_commit, nobody is answered before the commit. The log's entries go to three logs at
once; the bare side has less to do: one prepared INSERT of the same bytes, no tree, no signature.
Sides take turns, the disk's flush is taken within each round on the same disk, and ratios are
medians of the rounds'. Writers wait for their answer before they ask again, so a wait at 256
writers is at least 256 entries' work: on a disk that flushes in a fraction of that, the bars for
the wait and the ratio say how quick this processor is, not the log. Tree and signature are measured
without any disk. The peer is pymerkle with entries of the same size, in its own environment.
"""

import asyncio
import json
import os
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import (
    Envelope,
    Journal,
    Kind,
    LogKey,
    Operation,
    Owner,
    Pending,
    Requester,
    Status,
    Verdict,
    encode_envelope,
    new_entry_id,
)
from audit.envelope import encoded_form
from audit.state import Accepted, advance, unborn
from bench.figure import Figure, at_least, at_most, median_ratio
from bench.machine import flush_ms
from tests.servers.postgres import running_postgres

NAME = "log"
COUNTRIES = ("BA", "HR", "RS")
KEYS = {c: LogKey(f"bench.example/{c}", Ed25519PrivateKey.generate()) for c in COUNTRIES}
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
WRITERS = 256
EACH = {"log": 40, "bare": 4}  # entries of each writer in one turn
ALONE = {"log": 40, "bare": 40}
BATCH = 256
OUT = Path(__file__).parent / "out"
PEER = Path(__file__).parent / "peers" / "pymerkle_appends.py"
PYMERKLE = Path(__file__).parent.parent / ".venv" / "pymerkle" / "bin" / "python"

Append = Callable[[Pending], Awaitable[object]]


def _pending(log: str) -> Pending:
    """An entry as an answered consultation makes it."""
    now = datetime.now(UTC)
    return Pending(
        encode_envelope(
            Envelope(
                id=new_entry_id(now, os.urandom(10)),
                kind=Kind.ACCESS,
                t=now,
                log=log,
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


class _Turn:
    """Entries a second of one turn, the median wait in milliseconds."""

    rate: float
    wait: float

    @classmethod
    async def take(cls, append: Append, origins: tuple[str, ...], writers: int, each: int) -> Any:
        entries = [
            [_pending(origins[n % len(origins)]) for _ in range(each)] for n in range(writers)
        ]
        waited: list[float] = []

        async def write(mine: list[Pending]) -> None:
            for entry in mine:
                asked = perf_counter()
                await append(entry)
                waited.append(perf_counter() - asked)

        turn = cls()
        start = perf_counter()
        await asyncio.gather(*(write(mine) for mine in entries))
        turn.rate = writers * each / (perf_counter() - start)
        turn.wait = median(waited) * 1e3
        return turn


class _BareSqlite:
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

    async def close(self) -> None:
        self._pool.submit(self._con.close).result()
        self._pool.shutdown()


class _BarePostgres:
    """One INSERT and one durable commit for each entry, over the one session that orders them."""

    def __init__(self, url: str) -> None:
        self._url, self._turn = url, asyncio.Lock()

    async def open(self) -> "_BarePostgres":
        self._con = await asyncpg.connect(self._url)
        await self._con.execute(
            "CREATE TABLE entry (idx bigserial PRIMARY KEY, envelope bytea NOT NULL)"
        )
        self._insert = await self._con.prepare("INSERT INTO entry (envelope) VALUES ($1)")
        return self

    async def append(self, entry: Pending) -> None:
        async with self._turn:
            await self._insert.fetch(entry.envelope)

    async def close(self) -> None:
        await self._con.close()


async def _measure(store: str, url: str, bare: Any, disk: Path) -> list[Figure]:
    Journal.create(url, keys=KEYS, now=datetime.now(UTC))
    journal = await Journal.open(url, keys=KEYS)
    origins = tuple(map(journal.current, COUNTRIES))

    async def group(entry: Pending) -> object:
        return await journal.append([entry])

    sides: dict[str, Append] = {"log": group, "bare": bare.append}
    many: dict[str, list[Any]] = {side: [] for side in sides}
    alone: dict[str, list[Any]] = {side: [] for side in sides}
    flushes = []
    for number in range(ROUNDS + 1):  # the first warms up
        for side in sorted(sides, reverse=bool(number % 2)):
            flush = flush_ms(disk)
            turn = await _Turn.take(sides[side], origins, WRITERS, EACH[side])
            one = await _Turn.take(sides[side], origins, 1, ALONE[side])
            if number:
                many[side].append(turn)
                alone[side].append(one)
                if side == "log":
                    flushes.append((flush + flush_ms(disk)) / 2)
    await journal.close()
    await bare.close()
    rates = {side: [turn.rate for turn in many[side]] for side in sides}
    waits = [turn.wait / flush for turn, flush in zip(many["log"], flushes, strict=True)]
    lone = [turn.wait / flush for turn, flush in zip(alone["log"], flushes, strict=True)]
    return [
        Figure(f"{store}: {WRITERS} writers, three logs", median(rates["log"]), "/s"),
        Figure("  one transaction each", median(rates["bare"]), "/s"),
        at_least("  log over one each", median_ratio(rates["log"], rates["bare"]), "x", 50),
        Figure("  flush of 4 KiB meanwhile", median(flushes), "ms"),
        Figure("  median wait", median([turn.wait for turn in many["log"]]), "ms"),
        at_most("  median wait in flushes", median(waits), "flushes", 3),
        Figure("  median wait of one writer alone", median([t.wait for t in alone["log"]]), "ms"),
        Figure("  the same in flushes", median(lone), "flushes"),
    ]


def _tree() -> list[Figure]:
    """Time stamp, leaf hash, tree, root and signature of a batch: processor time, no disk."""
    figures = []
    for logs in (1, len(COUNTRIES)):
        origins = [f"bench.example/{country}/2026h2" for country in COUNTRIES[:logs]]
        signers = {origin: KEYS[origin.split("/")[1]].signer(origin) for origin in origins}
        states = {o: unborn(o, n, signers[o]) for n, o in enumerate(origins)}
        accepted = [
            Accepted(encoded_form(_pending(origins[n % logs]).envelope), None) for n in range(BATCH)
        ]
        times = []
        for _ in range(ROUNDS * 20):
            start = thread_time()
            made = advance(states, accepted, datetime.now(UTC), signers)
            times.append((thread_time() - start) / BATCH * 1e6)
            states |= dict(made.states)
        label = f"tree and signature, {BATCH} entries to {logs} log{'s' * (logs > 1)}"
        figures.append(at_most(label, median(times), "µs", 5))
    return figures


def _peer(folder: Path) -> list[Figure]:
    command = [PYMERKLE, PEER, folder, 200, 20_000]
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    return [
        Figure("pymerkle: SQLite, its own commit for each", told["rate"], "/s"),
        Figure("pymerkle: append in memory, no signature", told["each"], "µs"),
    ]


def run() -> list[Figure]:
    """Measure on the disk that holds bench/out and on the one that PostgreSQL is given."""
    with TemporaryDirectory(dir=OUT) as name:
        folder = Path(name)
        sqlite = asyncio.run(
            _measure("SQLite", f"sqlite:///{folder}/log", _BareSqlite(folder / "bare"), folder)
        )
        with running_postgres(durable=True) as server:
            logs = server.url(server.new_database("logs"), driver="")
            other = server.url(server.new_database("bare"), driver="")

            async def postgres() -> list[Figure]:
                bare = await _BarePostgres(other).open()
                return await _measure("PostgreSQL", logs, bare, server.socket)

            return [*_tree(), *sqlite, *asyncio.run(postgres()), *_peer(folder)]
