# SPDX-License-Identifier: EUPL-1.2
"""Kept logs put into an empty place, all of them closed.

A restored log is older than what witnesses and receipts know, so that going on with it would be a
fork (docs/audit-model.md). Each is therefore written with `closed` set: no gateway appends to it;
`succeed` opens the log that comes after. Everything is written in one transaction, or under another
name that is changed at the end: a restore that was stopped leaves nothing that looks like a log.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from audit.backup.files import sync_folder
from audit.backup.keeping import KeptLog, read_entries
from audit.backup.snapshot import open_snapshot, translated
from audit.entry import StoredEntry
from audit.errors import BackupError, LogExistsError, LogUnavailableError
from audit.merkle import leaf_hash
from audit.store import FORMAT, POSTGRES, sqlite_path
from audit.tiles import TILE_BYTES, Edge, TileId

Erased = Mapping[str, Collection[int]]
_Rows = tuple[str, list[tuple[object, ...]]]
_NOTHING: Final[Erased] = MappingProxyType({})
_COPY_LIMIT: Final = 600.0  # seconds for one chunk or the last flush, on a busy server


def restore_logs(
    folder: Path, logs: Sequence[KeptLog], url: str, erased: Erased = _NOTHING
) -> None:
    """Write kept logs into a place where none are, closed, without the details named in `erased`.

    Not to be called in a running event loop.

    Raises:
        LogExistsError: logs stand there.
        LogUnavailableError: the place cannot be written.
        BackupError: the kept logs are damaged; nothing was put in place.
    """
    path = sqlite_path(url)
    if path is not None:
        _into_file(_rows(folder, logs, erased), Path(path))
    elif url.startswith(POSTGRES):
        asyncio.run(_into_postgres(_rows(folder, logs, erased), url))
    else:
        raise LogUnavailableError("a log's address starts with sqlite:/// or postgresql://")
    with open_snapshot(url) as snapshot:
        found = [(head.origin, head.size, head.root, head.closed) for head in snapshot.heads()]
    if found != [(log.head.origin, log.head.size, log.head.root, True) for log in logs]:
        raise BackupError("what was restored reads back otherwise; empty the place and try again")


def _rows(folder: Path, logs: Sequence[KeptLog], erased: Erased) -> Iterator[_Rows]:
    """The rows of each table, as many at a time as a chunk has; the heads last."""
    for kept in logs:
        head, edge = kept.head, Edge()
        gone = frozenset(erased.get(head.origin, ()))
        for entries in read_entries(folder, kept):
            yield "log_entry", [(head.base + entry.index, entry.envelope) for entry in entries]
            yield "log_detail", list(_details(head.base, entries, gone))
            tiles = edge.extend([leaf_hash(entry.envelope) for entry in entries])
            whole = {tile.id: tile.hashes for tile in tiles if len(tile.hashes) == TILE_BYTES}
            yield "log_tile", [(head.number, *tile, data) for tile, data in whole.items()]
        partial = _unfinished(edge)
        yield "log_tile", [(head.number, *tile, hashes) for tile, hashes in partial.items()]
        if edge.root() != head.root:
            raise BackupError(f"the entries of {head.origin} do not lead to its root")
    yield (
        "log_cosigned",
        [(log.head.number, log.cosigned.size, log.cosigned.note) for log in logs if log.cosigned],
    )
    heads = [log.head for log in logs]
    yield "log_head", [(h.number, FORMAT, h.origin, h.size, h.root, h.note, True) for h in heads]


def _details(
    base: int, entries: Sequence[StoredEntry], gone: frozenset[int]
) -> Iterator[tuple[object, ...]]:
    for entry in entries:
        if entry.sealed is not None and entry.index not in gone:
            sealed = entry.sealed
            yield base + entry.index, sealed.blob, sealed.salt, sealed.window


def _unfinished(edge: Edge) -> dict[TileId, bytes]:
    return {tile: hashes for tile, hashes in edge.partial().items() if tile.level and hashes}


def _into_file(rows: Iterator[_Rows], path: Path) -> None:
    from audit.sqlite_store import SCHEMA

    if path.exists():
        raise LogExistsError(f"{path} exists; a backup is restored into an empty place only")
    new = path.with_name(f"{path.name}.restoring-{os.getpid()}")
    try:
        with translated(str(path)):
            os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as con:
                con.execute("PRAGMA journal_mode = MEMORY")
                con.execute("BEGIN")
                for statement in SCHEMA.split(";\n"):
                    con.execute(statement)
                for table, values in rows:
                    _insert(con, table, values)
                con.execute("COMMIT")
                con.execute("PRAGMA journal_mode = WAL")
        with new.open("rb") as file:
            os.fsync(file.fileno())
        os.link(new, path)
        sync_folder(path.parent)
    except FileExistsError:
        raise LogExistsError(f"{path} exists; a backup is restored into an empty place") from None
    except OSError as error:
        raise LogUnavailableError(f"{path} can't be written ({error.strerror})") from None
    finally:
        for leftover in (new, Path(f"{new}-wal"), Path(f"{new}-shm")):
            leftover.unlink(missing_ok=True)


def _insert(con: sqlite3.Connection, table: str, values: list[tuple[object, ...]]) -> None:
    if values:
        marks = ", ".join("?" * len(values[0]))
        con.executemany(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - our names


async def _into_postgres(rows: Iterator[_Rows], url: str) -> None:
    import asyncpg

    from audit.postgres_store import SCHEMA, answered

    con: Any = await answered(asyncpg.connect(url))
    try:
        await answered(con.execute("BEGIN"))
        if await answered(con.fetchval("SELECT to_regclass('log_head') IS NOT NULL")):
            raise LogExistsError(
                "the database holds logs already; a backup is restored into an empty place only"
            )
        await answered(con.execute(SCHEMA))
        for table, values in rows:
            await answered(con.copy_records_to_table(table, records=values), _COPY_LIMIT)
        await answered(con.execute("COMMIT"), _COPY_LIMIT)
    finally:
        con.terminate()
