# SPDX-License-Identifier: EUPL-1.2
"""A copy of a log in PostgreSQL, of format 1 or 2, read in one repeatable snapshot."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import asyncpg

from audit.copies import Copy, Detail, Halving, Row, chosen
from audit.errors import LogCorruptError, LogUnavailableError
from audit.postgres_store import answered
from audit.store import Head
from audit.tables import FIRST, FORMATS, LOGS, ORIGINS, Tables
from audit.tiles import TileId

_PATIENCE = 60.0
_MARK = re.compile(r"\?([12])")
_T = TypeVar("_T")
_Ask = Callable[..., list[Any]]


class PostgresCopy(Halving):
    """One log of a database."""

    has_details = True

    def __init__(self, ask: _Ask, tables: Tables) -> None:
        self._ask, self._tables = ask, tables
        self.format: int | None = tables.format

    def head(self) -> Head | None:
        """As `Copy.head`."""
        rows = self._ask(self._tables.head)
        return self._tables.as_head(rows[0]) if rows else None

    def count(self) -> int:
        """As `Copy.count`."""
        last = [self._ask(self._tables.last(t))[0][0] for t in ("log_entry", "log_detail")]
        return max((n - self._tables.base + 1 for n in last if n is not None), default=0)

    def rows(self, start: int, stop: int) -> list[Row]:
        """As `Copy.rows`."""
        return [self._tables.as_row(row) for row in self._range(self._tables.rows, start, stop)]

    def envelopes(self, start: int, stop: int) -> list[tuple[int, object]]:
        """As `Copy.envelopes`."""
        base = self._tables.base
        found = self._range(self._tables.envelopes, start, stop)
        return [(row[0] - base, row[1]) for row in found]

    def details(self, start: int, stop: int) -> list[Detail]:
        """As `Copy.details`."""
        found = self._range(self._tables.details, start, stop)
        return [self._tables.as_detail(row) for row in found]

    def _range(self, sql: str, start: int, stop: int) -> list[Any]:
        base = self._tables.base
        return self._ask(sql, base + start, base + stop)

    def tile(self, tile: TileId) -> bytes | None:
        """As `Copy.tile`."""
        rows = self._ask(self._tables.tile, tile.level, tile.number)
        return rows[0][0] if rows else None

    def cosigned(self) -> str | None:
        """As `Copy.cosigned`."""
        sql = self._tables.cosigned
        rows = self._ask(sql) if sql else []
        return rows[0][0] if rows else None

    def damage(self) -> str | None:
        """As `Copy.damage`: rows of no log."""
        logs = [row[0] for row in self._ask(LOGS[self._tables.format])]
        for table in ("log_entry", "log_detail"):
            gaps = self._tables.stray(table, logs)
            if any(self._ask(gap)[0][0] for gap in gaps):
                return f"the table {table} holds rows of no log, or with negative numbers"
        return None


@contextlib.contextmanager
def _asking(url: str) -> Iterator[_Ask]:
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

        async def patiently(work: Awaitable[_T]) -> _T:
            return await answered(work, limit=_PATIENCE)

        con = runner.run(patiently(snapshot()))

        def ask(sql: str, *values: object) -> list[Any]:
            return list(runner.run(patiently(con.fetch(_MARK.sub(r"$\1", sql), *values))))

        try:
            yield ask
        finally:
            con.terminate()


_ODD = (
    "SELECT relname FROM pg_class WHERE oid IN (to_regclass('log_head'), to_regclass('log_entry'),"
    " to_regclass('log_detail'), to_regclass('log_tile'), to_regclass('log_cosigned'))"
    " AND (relkind <> 'r' OR relhasrules OR relhastriggers OR relrowsecurity) ORDER BY 1"
)


def _plain(ask: _Ask) -> None:
    """Refuse what is computed anew at each look: what was verified need not be what is used."""
    odd = [row[0] for row in ask(_ODD)]
    if odd:
        raise LogCorruptError(
            f"{odd[0]} is a view, or has rules, triggers or row policies; a log has plain tables"
        )


def _format(ask: _Ask) -> int:
    """By the tables, not by the head row, which may be gone."""
    sql = "SELECT attname FROM pg_attribute WHERE attrelid = 'log_entry'::regclass"
    return FIRST if "idx" in {row[0] for row in ask(sql)} else FORMATS[-1]


@contextlib.contextmanager
def open_postgres(url: str, origin: str | None) -> Iterator[Copy]:
    """Open a database; see `audit.copies.open_copy`."""
    with _asking(url) as ask:
        _plain(ask)
        found = _format(ask)
        log = 0
        if found != FIRST:
            name = chosen("the database", [row[0] for row in ask(ORIGINS[found])], origin)
            rows = ask("SELECT log FROM log_head WHERE origin = ?1", name)
            log = rows[0][0]
        yield PostgresCopy(ask, Tables(found, log))


def postgres_origins(url: str) -> list[str]:
    """The logs of a database; see `audit.copies.origins`.

    Raises:
        LogUnavailableError: it does not answer or holds no log.
    """
    with _asking(url) as ask:
        _plain(ask)
        found = [row[0] for row in ask(ORIGINS[_format(ask)])]
    if not found:
        raise LogUnavailableError("the database holds no log; name another address")
    return found
