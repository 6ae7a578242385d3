# SPDX-License-Identifier: EUPL-1.2
"""The tables of the blind index, in the gateway's state database.

Not among the tables that a backup copies: every nation can send its half again, and a copy of the
index would outlive the destruction of its epoch. A row is a stored key, the number of the load that
brought it, and an opaque handle; the load says epoch and country. No name, date, kind or count is
in a row. The key comes first, so that one look-up reads one place whatever countries are asked.
docs/formats/linkage-index-file.md section 5.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

LINKAGE: Final = MetaData()

LINK_EPOCH: Final = Table(
    # The pepper of an epoch under the gateway's service key; gone with its row.
    "link_epoch",
    LINKAGE,
    Column("epoch", String(6), primary_key=True),
    Column("pepper", LargeBinary(60), nullable=False),
    Column("opened", String(20), nullable=False),
)
LINK_LOAD: Final = Table(
    "link_load",
    LINKAGE,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("epoch", String(6), nullable=False),
    Column("country", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("root", Integer, nullable=False),
    Column("grammar", Integer, nullable=False),
    Column("blinding", String(8), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("made", String(20), nullable=False),
    Column("loaded", String(20), nullable=False),
    Index("link_load_serving", "epoch", "state"),
)
LINK_ROW: Final = Table(
    "link_row",
    LINKAGE,
    Column("key", LargeBinary(16), primary_key=True),
    Column("load", Integer, primary_key=True, autoincrement=False),
    Column("handle", LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)


class LoadState(StrEnum):
    """Where a load stands; only a serving one is ever looked up."""

    LOADING = "loading"
    SERVING = "serving"
    GONE = "gone"
