# SPDX-License-Identifier: EUPL-1.2
"""PostgreSQL through asyncpg's own pool: SQLAlchemy's SQL without its engine (docs/adr/0011).

Connections are opened when first needed, so a register that is down at start is merely down.
Sessions are read-only and carry a statement timeout, so that the server stops too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.sources.drivers.driver import Failure, Row, Watch, read_schema
from gateway.sources.errors import Reason
from gateway.sources.tables import Live

__all__ = ["PostgresDriver"]

_IDLE_S = 300.0
_RELEASE_S = 5.0
_WRONG_CLASSES = ("0A", "22", "25", "2B", "42", "XX")
_CANCELED = "57014"
_ENGINE_ONLY = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback")


class PostgresDriver:
    """One database, at most `size` connections; `longest_s` bounds every statement."""

    def __init__(self, url: URL, size: int, longest_s: float) -> None:
        self._url = url.set(drivername="postgresql+asyncpg")
        dialect: Any = PGDialect_asyncpg  # an untyped part of SQLAlchemy
        self._dialect: Dialect = dialect()
        _, options = self._dialect.create_connect_args(self._url)
        self._options = {k: v for k, v in options.items() if k not in _ENGINE_ONLY}
        self._settings = {
            "application_name": "cuvar",
            "default_transaction_read_only": "on",
            "statement_timeout": str(int(longest_s * 1000)),
        }
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._releases: set[asyncio.Task[None]] = set()
        self.watch: Watch | None = None

    @property
    def dialect(self) -> Dialect:
        """PostgreSQL's SQL with $1 for parameters."""
        return self._dialect

    async def rows(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        """Runs over the pool; a cancelled question asks the server to stop."""
        if self.watch is not None:
            self.watch(sql)
        try:
            pool = self._pool or await self._open()
            connection = await pool.acquire()
            try:
                rows: Sequence[Row] = await connection.fetch(sql, *values)
            except asyncio.CancelledError:
                self._release_later(pool, connection)
                raise
            except BaseException:
                await pool.release(connection, timeout=_RELEASE_S)
                raise
            await pool.release(connection)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            raise Failure(_reason(error)) from None
        return rows

    async def schema(self, tables: frozenset[str], schema: str | None) -> Live:
        """Reads the tables' columns through a short-lived SQLAlchemy connection."""
        engine = create_async_engine(
            self._url, poolclass=sa.NullPool, connect_args={"server_settings": self._settings}
        )
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(read_schema, tables, schema)
        except sa.exc.DBAPIError as error:
            raise Failure(_reason(error.orig or error)) from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise Failure(_reason(error)) from None
        except sa.exc.SQLAlchemyError:
            raise Failure("wrong") from None
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Closes the pool; what still runs after a moment is cut off."""
        pool, self._pool = self._pool, None
        if self._releases:
            await asyncio.wait(self._releases, timeout=_RELEASE_S)
        if pool is not None:
            pool.terminate()

    async def _open(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                **self._options,
                min_size=0,
                max_size=self._size,
                max_inactive_connection_lifetime=_IDLE_S,
                server_settings=self._settings,
                reset=_nothing,  # read-only sessions leave nothing behind; saves a round trip
            )
        await self._pool
        return self._pool

    def _release_later(self, pool: asyncpg.Pool, connection: Any) -> None:
        """Gives a cancelled connection back without making the asker wait for the server."""
        task = asyncio.create_task(_release(pool, connection))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)


async def _nothing(_connection: Any) -> None:
    """Resets nothing."""


async def _release(pool: asyncpg.Pool, connection: Any) -> None:
    try:
        await pool.release(connection, timeout=_RELEASE_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return  # the pool has dropped the connection; nothing waits for it


def _reason(error: BaseException) -> Reason:
    """SQLSTATE classes as the asker sees them."""
    if isinstance(error, asyncpg.exceptions.DataError | ValueError):
        return "wrong"
    state = str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")
    if state == _CANCELED or isinstance(error, TimeoutError):
        return "timeout"
    return "wrong" if state.startswith(_WRONG_CLASSES) else "down"
