# SPDX-License-Identifier: EUPL-1.2
"""The rows of the gateway's own databases as JSON lines, whatever database holds them.

One file a table, one array a row, in the order of the columns as this version of the gateway
declares them; bytes as base64, dates as text. One transaction reads, one writes, so that a backup
is of one moment and a restore whole or nothing (MariaDB commits each CREATE TABLE by itself: there
a restore that was stopped leaves empty tables, and says so).
"""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Table, insert, inspect, select

from audit.backup.files import read_file, write_file
from gateway.backup.manifest import KeepingError
from gateway.store import Store

_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the gateway's own.

    Attributes:
        name: as settings name it.
        url: where it is.
        tables: what of it is kept.
        beside: tables that are made anew from elsewhere; a restored database has them empty.
    """

    name: str
    url: str
    tables: MetaData
    beside: MetaData | None = None


def keep_tables(database: Database, folder: Path) -> dict[str, int]:
    """Write each table into `folder/tables/<database>`; the rows of each.

    Raises:
        StoreError: the database does not answer, or lacks a table.
        BackupError: the folder can't be written.
    """
    found = _run(database, lambda connection: _contents(connection, database.tables), here=True)
    for name, rows in found.items():
        write_file(folder / file_of(database, name), b"".join(rows))
    return {name: len(rows) for name, rows in found.items()}


def file_of(database: Database, table: str) -> str:
    """The name of a table's file."""
    return f"tables/{database.name}/{table}.jsonl"


def is_empty(database: Database) -> bool:
    """Whether none of its tables are there.

    Raises:
        StoreError: the database does not answer.
    """
    path = _file(database)
    if path is not None and not path.exists():
        return True
    wanted = set(database.tables.tables)
    names = _run(database, lambda con: set(inspect(con).get_table_names()), here=False)
    return not names & wanted


def holds_already(database: Database, folder: Path) -> bool:
    """Whether its tables hold exactly what a backup has: a restore that was stopped and goes on.

    Raises:
        StoreError: the database does not answer, or lacks a table.
    """
    found = _run(database, lambda connection: _contents(connection, database.tables), here=True)
    return all(
        sorted(rows)
        == sorted(read_file(folder / file_of(database, name)).splitlines(keepends=True))
        for name, rows in found.items()
    )


def restore_tables(database: Database, folder: Path) -> None:
    """Make the tables and fill them, in one transaction.

    Raises:
        StoreError: the database does not answer.
        KeepingError: a row does not fit its table.
    """
    path = _file(database)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    rows = {
        table: list(_parsed(table, read_file(folder / file_of(database, table.name))))
        for table in database.tables.sorted_tables
    }

    def fill(connection: Connection) -> None:
        database.tables.create_all(connection)
        if database.beside is not None:
            database.beside.create_all(connection)
        for table, values in rows.items():
            for at in range(0, len(values), _AT_ONCE):
                connection.execute(insert(table), values[at : at + _AT_ONCE])

    _run(database, fill, here=False)


def _file(database: Database) -> Path | None:
    """The SQLite file of a database."""
    url = Store(database.url, name=database.name).url
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _run(database: Database, work: Callable[[Connection], Any], *, here: bool) -> Any:
    """Run in one transaction that sees one state; `here`: the tables must be there."""

    async def run() -> Any:
        store = Store(database.url, name=database.name)
        try:
            if here:
                await store.open(database.tables)
            return await store.run(lambda connection: _steady(connection, work))
        finally:
            await store.close()

    return asyncio.run(run())


def _steady(connection: Connection, work: Callable[[Connection], Any]) -> Any:
    match connection.dialect.name:
        case "sqlite":
            connection.exec_driver_sql("BEGIN")
        case "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    return work(connection)


def _contents(connection: Connection, tables: MetaData) -> dict[str, list[bytes]]:
    return {table.name: list(_lines(connection, table)) for table in tables.sorted_tables}


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    for row in connection.execute(select(table).order_by(*table.primary_key.columns)):
        told = [_told(value) for value in row]
        yield json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _told(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


def _parsed(table: Table, data: bytes) -> Iterator[dict[str, object]]:
    columns = list(table.columns)
    for line in data.splitlines():
        try:
            values = json.loads(line)
            yield {c.name: _value(c, v) for c, v in zip(columns, values, strict=True)}
        except (ValueError, TypeError):
            raise KeepingError(
                f"a row of the table {table.name} does not fit: the backup is of another version;"
                " restore it with that version, then upgrade"
            ) from None


def _value(column: Column[Any], value: Any) -> object:
    kind = column.type.python_type
    if value is None or not issubclass(kind, bytes | date):
        return value
    return base64.b64decode(value) if issubclass(kind, bytes) else kind.fromisoformat(value)
