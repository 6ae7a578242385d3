# SPDX-License-Identifier: EUPL-1.2
"""Age bands from dates of birth that are often half known.

Many birth dates on the route are a year, or 1 January (law.md §5.5). A band is told only when
every day of birth that the register's precision allows falls into it; otherwise "unknown".
Minors are one band in every view (access matrix §1.3): finer ages single a child out.
"""

from bisect import bisect_left, bisect_right
from calendar import isleap, monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MINYEAR, date
from operator import itemgetter

UNKNOWN = "unknown"
OLDEST = 130

# First age of each band, youngest first.
SIX_BANDS = ((0, "0-17"), (18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-59"), (60, "60+"))
TEN_YEAR_BANDS = (
    (0, "0-17"),
    (18, "18-29"),
    (30, "30-39"),
    (40, "40-49"),
    (50, "50-59"),
    (60, "60+"),
)
THREE_BANDS = ((0, "0-17"), (18, "18-59"), (60, "60+"))

Bands = Sequence[tuple[int, str]]
_first_age = itemgetter(0)


def band_of_age(age: int, bands: Bands) -> str:
    """The band of an age in years; "unknown" outside 0 to 130."""
    if not 0 <= age <= OLDEST:
        return UNKNOWN
    return bands[bisect_right(bands, age, key=_first_age) - 1][1]


@dataclass(frozen=True, slots=True)
class BirthBands:
    """The bands of birth dates as seen on one day; made once for a column.

    Attributes:
        last: The last birthday of each stretch, earliest first.
        told: What is told of each stretch; one more, for births after the day itself.
    """

    last: tuple[date, ...]
    told: tuple[str, ...]

    @classmethod
    def on(cls, today: date, bands: Bands) -> "BirthBands":
        """The bands on a day."""
        oldest_first = [(OLDEST + 1, UNKNOWN), *reversed(bands)]
        return cls(
            tuple(_last_birth(today, age) for age, _ in oldest_first),
            (*(name for _, name in oldest_first), UNKNOWN),
        )

    def of(self, born: date, precision: str | None) -> str:
        """The band of a person born on `born`, as far as `precision` makes it sure.

        Args:
            born: The recorded date, its unknown parts filled with anything.
            precision: "day", "month", "year" or "unknown"; None when the register keeps none, and
                then 1 January counts as a year only.
        """
        if precision is None:
            precision = "year" if (born.month, born.day) == (1, 1) else "day"
        if precision == "day":
            return self.told[bisect_left(self.last, born)]
        if precision == "month":
            first, last = born.replace(day=1), _last_of_month(born)
        elif precision == "year":
            first, last = date(born.year, 1, 1), date(born.year, 12, 31)
        else:
            return UNKNOWN
        # Nobody is born after today, so a stretch that reaches beyond it ends there.
        oldest = self.told[bisect_left(self.last, first)]
        youngest = self.told[bisect_left(self.last, min(last, self.last[-1]))]
        return oldest if oldest == youngest else UNKNOWN


def _last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _last_birth(today: date, age: int) -> date:
    """The last day on which somebody was born who has this age today."""
    year = today.year - age
    if year < MINYEAR:
        return date.min
    # On 29 February, whoever was born on 1 March of a common year has that birthday tomorrow.
    leap_day_missing = (today.month, today.day) == (2, 29) and not isleap(year)
    return date(year, 2, 28) if leap_day_missing else today.replace(year=year)
