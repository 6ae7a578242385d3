# SPDX-License-Identifier: EUPL-1.2
"""Many rows of the index at once, in and out, by whatever database holds them.

Rows go in sorted by key, some thousands a transaction, so that the gateway's own writes are never
kept waiting; they come out by parts for the same reason. A load's rows count only once the
load serves, so what a killed command leaves behind is never answered.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Select,
    bindparam,
    delete,
    insert,
    select,
    text,
)

from gateway.linkage.errors import IndexStateError
from gateway.linkage.peppers import overwriting
from gateway.linkage.tables import LINK_LOAD, LINK_ROW, LoadState
from gateway.store import Store

Bytes = NDArray[np.uint8]
"""One stored key or handle a row: 16 columns."""
Progress = Callable[[int], None]

_WIDTH: Final = 16
_STATEMENT: Final = 2_048
_TRANSACTION: Final = 32 * _STATEMENT
_PART: Final = 32_768
_SQLITE: Final = """
WITH RECURSIVE place(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE i < ? - 1)
INSERT OR IGNORE INTO link_row
SELECT substr(?, i * 16 + 1, 16), ?, substr(?, i * 16 + 1, 16) FROM place"""
_POSTGRES: Final = text(
    "INSERT INTO link_row SELECT key, :load, handle"
    " FROM unnest(:keys, :handles) AS sent(key, handle) ON CONFLICT DO NOTHING"
).bindparams(
    bindparam("keys", type_=ARRAY(LargeBinary)),
    bindparam("handles", type_=ARRAY(LargeBinary)),
    bindparam("load", type_=Integer),
)


async def insert_rows(
    store: Store, load: int, keys: Bytes, handles: Bytes, progress: Progress
) -> None:
    """Put a load's rows in, sorted by key already.

    Raises:
        StoreError: the state database does not answer.
        IndexStateError: another load of this country took over meanwhile.
    """
    for start in range(0, len(keys), _TRANSACTION):
        end = min(start + _TRANSACTION, len(keys))
        own, theirs = keys[start:end].tobytes(), handles[start:end].tobytes()
        await store.run(partial(_insert, load=load, keys=own, handles=theirs))
        progress(end - start)


async def drop_rows(store: Store, load: int, progress: Progress) -> None:
    """Take all rows of a load out, part by part.

    Raises:
        StoreError: the state database does not answer; the rest is taken out by the next command.
    """
    async for where in _parts(store, load):
        progress(await store.run(partial(_deleted, where=where)))


async def erase_handles(store: Store, load: int, handles: Collection[bytes]) -> int:
    """Take out every row of these handles; how many persons there were.

    Raises:
        StoreError: the state database does not answer.
    """
    wanted = frozenset(handles)
    found: set[bytes] = set()
    async for keys in _read(store, load):
        gone = [(key, handle) for key, handle in keys if handle in wanted]
        if not gone:
            continue
        found.update(handle for _, handle in gone)
        await store.run(partial(_erased, load=load, gone=gone))
    return len(found)


async def handles_of(store: Store, load: int) -> set[bytes]:
    """Everybody in a load, by handle.

    Raises:
        StoreError: the state database does not answer.
    """
    found: set[bytes] = set()
    async for keys in _read(store, load):
        found.update(handle for _, handle in keys)
    return found


def _insert(connection: Connection, load: int, keys: bytes, handles: bytes) -> None:
    state = connection.execute(
        select(LINK_LOAD.c.state).where(LINK_LOAD.c.id == load)
    ).scalar_one_or_none()
    if state != LoadState.LOADING:
        raise IndexStateError("another load of this country took over; let that one finish")
    for start in range(0, len(keys), _STATEMENT * _WIDTH):
        end = start + _STATEMENT * _WIDTH
        own, theirs = keys[start:end], handles[start:end]
        match connection.dialect.name:
            case "sqlite":
                connection.exec_driver_sql(_SQLITE, (len(own) // _WIDTH, own, load, theirs))
            case "postgresql":
                sent = {"keys": _cut(own), "handles": _cut(theirs), "load": load}
                connection.execute(_POSTGRES, sent)
            case _:
                rows = zip(_cut(own), _cut(theirs), strict=True)
                connection.execute(
                    insert(LINK_ROW).prefix_with("IGNORE"),
                    [{"key": key, "load": load, "handle": handle} for key, handle in rows],
                )


def _deleted(connection: Connection, where: Sequence[ColumnElement[bool]]) -> int:
    overwriting(connection)
    return connection.execute(delete(LINK_ROW).where(*where)).rowcount


def _erased(connection: Connection, load: int, gone: Sequence[tuple[bytes, bytes]]) -> None:
    overwriting(connection)
    row = LINK_ROW.c
    connection.execute(
        delete(LINK_ROW).where(
            row.key == bindparam("k"), row.load == load, row.handle == bindparam("h")
        ),
        [{"k": key, "h": handle} for key, handle in gone],
    )


def _cut(packed: bytes) -> list[bytes]:
    return [packed[at : at + _WIDTH] for at in range(0, len(packed), _WIDTH)]


def _selected(connection: Connection, statement: Select[Any]) -> Sequence[Any]:
    return connection.execute(statement).all()


async def _read(store: Store, load: int) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    async for where in _parts(store, load):
        statement = select(LINK_ROW.c.key, LINK_ROW.c.handle).where(*where)
        rows = await store.run(partial(_selected, statement=statement))
        yield [(bytes(key), bytes(handle)) for key, handle in rows]


async def _parts(store: Store, load: int) -> AsyncIterator[list[ColumnElement[bool]]]:
    """Conditions that cover a load's rows between them, each a bounded number of rows."""
    row, low = LINK_ROW.c, b""
    while True:
        rest = [row.load == load, row.key >= low]
        edge = select(row.key).where(*rest).order_by(row.key).limit(1).offset(_PART)
        rows = await store.run(partial(_selected, statement=edge))
        high = bytes(rows[0].key) if rows else low
        if high == low:
            yield rest
            return
        yield [*rest, row.key < high]
        low = high
