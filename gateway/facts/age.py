# SPDX-License-Identifier: EUPL-1.2
"""How old a person surely is, when the date of birth may be a guess.

1 January is written when only the year is known, so it is read as "some day of that year"
whatever the register says. Unknown is unbounded: minority is presumed in doubt (HUM-06).
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from policies import Truth

_OLDEST: Final = 200


@dataclass(frozen=True, slots=True)
class AgeRange:
    """The least and greatest age in whole years that fits what is known."""

    least: int
    most: int

    def under(self, limit: int) -> Truth:
        """Whether the person is younger than `limit` years."""
        if self.most < limit:
            return Truth.TRUE
        return Truth.FALSE if self.least >= limit else Truth.POSSIBLE


_UNKNOWN: Final = AgeRange(0, _OLDEST)


@lru_cache(maxsize=65536)
def age_range(born: date | None, precision: str | None, today: date) -> AgeRange:
    """The ages that a stored date of birth allows.

    Args:
        born: as stored, None when unknown.
        precision: day, month, year, or anything else for unknown.
        today: the day of the question.
    """
    if born is None or precision not in {"day", "month", "year"} or born > today:
        return _UNKNOWN
    first, last = born, born
    if precision == "year" or (born.month == 1 and born.day == 1):
        first, last = date(born.year, 1, 1), date(born.year, 12, 31)
    elif precision == "month":
        first, last = born.replace(day=1), born.replace(day=monthrange(born.year, born.month)[1])
    return AgeRange(max(_years(last, today), 0), _years(first, today))


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
