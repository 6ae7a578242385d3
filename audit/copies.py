# SPDX-License-Identifier: EUPL-1.2
"""Reading a copy of a log without trusting or changing it: a published folder or a database.

One protocol for all of them, so that verifier, publisher and reviews need not know where a log
lies. One snapshot is read from beginning to end. What a damaged file does not yield is told apart
from what is not there, so that the verifier can name both. Of databases of format 1 only envelopes,
details, tiles and head are read; their search columns proved nothing.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from audit.entry import StoredEntry
from audit.envelope import EPOCH, parse_envelope
from audit.errors import EnvelopeError, LogUnavailableError
from audit.store import POSTGRES, Head, sqlite_path, stored_entry
from audit.tiles import TileId

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as stored, with its detail; nothing in it is trusted, not even the types."""

    index: int
    envelope: object
    blob: object = field(default=None, repr=False)
    salt: object = field(default=None, repr=False)
    header: object = field(default=None, repr=False)

    def entry(self) -> StoredEntry | None:
        """The entry and its detail, None where the bytes are no bytes."""
        parts = [p if isinstance(p, bytes) else None for p in (self.blob, self.salt, self.header)]
        if not isinstance(self.envelope, bytes):
            return None
        return stored_entry(self.index, self.envelope, *parts)


@dataclass(frozen=True, slots=True)
class Detail:
    """A sealed detail as stored, of the entry with this number; nothing in it is trusted."""

    index: int
    blob: object = field(repr=False)
    salt: object = field(repr=False)
    header: object = field(repr=False)


class Copy(Protocol):
    """One snapshot of one log. Methods raise LogCorruptError where the file itself is damaged.

    Attributes:
        format: 1 or 2 of a database (docs/formats/log.md, section 6), None of a folder.
        has_details: whether the copy holds sealed details at all; a folder may be without.
    """

    format: int | None
    has_details: bool

    def head(self) -> Head | None:
        """What the store says of itself: origin, size, root, checkpoint."""

    def count(self) -> int:
        """One more than the highest number of an entry or a detail."""

    def rows(self, start: int, stop: int) -> list[Row]:
        """Entries in this range with their details, in order."""

    def envelopes(self, start: int, stop: int) -> Sequence[tuple[int, object]]:
        """Number and envelope of the entries in this range, in order, as stored."""

    def details(self, start: int, stop: int) -> Sequence[Detail]:
        """The details in this range, in order, also those without an entry."""

    def tile(self, tile: TileId) -> bytes | None:
        """A stored tile; in a folder of the width that the checkpoint's size asks for."""

    def cosigned(self) -> str | None:
        """The newest checkpoint with witnesses' lines, if one is kept."""

    def between(self, first: int | None, last: int | None) -> tuple[int, int]:
        """The numbers of the entries from one time up to and without another, in microseconds.

        Found by halves in what the entries say, which rise in a whole log: for reports, not proofs.
        """

    def damage(self) -> str | None:
        """What the store itself finds wrong, beyond what can be read through the others."""


class Halving:
    """`between` out of `envelopes` and `count`, for every kind of copy."""

    def between(self: Copy, first: int | None, last: int | None) -> tuple[int, int]:
        """As `Copy.between`."""
        size = self.count()
        start = 0 if first is None else _place(self, first, 0, size)
        return start, size if last is None else _place(self, last, start, size)


def _place(copy: Copy, micros: int, low: int, high: int) -> int:
    """The first entry at or after this time; entries that can't be read are passed over."""
    while low < high:
        middle = (low + high) // 2
        probe, time = middle, None
        while probe < high and time is None:
            time = _micros(copy.envelopes(probe, probe + 1))
            probe += time is None
        if time is None or time >= micros:
            high = middle
        else:
            low = probe + 1
    return low


def _micros(found: Sequence[tuple[int, object]]) -> int | None:
    if not found or not isinstance(found[0][1], bytes):
        return None
    try:
        return (parse_envelope(found[0][1]).t - EPOCH) // _MICROSECOND
    except EnvelopeError:
        return None


def chosen(place: str, found: Sequence[str], origin: str | None) -> str:
    """The log that is meant among those of a place.

    Raises:
        LogUnavailableError: the place holds others, or several and none was named.
    """
    if origin in found or (origin is None and len(found) == 1):
        return origin or found[0]
    told = ", ".join(found) or "no log"
    raise LogUnavailableError(f"{place} holds {told}; name one of them with --origin")


@contextlib.contextmanager
def open_copy(place: str, origin: str | None = None) -> Iterator[Copy]:
    """Open a log for reading. Outside a running event loop if it is in PostgreSQL.

    Args:
        place: a published folder, a plain path, `sqlite:///PATH` or `postgresql://...`.
        origin: the log that is meant, where a database holds several.

    Raises:
        LogUnavailableError: there is nothing to read there.
        LogCorruptError: it is damaged so far that nothing can be read.
    """
    if place.startswith(POSTGRES):
        from audit.postgres_copy import open_postgres

        with open_postgres(place, origin) as copy:
            yield copy
        return
    path = _path(place)
    if path.is_dir():
        from audit.folder_copy import FolderCopy

        yield FolderCopy(path)
    else:
        from audit.sqlite_copy import open_sqlite

        with open_sqlite(str(path), origin) as copy:
            yield copy


def origins(place: str) -> list[str]:
    """The logs that a place holds, in the order of their opening.

    Raises:
        LogUnavailableError: there is nothing to read there.
        LogCorruptError: it is damaged so far that nothing can be read.
    """
    if place.startswith(POSTGRES):
        from audit.postgres_copy import postgres_origins

        return postgres_origins(place)
    path = _path(place)
    if path.is_dir():
        from audit.folder_copy import FolderCopy

        head = FolderCopy(path).head()
        return [] if head is None else [head.origin]
    from audit.sqlite_copy import sqlite_origins

    return sqlite_origins(str(path))


def _path(place: str) -> Path:
    path = sqlite_path(place)
    if path is None:
        raise LogUnavailableError("a log is a folder, a file, sqlite:///PATH or postgresql://...")
    return Path(path)
