# SPDX-License-Identifier: EUPL-1.2
"""The clock of a sealed detail: the month after which it is due for erasure.

Worked out when an entry is written and kept in its envelope (`erase`), so that what is due can be
told later without opening anything. Four clocks (docs/retention.md):

- records were released: one year after the storage of the last of them ends (Eurodac Art. 41(4),
  EUR-30);
- none was: a year after the entry was made (Regulations 2019/817 and 818 on logs, INT-10);
- the history of a person's own data: with the data (INT-10);
- questions for law enforcement: national law, a number of months for each country (EUR-30, Art. 51
  gives none). The one month of EUR-37 is that of working copies in national files, not of this log.

Everybody who may read envelopes reads the month, so it must not tell one record's date from
another's: it is moved on to the end of its half-year.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final, Protocol

from audit.concern import Ground
from audit.errors import AuditError
from audit.event import Envelope
from audit.vocabulary import Kind

YEAR: Final = 12
_LAST: Final = 9999 * YEAR + 11
_WHOLE_PARTS: Final = frozenset({1, 2, 3, 4, 6, 12})
_HISTORY: Final = frozenset({Kind.CORRECTION})
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Terms:
    """What national law and the region settle about the clocks: configuration.

    Attributes:
        le_months: country to months that it keeps details of questions for law enforcement.
        le_default: months for a country without a number of its own.
        le_purposes: the purposes that count as law enforcement.
        unknown_years: how long a released record counts as stored if its register does not say:
            ten years are the longest of Eurodac Art. 29.
        round_months: a month is moved to the end of its stretch of so many: 1, 2, 3, 4, 6 or 12.

    Raises:
        AuditError: a number makes no sense.
    """

    le_months: Mapping[str, int] = field(default_factory=lambda: _NONE)
    le_default: int = 60
    le_purposes: frozenset[str] = frozenset({"law_enforcement"})
    unknown_years: int = 10
    round_months: int = 6

    def __post_init__(self) -> None:
        if self.round_months not in _WHOLE_PARTS:
            raise AuditError("months are rounded to 1, 2, 3, 4, 6 or 12: whole parts of a year")
        if min(self.le_default, self.unknown_years, *self.le_months.values()) < 1:
            raise AuditError("a period of retention has at least one month")

    def months_of(self, country: str) -> int:
        """How long a country keeps details of questions for law enforcement."""
        return self.le_months.get(country, self.le_default)


class Clock(Protocol):
    """Sets the month for an entry's detail; the gateway's writer of entries is given one."""

    def month(
        self,
        kind: Kind,
        purpose: str | None,
        ends: Iterable[date | None],
        now: datetime,
        country: str,
    ) -> str:
        """The month for `erase`; `country` is that of the log into which the entry goes."""


@dataclass(frozen=True, slots=True)
class LawClock:
    """The clock by the law and these terms."""

    terms: Terms = field(default_factory=Terms)

    def month(
        self,
        kind: Kind,
        purpose: str | None,
        ends: Iterable[date | None],
        now: datetime,
        country: str,
    ) -> str:
        """As `erase_month`."""
        return erase_month(kind, purpose, ends, now, self.terms, country)


def erase_month(
    kind: Kind,
    purpose: str | None,
    ends: Iterable[date | None],
    now: datetime,
    terms: Terms,
    country: str,
) -> str:
    """The month after which the detail of a new entry is due.

    Args:
        kind: the entry's kind.
        purpose: its stated purpose.
        ends: the day on which the storage of each released record ends, None where the register
            does not say; nothing where no record left.
        now: when the entry is made.
        terms: the periods.
        country: whose log it goes into.
    """
    made = month_number(now.astimezone(UTC).date())
    if purpose in terms.le_purposes:
        return month_text(made + terms.months_of(country))
    unknown = made + terms.unknown_years * YEAR
    released = [unknown if end is None else month_number(end) for end in ends]
    if not released:
        return year_after(now)
    end = max(*released, made)
    return month_text(_rounded(end if kind in _HISTORY else end + YEAR, terms))


def year_after(now: datetime) -> str:
    """The month for a detail of which no record is part: a year from the entry (INT-10)."""
    return month_text(month_number(now.astimezone(UTC).date()) + YEAR)


def month_of(envelope: Envelope, terms: Terms, country: str) -> str | None:
    """The month that an entry states, or for entries older than the member the latest it can be.

    None where the entry has no detail, or states none: then only an order erases it.
    """
    if envelope.detail is None:
        return None
    if envelope.v >= 3:  # noqa: PLR2004 - the version that brought the member
        return envelope.erase
    ends = [None] if envelope.count else []
    return erase_month(envelope.kind, envelope.purpose, ends, envelope.t, terms, country)


def ground_of(envelope: Envelope, terms: Terms) -> Ground:
    """On which ground a detail goes when its month is over."""
    if envelope.purpose in terms.le_purposes:
        return Ground.EUR_30_NATIONAL
    if envelope.kind in _HISTORY or not envelope.count:
        return Ground.INT_10
    return Ground.EUR_30


def is_over(month: str, today: date) -> bool:
    """Whether a month has ended; the detail is due from the first day of the next."""
    return f"{today.year:04}-{today.month:02}" > month


def month_number(day: date) -> int:
    """Months since the year 0."""
    return day.year * YEAR + day.month - 1


def month_text(number: int) -> str:
    """`YYYY-MM`; what lies beyond the calendar is its last month."""
    year, month = divmod(min(number, _LAST), YEAR)
    return f"{year:04}-{month + 1:02}"


def _rounded(number: int, terms: Terms) -> int:
    """The last month of the stretch: up, since earlier would be before the law's time."""
    return number - number % terms.round_months + terms.round_months - 1
