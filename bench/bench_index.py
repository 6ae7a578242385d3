# SPDX-License-Identifier: EUPL-1.2
"""The blind index: built from a register of one million persons, and looked up at one and at ten.

Built is both halves, register to served rows: the nation's, in two processes, and the gateway's.
The ten million are random keys and handles in nine countries' loads, which is what stored keys look
like; the file is deleted afterwards. Bare is what one HMAC costs in this process: on a busy machine
everything grows with it. `CUVAR_BENCH_INDEX=small` asks for a tenth of all of it.
"""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import numpy as np

from anonymise import Keyring
from anonymise.linkage.blinding import HmacBlinder, keyed_hash
from anonymise.linkage.keys import KeyKind
from bench.crowd import create
from bench.figure import Figure, at_most
from gateway.linkage.building import NationsKey, Order, build
from gateway.linkage.index import LinkIndex
from gateway.linkage.loading import Parts, load_file
from gateway.linkage.peppers import Peppers
from gateway.linkage.recording import IndexRecorder
from gateway.linkage.tables import LINKAGE
from gateway.settings import load_settings
from gateway.sources import Limits, open_source
from gateway.store import Store
from tests.gateway import house
from tests.gateway.small import vocabulary

NAME = "index"
EPOCH = "2027q1"
MOST_BUILD_S = 60.0
MOST_LOOK_UP_MS = 0.5
COUNTRIES = ("BA", "HR", "RS", "ME", "AL", "GR", "AT", "SI", "MK")
ROWS_A_PERSON = 9
KEYS_A_QUESTION = 11
_QUESTIONS = 2_000
_PART, _STATEMENT = 1_000_000, 2_000
_FILL = """
WITH RECURSIVE place(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE i < ?1 - 1)
INSERT INTO link_row
SELECT substr(?2, i * 16 + 1, 16), 1 + i * 7 % 9, substr(?3, i * 16 + 1, 16) FROM place"""


def run() -> list[Figure]:
    """The figures."""
    share = 10 if os.environ.get("CUVAR_BENCH_INDEX") == "small" else 1
    persons = 1_000_000 // share
    with tempfile.TemporaryDirectory() as folder:
        house.prepare(Path(folder) / "house", vocabulary().organisations)
        figures = asyncio.run(_million(Path(folder), persons))
    with tempfile.TemporaryDirectory() as folder:
        Store.create(f"sqlite:///{folder}/state.sqlite", LINKAGE, name="linkage index")
        figures += asyncio.run(_ten_million(Path(folder), 10 * persons))
    return figures


async def _million(folder: Path, persons: int) -> list[Figure]:
    settings = load_settings(folder / "house/cuvar.toml")
    url, mapping = create(folder, persons)
    source = open_source("BA", url, mapping, Limits(timeout_s=60.0, concurrency=2))
    store = Store(settings.state.url.get_secret_value(), name="linkage index")
    keyring = Keyring.of({"BA": os.urandom(32)})
    recorder = IndexRecorder(settings, lambda: datetime.now(UTC))
    parts = Parts(store, keyring, Peppers(store, keyring), recorder, frozenset({"BA"}))
    key, now = os.urandom(32), datetime.now(UTC)
    await parts.peppers.open(EPOCH, now)
    bare = _hmac_us()
    start, worked = time.perf_counter(), _processor_s()
    order = Order(EPOCH, folder / "BA.index", now)
    built = await build(source, order, NationsKey(key), lambda _: None)
    half = time.perf_counter()
    loaded = await load_file(parts, order.out, now, lambda _: None)
    done, worked = time.perf_counter(), _processor_s() - worked
    scale = 1_000_000 / persons
    asked = await _questions(parts, key, built.header.persons, folder / "BA.index")
    took = await _look_ups(parts.store, asked)
    size = (folder / "house/state.sqlite").stat().st_size
    await source.close()
    await store.close()
    return [
        Figure("bare: one HMAC, copied", bare, "us"),
        Figure("nation's half of 1 million persons", (half - start) * scale, "s"),
        Figure("gateway's half of 1 million persons", (done - half) * scale, "s"),
        at_most("index of 1 million persons built", (done - start) * scale, "s", MOST_BUILD_S),
        Figure("processor time of it, all processes", worked * scale, "s"),
        Figure("keys a person", loaded.rows / persons, ""),
        Figure("file of the nation, 1 million", order.out.stat().st_size * scale / 1e6, "MB"),
        Figure("index, 1 million", size * scale / 1e6, "MB"),
        *_timed("look-up at 1 million records", took),
    ]


