# SPDX-License-Identifier: EUPL-1.2
"""Whole-log verification and proofs: against the same hashes alone, and beside pymerkle.

A million entries are verified from a published folder and from SQLite, each against a bare loop
that reads the same entries and computes the same hashes: leaf hashes, tiles, root. The bare loop
checks nothing and has one process. Verification is taken twice: by the clock on the wall, with the
processes that look ahead, as anybody calls it; and in one process, by the processor's time. Sides
take turns, and the ratios are medians of the rounds' ratios.
Inclusion proofs come out of stored tiles of one and of ten million leaves, which are made without
their entries; pymerkle, which is under the GPL, is asked at one million in a process of its own.
"""

import hashlib
import json
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import Envelope, Kind, LogKey, Operation, Owner, Requester, Status, Verdict
from audit.checkpoint import Checkpoint
from audit.copies import Copy, open_copy
from audit.envelope import encode_envelope, new_entry_id
from audit.merkle import HASH_SIZE, inclusion_spans, leaf_hash, node_hash, verify_inclusion
from audit.publish import publish
from audit.state import unborn
from audit.store import create_store
from audit.tiles import TILE_WIDTH, Edge, TileId, span_hash, tiles_for
from audit.verify import Lookahead, verify_log
from bench.figure import Figure, at_least, at_most, median_ratio

NAME = "verify"
ORIGIN = "bench.example/BA/2026h2"
ENTRIES = int(os.environ.get("CUVAR_BENCH_ENTRIES", "1000000"))
PEER_LEAVES, LEAVES = 1_000_000, 10_000_000
PROOFS = 500
ROUNDS = 5
BAR, PROOF_MS = 0.5, 1.0
OUT = Path(__file__).parent / "out"
_START = datetime(2026, 7, 1, tzinfo=UTC)
_PEER = Path(__file__).parent / "peers" / "merkle_proofs.py"
_PEER_PYTHON = Path(__file__).parent.parent / ".venv" / "pymerkle" / "bin" / "python"


def _entries() -> Iterator[bytes]:
    """Answered questions as three countries ask them: 40 rules, three purposes, half a year."""
    for n in range(ENTRIES):
        kind = Kind.ACCESS if n else Kind.OPENING
        now = _START + timedelta(seconds=n * 13)
        yield encode_envelope(
            Envelope(
                id=new_entry_id(now, n.to_bytes(10, "big")),
                kind=kind,
                t=now,
                log=ORIGIN,
                requester=Requester(("HR", "RS", "ME")[n % 3], "HR-BP", "border_officer"),
                owner=Owner("BA", "persons"),
                op=Operation.CONSULT,
                purpose=("border_check", "asylum", "return")[n % 7 % 3],
                basis="CIR-20",
                decision=Verdict.ALLOW,
                view="full",
                fields=("biographic.sex", "direct_identifier.surnames"),
                rules=("BA-A03", f"HR-Q{n % 40:02}"),
                policy="a" * 64,
                duties=("notify_owner",),
                count=n % 5,
                status=Status.HIT,
                correlation=f"{n:08x}",
            )
        )


