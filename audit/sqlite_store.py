# SPDX-License-Identifier: EUPL-1.2
"""The logs in one SQLite file: WAL, synchronous=FULL, one thread that writes and one that reads.

SQLite goes on writing to a file that was deleted or replaced, and would call that durable. So each
commit is followed by a look whether path and write-ahead log still name the opened files; if not,
nobody is told that the entry stands. A file that is missing is never made: `create_file` is
explicit, and puts a complete log under its name or none.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from audit.entry import StoredEntry
from audit.errors import (
    HeadMovedError,
    LeaseHeldError,
    LogCorruptError,
    LogExistsError,
    LogUnavailableError,
)
from audit.sqlite_errors import translated
from audit.store import FORMAT, LOG_BITS, Batch, Cosigned, Head, stored_entry
from audit.tiles import TileId

_BUSY_MS = 1000
SCHEMA = """
CREATE TABLE log_head (log INTEGER PRIMARY KEY, format INTEGER NOT NULL,
  origin TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
  closed INTEGER NOT NULL) STRICT;
CREATE TABLE log_entry (pos INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT;
CREATE TABLE log_detail (pos INTEGER PRIMARY KEY, blob BLOB NOT NULL, salt BLOB NOT NULL,
  header BLOB NOT NULL) STRICT;
CREATE TABLE log_tile (log INTEGER NOT NULL, level INTEGER NOT NULL, number INTEGER NOT NULL,
  hashes BLOB NOT NULL, PRIMARY KEY (log, level, number)) STRICT;
CREATE TABLE log_cosigned (log INTEGER PRIMARY KEY, size INTEGER NOT NULL,
  note TEXT NOT NULL) STRICT;
"""
_ENTRIES = (
    "SELECT e.pos - ?1, e.envelope, d.blob, d.salt, d.header FROM log_entry e"
    " LEFT JOIN log_detail d ON d.pos = e.pos WHERE e.pos >= ?2 AND e.pos < ?3 ORDER BY e.pos"
)
_T = TypeVar("_T")


def _connect(path: str) -> sqlite3.Connection:
    """An existing file only; durable at each commit."""
    uri = f"file:{quote(str(Path(path).absolute()))}?mode=rw"
    con = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    con.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    con.execute("PRAGMA synchronous = FULL")
    con.execute("PRAGMA secure_delete = ON")
    con.execute("PRAGMA trusted_schema = OFF")
    return con


def _identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino


def _sync_folder(path: str) -> None:
    folder = os.open(Path(path).absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def create_file(path: str, births: Sequence[Batch]) -> None:
    """Make a file with these logs complete and only then give it its name.

    Raises:
        LogExistsError: there is a file of that name.
        LogUnavailableError: the folder is missing or cannot be written.
    """
    new = f"{path}.new-{os.getpid()}"
    try:
        with translated(path):
            os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with contextlib.closing(_connect(new)) as con:
                con.execute("BEGIN IMMEDIATE")
                for statement in SCHEMA.split(";\n"):
                    con.execute(statement)
                for birth in births:
                    _write(con, birth)
                con.execute("COMMIT")
                # Only now, so that all is in the file: closing may fail to empty a -wal, unheard.
                if con.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                    raise OSError(errno.EIO, "the file could not be made a log")
            try:
                os.link(new, path)
            except FileExistsError:
                raise LogExistsError(f"{path} exists; a log is never written over") from None
            _sync_folder(path)
    finally:
        for leftover in (new, f"{new}-wal", f"{new}-shm"):
            Path(leftover).unlink(missing_ok=True)


def _write(con: sqlite3.Connection, batch: Batch) -> None:
    """One batch, within a transaction.

    Raises:
        HeadMovedError: the log's head is not the one that the batch was built on.
    """
    old, new = batch.old, batch.new
    if old is None:
        con.execute(
            "INSERT INTO log_head VALUES (?, ?, ?, ?, ?, ?, ?)",
            (new.number, FORMAT, new.origin, new.size, new.root, new.note, new.closed),
        )
    else:
        moved = con.execute(
            "UPDATE log_head SET size = ?, root = ?, note = ?, closed = ?"
            " WHERE log = ? AND size = ? AND root = ? AND closed = 0",
            (new.size, new.root, new.note, new.closed, old.number, old.size, old.root),
        )
        if moved.rowcount != 1:
            raise HeadMovedError("another writer moved the head of the log; nothing was written")
    con.executemany(
        "INSERT INTO log_entry VALUES (?, ?)",
        [(new.base + row.index, row.envelope) for row in batch.rows],
    )
    con.executemany(
        "INSERT INTO log_detail VALUES (?, ?, ?, ?)",
        [
            (new.base + row.index, row.sealed.blob, row.sealed.salt, row.sealed.window)
            for row in batch.rows
            if row.sealed is not None
        ],
    )
    con.executemany(
        "INSERT OR REPLACE INTO log_tile VALUES (?, ?, ?, ?)",
        [(new.number, *tile.id, tile.hashes) for tile in batch.tiles],
    )


class SqliteStore:
    """The store of one process; a lease file keeps a second process out."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._files = Path(path), Path(f"{path}-wal")
        # The connections belong to the one thread of their executor.
        self._writer = ThreadPoolExecutor(1, "audit-writer")
        self._reader = ThreadPoolExecutor(1, "audit-reader")
        self._write_con: sqlite3.Connection | None = None
        self._read_con: sqlite3.Connection | None = None
        self._opened: tuple[tuple[int, int], tuple[int, int]] | None = None
        self._lease: int | None = None
        self._closed = False

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[..., _T], *given: Any) -> _T:
        if self._closed:
            raise LogUnavailableError(f"the log {self._path} was closed")
        return await asyncio.get_running_loop().run_in_executor(pool, work, *given)

    async def reopen(self, *, wait: bool = True) -> None:  # noqa: ARG002 - no lock lingers
        """Open the file anew and hold the lease."""
        await self._run(self._reader, self._drop_reader)
        await self._run(self._writer, self._reopen)

    async def look(self) -> None:
        """Read only: neither writing connection nor lease."""
        await self._run(self._writer, self._let_go)
        await self._run(self._reader, self._look)

    def _let_go(self) -> None:
        self._drop_writer()
        lease, self._lease = self._lease, None
        if lease is not None:
            os.close(lease)

    def _look(self) -> None:
        self._drop_reader()
        self._require_file()
        with translated(self._path):
            self._require_format(self._reading())

    def _require_file(self) -> None:
        if not Path(self._path).is_file():
            raise LogUnavailableError(
                f"there is no log at {self._path}; a missing log is never made by itself:"
                " mount or restore the file, or create a log on purpose"
            )

    def _reopen(self) -> None:
        self._require_file()
        with translated(self._path):
            self._take_lease()
            self._drop_writer()
            before = _identity(self._files[0])
            self._write_con = _connect(self._path)
            self._require_format(self._write_con)
            self._opened = self._identities()
            if self._opened[0] != before:
                raise LogUnavailableError(f"the log {self._path} was replaced while it was opened")

    def _require_format(self, con: sqlite3.Connection) -> None:
        mode = con.execute("PRAGMA journal_mode").fetchone()[0]
        named = con.execute("SELECT 1 FROM sqlite_master WHERE name = 'log_head'").fetchone()
        formats = con.execute("SELECT DISTINCT format FROM log_head").fetchall() if named else []
        if mode != "wal" or formats != [(FORMAT,)]:
            raise LogCorruptError(f"{self._path} is not a log of format {FORMAT}; name another")

    def _take_lease(self) -> None:
        """A lock that ends with the process; the compare-and-swap in `commit` is the safeguard."""
        if self._lease is None:
            lease = os.open(f"{self._path}.lease", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lease)
                raise LeaseHeldError(f"another process writes to {self._path}; stop it") from None
            self._lease = lease

    def _drop_writer(self) -> None:
        con, self._write_con = self._write_con, None
        if con is not None:
            with contextlib.suppress(sqlite3.Error):
                con.close()

    def _drop_reader(self) -> None:
        con, self._read_con = self._read_con, None
        if con is not None:
            with contextlib.suppress(sqlite3.Error):
                con.close()

    def _writing(self) -> sqlite3.Connection:
        if self._write_con is None:
            raise LogUnavailableError(f"the log {self._path} is not open")
        return self._write_con

    def _identities(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What database and write-ahead log are named now."""
        return _identity(self._files[0]), _identity(self._files[1])

    async def check(self) -> None:
        """Look whether the names still lead to the opened files."""
        await self._run(self._writer, self._check)

    def _check(self) -> None:
        with translated(self._path):
            now = self._identities()
        if now != self._opened:
            raise LogUnavailableError(
                f"the file of the log {self._path} was deleted or replaced under this process;"
                " put the right file back, it goes on by itself"
            )

    async def rehearse(self) -> None:
        """Write the head rows as they are."""
        await self._run(self._writer, self._rehearse)

    def _rehearse(self) -> None:
        with translated(self._path):
            self._writing().execute("UPDATE log_head SET note = note")
        self._check()

    async def commit(self, batches: Sequence[Batch]) -> None:
        """One transaction, one flush, then the look at the names."""
        await self._run(self._writer, self._commit, batches)

    def _commit(self, batches: Sequence[Batch]) -> None:
        with self._transaction() as con:
            for batch in batches:
                _write(con, batch)
        self._check()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Committed at the end of the block, rolled back whatever else happens."""
        con = self._writing()
        with translated(self._path):
            try:
                con.execute("BEGIN IMMEDIATE")
                yield con
                con.execute("COMMIT")
            finally:
                if con.in_transaction:
                    con.execute("ROLLBACK")

    async def erase(self, log: Head, indices: Sequence[int]) -> int:
        """Delete details; the freed pages are zeroed and the write-ahead log emptied."""
        return await self._run(self._writer, self._erase, [log.base + index for index in indices])

    def _erase(self, positions: list[int]) -> int:
        with self._transaction() as con:
            gone = con.executemany(
                "DELETE FROM log_detail WHERE pos = ?", [(pos,) for pos in positions]
            )
        with translated(self._path):
            busy, _, _ = self._writing().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._check()
        if busy:
            raise LogUnavailableError(
                f"the details are deleted, but somebody who reads {self._path} keeps their bytes in"
                " its write-ahead log; wait until he is done and run this again"
            )
        return gone.rowcount

    async def save_cosigned(self, log: Head, cosigned: Cosigned) -> None:
        """Keep the newest."""
        values = (log.number, cosigned.size, cosigned.note)
        await self._run(self._writer, self._save_cosigned, values)

    def _save_cosigned(self, values: tuple[int, int, str]) -> None:
        with self._transaction() as con:
            con.execute(
                "INSERT INTO log_cosigned VALUES (?, ?, ?) ON CONFLICT (log) DO UPDATE"
                " SET size = excluded.size, note = excluded.note WHERE excluded.size >= size",
                values,
            )
        self._check()

    async def _read(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        return await self._run(self._reader, self._fetch, sql, values)

    def _fetch(self, sql: str, values: Sequence[object]) -> list[Any]:
        with translated(self._path):
            return self._reading().execute(sql, values).fetchall()

    def _reading(self) -> sqlite3.Connection:
        if self._read_con is None:
            self._read_con = _connect(self._path)
            self._read_con.execute("PRAGMA query_only = ON")
        return self._read_con

    async def heads(self) -> list[Head]:
        """All logs."""
        rows = await self._read(
            "SELECT origin, size, root, note, log, closed FROM log_head ORDER BY log"
        )
        return [
            Head(origin, size, root, note, log, bool(closed))
            for origin, size, root, note, log, closed in rows
        ]

    async def count(self, log: Head) -> int:
        """One more than the highest entry number."""
        sql = "SELECT max(pos) FROM log_entry WHERE pos >= ? AND pos < ?"
        last = (await self._read(sql, (log.base, log.base + (1 << LOG_BITS))))[0][0]
        return 0 if last is None else int(last) - log.base + 1

    async def tiles(self, log: Head, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
        """Stored tiles."""
        sql = "SELECT hashes FROM log_tile WHERE log = ? AND level = ? AND number = ?"
        found = {tile: await self._read(sql, (log.number, *tile)) for tile in wanted}
        return {tile: rows[0][0] for tile, rows in found.items() if rows}

    async def entries(self, log: Head, start: int, stop: int) -> list[StoredEntry]:
        """Entries in order."""
        rows = await self._read(_ENTRIES, (log.base, log.base + start, log.base + stop))
        return [stored_entry(*row) for row in rows]

    async def cosigned(self, log: Head) -> Cosigned | None:
        """The newest checkpoint with witnesses' lines."""
        rows = await self._read("SELECT size, note FROM log_cosigned WHERE log = ?", (log.number,))
        return Cosigned(*rows[0]) if rows else None

    async def close(self) -> None:
        """Close both connections and give up the lease."""
        if self._closed:
            return
        await self._run(self._reader, self._drop_reader)
        await self._run(self._writer, self._let_go)
        self._closed = True
        self._reader.shutdown()
        self._writer.shutdown()
