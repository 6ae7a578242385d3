# SPDX-License-Identifier: EUPL-1.2
"""Age bands from dates of birth that are often half known.

Many birth dates on the route are a year, or 1 January (law.md §5.5). A band is told only when
every day of birth that the register's precision allows falls into it; otherwise "unknown".
Minors are one band in every view (access matrix §1.3): finer ages single a child out.
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from operator import itemgetter

UNKNOWN = "unknown"
OLDEST = 130

# First age of each band, youngest first.
SIX_BANDS = ((0, "0-17"), (18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-59"), (60, "60+"))
THREE_BANDS = ((0, "0-17"), (18, "18-59"), (60, "60+"))

Bands = Sequence[tuple[int, str]]
_first_age = itemgetter(0)


def band_of_age(age: int, bands: Bands) -> str:
    """The band of an age in years; "unknown" outside 0 to 130."""
    if not 0 <= age <= OLDEST:
        return UNKNOWN
    return bands[bisect_right(bands, age, key=_first_age) - 1][1]


def band_of_birth(born: date, precision: str | None, today: date, bands: Bands) -> str:
    """The band of a person born on `born`, as far as `precision` makes it sure.

    Args:
        born: The recorded date, its unknown parts filled with anything.
        precision: "day", "month", "year" or "unknown"; None when the register keeps none, and
            then 1 January counts as a year only.
        today: The day on which the age is reckoned.
        bands: `SIX_BANDS` or `THREE_BANDS`.
    """
    if precision is None:
        precision = "year" if (born.month, born.day) == (1, 1) else "day"
    if precision == "day":
        return band_of_age(_age_on(today, born), bands)
    if precision == "month":
        first, last = born.replace(day=1), _last_of_month(born)
    elif precision == "year":
        first, last = date(born.year, 1, 1), date(born.year, 12, 31)
    else:
        return UNKNOWN
    # A birth after today gives an age below nought, hence no band.
    oldest = band_of_age(_age_on(today, first), bands)
    youngest = band_of_age(_age_on(today, min(last, today)), bands)
    return oldest if oldest == youngest else UNKNOWN


def _last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _age_on(today: date, born: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