def _fill(path: Path, key: LogKey) -> None:
    """Write a log's file as its store would, without waiting for the disk a million times."""
    import asyncio

    signer = key.signer(ORIGIN)
    asyncio.run(create_store(f"sqlite:///{path}", []))
    edge, head = Edge(), unborn(ORIGIN, 0, signer).head
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("BEGIN")
        for index, data in enumerate(_entries()):
            con.execute("INSERT INTO log_entry VALUES (?, ?)", (index, data))
            tiles = edge.extend([leaf_hash(data)])
            rows = [(0, *tile.id, tile.hashes) for tile in tiles]
            con.executemany("INSERT OR REPLACE INTO log_tile VALUES (?, ?, ?, ?)", rows)
        note = Checkpoint(ORIGIN, edge.size, edge.root()).sign(signer)
        values = (0, 2, head.origin, edge.size, edge.root(), note, 0)
        con.execute("INSERT INTO log_head VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        con.execute("COMMIT")
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _bare(copy: Copy) -> bytes:
    """The same hashes and nothing else."""
    edge: list[bytes] = []
    for start in range(0, ENTRIES, TILE_WIDTH):
        row = [leaf_hash(data) for _, data in copy.envelopes(start, start + TILE_WIDTH)]  # type: ignore[arg-type]
        while len(row) > 1:
            row = [node_hash(*row[i : i + 2]) for i in range(0, len(row) - 1, 2)]
        edge += row
    return hashlib.sha256(b"".join(edge)).digest()


@dataclass(slots=True)
class _Rounds:
    """Seconds by round."""

    bare: list[float] = field(default_factory=list)
    bare_cpu: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    alone_cpu: list[float] = field(default_factory=list)


def _rounds(place: str, vkey: str) -> _Rounds:
    took = _Rounds()
    for _ in range(ROUNDS):
        with open_copy(place, ORIGIN) as copy:
            wall, cpu = _timed(partial(_bare, copy))
        took.bare.append(wall)
        took.bare_cpu.append(cpu)
        took.whole.append(_timed(lambda: _whole(place, vkey, Lookahead()))[0])
        took.alone_cpu.append(_timed(lambda: _whole(place, vkey, Lookahead(1)))[1])
    return took


def _timed(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of this thread."""
    wall, cpu = perf_counter(), thread_time()
    job()
    return perf_counter() - wall, thread_time() - cpu


def _whole(place: str, vkey: str, lookahead: Lookahead) -> None:
    report = verify_log(place, vkey=vkey, lookahead=lookahead)
    assert report.ok, report.findings[:3]
    assert report.size == ENTRIES


def _verification(folder: Path) -> list[Figure]:
    key = LogKey("bench.example/BA", Ed25519PrivateKey.generate())
    vkey = key.signer(ORIGIN).vkey
    _fill(folder / "log.db", key)
    with open_copy(str(folder / "log.db"), ORIGIN) as copy:
        publish(copy, folder / "public", key.signer(ORIGIN).verifier)
    figures = []
    for name, place in (("folder", folder / "public"), ("SQLite", folder / "log.db")):
        took = _rounds(str(place), vkey)
        ratio = median_ratio(took.bare, took.whole)
        figures += [
            Figure(f"{ENTRIES:,} entries verified from {name}", ENTRIES / median(took.whole), "/s"),
            Figure("  the same hashes alone", ENTRIES / median(took.bare), "/s"),
            at_least("  of the speed of the hashes alone", ratio, "x", BAR),
            Figure(
                "  the same in one process, by CPU",
                median_ratio(took.bare_cpu, took.alone_cpu),
                "x",
            ),
        ]
    figures.append(Figure("  processes that looked ahead", Lookahead().processes, ""))
    return figures


class _Tiles:
    """Tiles of a large log in one file of each level, as a store would give them."""

    def __init__(self, path: Path, size: int) -> None:
        self._con = sqlite3.connect(path, isolation_level=None)
        self._con.execute(
            "CREATE TABLE tile (level, number, hashes, PRIMARY KEY (level, number)) WITHOUT ROWID"
        )
        self.edge = Edge()
        self._con.execute("BEGIN")
        for start in range(0, size, 25_000):
            block = [hashlib.sha256(b"%d" % n).digest() for n in range(start, start + 25_000)]
            tiles = [(*tile.id, tile.hashes) for tile in self.edge.extend(block)]
            self._con.executemany("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", tiles)
        self._con.execute("COMMIT")

    def read(self, wanted: set[TileId]) -> dict[TileId, bytes]:
        sql = "SELECT hashes FROM tile WHERE level = ? AND number = ?"
        found = self.edge.partial()
        for tile in wanted - found.keys():
            found[tile] = self._con.execute(sql, tile).fetchone()[0]
        return found


def _proofs(folder: Path, size: int) -> list[Figure]:
    tiles, times = _Tiles(folder / f"tiles-{size}.db", size), []
    root = tiles.edge.root()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n in range(PROOFS):
        index = n * 2_654_435_761 % size
        start = perf_counter()
        spans = inclusion_spans(index, size)
        found = tiles.read(tiles_for(spans))
        path = [span_hash(span, found) for span in spans]
        times.append(perf_counter() - start)
        verify_inclusion(hashlib.sha256(b"%d" % index).digest(), index, size, path, root)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert len(path[0]) == HASH_SIZE
    return [
        at_most(f"inclusion proof from tiles at {size:,}", median(times) * 1e3, "ms", PROOF_MS),
        at_most(f"  memory that {PROOFS} proofs took", grown / 1024, "MiB", 16),
    ]


def _peer() -> list[Figure]:
    """Proof and memory of pymerkle's tree in memory, where ten million leaves would take 4 GB."""
    if not _PEER_PYTHON.exists():
        return []
    size = PEER_LEAVES
    done = subprocess.run(
        [_PEER_PYTHON, _PEER, str(size), str(PROOFS)], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    return [
        Figure(f"pymerkle, in memory, {size:,}: proof", told["proof_ms"], "ms"),
        Figure("  appended", told["append_rate"], "/s"),
        Figure("  memory", told["memory_mib"], "MiB"),
    ]


def run() -> list[Figure]:
    """Measure on the disk that holds bench/out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=OUT)))
        proofs = [*_proofs(folder, PEER_LEAVES), *_peer(), *_proofs(folder, LEAVES)]
        return [*_verification(folder), *proofs]
