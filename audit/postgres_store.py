# SPDX-License-Identifier: EUPL-1.2
"""The log in PostgreSQL: one writing session that holds a lease, one statement per commit.

The lease is an advisory lock of the session: it keeps a second sequencer waiting, and ends with the
connection. Correctness does not rest on it but on the statement itself: it moves the head only
from the size and root it was built on, and inserts only if it moved it; entry numbers are a primary
key. A commit counts as durable only under synchronous_commit=on and fsync=on, which is checked at
each connection. Names are unqualified: `search_path` in the address picks the schema.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, TypeVar

import asyncpg

from audit.entry import StoredEntry
from audit.errors import HeadMovedError, LogCorruptError, LogExistsError, LogUnavailableError
from audit.store import FORMAT, Batch, Head, Query, stored_entry
from audit.tiles import TileId

_TIMEOUT = 10.0
_LEASE_WAIT = 5.0
_GOODBYE = 2.0
_LEASE_STEP = 0.1
_READERS = 4
_SCHEMA = """
CREATE TABLE log_head (one int PRIMARY KEY CHECK (one = 1), format int NOT NULL,
  origin text NOT NULL, size bigint NOT NULL, root bytea NOT NULL, note text NOT NULL);
CREATE TABLE log_entry (idx bigint PRIMARY KEY, envelope bytea NOT NULL, leaf bytea NOT NULL,
  t bigint NOT NULL, kind text NOT NULL, owner text, requester text);
CREATE TABLE log_detail (idx bigint PRIMARY KEY, blob bytea NOT NULL, salt bytea NOT NULL,
  header bytea NOT NULL);
CREATE TABLE log_tile (level int NOT NULL, number bigint NOT NULL, hashes bytea NOT NULL,
  PRIMARY KEY (level, number));
