# SPDX-License-Identifier: EUPL-1.2
"""The ways in which registers write a day, and the way back for a search or a retention limit.

docs/formats/mapping.md §Dates. A value that is not a date in the declared form reads as unknown.
Own parsing instead of strptime: no locale, no two-digit years, and a page decodes five times
faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

__all__ = ["NAMED_FORMS", "SORTABLE", "DateForm", "date_form"]

SORTABLE: Final = frozenset({"native", "iso", "yyyymmdd", "epoch_days", "epoch_seconds"})
"""Forms whose stored order is the order of time, so that SQL can hold a retention limit."""

NAMED_FORMS: Final = SORTABLE
_EPOCH: Final = date(1970, 1, 1)
_PARTS: Final = {
    "%d": r"(?P<d>\d{1,2})",
    "%m": r"(?P<m>\d{1,2})",
    "%Y": r"(?P<Y>\d{4})",
    "%H": r"(?P<H>\d{1,2})",
    "%M": r"(?P<M>\d{1,2})",
    "%S": r"(?P<S>\d{1,2})",
}
_DAY: Final = ("%d", "%m", "%Y")

Decoded = date | datetime | None


@dataclass(frozen=True, slots=True)
class DateForm:
    """One declared form: `decode` a driver's value, `encode` a day as the register writes it."""

    name: str
    decode: Callable[[Any], Decoded]
    encode: Callable[[date], Any]
    timed: bool = False
    """a pattern with a time of day, or epoch_seconds: a day is a range, never one value"""

    @property
    def sortable(self) -> bool:
        """Whether stored order is the order of time."""
        return self.name in SORTABLE


def date_form(name: str) -> DateForm:
    """The form of this name or pattern; raises ValueError that says what is allowed."""
    known = _NAMED.get(name)
    if known is not None:
        return known
    if "%" in name:
        return _pattern(name)
    raise ValueError(f"unknown date form; use one of {', '.join(sorted(SORTABLE))} or a pattern")


def _native(value: Any) -> Decoded:
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return value
    return _iso(value)


def _iso(value: Any) -> Decoded:
    if isinstance(value, date):
        return _native(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        if len(text) == len("2026-11-24"):
            return date.fromisoformat(text)
        return _native(datetime.fromisoformat(text))
    except ValueError:
        return None


def _yyyymmdd(value: Any) -> Decoded:
    text = str(value).strip()
    if len(text) != len("20261124") or not (text.isascii() and text.isdigit()):
        return None
    return _day(int(text[:4]), int(text[4:6]), int(text[6:]))


def _epoch_days(value: Any) -> Decoded:
    try:
        return _EPOCH + timedelta(days=int(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _epoch_seconds(value: Any) -> Decoded:
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _pattern(pattern: str) -> DateForm:
    """A pattern of %d %m %Y, with %H %M %S if there is a time; each at most once."""
    pieces = re.split(r"(%.)", pattern)
    used = [piece for piece in pieces if piece.startswith("%")]
    if any(piece not in _PARTS for piece in used) or len(set(used)) != len(used):
        raise ValueError("a date pattern holds %d %m %Y %H %M %S only, each once")
    if any(part not in used for part in _DAY):
        raise ValueError("a date pattern needs %d, %m and %Y")
    expression = re.compile("".join(_PARTS.get(p) or re.escape(p) for p in pieces), re.ASCII)
    timed = len(used) > len(_DAY)

    def decode(value: Any) -> Decoded:
        found = expression.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            return None
        got = found.groupdict("0")
        day = _day(int(got["Y"]), int(got["m"]), int(got["d"]))
        if day is None or not timed:
            return day
        try:
            clock = (int(got.get("H", "0")), int(got.get("M", "0")), int(got.get("S", "0")))
            return datetime(day.year, day.month, day.day, *clock)  # noqa: DTZ001 - zone not stored
        except ValueError:
            return None

    def encode(day: date) -> str:
        text = pattern.replace("%d", f"{day.day:02}").replace("%m", f"{day.month:02}")
        return text.replace("%Y", f"{day.year:04}")

    return DateForm(pattern, decode, encode, timed)


_NAMED: Final = {
    "native": DateForm("native", _native, lambda day: day),
    "iso": DateForm("iso", _iso, date.isoformat),
    "yyyymmdd": DateForm("yyyymmdd", _yyyymmdd, lambda day: day.strftime("%Y%m%d")),
    "epoch_days": DateForm("epoch_days", _epoch_days, lambda day: (day - _EPOCH).days),
    "epoch_seconds": DateForm("epoch_seconds", _epoch_seconds, _seconds, timed=True),
}
