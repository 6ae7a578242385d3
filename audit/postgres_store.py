# SPDX-License-Identifier: EUPL-1.2
"""The logs in PostgreSQL: one writing session that holds a lease, one statement per commit.

The lease is an advisory lock of the session: it keeps a second sequencer waiting, and ends with the
connection. Correctness does not rest on it but on the statement itself: it moves each head only
from the size and root that its batch was built on, and fails as a whole if one of them did not
move; entry numbers are a primary key. A commit counts as durable only under synchronous_commit=on
and fsync=on: the first is held fast for the session, both are looked at with every commit, for an
administrator can change them under a running gateway. Names are unqualified: `search_path` in the
address picks the schema.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import asyncpg

from audit.entry import StoredEntry
from audit.errors import (
    HeadMovedError,
    LeaseHeldError,
    LogCorruptError,
    LogExistsError,
    LogUnavailableError,
    Trouble,
)
from audit.store import FORMAT, LOG_BITS, Batch, Cosigned, Head, stored_entry
from audit.tiles import TileId

_TIMEOUT = 10.0
_LEASE_WAIT = 5.0
_GOODBYE = 2.0
_LEASE_STEP = 0.1
_LEASE_CLASS = int.from_bytes(hashlib.sha256(b"cuvar log").digest()[:3], "big") << 32
_READERS = 4
SCHEMA = """
CREATE TABLE log_head (log bigint PRIMARY KEY, format int NOT NULL, origin text NOT NULL UNIQUE,
  size bigint NOT NULL, root bytea NOT NULL, note text NOT NULL, closed boolean NOT NULL);
CREATE TABLE log_entry (pos bigint PRIMARY KEY, envelope bytea NOT NULL);
CREATE TABLE log_detail (pos bigint PRIMARY KEY, blob bytea NOT NULL, salt bytea NOT NULL,
  header bytea NOT NULL);
CREATE TABLE log_tile (log bigint NOT NULL, level int NOT NULL, number bigint NOT NULL,
  hashes bytea NOT NULL, PRIMARY KEY (log, level, number));
CREATE TABLE log_cosigned (log bigint PRIMARY KEY, size bigint NOT NULL, note text NOT NULL);
"""
# The division fails, and with it the whole statement, unless every head was where it had to be.
_COMMIT = """
WITH moved AS (
  UPDATE log_head h SET size = u.size, root = u.root, note = u.note, closed = u.closed
  FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::text[], $5::boolean[], $6::bigint[],
    $7::bytea[]) u(log, size, root, note, closed, old_size, old_root)
  WHERE h.log = u.log AND h.size = u.old_size AND h.root = u.old_root AND NOT h.closed
  RETURNING h.log
), born AS (
  INSERT INTO log_head
  SELECT r.* FROM unnest($8::bigint[], $9::int[], $10::text[], $11::bigint[], $12::bytea[],
    $13::text[], $14::boolean[]) r
), entries AS (
  INSERT INTO log_entry SELECT r.* FROM unnest($15::bigint[], $16::bytea[]) r
  WHERE (SELECT count(*) FROM moved) = cardinality($1::bigint[])
  RETURNING 1
), details AS (
  INSERT INTO log_detail
  SELECT r.* FROM unnest($17::bigint[], $18::bytea[], $19::bytea[], $20::bytea[]) r
  WHERE (SELECT count(*) FROM moved) = cardinality($1::bigint[])
  RETURNING 1
), tiles AS (
  INSERT INTO log_tile
  SELECT r.* FROM unnest($21::bigint[], $22::int[], $23::bigint[], $24::bytea[]) r
  WHERE (SELECT count(*) FROM moved) = cardinality($1::bigint[])
  ON CONFLICT (log, level, number) DO UPDATE SET hashes = excluded.hashes
)
SELECT 1 / (CASE WHEN count(*) = cardinality($1::bigint[]) THEN 1 ELSE 0 END),
  (SELECT count(*) FROM entries) = cardinality($15::bigint[])
    AND (SELECT count(*) FROM details) = cardinality($17::bigint[]),
  (SELECT count(*) FROM pg_class WHERE oid IN ('log_head'::regclass, 'log_entry'::regclass,
    'log_detail'::regclass, 'log_tile'::regclass) AND relkind = 'r' AND relpersistence = 'p'
    AND NOT relhasrules AND NOT relhastriggers) = 4,
  current_setting('synchronous_commit'), current_setting('fsync') FROM moved
