# SPDX-License-Identifier: EUPL-1.2
"""The gateway's half of an index: a nation's file under the pepper, with opaque handles.

The file is found whole first. Its rows are written under a new load that nobody looks up; then the
country's entry is durable; then, in one transaction, the new load serves and the old one does not.
Killed at any moment, the old one serves or the new one, whole. Keys that more than the bucket cap
share are not stored at all. Holds no nations' key.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from anonymise import Keyring
from anonymise.linkage.blinding import BLIND_BYTES, STORED_BYTES, Pepper
from anonymise.linkage.names import GRAMMAR
from anonymise.pseudonym import DomainCipher
from gateway.linkage.errors import IndexFileError, IndexStateError
from gateway.linkage.index import CAP, PURPOSE, RECIPIENT, handle_cipher
from gateway.linkage.index_file import Block, Header, IndexReader
from gateway.linkage.peppers import Peppers, moment, settle
from gateway.linkage.recording import IndexRecorder
from gateway.linkage.rows import Bytes, Progress, drop_rows, insert_rows
from gateway.linkage.tables import LINK_LOAD, LoadState
from gateway.store import Store

_PROCESSES: Final = 2
_AHEAD: Final = 4
_INLINE_KEYS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What a load needs of the gateway."""

    store: Store
    keyring: Keyring
    peppers: Peppers
    recorder: IndexRecorder
    countries: frozenset[str]


@dataclass(slots=True)
class Result:
    """What was loaded.

    Attributes:
        header: Of the file.
        rows: Stored in the index.
        crowded: Keys that too many shared, and that are not stored.
    """

    header: Header
    rows: int = 0
    crowded: int = 0


@dataclass(slots=True)
class _Gathered:
    """Stored keys and handles, block by block."""

    keys: list[Bytes] = field(default_factory=list)
    handles: list[Bytes] = field(default_factory=list)


async def load_file(parts: Parts, path: Path, now: datetime, progress: Progress) -> Result:
    """Load a nation's file in place of what the country had in that epoch.

    Raises:
        IndexFileError: it is damaged, or not for this gateway.
        IndexStateError: its epoch is not open, or another load took over.
        AuditError: the entry can't be made; the old index serves on.
        StoreError: the state database does not answer; the old index serves on.
        KeyringError: the country has no root that serves the epoch.
    """
    with IndexReader(path) as reader:
        header = reader.header
        pepper = await _required(parts, header)
        root = parts.keyring.domain(header.country, RECIPIENT, PURPOSE, header.epoch).version
        cipher = handle_cipher(parts.keyring, header.country, header.epoch, root)
        await sweep(parts.store, header.country, progress)
        gathered = await _peppered(reader, pepper, cipher, progress)
    keys, handles, crowded = _sorted(gathered)
    number = await parts.store.run(lambda connection: _begin(connection, header, root, moment(now)))
    await insert_rows(parts.store, number, keys, handles, progress)
    told = {"epoch": header.epoch, "grammar": header.grammar, "blinding": header.blinding}
    counted = {"persons": header.persons, "keys": header.keys, "crowded": crowded}
    await parts.recorder.of_country(
        "load",
        header.country,
        {**told, **counted, "file": header.sha256},
        erased=False,
        digest=header.sha256,
    )
    await parts.store.run(lambda connection: _serve(connection, header, number))
    await sweep(parts.store, header.country, progress)
    return Result(header, len(keys), crowded)


async def sweep(store: Store, country: str, progress: Progress) -> None:
    """Take out what does not serve: replaced loads, and those that were cut off.

    Raises:
        StoreError: the state database does not answer.
    """
    table = LINK_LOAD.c
    mark = (
        update(LINK_LOAD)
        .where(table.country == country, table.state == LoadState.LOADING)
        .values(state=LoadState.GONE)
    )
    gone = select(table.id).where(table.country == country, table.state == LoadState.GONE)

    def work(connection: Connection) -> Sequence[int]:
        connection.execute(mark)
        return connection.scalars(gone).all()

    dropped = await store.run(work)
    for number in dropped:
        await drop_rows(store, number, progress)
        await store.run(partial(_drop_load, number=number))
    if dropped:
        await settle(store)


async def _required(parts: Parts, header: Header) -> Pepper:
    if header.country not in parts.countries:
        raise IndexFileError(f"{header.country} has no register here; load its file where it has")
    if header.grammar != GRAMMAR:
        raise IndexFileError(
            f"the file's keys are of grammar {header.grammar}, this gateway's of {GRAMMAR}; "
            "build the file with the same release"
        )
    pepper = await parts.peppers.pepper(header.epoch)
    if pepper is None:
        raise IndexStateError(
            f"the epoch {header.epoch} is not open here; see `cuvar index status` and open it "
            "with `cuvar index rotate`"
        )
    return pepper


