# SPDX-License-Identifier: EUPL-1.2
"""Columns in common form, and how each is written in a register's own form.

A frame is a set of equally long columns: codes with their words, days, minutes, numbers, texts,
or several codes at once. A register's declaration (gateway.region.native) says how a column is to
look there; `written` turns a stretch of it into the values that go into the database. Words are
translated once per distinct value and gathered by number, which is what makes a million rows quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

import numpy as np

from gateway.region.randomness import MISSING, Flags, Ints, Texts, texts

__all__ = [
    "Codes",
    "Column",
    "Days",
    "Form",
    "Frame",
    "Minutes",
    "Numbers",
    "Several",
    "Words",
    "flags",
]

_FIRST_DAY: Final = -20_000
_LAST_DAY: Final = 40_000
_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Form:
    """How one native column is written. `keys` is a prefix and width, or a number to add."""

    codes: Mapping[str, str | int] | None = None
    date: str | None = None
    separator: str | None = None
    keys: str | int | None = None


class Column(Protocol):
    """Anything that can be written into a register and cut down to some of its rows."""

    def written(self, form: Form, start: int, stop: int) -> list[Any]:
        """Native values of rows `start` to `stop`."""

    def at(self, rows: Ints) -> Column:
        """The same column, of these rows only."""

    def __len__(self) -> int: ...


def _pool(words: tuple[str, ...], form: Form) -> Texts:
    if form.codes is None:
        return texts([*words, None])
    return texts([*(form.codes.get(word) for word in words), None])


@dataclass(frozen=True, slots=True)
class Codes:
    """Numbers of words; -1 is missing."""

    numbers: Ints
    words: tuple[str, ...]

    def written(self, form: Form, start: int, stop: int) -> list[Any]:
        """As `Column.written`."""
        return _listed(_pool(self.words, form)[self.numbers[start:stop]])

    def at(self, rows: Ints) -> Codes:
        """As `Column.at`."""
        return Codes(self.numbers[rows], self.words)

    def __len__(self) -> int:
        return len(self.numbers)


def flags(values: Flags) -> Codes:
    """A yes/no column."""
    return Codes(values.astype(np.int64), ("no", "yes"))


def _listed(values: Texts) -> list[Any]:
    return list(values.tolist())


@lru_cache(maxsize=16)
def _calendar(form: str) -> Texts:
    """Every day as this form writes it, and None at the end for a missing one."""
    days = np.arange(_FIRST_DAY, _LAST_DAY)
    if form == "epoch_days":
        return texts([*days.tolist(), None])
    iso = days.astype("datetime64[D]").astype(str).tolist()
    if form == "iso":
        return texts([*iso, None])
    if form == "yyyymmdd":
        return texts([*(int(day[:4] + day[5:7] + day[8:]) for day in iso), None])
    pattern = form.replace("%Y", "{0}").replace("%m", "{1}").replace("%d", "{2}")
    return texts([*(pattern.format(*day.split("-")) for day in iso), None])


@lru_cache(maxsize=16)
def _clock(form: str) -> Texts:
    pattern = form.replace("%H", "{0:02}").replace("%M", "{1:02}").replace("%S", "00")
    return texts([pattern.format(*divmod(minute, 60)) for minute in range(_MINUTES)])


def _dated(days: Ints, form: str) -> Texts:
    places = np.where(days == MISSING, _LAST_DAY - _FIRST_DAY, days - _FIRST_DAY)
    return np.asarray(_calendar(form)[places])


@dataclass(frozen=True, slots=True)
class Days:
    """Days since 1970, MISSING where there is none."""

    days: Ints

    def written(self, form: Form, start: int, stop: int) -> list[Any]:
        """As `Column.written`."""
        return _listed(_dated(self.days[start:stop], form.date or "iso"))

    def at(self, rows: Ints) -> Days:
        """As `Column.at`."""
        return Days(self.days[rows])

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes since 1970 in UTC, MISSING where there is none."""

    minutes: Ints

    def written(self, form: Form, start: int, stop: int) -> list[Any]:
        """As `Column.written`."""
        minutes = self.minutes[start:stop]
        date = form.date or "iso"
        if date == "epoch_seconds":
            return [None if value == MISSING else value * 60 for value in minutes.tolist()]
        days = np.where(minutes == MISSING, MISSING, minutes // _MINUTES)
        if date == "iso":
            date = "%Y-%m-%dT%H:%M:%S"
        day, mark, clock = date.partition("%Y")
        day, clock = (day + mark, clock) if mark else (date, "")
        if "%H" not in clock:
            return _listed(_dated(days, date))
        rest_of_day, time = _split_clock(clock)
        written = _dated(days, day + rest_of_day)
        known = minutes != MISSING
        written[known] = written[known] + _clock(time)[minutes[known] % _MINUTES]
        return _listed(written)

    def at(self, rows: Ints) -> Minutes:
        """As `Column.at`."""
        return Minutes(self.minutes[rows])

    def __len__(self) -> int:
        return len(self.minutes)


def _split_clock(tail: str) -> tuple[str, str]:
    """The rest of a pattern after the year, cut before the mark that leads the time of day."""
    at = tail.index("%H") - 1
    return tail[:at], tail[at:]


@lru_cache(maxsize=8)
def _keys(form: str, count: int) -> Texts:
    """Running numbers from 1 as text, and None at the end for a missing one."""
    prefix, width = form.split("#", maxsplit=1)[0], form.count("#")
    return texts([*(f"{prefix}{number:0{width}d}" for number in range(1, count + 1)), None])


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers or a register's running numbers; MISSING where there is none."""

    values: Ints

    def written(self, form: Form, start: int, stop: int) -> list[Any]:
        """As `Column.written`."""
        if isinstance(form.keys, str):
            most = 1 << int(self.values.max(initial=0) + 1).bit_length()
            places = self.values[start:stop]
            return _listed(_keys(form.keys, most)[np.where(places == MISSING, most, places)])
        values = self.values[start:stop].tolist()
        if form.keys is not None:
            base = form.keys
            return [None if value == MISSING else value + base for value in values]
        return [None if value == MISSING else value for value in values]

    def at(self, rows: Ints) -> Numbers:
        """As `Column.at`."""
        return Numbers(self.values[rows])

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Words:
    """Free texts, None where there is none."""

    values: Texts

    def written(self, form: Form, start: int, stop: int) -> list[Any]:
        """As `Column.written`."""
        del form
        return _listed(self.values[start:stop])

    def at(self, rows: Ints) -> Words:
        """As `Column.at`."""
        return Words(self.values[rows])

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Several:
    """Up to a few codes a row: `numbers` is (rows, most), -1 for an empty place."""

    numbers: Ints
    words: tuple[str, ...]

    def written(self, form: Form, start: int, stop: int) -> list[Any]:
        """As `Column.written`."""
        part = self.numbers[start:stop] + 1
        base = len(self.words) + 1
        packed = part @ (base ** np.arange(part.shape[1]))
        distinct, where = np.unique(packed, return_inverse=True)
        pool = _pool(self.words, form)[:-1].tolist()
        joined = [self._joined(int(value), base, pool, form.separator or ";") for value in distinct]
        return _listed(texts(joined)[where])

    @staticmethod
    def _joined(value: int, base: int, pool: list[Any], separator: str) -> str | None:
        found = []
        while value:
            value, place = divmod(value, base)
            if place:
                found.append(str(pool[place - 1]))
        return separator.join(found) or None

    def at(self, rows: Ints) -> Several:
        """As `Column.at`."""
        return Several(self.numbers[rows], self.words)

    def exploded(self) -> tuple[Ints, Codes]:
        """Row numbers and single codes, one for each filled place, in row order."""
        rows, places = np.nonzero(self.numbers >= 0)
        return rows, Codes(self.numbers[rows, places], self.words)

    def __len__(self) -> int:
        return len(self.numbers)


Frame = dict[str, Column]
