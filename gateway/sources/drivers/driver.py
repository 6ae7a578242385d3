# SPDX-License-Identifier: EUPL-1.2
"""What every driver can do, how a schema is read, and the one form in which drivers fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Dialect, Inspector
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope

from gateway.sources.errors import Reason
from gateway.sources.tables import Live

__all__ = ["Driver", "Failure", "Row", "Watch", "read_schema"]

Row = Sequence[Any]
Watch = Callable[[str], None]
"""Sees each statement's text as it is sent, never its values."""


class Failure(Exception):  # noqa: N818 - an outcome that the room turns into its public error
    """A statement that did not come back whole. Carries no address, no value and no cause."""

    def __init__(self, reason: Reason) -> None:
        self.reason: Reason = reason
        super().__init__(reason)


class Driver(Protocol):
    """A register's connections. Every method raises `Failure`; cancelling stops the statement."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that statements are compiled to."""

    watch: Watch | None
    """set by tests and tracing"""

    async def rows(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        """Runs one SELECT, read-only, and gives all rows."""

    async def schema(self, tables: frozenset[str], schema: str | None) -> Live:
        """The columns of those tables and views that exist."""

    async def close(self) -> None:
        """Lets go of every connection and thread."""


def read_schema(connection: sa.Connection, tables: frozenset[str], schema: str | None) -> Live:
    """The live columns of `tables`, with their types; a missing table is left out."""
    inspector: Inspector = sa.inspect(connection)
    found = inspector.get_multi_columns(
        schema=schema, filter_names=sorted(tables), kind=ObjectKind.ANY, scope=ObjectScope.ANY
    )
    return {
        name: {str(column["name"]): column["type"] for column in columns}
        for (_, name), columns in found.items()
        if columns
    }