async def _peppered(
    reader: IndexReader, pepper: Pepper, cipher: DomainCipher, progress: Progress
) -> _Gathered:
    gathered, kinds = _Gathered(), _prefixes(reader.header)

    def take(block: Block, stored: bytes) -> None:
        counts = np.frombuffer(block.counts, np.uint8)
        handles = b"".join(cipher.pseudonyms(_cut(block.surrogates)))
        gathered.keys.append(_rows(stored))
        gathered.handles.append(np.repeat(_rows(handles), counts, axis=0))
        progress(0)

    if reader.header.keys <= _INLINE_KEYS:
        for block in reader.blocks():
            take(block, _stored(pepper, kinds, block.kinds, block.values))
        return gathered
    waiting: deque[tuple[Block, asyncio.Future[bytes]]] = deque()
    with ExitStack() as stack:
        pool = stack.enter_context(
            ProcessPoolExecutor(
                _PROCESSES,
                get_context("spawn"),
                initializer=_enter,
                initargs=(pepper.secret, kinds),
            )
        )
        loop = asyncio.get_running_loop()
        for block in reader.blocks():
            waiting.append((block, loop.run_in_executor(pool, _work, block.kinds, block.values)))
            if len(waiting) > _AHEAD:
                oldest, task = waiting.popleft()
                take(oldest, await task)
        for oldest, task in waiting:
            take(oldest, await task)
    return gathered


def _sorted(gathered: _Gathered) -> tuple[Bytes, Bytes, int]:
    """Keys in order with their handles, without those that too many share, and how many those."""
    if not gathered.keys:
        return _rows(b""), _rows(b""), 0
    keys, handles = np.concatenate(gathered.keys), np.concatenate(gathered.handles)
    # Eight of the sixteen bytes: two keys that differ have them in common once in ages.
    first = np.ascontiguousarray(keys[:, :8]).view(">u8").ravel().astype(np.uint64)
    order = np.argsort(first, kind="stable")
    first = first[order]
    starts = np.flatnonzero(np.concatenate(([True], first[1:] != first[:-1])))
    sizes = np.diff(np.append(starts, len(first)))
    kept = np.repeat(sizes <= CAP, sizes)
    order = order[kept]
    return keys[order], handles[order], int(np.count_nonzero(sizes > CAP))


def _drop_load(connection: Connection, number: int) -> None:
    connection.execute(delete(LINK_LOAD).where(LINK_LOAD.c.id == number))


def _begin(connection: Connection, header: Header, root: int, now: str) -> int:
    row = {
        "epoch": header.epoch,
        "country": header.country,
        "state": LoadState.LOADING,
        "root": root,
        "grammar": header.grammar,
        "blinding": header.blinding,
        "digest": header.sha256,
        "made": header.made,
        "loaded": now,
    }
    made = connection.execute(insert(LINK_LOAD).values(row)).inserted_primary_key
    if made is None:
        raise IndexStateError("the state database gave the load no number; load once more")
    return int(made[0])


def _serve(connection: Connection, header: Header, number: int) -> None:
    table = LINK_LOAD.c
    now = connection.execute(select(table.state).where(table.id == number)).scalar_one_or_none()
    if now != LoadState.LOADING:
        raise IndexStateError("another load of this country took over; let that one finish")
    connection.execute(
        update(LINK_LOAD)
        .where(
            table.country == header.country,
            table.epoch == header.epoch,
            table.state == LoadState.SERVING,
        )
        .values(state=LoadState.GONE)
    )
    connection.execute(update(LINK_LOAD).where(table.id == number).values(state=LoadState.SERVING))


def _prefixes(header: Header) -> list[bytes]:
    return [kind.encode() + b"\0" for kind in header.kinds]


def _stored(pepper: Pepper, prefixes: Sequence[bytes], kinds: bytes, values: bytes) -> bytes:
    width = BLIND_BYTES
    messages = [
        prefixes[kind] + values[at : at + width]
        for kind, at in zip(kinds, range(0, len(values), width), strict=True)
    ]
    return b"".join([found[:STORED_BYTES] for found in pepper.stored_all(messages)])


_WORKER: list[Callable[[bytes, bytes], bytes]] = []
"""Of a worker process, set once when it starts."""


def _enter(secret: tuple[bytes, str], prefixes: list[bytes]) -> None:
    pepper = Pepper(*secret)
    _WORKER[:] = [lambda kinds, values: _stored(pepper, prefixes, kinds, values)]


def _work(kinds: bytes, values: bytes) -> bytes:
    return _WORKER[0](kinds, values)


def _rows(packed: bytes) -> Bytes:
    return np.frombuffer(packed, np.uint8).reshape(-1, STORED_BYTES)


def _cut(packed: bytes) -> list[bytes]:
    return [packed[at : at + STORED_BYTES] for at in range(0, len(packed), STORED_BYTES)]
