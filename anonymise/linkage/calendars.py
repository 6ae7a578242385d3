# SPDX-License-Identifier: EUPL-1.2
"""Dates of other calendars as days: solar Hijri, tabular Islamic, Julian; and back from none.

A birth date copied from an Afghan or Iranian paper may be written by the wrong calendar in one of
two registers ("known calendar conversion", Del. Reg. (EU) 2023/333, Annex II). The arithmetic is
that of Reingold and Dershowitz, Calendrical Calculations, and Borkowski, The Persian Calendar for
3000 Years (the 33-year cycle holds for 1244 to 1531).
"""

from datetime import date
from typing import Final

Parts = tuple[int, int, int]

_SOLAR_FIRST: Final = 1244
_SOLAR_LAST: Final = 1531
_SOLAR_EPOCH: Final = date(1921, 3, 21).toordinal()  # 1 Farvardin 1300
_SOLAR_LEAPS: Final = frozenset({1, 5, 9, 13, 17, 22, 26, 30})  # of each cycle of 33 years
_ISLAMIC_EPOCH: Final = 227015  # 1 Muharram 1, civil reckoning
_JULIAN_EPOCH: Final = -1  # 1 January of year 1, Julian
_LONG_MONTHS: Final = 6


def _solar_leap(year: int) -> bool:
    return year % 33 in _SOLAR_LEAPS


def _solar(parts: Parts) -> date | None:
    year, month, day = parts
    last = 31 if month <= _LONG_MONTHS else 30
    if month == 12:  # noqa: PLR2004
        last = 30 if _solar_leap(year) else 29
    if not (_SOLAR_FIRST <= year <= _SOLAR_LAST and 1 <= month <= 12 and 1 <= day <= last):  # noqa: PLR2004
        return None
    if year >= 1300:  # noqa: PLR2004
        years = sum(366 if _solar_leap(one) else 365 for one in range(1300, year))
    else:
        years = -sum(366 if _solar_leap(one) else 365 for one in range(year, 1300))
    before = 31 * min(month - 1, _LONG_MONTHS) + 30 * max(month - 1 - _LONG_MONTHS, 0)
    return date.fromordinal(_SOLAR_EPOCH + years + before + day - 1)


def _islamic(parts: Parts) -> date | None:
    year, month, day = parts
    if not (1200 <= year <= 1500 and 1 <= month <= 12 and 1 <= day <= 30):  # noqa: PLR2004
        return None
    months = 29 * (month - 1) + month // 2
    return date.fromordinal(
        _ISLAMIC_EPOCH + (year - 1) * 354 + (3 + 11 * year) // 30 + months + day - 1
    )


def _julian(parts: Parts) -> date | None:
    year, month, day = parts
    if not (1850 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31):  # noqa: PLR2004
        return None
    leap = year % 4 == 0
    shift = 0 if month <= 2 else -1 if leap else -2  # noqa: PLR2004
    before = 365 * (year - 1) + (year - 1) // 4
    return date.fromordinal(_JULIAN_EPOCH + before + (367 * month - 362) // 12 + shift + day - 1)


def conversions(parts: Parts) -> frozenset[date]:
    """The days that a year, month and day mean in the calendars other than our own."""
    return frozenset(day for turn in (_solar, _islamic, _julian) if (day := turn(parts)))
