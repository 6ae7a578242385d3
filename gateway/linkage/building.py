# SPDX-License-Identifier: EUPL-1.2
"""The nation's half of an index: its register, read through its mapping, as blind keys in a file.

Runs where the register and the nations' key are, and holds no pepper. Expired records are left out
by the register itself (GDP-03). Keys and blinding take two processes from the second block on; with
a key holder, the keys of a block are blinded by him instead.
"""

import asyncio
import gc
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from anonymise.linkage.blinding import HmacBlinder
from anonymise.linkage.keys import Key, KeyKind
from anonymise.linkage.names import GRAMMAR
from anonymise.linkage.oprf import OprfBlinder
from gateway.linkage.index_file import BLOCK_PERSONS, Block, Header, IndexWriter
from gateway.linkage.peppers import moment
from gateway.linkage.persons import DATASET, PERSON_FIELDS, keys_of_all, persons_of
from gateway.sources import Everything, Fetch, Record, Source
from gateway.sources.record import Value

_PAGE: Final = 1_000
_AHEAD: Final = 3
_PROCESSES: Final = 2
_FIELDS: Final = tuple(sorted(PERSON_FIELDS))
_NUMBERS: Final = {kind: number for number, kind in enumerate(KeyKind)}

Row = tuple[bytes, tuple[Value, ...]]
"""A surrogate, and the record's values in the order of `_FIELDS`."""
Keyed = tuple[bytes, tuple[Key, ...]]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, repr=False)
class NationsKey:
    """Blinding by HMAC under the nations' key."""

    key: bytes
    name = "hmac"


@dataclass(frozen=True, slots=True, repr=False)
class KeyHolder:
    """Blinding by the key holder."""

    blinder: OprfBlinder
    name = "oprf"


@dataclass(frozen=True, slots=True)
class Order:
    """What is built.

    Attributes:
        epoch: The quarter.
        out: The file.
        now: For the header, and the day against which retention is held.
    """

    epoch: str
    out: Path
    now: datetime


@dataclass(slots=True)
class Built:
    """What came of it. Counts stay with the nation; `header` is in the file.

    Attributes:
        header: Of the file.
        without_keys: Persons of whom too little is known to be linked.
        without_surrogate: Persons to whom the register gave none; they can't be indexed.
    """

    header: Header
    without_keys: int
    without_surrogate: int


async def build(
    source: Source, order: Order, blinding: NationsKey | KeyHolder, progress: Progress
) -> Built:
    """Build a country's file.

    Raises:
        SourceUnavailableError: the register stopped answering; no file was made.
        LinkageError: the key holder does not answer; no file was made.
        IndexFileError: the file can't be written.
    """
    header = Header(source.country, order.epoch, GRAMMAR, blinding.name, moment(order.now))
    nameless = keyless = 0
    with ExitStack() as stack:
        writer = stack.enter_context(IndexWriter(order.out, header))
        work = _Work(blinding, order.epoch, stack)
        async for records, last in _units(source, order.now.date()):
            rows = [_row(record) for record in records if record.surrogate is not None]
            nameless += len(records) - len(rows)
            for block, persons in await work.give(rows, last=last):
                keyless += persons - len(block.counts)
                if block.counts:
                    writer.add(block)
                progress(persons)
        return Built(writer.finish(), keyless, nameless)