CREATE INDEX log_entry_owner ON log_entry (owner, idx) WHERE owner IS NOT NULL;
CREATE INDEX log_entry_requester ON log_entry (requester, idx) WHERE requester IS NOT NULL;
CREATE INDEX log_entry_kind ON log_entry (kind, idx);
CREATE INDEX log_entry_t ON log_entry (t);
"""
_COMMIT = """
WITH moved AS (
  UPDATE log_head SET size = $1, root = $2, note = $3
  WHERE one = 1 AND size = $4 AND root = $5 RETURNING one
), entries AS (
  INSERT INTO log_entry
  SELECT r.* FROM unnest($6::bigint[], $7::bytea[], $8::bytea[], $9::bigint[], $10::text[],
    $11::text[], $12::text[]) r WHERE EXISTS (SELECT FROM moved)
), details AS (
  INSERT INTO log_detail
  SELECT r.* FROM unnest($13::bigint[], $14::bytea[], $15::bytea[], $16::bytea[]) r
  WHERE EXISTS (SELECT FROM moved)
), tiles AS (
  INSERT INTO log_tile
  SELECT r.* FROM unnest($17::int[], $18::bigint[], $19::bytea[]) r
  WHERE EXISTS (SELECT FROM moved)
  ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
)
SELECT count(*) FROM moved
"""
_ENTRY = (
    "SELECT e.idx, e.envelope, d.blob, d.salt, d.header FROM ({inner}) e"
    " LEFT JOIN log_detail d ON d.idx = e.idx ORDER BY e.idx{order}"
)
_DURABLE = {"synchronous_commit": ("on", "remote_apply"), "fsync": ("on",)}
_T = TypeVar("_T")


async def answered(work: Awaitable[_T], limit: float = _TIMEOUT) -> _T:
    """The answer of the server within the time limit; no asyncpg error leaves this module."""
    try:
        async with asyncio.timeout(limit):
            return await work
    except asyncpg.UndefinedTableError:
        raise LogUnavailableError(
            "the database holds no log; name the right database, or create a log on purpose"
        ) from None
    except (asyncpg.UniqueViolationError, asyncpg.DataCorruptedError) as error:
        raise LogCorruptError(
            f"the log's database is damaged or holds entries beyond its head ({error.sqlstate});"
            " run `python -m audit verify` and do not write to it"
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        reason = getattr(error, "sqlstate", None) or type(error).__name__
        raise LogUnavailableError(
            f"the log's PostgreSQL does not answer as it should ({reason});"
            " bring it back, it goes on by itself"
        ) from None


async def create_tables(url: str, head: Head) -> None:
    """Tables and head row in one transaction.

    Raises:
        LogExistsError: the schema holds a log already.
        LogUnavailableError: the database cannot be reached.
    """
    con = await answered(asyncpg.connect(url))
    try:
        await answered(_create(con, head))
    finally:
        await con.close(timeout=_TIMEOUT)


async def _create(con: Any, head: Head) -> None:
    try:
        async with con.transaction():
            await con.execute(_SCHEMA)
            await con.execute(
                "INSERT INTO log_head VALUES (1, $1, $2, $3, $4, $5)",
                *(FORMAT, head.origin, head.size, head.root, head.note),
            )
    except asyncpg.DuplicateTableError:
        raise LogExistsError(
            "the database holds a log already; a log is never written over: choose another"
            " database, or another schema with ?search_path="
        ) from None


class PostgresStore:
    """The store of the one sequencer that holds the lease."""

    def __init__(self, url: str) -> None:
        self._url = url
        # Only the sequencer uses the writing session; readers share a pool.
        self._con: Any = None
        self._pool: Any = None

    async def reopen(self) -> None:
        """Drop the old session and take the lease in a new one."""
        await self._drop()
        con = await answered(asyncpg.connect(self._url))
        try:
            await self._require_durable(con)
            await self._take_lease(con, await self._require_format(con))
            self._pool = await answered(
                asyncpg.create_pool(self._url, min_size=1, max_size=_READERS)
            )
        except BaseException:
            con.terminate()
            raise
        self._con = con

    @staticmethod
    async def _require_durable(con: Any) -> None:
        for name, allowed in _DURABLE.items():
            value = await answered(con.fetchval("SELECT current_setting($1)", name))
            if value not in allowed:
                raise LogUnavailableError(
                    f"PostgreSQL runs with {name}={value}, under which a confirmed entry can be"
                    f" lost; set {name}=on for this database"
                )

    @staticmethod
    async def _require_format(con: Any) -> str:
        """The log's origin, if the schema holds a log that this program reads."""
        row = await answered(con.fetchrow("SELECT format, origin FROM log_head"))
        if row is None or row["format"] != FORMAT:
            raise LogCorruptError(f"the database holds no log of format {FORMAT}")
        return str(row["origin"])

    @staticmethod
    async def _take_lease(con: Any, origin: str) -> None:
        key = int.from_bytes(hashlib.sha256(b"cuvar log " + origin.encode()).digest()[:8], "big")
        lock = "SELECT pg_try_advisory_lock($1)"
        for _ in range(round(_LEASE_WAIT / _LEASE_STEP)):
            if await answered(con.fetchval(lock, key - (1 << 63))):
                return
            await asyncio.sleep(_LEASE_STEP)
        raise LogUnavailableError(
            f"another process writes to the log {origin}; stop that one first", retry_after=5.0
        )

    async def _drop(self) -> None:
        con, self._con = self._con, None
        pool, self._pool = self._pool, None
        if con is not None:
            con.terminate()
        if pool is not None:
            pool.terminate()

    def _writing(self) -> Any:
        if self._con is None:
            raise LogUnavailableError("the log's PostgreSQL session is not open")
        return self._con

    async def check(self) -> None:
        """Make sure that the session, and with it the lease, lives."""
        await answered(self._writing().fetchval("SELECT 1"))

    async def rehearse(self) -> None:
        """Write the head row as it is."""
        await answered(self._writing().execute("UPDATE log_head SET note = note"))

    async def commit(self, batch: Batch) -> None:
        """One statement, hence one transaction and one flush."""
        old, new, rows = batch.old, batch.new, batch.rows
        details = [(r.index, r.sealed) for r in rows if r.sealed is not None]
        moved = await answered(
            self._writing().fetchval(
                _COMMIT,
                *(new.size, new.root, new.note, old.size, old.root),
                [r.index for r in rows],
                [r.envelope for r in rows],
                [r.leaf for r in rows],
                [r.micros for r in rows],
                [r.kind for r in rows],
                [r.owner for r in rows],
                [r.requester for r in rows],
                [index for index, _ in details],
                [sealed.blob for _, sealed in details],
                [sealed.salt for _, sealed in details],
                [sealed.window for _, sealed in details],
                [tile.id.level for tile in batch.tiles],
                [tile.id.number for tile in batch.tiles],
                [tile.hashes for tile in batch.tiles],
            )
        )
        if moved != 1:
            raise HeadMovedError("another writer moved the head of the log; nothing was written")

    async def erase(self, indices: Sequence[int]) -> int:
        """Delete details, beside the writing session; autovacuum frees their pages."""
        sql = (
            "WITH gone AS (DELETE FROM log_detail WHERE idx = ANY($1::bigint[]) RETURNING 1)"
            " SELECT count(*) FROM gone"
        )
        return int((await self._read(sql, list(indices)))[0][0])

    async def _read(self, sql: str, *values: object) -> list[Any]:
        if self._pool is None:
            raise LogUnavailableError("the log's PostgreSQL session is not open")
        return list(await answered(self._pool.fetch(sql, *values)))

    async def head(self) -> Head:
        """The head row."""
        rows = await self._read("SELECT origin, size, root, note FROM log_head WHERE one = 1")
        if not rows:
            raise LogCorruptError("the log has no head row")
        return Head(*rows[0])

    async def count(self) -> int:
        """One more than the highest entry number."""
        return int((await self._read("SELECT coalesce(max(idx), -1) + 1 FROM log_entry"))[0][0])

    async def leaves(self, start: int, stop: int) -> bytes:
        """Stored leaf hashes, joined."""
        sql = "SELECT leaf FROM log_entry WHERE idx >= $1 AND idx < $2 ORDER BY idx"
        return b"".join(row[0] for row in await self._read(sql, start, stop))

    async def tiles(self, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
        """Stored tiles."""
        asked = list(wanted)
        sql = (
            "SELECT level, number, hashes FROM log_tile WHERE (level, number) IN"
            " (SELECT * FROM unnest($1::int[], $2::bigint[]))"
        )
        rows = await self._read(sql, [t.level for t in asked], [t.number for t in asked])
        return {TileId(level, number): hashes for level, number, hashes in rows}

    async def entries(self, start: int, stop: int) -> list[StoredEntry]:
        """Entries in order."""
        inner = "SELECT idx, envelope FROM log_entry WHERE idx >= $1 AND idx < $2"
        rows = await self._read(_ENTRY.format(inner=inner, order=""), start, stop)
        return [stored_entry(*row) for row in rows]

    async def search(self, query: Query) -> list[StoredEntry]:
        """Entries that fit, newest first."""
        condition, values = query.where("${0}")
        inner = f"SELECT idx, envelope FROM log_entry WHERE {condition}"  # noqa: S608 - fixed words
        rows = await self._read(_ENTRY.format(inner=inner, order=" DESC"), *values)
        return [stored_entry(*row) for row in rows]

    async def close(self) -> None:
        """End the sessions; the server frees the lease."""
        for part in (self._pool, self._con):
            with contextlib.suppress(LogUnavailableError):
                if part is not None:
                    await answered(part.close(), _GOODBYE)
        await self._drop()
