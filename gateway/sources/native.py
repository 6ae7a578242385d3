# SPDX-License-Identifier: EUPL-1.2
"""Values on their way into SQL, in the type that the live column has.

Drivers are strict (asyncpg takes a date object for a DATE and nothing else), registers are not
(a year of birth in a VARCHAR), so the type comes from the live schema, never from the mapping.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from gateway.sources.dates import DateForm

__all__ = ["BINARY", "UnfittingError", "day_span", "fit", "fit_day"]

BINARY = (sa.LargeBinary, sa.BINARY, sa.VARBINARY)
"""Column types that hold bytes; MariaDB's fixed ones are no LargeBinary."""

_TRUE = frozenset({"1", "t", "true", "yes"})
_FALSE = frozenset({"0", "f", "false", "no"})


class UnfittingError(Exception):
    """No value of the column's type equals this one, so no row can fit. Stays inside the room."""


def fit(value: str, column: sa.types.TypeEngine[Any], dialect: str) -> Any:
    """Text as a value of the column's type; raises UnfittingError when it has none there."""
    try:
        return _fitted(value, column, dialect)
    except (ValueError, OverflowError):
        raise UnfittingError from None


def _fitted(value: str, column: sa.types.TypeEngine[Any], dialect: str) -> Any:
    if dialect == "sqlite" and isinstance(column, _HELD_AS_TEXT):
        return value
    if dialect == "sqlite" and isinstance(column, sa.Numeric):
        return _whole(value)
    for kind, convert in _CONVERT:
        if isinstance(column, kind):
            return convert(value)
    return value


def _truth(value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ValueError


def _whole(value: str) -> int:
    """A whole number as registers write it: no sign tricks, no underscores, at most 64 bits."""
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError
    number = int(digits) if digits is value else -int(digits)
    if not -(2**63) <= number < 2**63:
        raise OverflowError
    return number


def fit_day(day: date, form: DateForm, column: sa.types.TypeEngine[Any], dialect: str) -> Any:
    """A day as the column holds it, for = and >=; a moment means its first instant."""
    if form.name != "native":
        return _encoded(form.encode(day), column, dialect)
    if dialect == "sqlite" or isinstance(column, sa.String):
        return day.isoformat()
    if isinstance(column, sa.DateTime):
        zone = UTC if column.timezone else None
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    return day


def _encoded(value: Any, column: sa.types.TypeEngine[Any], dialect: str) -> Any:
    if dialect == "sqlite" and not isinstance(column, sa.Integer | sa.Numeric | sa.String):
        return value  # an SQLite column holds what was put in, whatever its type is called
    return fit(str(value), column, dialect)


def day_span(
    day: date, form: DateForm, column: sa.types.TypeEngine[Any], dialect: str
) -> tuple[Any, Any] | None:
    """First instant of the day and of the next, when the column holds moments; None when days."""
    if form.name == "epoch_seconds" or (form.name == "native" and isinstance(column, sa.DateTime)):
        following = day + timedelta(days=1)
        return (
            fit_day(day, form, column, dialect),
            fit_day(following, form, column, dialect),
        )
    return None


_HELD_AS_TEXT = (sa.DateTime, sa.Date, sa.Uuid)
_CONVERT: tuple[tuple[type[sa.types.TypeEngine[Any]], Callable[[str], Any]], ...] = (
    (sa.Boolean, _truth),
    (sa.Integer, _whole),
    (sa.Numeric, lambda value: Decimal(_whole(value))),
    (sa.DateTime, datetime.fromisoformat),
    (sa.Date, date.fromisoformat),
    (sa.Uuid, uuid.UUID),
    *((kind, bytes.fromhex) for kind in BINARY),
)
