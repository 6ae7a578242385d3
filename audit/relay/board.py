# SPDX-License-Identifier: EUPL-1.2
"""Where the holder of the lease says where it listens: one row in the log's own database.

The secret is drawn anew for each lease. Whoever can read the row and reach the address can hand in
entries and erase details, which is no more than write access to the same database allows; a role
that only reads the log needs no right on this table.
"""

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from audit.errors import LogUnavailableError
from audit.relay.frames import SECRET_SIZE
from audit.relay.place import TCP, UNIX
from audit.store import POSTGRES, sqlite_path

_BUSY_MS = 1000
_LOOPBACK = f"{TCP}127.0.0.1:0"
_READ = "SELECT address, secret, since FROM log_leader"


@dataclass(frozen=True, slots=True)
class Leader:
    """Where the leader listens, the secret of its lease, and since when (seconds since 1970)."""

    address: str
    secret: bytes = field(repr=False)
    since: int


class Board(Protocol):
    """The row `log_leader` of one database."""

    @property
    def place(self) -> str:
        """Where a leader should listen."""

    async def read(self) -> Leader | None:
        """The last leader that published itself; it may be gone.

        Raises:
            LogUnavailableError: the database does not answer.
        """

    async def publish(self, leader: Leader) -> None:
        """Put this leader into the row; only the holder of the lease does.

        Raises:
            LogUnavailableError: the database does not answer.
        """


def board_for(url: str, listen: str | None = None) -> Board:
    """The board of the store that `url` names.

    Args:
        url: as of `audit.store.store_for`.
        listen: `tcp:HOST:PORT` for the leader; None is a socket beside a SQLite file, and any free
            loopback port for PostgreSQL, which processes of one machine reach.

    Raises:
        LogUnavailableError: neither address is understood.
    """
    if listen is not None and not listen.startswith((UNIX, TCP)):
        raise LogUnavailableError("a leader listens at unix:PATH or tcp:HOST:PORT")
    path = sqlite_path(url)
    if path is not None:
        return SqliteBoard(path, listen or f"{UNIX}{Path(path).absolute()}.relay")
    if url.startswith(POSTGRES):
        return PostgresBoard(url, listen or _LOOPBACK)
    raise LogUnavailableError("a log's address starts with sqlite:/// or postgresql://")


def _leader(row: Any) -> Leader | None:
    if row is None or len(row[1]) != SECRET_SIZE or not str(row[0]).startswith((UNIX, TCP)):
        return None
    return Leader(str(row[0]), bytes(row[1]), int(row[2]))


class SqliteBoard:
    """The row in the log's SQLite file, through a connection of its own each time."""

    def __init__(self, path: str, place: str) -> None:
        self._path, self.place = path, place

    async def read(self) -> Leader | None:
        """The last leader that published itself."""
        return await asyncio.to_thread(self._read)

    async def publish(self, leader: Leader) -> None:
        """Put this leader into the row."""
        await asyncio.to_thread(self._publish, leader)

    def _connect(self) -> sqlite3.Connection:
        uri = f"file:{quote(str(Path(self._path).absolute()))}?mode=rw"
        con = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_MS / 1000)
        con.execute("PRAGMA trusted_schema = OFF")
        con.execute("PRAGMA secure_delete = ON")
        return con

    def _read(self) -> Leader | None:
        try:
            with contextlib.closing(self._connect()) as con:
                named = "SELECT 1 FROM sqlite_master WHERE name = 'log_leader'"
                if con.execute(named).fetchone() is None:
                    return None
                return _leader(con.execute(_READ).fetchone())
        except sqlite3.Error as error:
            raise _unavailable(error) from None

    def _publish(self, leader: Leader) -> None:
        try:
            with contextlib.closing(self._connect()) as con:
                con.execute(
                    "CREATE TABLE IF NOT EXISTS log_leader (one INTEGER PRIMARY KEY"
                    " CHECK (one = 1), address TEXT NOT NULL, secret BLOB NOT NULL,"
                    " since INTEGER NOT NULL) STRICT"
                )
                con.execute(
                    "INSERT OR REPLACE INTO log_leader VALUES (1, ?, ?, ?)",
                    (leader.address, leader.secret, leader.since),
                )
        except sqlite3.Error as error:
            raise _unavailable(error) from None


def _unavailable(error: sqlite3.Error) -> LogUnavailableError:
    reason = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return LogUnavailableError(
        f"the log's leader cannot be looked up ({reason}); free the disk, the lock or the mount"
    )


class PostgresBoard:
    """The row in the log's schema, through a session of its own each time."""

    def __init__(self, url: str, place: str) -> None:
        self._url, self.place = url, place

    async def read(self) -> Leader | None:
        """The last leader that published itself."""
        found: Leader | None = await self._with(self._read)
        return found

    async def publish(self, leader: Leader) -> None:
        """Put this leader into the row."""

        async def put(con: Any) -> None:
            async with con.transaction():
                await con.execute(
                    "CREATE TABLE IF NOT EXISTS log_leader (one int PRIMARY KEY CHECK (one = 1),"
                    " address text NOT NULL, secret bytea NOT NULL, since bigint NOT NULL)"
                )
                await con.execute(
                    "INSERT INTO log_leader VALUES (1, $1, $2, $3) ON CONFLICT (one) DO UPDATE"
                    " SET address = $1, secret = $2, since = $3",
                    *(leader.address, leader.secret, leader.since),
                )

        await self._with(put)

    @staticmethod
    async def _read(con: Any) -> Leader | None:
        if await con.fetchval("SELECT to_regclass('log_leader')") is None:
            return None
        return _leader(await con.fetchrow(_READ))

    async def _with(self, work: Any) -> Any:
        import asyncpg

        from audit.postgres_store import answered

        con = await answered(asyncpg.connect(self._url))
        try:
            return await answered(work(con))
        finally:
            con.terminate()