class _Work:
    """Makes blocks of rows, in order; `_waiting` are those under way."""

    def __init__(self, blinding: NationsKey | KeyHolder, epoch: str, stack: ExitStack) -> None:
        self._blinding, self._epoch, self._stack = blinding, epoch, stack
        self._pool: Executor | None = None
        self._waiting: deque[tuple[asyncio.Future[list[Keyed] | Block], int]] = deque()

    async def give(self, rows: list[Row], *, last: bool) -> list[tuple[Block, int]]:
        """Take rows; blocks that are ready, each with the persons that it was made of."""
        if last and self._pool is None:
            return [(self._here(rows), len(rows))] if rows else []
        loop = asyncio.get_running_loop()
        if rows:
            self._waiting.append((loop.run_in_executor(self._started(), _made, rows), len(rows)))
        done = []
        while self._waiting and (last or len(self._waiting) > _AHEAD):
            task, persons = self._waiting.popleft()
            made = await task
            done.append((made if isinstance(made, Block) else self._asked(made), persons))
        return done

    def _here(self, rows: list[Row]) -> Block:
        if isinstance(self._blinding, KeyHolder):
            return self._asked([*_keyed(rows)])
        return _blinded(rows, HmacBlinder(self._blinding.key, self._epoch))

    def _asked(self, keyed: list[Keyed]) -> Block:
        if not isinstance(self._blinding, KeyHolder):
            raise TypeError
        blinder = self._blinding.blinder
        made = iter(blinder.blind([key for _, keys in keyed for key in keys]))
        return Block.of(
            [
                (surrogate, _kinds(keys), b"".join(next(made).value for _ in keys))
                for surrogate, keys in keyed
            ]
        )

    def _started(self) -> Executor:
        if self._pool is None:
            key = self._blinding.key if isinstance(self._blinding, NationsKey) else None
            pool = ProcessPoolExecutor(
                _PROCESSES, get_context("spawn"), initializer=_enter, initargs=(key, self._epoch)
            )
            self._pool = self._stack.enter_context(pool)
        return self._pool


async def _units(source: Source, today: date) -> AsyncIterator[tuple[list[Record], bool]]:
    """The register's persons, a block's worth at a time, and whether these are the last."""
    page = Fetch(DATASET, PERSON_FIELDS, frozenset(), Everything(), today, limit=_PAGE)
    unit: list[Record] = []
    after: str | None = None
    while True:
        wanted = page if after is None else _following(page, after)
        read = await source.fetch(wanted)
        unit += read.records
        after = read.next
        if after is None:
            yield unit, True
            return
        if len(unit) + _PAGE > BLOCK_PERSONS:
            yield unit, False
            unit = []


def _following(page: Fetch, after: str) -> Fetch:
    return Fetch(
        page.dataset, page.fields, page.traits, page.selector, page.today, page.limit, after
    )


def _row(record: Record) -> Row:
    values = record.values
    return record.surrogate or b"", tuple([values.get(field) for field in _FIELDS])


def _keyed(rows: Iterable[Row]) -> Iterator[Keyed]:
    """The keys of each person who has any."""
    for surrogate, values in rows:
        keys = keys_of_all(persons_of(dict(zip(_FIELDS, values, strict=True))))
        if keys:
            yield surrogate, keys


def _blinded(rows: Iterable[Row], blinder: HmacBlinder) -> Block:
    # Of each person only bytes are kept: a hundred thousand keys would keep the collector busy.
    prefixes = {kind: Key(kind, "").encoded() for kind in KeyKind}
    persons: list[tuple[bytes, bytes]] = []
    encoded: list[bytes] = []
    for surrogate, keys in _keyed(rows):
        persons.append((surrogate, _kinds(keys)))
        encoded += [prefixes[key.kind] + key.text.encode() for key in keys]
    values, at, made = blinder.values(encoded), 0, []
    for surrogate, kinds in persons:
        end = at + len(kinds)
        made.append((surrogate, kinds, b"".join(values[at:end])))
        at = end
    return Block.of(made)


def _kinds(keys: Sequence[Key]) -> bytes:
    return bytes([_NUMBERS[key.kind] for key in keys])


_BLINDER: HmacBlinder | None = None
"""Of a worker process, set once when it starts."""


def _enter(key: bytes | None, epoch: str) -> None:
    global _BLINDER  # noqa: PLW0603 - the one thing that a worker keeps
    gc.disable()  # nothing here refers to itself, and a pass over all of it cost a third
    _BLINDER = None if key is None else HmacBlinder(key, epoch)


def _made(rows: list[Row]) -> list[Keyed] | Block:
    return [*_keyed(rows)] if _BLINDER is None else _blinded(rows, _BLINDER)
