# SPDX-License-Identifier: EUPL-1.2
"""Reading a copy of a log without trusting or changing it, for the verifier and for one entry.

One snapshot is read from beginning to end. What a damaged file does not yield is told apart from
what is not there, so that the verifier can name both.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from audit.entry import StoredEntry
from audit.errors import LogCorruptError, LogUnavailableError
from audit.store import POSTGRES, Head, sqlite_path, stored_entry
from audit.tiles import TileId

_COLUMNS = (
    "e.idx, e.envelope, e.leaf, e.t, e.kind, e.owner, e.requester, d.blob, d.salt, d.header"
    " FROM log_entry e LEFT JOIN log_detail d ON d.idx = e.idx"
)
_HEAD = "SELECT origin, size, root, note FROM log_head WHERE one = 1"
_BOUNDS = "SELECT coalesce(min(idx), 0), coalesce(max(idx), -1) + 1 FROM "
_BETWEEN = (
    "SELECT coalesce(min(idx), 0), coalesce(max(idx), -1) + 1 FROM log_entry"
    " WHERE t >= {} AND t < {}"
)
_ENVELOPES = "SELECT idx, envelope FROM log_entry WHERE idx >= {} AND idx < {} ORDER BY idx"
_EVER = 2**62  # microseconds; after all of them
_PATIENCE = 60.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as stored, with copies and detail; nothing in it is trusted, not even the types."""

    index: int
    envelope: object
    leaf: object
    t: object
    kind: object
    owner: object
    requester: object
    blob: object
    salt: object
    header: object

    def entry(self) -> StoredEntry | None:
        """The entry and its detail, None where the bytes are no bytes."""
        parts = [p if isinstance(p, bytes) else None for p in (self.blob, self.salt, self.header)]
        if not isinstance(self.envelope, bytes):
            return None
        return stored_entry(self.index, self.envelope, *parts)


class Copy(Protocol):
    """One snapshot of a log. Methods raise LogCorruptError where the file itself is damaged."""

    def head(self) -> Head | None:
        """The head row."""

    def bounds(self, table: str) -> tuple[int, int]:
        """Lowest number, and one more than the highest, in a table of entries or details."""

    def rows(self, start: int, stop: int) -> list[Row]:
        """Entries in this range, in order."""

    def between(self, first: int | None, last: int | None) -> tuple[int, int]:
        """The numbers of the entries from one time up to and without another, in microseconds.

        By the stored times, which prove nothing: for reports, not for proofs.
        """

    def envelopes(self, start: int, stop: int) -> list[tuple[int, object]]:
        """Number and envelope of the entries in this range, in order, as stored."""

    def tile(self, tile: TileId) -> bytes | None:
        """A stored tile."""

    def damage(self) -> str | None:
        """What the database itself finds wrong with its file."""


def _times(first: int | None, last: int | None) -> tuple[int, int]:
    return (-_EVER if first is None else first, _EVER if last is None else last)


def _head(row: Any) -> Head:
    match tuple(row):
        case (str(origin), int(size), bytes(root), str(note)):
            return Head(origin, size, root, note)
    raise LogCorruptError("its values are not of the right types")


class _SqliteCopy:
    def __init__(self, con: sqlite3.Connection) -> None:
        self._con = con

    def _fetch(self, sql: str, values: tuple[int, ...] = ()) -> list[Any]:
        try:
            return self._con.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            reason = getattr(error, "sqlite_errorname", "unknown")
            raise LogCorruptError(f"this part of the file cannot be read ({reason})") from None

    def head(self) -> Head | None:
        rows = self._fetch(_HEAD)
        return _head(rows[0]) if rows else None

    def bounds(self, table: str) -> tuple[int, int]:
        low, high = self._fetch(_BOUNDS + table)[0]
        return low, high

    def rows(self, start: int, stop: int) -> list[Row]:
        sql = f"SELECT {_COLUMNS} WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx"
        return [Row(*row) for row in self._fetch(sql, (start, stop))]

    def between(self, first: int | None, last: int | None) -> tuple[int, int]:
        low, high = self._fetch(_BETWEEN.format("?1", "?2"), _times(first, last))[0]
        return low, high

    def envelopes(self, start: int, stop: int) -> list[tuple[int, object]]:
        return self._fetch(_ENVELOPES.format("?1", "?2"), (start, stop))

    def tile(self, tile: TileId) -> bytes | None:
        sql = "SELECT hashes FROM log_tile WHERE level = ? AND number = ?"
        rows = self._fetch(sql, tile)
        return rows[0][0] if rows else None

    def damage(self) -> str | None:
        found = str(self._fetch("PRAGMA integrity_check(1)")[0][0])
        return None if found == "ok" else "the file's pages or indexes contradict one another"


