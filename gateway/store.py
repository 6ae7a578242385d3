# SPDX-License-Identifier: EUPL-1.2
"""The gateway's own small databases (fact register, case numbers, used tokens).

One way to run SQLAlchemy Core on SQLite (in one thread), PostgreSQL (asyncpg) and MariaDB
(asyncmy): a function of a synchronous connection, run in a transaction. A SQLite file must
exist: a mistyped path is an error, never a new empty database.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self, TypeVar

from sqlalchemy import Connection, MetaData, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from gateway.errors import GatewayError

_Value = TypeVar("_Value")
_DRIVERS: Final = {
    "postgresql": "postgresql+asyncpg",
    "mariadb": "mariadb+asyncmy",
    "mysql": "mysql+asyncmy",
}


class StoreError(GatewayError):
    """A database of the gateway's own is missing, down or refuses."""


class Store:
    """One database; every call is one transaction."""

    def __init__(self, url: str, *, name: str) -> None:
        """Prepare a connection; nothing is opened yet.

        Raises:
            StoreError: the url is not one that SQLAlchemy reads.
        """
        self.name = name
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise StoreError(f"the {name} url in the settings can't be read") from None
        self._async: AsyncEngine | None = None
        self._identity: tuple[int, int] | None = None  # owned by the store's one thread
        if self.url.get_backend_name() == "sqlite":
            self._path = Path(self.url.database or "")
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"cuvar-{name}")
            self._engine = create_engine(
                self.url, poolclass=StaticPool, connect_args={"check_same_thread": False}
            )
            event.listen(self._engine, "connect", _durable)
        else:
            self._async = create_async_engine(_driver_url(self.url), pool_pre_ping=True)

    @classmethod
    def create(cls, url: str, metadata: MetaData, *, name: str) -> None:
        """Create the tables, explicitly and once.

        Raises:
            StoreError: the database can't be reached or written.
        """
        store = cls(url, name=name)
        if store._async is None:
            store._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(store._path, os.O_CREAT | os.O_RDWR, 0o600))

        async def make() -> None:
            try:
                await store.run(metadata.create_all)
            finally:
                await store.close()

        asyncio.run(make())

    async def open(self, metadata: MetaData) -> Self:
        """Check that the tables are there.

        Raises:
            StoreError: the database or a table is missing.
        """
        present = await self.run(lambda connection: set(inspect(connection).get_table_names()))
        missing = set(metadata.tables) - present
        if missing:
            raise StoreError(
                f"the {self.name} database has no table {min(missing)}; "
                "create it with `cuvar init` or restore it"
            )
        return self

    async def run(self, work: Callable[[Connection], _Value]) -> _Value:
        """Run `work` in one transaction.

        Raises:
            StoreError: the database does not answer or refuses the statement.
        """
        try:
            if self._async is None:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._thread, self._run_here, work)
            async with self._async.begin() as connection:
                return await connection.run_sync(work)
        except (SQLAlchemyError, OSError):
            # The driver's text may carry values; only the store's name is told.
            raise StoreError(
                f"the {self.name} database does not answer; see `cuvar doctor`"
            ) from None

    def _run_here(self, work: Callable[[Connection], _Value]) -> _Value:
        self._look()
        with self._engine.begin() as connection:
            return work(connection)

    def _look(self) -> None:
        """An open connection to a deleted or replaced file still answers; that must not count."""
        try:
            stat = self._path.stat()
        except OSError:
            self._engine.dispose()
            self._identity = None
            raise StoreError(f"the {self.name} database file is gone; restore it") from None
        identity = (stat.st_dev, stat.st_ino)
        if identity != self._identity:
            self._engine.dispose()
            self._identity = identity

    async def close(self) -> None:
        """Release the connections."""
        if self._async is not None:
            await self._async.dispose()
            return
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown(wait=True)


def _driver_url(url: URL) -> URL:
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise StoreError("the gateway's own databases may be SQLite, PostgreSQL or MariaDB")
    return url.set(drivername=driver)


def _durable(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
