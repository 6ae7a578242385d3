# SPDX-License-Identifier: EUPL-1.2
"""What came of a question at one owner: answered, refused, unavailable or too many.

Refusal and failure are values, not exceptions; each becomes one log entry and one part of the
answer. `refused` names rules only where the question's own facts decided: what a record's
facts refuse is simply not in `results` (access matrix, two passes).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from gateway.duties import Shape
from policies import Decision

Status = Literal["answered", "refused", "unavailable", "too_many"]
Rows = list[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Result:
    """Rows that share one view; `held_back` more were too rare for it to tell."""

    view: str
    categories: tuple[str, ...]
    rows: Rows = field(repr=False)
    held_back: int = 0


@dataclass(frozen=True, slots=True)
class Withheld:
    """A category that was asked and not given, with the rules that said so."""

    category: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One set of facts that records had, and the view that each category was granted with it."""

    sure: tuple[str, ...]
    maybe: tuple[str, ...]
    granted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A statistics table as it leaves, so that it can be drawn."""

    layout: str
    columns: tuple[str, ...]
    figures: tuple[tuple[tuple[str, ...], int], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Match:
    """How surely the person behind a token is the one asked for, and why; no value of the record.

    Attributes:
        grade: strong, possible or none.
        features: each one's name, its state and both in plain words; none without a match.
        confirm: a human at the asker has to confirm it before anything is told.
    """

    grade: str
    features: tuple[tuple[str, str, str], ...] = ()
    confirm: bool = False

    @property
    def found(self) -> bool:
        """Whether it may be the same person at all."""
        return bool(self.features)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One owner's part of an answer.

    `persons`, `seen` and `released` go into the sealed detail and the entry: which records, with
    which facts, which fields.
    """

    owner: str
    status: Status
    results: tuple[Result, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    rules: tuple[str, ...] = ()
    duties: frozenset[str] = frozenset()
    shape: Shape | None = None
    released: tuple[str, ...] = ()
    persons: tuple[str, ...] = field(default=(), repr=False)
    seen: tuple[Seen, ...] = field(default=(), repr=False)
    ends: frozenset[date | None] = field(default=frozenset(), repr=False)
    next: str | None = field(default=None, repr=False)
    reason: str = ""
    note: str = ""
    table: Table | None = None
    match: Match | None = None

    @property
    def count(self) -> int:
        """Rows released."""
        return sum(len(result.rows) for result in self.results)


def refused(owner: str, withheld: tuple[Withheld, ...]) -> Outcome:
    """Nothing allowed: the refusal names its rules."""
    rules = sorted({rule for cell in withheld for rule in cell.rules})
    return Outcome(owner, "refused", withheld=withheld, rules=tuple(rules))


def withheld_by(decision: Decision) -> tuple[Withheld, ...]:
    """The categories of a decision that were not granted, with every rule that stopped them."""
    return tuple(
        Withheld(category, cell.refused)
        for category, cell in decision.cells.items()
        if cell.view is None
    )
