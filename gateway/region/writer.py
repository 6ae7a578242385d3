# SPDX-License-Identifier: EUPL-1.2
"""Writes frames into one SQLite file under a register's own schema.

The file is built without journal or flushes and is nobody's until it is renamed into place
(gateway.region.build); so a crash leaves nothing half-written where a register is looked for.
Indexes come last: sorting once is cheaper than a million insertions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from gateway.region.columns import Codes, Frame
from gateway.region.native import NativeColumn, NativeTable, Register

__all__ = ["BUILDING", "insert_rows", "quoted", "write_register"]

_CHUNK: Final = 20_000
BUILDING: Final = (
    "PRAGMA page_size=8192",
    "PRAGMA journal_mode=OFF",
    "PRAGMA synchronous=OFF",
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA cache_size=-262144",
    "PRAGMA temp_store=MEMORY",
)
"""Pragmas of a file that is being built and that nobody else sees."""


def quoted(name: str) -> str:
    """An SQL identifier, in any script."""
    return '"' + name.replace('"', '""') + '"'


def _created(table: NativeTable, frame: Frame) -> str:
    columns = []
    for column in table.columns:
        kind = column.type_in(frame)
        if column.name == table.key:
            kind += " PRIMARY KEY NOT NULL" if kind == "TEXT" else " PRIMARY KEY"
        columns.append(f"{quoted(column.name)} {kind}")
    return f"CREATE TABLE {quoted(table.name)} ({', '.join(columns)})"


def _values(column: NativeColumn, frame: Frame, start: int, stop: int) -> list[Any]:
    parts = [frame[source].written(column.form, start, stop) for source in column.sources]
    if len(parts) == 1:
        return parts[0]
    return [", ".join(part or "" for part in row) for row in zip(*parts, strict=True)]


def _rows(table: NativeTable, frame: Frame) -> tuple[Frame, int]:
    """The part of a frame that this table holds, and its length."""
    used = {source for column in table.columns for source in column.sources}
    part: Frame = {name: frame[name] for name in used}
    if table.only:
        only = frame[table.only]
        if not isinstance(only, Codes):
            raise TypeError(f"{table.only} is no yes/no column")
        rows = np.flatnonzero(only.numbers == 1)
        part = {name: column.at(rows) for name, column in part.items()}
    return part, len(next(iter(part.values())))


def insert_rows(
    connection: sqlite3.Connection, table: str, chunks: Iterator[list[list[Any]]]
) -> int:
    """Insert chunks of columns; gives the number of rows."""
    total, statement = 0, ""
    for columns in chunks:
        if not statement:
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {quoted(table)} VALUES ({marks})"  # noqa: S608  own schema
        connection.executemany(statement, zip(*columns, strict=True))
        total += len(columns[0])
    return total


def _chunks(
    table: NativeTable, frame: Frame, count: int, on_rows: Callable[[int], None]
) -> Iterator[list[list[Any]]]:
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        yield [_values(column, frame, start, stop) for column in table.columns]
        on_rows(stop - start)


def write_register(
    path: Path, register: Register, frames: Mapping[str, Frame], on_rows: Callable[[int], None]
) -> dict[str, int]:
    """Write one register; gives the rows of each table.

    Args:
        path: where the file is built; it must not exist.
        register: the native schema.
        frames: from `fill_register`.
        on_rows: told how many more rows are in.
    """
    counts: dict[str, int] = {}
    with closing(sqlite3.connect(path, isolation_level=None, cached_statements=8)) as connection:
        for pragma in BUILDING:
            connection.execute(pragma)
        connection.execute("BEGIN")
        for table in register.tables:
            frame, count = _rows(table, frames[table.frame])
            connection.execute(_created(table, frame))
            insert_rows(connection, table.name, _chunks(table, frame, count, on_rows))
            counts[table.name] = count
        for table in register.tables:
            for number, columns in enumerate(table.indexes):
                name = quoted(f"{table.name}_{number + 1}")
                over = ", ".join(map(quoted, columns))
                connection.execute(f"CREATE INDEX {name} ON {quoted(table.name)} ({over})")
        connection.execute("COMMIT")
        connection.execute("PRAGMA analysis_limit=400")
        connection.execute("ANALYZE")
    return counts
