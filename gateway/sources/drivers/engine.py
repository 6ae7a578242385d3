# SPDX-License-Identifier: EUPL-1.2
"""Any other database with an async SQLAlchemy driver; MariaDB through asyncmy is the tried one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.sources.drivers.driver import Failure, Row, Watch, read_schema
from gateway.sources.errors import Reason
from gateway.sources.tables import Live

__all__ = ["EngineDriver"]

_RECYCLE_S = 1800
_SLOW = frozenset({1205, 1317, 1969, 3024})  # lock wait, interrupted, statement time (two dialects)
_AWAY = frozenset({1040, 1044, 1045, 1047, 1049, 1053, 1077, 1129, 1130, 1203, 1226})
_SERVER_CODES = range(1000, 2000)
_READ_ONLY = {
    "mariadb": "SET SESSION tx_read_only = 1, SESSION max_statement_time = {seconds}",
    "mysql": "SET SESSION transaction_read_only = 1, SESSION max_execution_time = {millis}",
}


class EngineDriver:
    """One database behind an async engine; AUTOCOMMIT, read-only where the database offers it."""

    def __init__(self, url: URL, size: int, longest_s: float) -> None:
        backend = url.get_backend_name()
        options: dict[str, Any] = {}
        if backend in _READ_ONLY:
            options["init_command"] = _READ_ONLY[backend].format(
                seconds=longest_s, millis=int(longest_s * 1000)
            )
        self._engine: AsyncEngine = create_async_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=size,
            max_overflow=0,
            pool_recycle=_RECYCLE_S,
            pool_reset_on_return=None,
            hide_parameters=True,
            connect_args=options,
        )
        self.watch: Watch | None = None

    @property
    def dialect(self) -> Dialect:
        """The driver's own SQL."""
        return self._engine.dialect

    async def rows(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        """Runs over the pool; one that had been closed by the server is replaced once."""
        if self.watch is not None:
            self.watch(sql)
        try:
            return await self._select(sql, values)
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise Failure(_reason(error)) from None
        except (OSError, sa.exc.SQLAlchemyError) as error:
            raise Failure(_reason(error)) from None
        try:
            return await self._select(sql, values)
        except (OSError, sa.exc.SQLAlchemyError) as error:
            raise Failure(_reason(error)) from None

    async def _select(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        async with self._engine.connect() as connection:
            result = await connection.exec_driver_sql(sql, tuple(values))
            return [tuple(row) for row in result.fetchall()]

    async def schema(self, tables: frozenset[str], schema: str | None) -> Live:
        """Reads the tables' columns."""
        try:
            async with self._engine.connect() as connection:
                return await connection.run_sync(read_schema, tables, schema)
        except (OSError, sa.exc.SQLAlchemyError) as error:
            raise Failure(_reason(error)) from None

    async def close(self) -> None:
        """Disposes of the pool."""
        await self._engine.dispose()


def _reason(error: BaseException) -> Reason:
    """MariaDB's error numbers as the asker sees them; elsewhere the kind of error."""
    if not isinstance(error, sa.exc.DBAPIError):
        return "wrong" if isinstance(error, sa.exc.SQLAlchemyError) else "down"
    told = getattr(error.orig, "args", ())
    code = told[0] if told and isinstance(told[0], int) else None
    if code in _SLOW:
        return "timeout"
    if error.connection_invalidated or code in _AWAY:
        return "down"
    if code is not None:
        return "wrong" if code in _SERVER_CODES else "down"
    return "wrong" if isinstance(error, sa.exc.ProgrammingError | sa.exc.DataError) else "down"
