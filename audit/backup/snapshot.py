# SPDX-License-Identifier: EUPL-1.2
"""All logs of a store as of one moment, read while a gateway goes on writing.

SQLite in WAL mode and PostgreSQL under REPEATABLE READ both give a transaction that sees one state
from beginning to end and holds up nobody. So a backup is of one commit, whatever is written while
it is made; nothing but the tables of docs/formats/log.md section 5 is needed, and no tool of the
database's maker.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from audit.entry import StoredEntry
from audit.errors import LogCorruptError, LogUnavailableError
from audit.store import FORMAT, POSTGRES, Cosigned, Head, sqlite_path, stored_entry

_HEADS = "SELECT origin, size, root, note, log, closed FROM log_head ORDER BY log"
_FORMATS = "SELECT DISTINCT format FROM log_head"
_COSIGNED = "SELECT size, note FROM log_cosigned WHERE log = {}"
_ENTRIES = (
    "SELECT e.pos - {0}, e.envelope, d.blob, d.salt, d.header FROM log_entry e"
    " LEFT JOIN log_detail d ON d.pos = e.pos WHERE e.pos >= {1} AND e.pos < {2} ORDER BY e.pos"
)
_T = TypeVar("_T")


class Snapshot(Protocol):
    """One state of a store; every method may raise LogUnavailableError or LogCorruptError."""

    def heads(self) -> list[Head]:
        """All logs, in the order of their numbers."""

    def cosigned(self, head: Head) -> Cosigned | None:
        """The newest checkpoint of a log with witnesses' lines."""

    def entries(self, head: Head, start: int, stop: int) -> list[StoredEntry]:
        """Entries from `start` up to and without `stop`, in order."""


class _Reading:
    """The queries, on whatever runs them."""

    def __init__(self, fetch: Callable[..., list[Any]], marks: tuple[str, str, str]) -> None:
        self._fetch, self._marks = fetch, marks

    def require_format(self) -> None:
        """Insist on logs of the format that this program writes."""
        if [tuple(row) for row in self._fetch(_FORMATS)] != [(FORMAT,)]:
            raise LogCorruptError(f"there are no logs of format {FORMAT}; name the right place")

    def heads(self) -> list[Head]:
        """See `Snapshot`."""
        return [Head(o, s, r, n, log, bool(shut)) for o, s, r, n, log, shut in self._fetch(_HEADS)]

    def cosigned(self, head: Head) -> Cosigned | None:
        """See `Snapshot`."""
        rows = self._fetch(_COSIGNED.format(self._marks[0]), head.number)
        return Cosigned(*rows[0]) if rows else None

    def entries(self, head: Head, start: int, stop: int) -> list[StoredEntry]:
        """See `Snapshot`."""
        sql = _ENTRIES.format(*self._marks)
        rows = self._fetch(sql, head.base, head.base + start, head.base + stop)
        return [stored_entry(*row) for row in rows]


@contextlib.contextmanager
def open_snapshot(url: str) -> Iterator[Snapshot]:
    """The logs at an address. Not to be called in a running event loop.

    Raises:
        LogUnavailableError: nothing is there, or it does not answer.
        LogCorruptError: it holds no logs of this format.
    """
    path = sqlite_path(url)
    if path is not None:
        with _sqlite(path) as found:
            yield found
    elif url.startswith(POSTGRES):
        with _postgres(url) as found:
            yield found
    else:
        raise LogUnavailableError("a log's address starts with sqlite:/// or postgresql://")


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """No sqlite3 error leaves this package."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        reason = getattr(error, "sqlite_errorname", "") or "unknown"
        raise LogUnavailableError(
            f"the log {path} cannot be read or written ({reason}); check file, disk and permissions"
        ) from None


@contextlib.contextmanager
def _sqlite(path: str) -> Iterator[Snapshot]:
    if not Path(path).is_file():
        raise LogUnavailableError(f"there is no log at {path}; name the right file")
    with translated(path):
        uri = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
        con = sqlite3.connect(uri, uri=True, isolation_level=None)
    with contextlib.closing(con):

        def fetch(sql: str, *values: object) -> list[Any]:
            with translated(path):
                return con.execute(sql, values).fetchall()

        fetch("PRAGMA trusted_schema = OFF")
        fetch("BEGIN")
        reading = _Reading(fetch, ("?1", "?2", "?3"))
        reading.require_format()
        yield reading


@contextlib.contextmanager
def _postgres(url: str) -> Iterator[Snapshot]:
    import asyncpg

    from audit.postgres_store import answered

    with asyncio.Runner() as runner:

        def run(work: Awaitable[_T]) -> _T:
            return runner.run(answered(work))

        con = run(asyncpg.connect(url))
        try:
            run(con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            reading = _Reading(lambda sql, *v: list(run(con.fetch(sql, *v))), ("$1", "$2", "$3"))
            reading.require_format()
            yield reading
        finally:
            con.terminate()
