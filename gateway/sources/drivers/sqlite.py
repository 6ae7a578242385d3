# SPDX-License-Identifier: EUPL-1.2
"""SQLite files, read-only, each register in threads of its own.

A file is opened with mode=ro and query_only, so it is never created and never written; it is
looked at before each question, so a file that was taken away or replaced is noticed. A thread
that hangs on a broken disk takes a place of this register only.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect

from gateway.sources.drivers.driver import Failure, Row, Watch, read_schema
from gateway.sources.errors import Reason
from gateway.sources.tables import Live

__all__ = ["SqliteDriver"]

_T = TypeVar("_T")
_THREADS = 4
_BUSY_MS = 50  # SQLite's own wait for a lock cannot be interrupted, so it is short and repeated


@dataclass(slots=True)
class _Job:
    """One statement under way. `lock` guards both; a finished job cannot be interrupted."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    connection: sqlite3.Connection | None = None
    abandoned: bool = False

    def start(self, connection: sqlite3.Connection | None) -> None:
        with self.lock:
            if self.abandoned and connection is not None:
                raise Failure("timeout")
            self.connection = connection

    def interrupt(self) -> None:
        with self.lock:
            self.abandoned = True
            if self.connection is not None:
                self.connection.interrupt()


class SqliteDriver:
    """One database file."""

    def __init__(self, file: Path, threads: int = _THREADS) -> None:
        self._file = file
        self._uri = f"file:{quote(str(file))}?mode=ro"
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="register")
        self._here = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._guard = threading.Lock()  # of _opened
        self._dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
        self.watch: Watch | None = None

    @property
    def dialect(self) -> Dialect:
        """SQLite's SQL with ? for parameters."""
        return self._dialect

    async def rows(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        """Runs in a thread; a cancelled question interrupts its statement."""
        if self.watch is not None:
            self.watch(sql)
        job = _Job()
        return await self._run(job, lambda: self._select(job, sql, values))

    async def schema(self, tables: frozenset[str], schema: str | None) -> Live:
        """Reads the tables' columns through SQLAlchemy, over the same connection."""
        job = _Job()

        def read() -> Live:
            with self._connected(job) as connection:
                engine = sa.create_engine(
                    "sqlite://", creator=lambda: connection, poolclass=sa.StaticPool
                )
                with engine.connect() as connected:
                    return read_schema(connected, tables, schema)

        return await self._run(job, read)

    async def close(self) -> None:
        """Waits for no one: a hung thread ends with the process."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._guard:
            opened, self._opened = self._opened, []
        for connection in opened:
            connection.interrupt()
        await asyncio.to_thread(self._threads.shutdown, wait=True)
        for connection in opened:
            connection.close()

    async def _run(self, job: _Job, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except asyncio.CancelledError:
            job.interrupt()
            raise
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            raise Failure(_reason(error)) from None
        except OSError:
            raise Failure("down") from None

    def _select(self, job: _Job, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        """Waits for a lock as long as somebody waits for the answer."""
        with self._connected(job) as connection:
            while True:
                try:
                    return connection.execute(sql, values).fetchall()
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or job.abandoned:
                        raise

    def _connected(self, job: _Job) -> _Using:
        return _Using(job, self._connection())

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection, opened anew when the file is another one than before."""
        status = self._file.stat()
        identity = (status.st_dev, status.st_ino)
        if getattr(self._here, "identity", None) == identity:
            known: sqlite3.Connection = self._here.connection
            return known
        connection = sqlite3.connect(
            self._uri, uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA query_only = 1")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        with self._guard:
            self._opened.append(connection)
        self._here.connection, self._here.identity = connection, identity
        return connection


class _Using:
    """Ties a job to a connection for as long as its statement runs."""

    def __init__(self, job: _Job, connection: sqlite3.Connection) -> None:
        self._job, self._connection = job, connection

    def __enter__(self) -> sqlite3.Connection:
        self._job.start(self._connection)
        return self._connection

    def __exit__(self, *_raised: object) -> None:
        self._job.start(None)


def _reason(error: Exception) -> Reason:
    """What SQLite's own words mean for the asker."""
    said = str(error)
    if "interrupted" in said or "locked" in said:
        return "timeout"
    if "unable to open" in said or "disk I/O" in said:
        return "down"
    return "wrong"