class _PostgresCopy:
    def __init__(self, con: Any, run: Callable[[Awaitable[Any]], Any]) -> None:
        self._con, self._run = con, run

    def _fetch(self, sql: str, *values: int) -> list[Any]:
        return list(self._run(self._con.fetch(sql, *values)))

    def head(self) -> Head | None:
        rows = self._fetch(_HEAD)
        return _head(rows[0]) if rows else None

    def bounds(self, table: str) -> tuple[int, int]:
        low, high = self._fetch(_BOUNDS + table)[0]
        return low, high

    def rows(self, start: int, stop: int) -> list[Row]:
        sql = f"SELECT {_COLUMNS} WHERE e.idx >= $1 AND e.idx < $2 ORDER BY e.idx"
        return [Row(*row) for row in self._fetch(sql, start, stop)]

    def between(self, first: int | None, last: int | None) -> tuple[int, int]:
        low, high = self._fetch(_BETWEEN.format("$1", "$2"), *_times(first, last))[0]
        return low, high

    def envelopes(self, start: int, stop: int) -> list[tuple[int, object]]:
        rows = self._fetch(_ENVELOPES.format("$1", "$2"), start, stop)
        return [(row[0], row[1]) for row in rows]

    def tile(self, tile: TileId) -> bytes | None:
        sql = "SELECT hashes FROM log_tile WHERE level = $1 AND number = $2"
        rows = self._fetch(sql, tile.level, tile.number)
        return rows[0][0] if rows else None

    def damage(self) -> str | None:
        return None


@contextlib.contextmanager
def open_copy(url: str) -> Iterator[Copy]:
    """Open a log for reading: `sqlite:///PATH`, a plain path, or `postgresql://...`.

    Call it outside a running event loop if the log is in PostgreSQL.

    Raises:
        LogUnavailableError: there is nothing to read there.
        LogCorruptError: it is damaged so far that nothing can be read.
    """
    path = sqlite_path(url)
    if path is not None:
        with _open_sqlite(path) as copy:
            yield copy
    elif url.startswith(POSTGRES):
        with _open_postgres(url) as copy:
            yield copy
    else:
        raise LogUnavailableError("a log is a file, sqlite:///PATH or postgresql://...")


@contextlib.contextmanager
def _open_sqlite(path: str) -> Iterator[Copy]:
    if not Path(path).is_file():
        raise LogUnavailableError(f"there is no log at {path}")
    # A file without a write-ahead log is at rest: opened as immutable, nothing is put beside it.
    live = Path(f"{path}-wal").exists()
    uri = f"file:{quote(str(Path(path).absolute()))}?{'mode=ro' if live else 'immutable=1'}"
    try:
        con = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    except sqlite3.Error:
        raise LogUnavailableError(f"the file {path} cannot be opened") from None
    with contextlib.closing(con):
        con.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            con.execute("PRAGMA trusted_schema = OFF")
            con.execute("BEGIN")
            named = con.execute("SELECT count(*) FROM sqlite_master WHERE name = 'log_head'")
            found = named.fetchone()[0]
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
                raise LogCorruptError(f"the file {path} is damaged from its start") from None
            found = 0
        if not found:
            raise LogUnavailableError(f"{path} is not a log, or its first page is damaged")
        yield _SqliteCopy(con)


@contextlib.contextmanager
def _open_postgres(url: str) -> Iterator[Copy]:
    import asyncpg

    from audit.postgres_store import answered

    with asyncio.Runner() as runner:

        async def snapshot() -> Any:
            con = await asyncpg.connect(url)
            try:
                await con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                await con.fetchval("SELECT size FROM log_head")
            except BaseException:
                con.terminate()
                raise
            return con

        async def ask(work: Awaitable[_T]) -> _T:
            return await answered(work, limit=_PATIENCE)

        con = runner.run(ask(snapshot()))
        try:
            yield _PostgresCopy(con, lambda work: runner.run(ask(work)))
        finally:
            con.terminate()