"""
_ENTRIES = (
    "SELECT e.pos - $1, e.envelope, d.blob, d.salt, d.header FROM log_entry e"
    " LEFT JOIN log_detail d ON d.pos = e.pos WHERE e.pos >= $2 AND e.pos < $3 ORDER BY e.pos"
)
_LEASE = "SELECT pg_try_advisory_lock($1)"
_DURABLE = {"synchronous_commit": ("on", "remote_apply"), "fsync": ("on",)}
_T = TypeVar("_T")


async def answered(work: Awaitable[_T], limit: float = _TIMEOUT) -> _T:
    """The answer of the server within the time limit; no asyncpg error leaves this module."""
    try:
        async with asyncio.timeout(limit):
            return await work
    except asyncpg.DivisionByZeroError:
        raise HeadMovedError(
            "another writer moved the head of the log; nothing was written"
        ) from None
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
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
        full = isinstance(error, asyncpg.DiskFullError)
        raise LogUnavailableError(
            f"the log's PostgreSQL does not answer as it should ({reason});"
            " bring it back, it goes on by itself",
            trouble=Trouble.DISK_FULL if full else Trouble.STORE,
        ) from None


async def create_tables(url: str, births: Sequence[Batch]) -> None:
    """Tables and logs in one transaction.

    Raises:
        LogExistsError: the schema holds logs already.
        LogUnavailableError: the database cannot be reached.
    """
    con = await answered(asyncpg.connect(url))
    try:
        await answered(_create(con, births))
    finally:
        await con.close(timeout=_TIMEOUT)


async def _create(con: Any, births: Sequence[Batch]) -> None:
    try:
        async with con.transaction():
            await con.execute(SCHEMA)
            await con.fetchval(_COMMIT, *_values(births))
    except asyncpg.DuplicateTableError:
        raise LogExistsError(
            "the database holds a log already; a log is never written over: choose another"
            " database, or another schema with ?search_path="
        ) from None


def _values(batches: Sequence[Batch]) -> Iterator[list[Any]]:
    """The columns of `_COMMIT`, one list each."""
    moved = [(batch.old, batch.new) for batch in batches if batch.old is not None]
    yield [old.number for old, _ in moved]
    yield [new.size for _, new in moved]
    yield [new.root for _, new in moved]
    yield [new.note for _, new in moved]
    yield [new.closed for _, new in moved]
    yield [old.size for old, _ in moved]
    yield [old.root for old, _ in moved]
    born = [batch.new for batch in batches if batch.old is None]
    yield [new.number for new in born]
    yield [FORMAT for _ in born]
    yield [new.origin for new in born]
    yield [new.size for new in born]
    yield [new.root for new in born]
    yield [new.note for new in born]
    yield [new.closed for new in born]
    rows = [(batch.new.base + row.index, row) for batch in batches for row in batch.rows]
    yield [pos for pos, _ in rows]
    yield [row.envelope for _, row in rows]
    details = [(pos, row.sealed) for pos, row in rows if row.sealed is not None]
    yield [pos for pos, _ in details]
    yield [sealed.blob for _, sealed in details]
    yield [sealed.salt for _, sealed in details]
    yield [sealed.window for _, sealed in details]
    tiles = [(batch.new.number, tile) for batch in batches for tile in batch.tiles]
    yield [number for number, _ in tiles]
    yield [tile.id.level for _, tile in tiles]
    yield [tile.id.number for _, tile in tiles]
    yield [tile.hashes for _, tile in tiles]


def _require_durable(found: Sequence[str]) -> None:
    """Refuse values of `_DURABLE` under which the server confirms what it can still lose."""
    for (name, allowed), value in zip(_DURABLE.items(), found, strict=True):
        if value not in allowed:
            raise LogUnavailableError(
                f"PostgreSQL runs with {name}={value}, under which a confirmed entry can be"
                f" lost; set {name}=on for this database"
            )


async def require_durable(url: str) -> None:
    """Make sure that a server flushes what it confirms.

    Raises:
        LogUnavailableError: it does not, or does not answer.
    """
    con = await answered(asyncpg.connect(url))
    try:
        await PostgresStore.require_durable(con)
    finally:
        await con.close(timeout=_TIMEOUT)


class PostgresStore:
    """The store of the one sequencer that holds the lease."""

    def __init__(self, url: str) -> None:
        self._url = url
        # Only the sequencer uses the writing session; readers share a pool.
        self._con: Any = None
        self._pool: Any = None

    async def reopen(self, *, wait: bool = True) -> None:
        """Drop the old session and take the lease in a new one."""
        await self._drop()
        con = await answered(asyncpg.connect(self._url))
        try:
            await self.require_durable(con)
            await self._require_format(con)
            await self._take_lease(con, _LEASE_WAIT if wait else 0)
            self._pool = await self._readers()
        except BaseException:
            con.terminate()
            raise
        self._con = con

    async def look(self) -> None:
        """Readers only; the lease ends with the writing session."""
        await self._drop()
        pool = await self._readers()
        try:
            await self._require_format(pool)
        except BaseException:
            pool.terminate()
            raise
        self._pool = pool

    async def _readers(self) -> Any:
        return await answered(asyncpg.create_pool(self._url, min_size=1, max_size=_READERS))

    @staticmethod
    async def require_durable(con: Any) -> None:
        """Refuse a session under which commits can be lost; hold it fast."""
        sql = "SELECT current_setting('synchronous_commit'), current_setting('fsync')"
        found = await answered(con.fetchrow(sql))
        _require_durable(found)
        # What the session sets itself, no reload of the configuration changes.
        await answered(con.execute(f"SET synchronous_commit = {found[0]}"))

    @staticmethod
    async def _require_format(con: Any) -> None:
        """The schema must hold logs that this program reads."""
        rows = await answered(con.fetch("SELECT DISTINCT format FROM log_head"))
        if [row["format"] for row in rows] != [FORMAT]:
            raise LogCorruptError(f"the database holds no log of format {FORMAT}")

    @staticmethod
    async def _take_lease(con: Any, wait: float) -> None:
        """The lock is named after the schema's own table, whatever logs it holds."""
        table = await answered(con.fetchval("SELECT 'log_head'::regclass::oid::bigint"))
        for _ in range(round(wait / _LEASE_STEP)):
            if await answered(con.fetchval(_LEASE, _LEASE_CLASS + table)):
                return
            await asyncio.sleep(_LEASE_STEP)
        if await answered(con.fetchval(_LEASE, _LEASE_CLASS + table)):
            return
        raise LeaseHeldError("another process writes to the log; stop that one first")

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
        """Write the head rows as they are."""
        await answered(self._writing().execute("UPDATE log_head SET note = note"))

    async def commit(self, batches: Sequence[Batch]) -> None:
        """One statement, hence one transaction and one flush."""
        row = await answered(self._writing().fetchrow(_COMMIT, *_values(batches)))
        _, stored, plain, *durable = row
        if not stored or not plain:
            # Whatever a trigger, a rule or an unlogged table makes of it, it is not acknowledged.
            raise LogUnavailableError(
                "the log's tables in PostgreSQL keep something else than what is written to them:"
                " take away triggers and rules, and SET LOGGED; then run `cuvar audit verify`"
            )
        _require_durable(durable)

    async def erase(self, log: Head, indices: Sequence[int]) -> int:
        """Delete details, beside the writing session; autovacuum frees their pages."""
        sql = (
            "WITH gone AS (DELETE FROM log_detail WHERE pos = ANY($1::bigint[]) RETURNING 1)"
            " SELECT count(*) FROM gone"
        )
        return int((await self._read(sql, [log.base + index for index in indices]))[0][0])

    async def _read(self, sql: str, *values: object) -> list[Any]:
        if self._pool is None:
            raise LogUnavailableError("the log's PostgreSQL session is not open")
        return list(await answered(self._pool.fetch(sql, *values)))

    async def heads(self) -> list[Head]:
        """All logs."""
        rows = await self._read(
            "SELECT origin, size, root, note, log, closed FROM log_head ORDER BY log"
        )
        return [Head(*row) for row in rows]

    async def count(self, log: Head) -> int:
        """One more than the highest entry number."""
        sql = "SELECT max(pos) FROM log_entry WHERE pos >= $1 AND pos < $2"
        last = (await self._read(sql, log.base, log.base + (1 << LOG_BITS)))[0][0]
        return 0 if last is None else int(last) - log.base + 1

    async def tiles(self, log: Head, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
        """Stored tiles."""
        asked = list(wanted)
        sql = (
            "SELECT level, number, hashes FROM log_tile WHERE log = $1 AND (level, number) IN"
            " (SELECT * FROM unnest($2::int[], $3::bigint[]))"
        )
        levels, numbers = [t.level for t in asked], [t.number for t in asked]
        rows = await self._read(sql, log.number, levels, numbers)
        return {TileId(level, number): hashes for level, number, hashes in rows}

    async def entries(self, log: Head, start: int, stop: int) -> list[StoredEntry]:
        """Entries in order."""
        rows = await self._read(_ENTRIES, log.base, log.base + start, log.base + stop)
        return [stored_entry(*row) for row in rows]

    async def cosigned(self, log: Head) -> Cosigned | None:
        """The newest checkpoint with witnesses' lines."""
        rows = await self._read("SELECT size, note FROM log_cosigned WHERE log = $1", log.number)
        return Cosigned(*rows[0]) if rows else None

    async def save_cosigned(self, log: Head, cosigned: Cosigned) -> None:
        """Keep the newest."""
        await self._read(
            "INSERT INTO log_cosigned AS kept VALUES ($1, $2, $3) ON CONFLICT (log) DO UPDATE"
            " SET size = excluded.size, note = excluded.note WHERE excluded.size >= kept.size",
            *(log.number, cosigned.size, cosigned.note),
        )

    async def close(self) -> None:
        """End the sessions; the server frees the lease."""
        for part in (self._pool, self._con):
            with contextlib.suppress(LogUnavailableError):
                if part is not None:
                    await answered(part.close(), _GOODBYE)
        await self._drop()
