# SPDX-License-Identifier: EUPL-1.2
"""What a rule is: a signal, what explains it, and the words for both.

Rules that fire on a signal alone mostly fire on honest work (console reference 2: five simple
reasons explain up to 43 % of such hits), so explanations are subtracted first and a rule sees only
the rest. Every rule and explanation is a value in a list, so that docs/review-alerts.md can be held
against it by a test.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.alerts.access import Access
from audit.alerts.context import Context


@dataclass(frozen=True, slots=True)
class View:
    """What rules look at: the accesses of one log in order, what else is known, and until when.

    Attributes:
        log: origin of the log.
        accesses: in the order of the log.
        context: what the reviewer knows.
        until: how far time has come: what may yet happen by then is not missed yet.
    """

    log: str
    accesses: Sequence[Access]
    context: Context
    until: datetime


@dataclass(frozen=True, slots=True)
class Signal:
    """What a rule saw.

    Attributes:
        accesses: those concerned, in order; never none.
        score: 1 to 100, how much of the rule's pattern is there.
        reasons: in words, the weightiest first; never who.
        key: tells this signal from others of the rule; that of its first entry unless said.
    """

    accesses: tuple[Access, ...]
    score: int
    reasons: tuple[str, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an access may be what it should be.

    Attributes:
        id: its name in reports.
        words: the explanation in plain words.
        missed: why it did not hold, where the needed knowledge was there.
        covers: the numbers of the accesses that it explains.
        known: whether the needed knowledge is there; without it nothing is explained.
        unknown: which knowledge is missing.
    """

    id: str
    words: str
    missed: str
    covers: Callable[[View], frozenset[int]] = field(repr=False)
    known: Callable[[Context], bool] = field(default=lambda _context: True, repr=False)
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: its name in reports and in the sealed part of an alert.
        signal: in plain words.
        explanations: subtracted before the rule looks.
        find: signals among the accesses that nothing explains. Others are seen in `view`, for
            comparison only.
    """

    id: str
    signal: str
    explanations: tuple[Explanation, ...]
    find: Callable[[View, Sequence[Access]], Iterable[Signal]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tried:
    """An explanation that was tried, and why it did not hold."""

    explanation: str
    why_not: str


def each(test: Callable[[Access, Context], bool]) -> Callable[[View], frozenset[int]]:
    """An explanation that looks at one access at a time."""

    def covers(view: View) -> frozenset[int]:
        return frozenset(a.index for a in view.accesses if test(a, view.context))

    return covers


def tried(rule: Rule, context: Context) -> tuple[Tried, ...]:
    """Every explanation of a rule, none of which held."""
    return tuple(
        Tried(one.id, one.missed if one.known(context) else f"not known: {one.unknown}")
        for one in rule.explanations
    )