async def _ten_million(folder: Path, persons: int) -> list[Figure]:
    path, rows = folder / "state.sqlite", persons * ROWS_A_PERSON
    start = time.perf_counter()
    asked = _filled(path, rows)
    took_s = time.perf_counter() - start
    store = Store(f"sqlite:///{path}", name="linkage index")
    kind, step = next(iter(KeyKind)), KEYS_A_QUESTION
    questions = [
        [(kind, one) for one in asked[at : at + step]] for at in range(0, len(asked), step)
    ]
    took = await _look_ups(store, questions)
    await store.close()
    label = f"{persons / 1e6:g} million records, {rows / 1e6:g} million rows"
    return [
        Figure(f"rows written in one pass, {label}", took_s, "s"),
        Figure(f"index, {label}", path.stat().st_size / 1e6, "MB"),
        *_timed(f"look-up at {label}", took),
    ]


def _filled(path: Path, rows: int) -> list[bytes]:
    """Fill the tables as nine countries' loads would leave them; the keys of some questions."""
    rng = np.random.default_rng(7)
    first = np.sort(rng.integers(0, 2**64, rows, dtype=np.uint64))
    asked: list[bytes] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for number, country in enumerate(COUNTRIES, 1):
            connection.execute(
                "INSERT INTO link_load VALUES (?, ?, ?, 'serving', 1, 1, 'hmac', '', '', '')",
                (number, EPOCH, country),
            )
        for start in range(0, rows, _PART):
            part = first[start : start + _PART]
            keys = np.empty((len(part), 16), np.uint8)
            keys[:, :8] = part.astype(">u8").view(np.uint8).reshape(-1, 8)
            keys[:, 8:] = np.frombuffer(rng.bytes(8 * len(part)), np.uint8).reshape(-1, 8)
            handles = rng.bytes(16 * len(part))
            connection.execute("BEGIN")
            for at in range(0, len(part), _STATEMENT):
                own = keys[at : at + _STATEMENT]
                told = (len(own), own.tobytes(), handles[16 * at : 16 * (at + _STATEMENT)])
                connection.execute(_FILL, told)
            connection.execute("COMMIT")
            some = _QUESTIONS * KEYS_A_QUESTION * len(part) // rows + 1
            asked += [keys[place].tobytes() for place in rng.integers(0, len(part), some)]
    return [asked[place] for place in rng.permutation(len(asked))[: _QUESTIONS * KEYS_A_QUESTION]]


async def _questions(
    parts: Parts, key: bytes, persons: int, file: Path
) -> list[list[tuple[KeyKind, bytes]]]:
    """What the blind keys of some persons of the file become under the pepper."""
    from anonymise.linkage.blinding import BlindKey
    from gateway.linkage.index_file import IndexReader

    pepper = await parts.peppers.pepper(EPOCH)
    assert pepper is not None
    assert HmacBlinder(key, EPOCH).epoch == pepper.epoch
    kinds, found = list(KeyKind), []
    every = max(1, persons // _QUESTIONS)
    with IndexReader(file) as reader:
        seen = at = 0
        for block in reader.blocks():
            at = 0
            for count in block.counts:
                if seen % every == 0:
                    own = range(at, min(at + count, at + KEYS_A_QUESTION))
                    keys = [
                        BlindKey(kinds[block.kinds[n]], block.values[32 * n : 32 * n + 32])
                        for n in own
                    ]
                    found.append([(one.kind, pepper.stored(one)) for one in keys])
                at += count
                seen += 1
    return found


async def _look_ups(store: Store, questions: Sequence[list[tuple[KeyKind, bytes]]]) -> list[float]:
    index, countries, took = await LinkIndex(store).open(), frozenset(COUNTRIES), []
    for keys in questions[:50]:
        await index.candidates(EPOCH, keys, countries)
    hit = 0
    for keys in questions:
        start = time.perf_counter()
        found = await index.candidates(EPOCH, keys, countries)
        took.append(time.perf_counter() - start)
        hit += any(one.handles for one in found.values())
    assert hit > len(questions) * 0.9, "the questions are about persons who are there"
    return took


def _timed(label: str, took: list[float]) -> list[Figure]:
    return [
        at_most(f"{label}, median", median(took) * 1e3, "ms", MOST_LOOK_UP_MS),
        Figure(f"{label}, 95 of 100", quantiles(took, n=20)[-1] * 1e3, "ms"),
    ]


def _processor_s() -> float:
    """What this process and those that it started and ended have worked."""
    return sum(os.times()[:4])


def _hmac_us() -> float:
    messages = [os.urandom(48) for _ in range(50_000)]
    hashed = keyed_hash(os.urandom(32), "bench", EPOCH)
    start = time.perf_counter()
    hashed(messages)
    return (time.perf_counter() - start) / len(messages) * 1e6
