# SPDX-License-Identifier: EUPL-1.2
"""A copy of a log in a SQLite file, of format 1 or 2, read in one transaction."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from audit.copies import Copy, Detail, Halving, Row, chosen
from audit.errors import LogCorruptError, LogUnavailableError
from audit.store import Head
from audit.tables import FIRST, FORMATS, LOGS, ORIGINS, Tables
from audit.tiles import TileId


def _fetch(con: sqlite3.Connection, sql: str, values: tuple[int, ...] = ()) -> list[Any]:
    try:
        return con.execute(sql, values).fetchall()
    except sqlite3.Error as error:
        reason = getattr(error, "sqlite_errorname", "unknown")
        raise LogCorruptError(f"this part of the file cannot be read ({reason})") from None


class SqliteCopy(Halving):
    """One log of an opened file."""

    has_details = True

    def __init__(self, con: sqlite3.Connection, tables: Tables) -> None:
        self._con, self._tables = con, tables
        self.format: int | None = tables.format

    def head(self) -> Head | None:
        """As `Copy.head`."""
        rows = _fetch(self._con, self._tables.head)
        return self._tables.as_head(rows[0]) if rows else None

    def count(self) -> int:
        """As `Copy.count`."""
        last = [_fetch(self._con, self._tables.last(t))[0][0] for t in ("log_entry", "log_detail")]
        return max((n - self._tables.base + 1 for n in last if n is not None), default=0)

    def rows(self, start: int, stop: int) -> list[Row]:
        """As `Copy.rows`."""
        return [self._tables.as_row(row) for row in self._range(self._tables.rows, start, stop)]

    def envelopes(self, start: int, stop: int) -> list[tuple[int, object]]:
        """As `Copy.envelopes`."""
        found = self._range(self._tables.envelopes, start, stop)
        base = self._tables.base
        return [(row[0] - base, row[1]) for row in found] if base else found

    def details(self, start: int, stop: int) -> list[Detail]:
        """As `Copy.details`."""
        found = self._range(self._tables.details, start, stop)
        return [self._tables.as_detail(row) for row in found]

    def _range(self, sql: str, start: int, stop: int) -> list[Any]:
        base = self._tables.base
        return _fetch(self._con, sql, (base + start, base + stop))

    def tile(self, tile: TileId) -> bytes | None:
        """As `Copy.tile`."""
        rows = _fetch(self._con, self._tables.tile, tile)
        return rows[0][0] if rows else None

    def cosigned(self) -> str | None:
        """As `Copy.cosigned`."""
        sql = self._tables.cosigned
        rows = _fetch(self._con, sql) if sql else []
        return rows[0][0] if rows else None

    def damage(self) -> str | None:
        """As `Copy.damage`: SQLite's own check, and rows of no log."""
        if str(_fetch(self._con, "PRAGMA integrity_check(1)")[0][0]) != "ok":
            return "the file's pages or indexes contradict one another"
        logs = [row[0] for row in _fetch(self._con, LOGS[self._tables.format])]
        for table in ("log_entry", "log_detail"):
            gaps = self._tables.stray(table, logs)
            if any(_fetch(self._con, gap)[0][0] for gap in gaps):
                return f"the table {table} holds rows of no log, or with negative numbers"
        return None


@contextlib.contextmanager
def _connected(path: str) -> Iterator[sqlite3.Connection]:
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
            named = con.execute("SELECT type FROM sqlite_master WHERE name = 'log_head'")
            found = named.fetchone() == ("table",)
            odd = con.execute(_ODD).fetchone()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
                raise LogCorruptError(f"the file {path} is damaged from its start") from None
            found, odd = False, None
        if not found:
            raise LogUnavailableError(f"{path} is not a log, or its first page is damaged")
        if odd is not None:
            # A view is computed anew at each look: what was verified need not be what is compared.
            raise LogCorruptError(f"{path} holds views or triggers; a log has tables only")
        yield con


_ODD = (
    "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')"
    " OR type = 'table' AND sql NOT LIKE 'CREATE TABLE%' LIMIT 1"
)


def _format(con: sqlite3.Connection) -> int:
    """By the tables, not by the head row, which may be gone."""
    columns = _fetch(con, "SELECT name FROM pragma_table_info('log_entry')")
    return FIRST if ("idx",) in columns else FORMATS[-1]


@contextlib.contextmanager
def open_sqlite(path: str, origin: str | None) -> Iterator[Copy]:
    """Open a file; see `audit.copies.open_copy`."""
    with _connected(path) as con:
        found = _format(con)
        log = 0
        if found != FIRST:
            name = chosen(path, [row[0] for row in _fetch(con, ORIGINS[found])], origin)
            heads = con.execute("SELECT log FROM log_head WHERE origin = ?", (name,))
            log = heads.fetchone()[0]
        yield SqliteCopy(con, Tables(found, log))


def sqlite_origins(path: str) -> list[str]:
    """The logs of a file; see `audit.copies.origins`."""
    with _connected(path) as con:
        return [row[0] for row in _fetch(con, ORIGINS[_format(con)])]
