# SPDX-License-Identifier: EUPL-1.2
"""What one recipient has been answered of one owner's people, and what may still be answered.

Pure: records in, in the order in which the log took them, verdicts out. Every process that reads
the same log comes to the same verdicts, so two of them cannot together answer what one alone would
refuse. A record is void if it comes too close to one that stands before it:

- its people are not those of an answered table, but fewer than the threshold apart from them;
- or one of its figures is so to an answered figure of whatever layout;
- unless that one is of the same pattern: both are parts of one answer, proved as a whole;
- or it spends more than the month's budget of differential privacy has left.

The records themselves are sealed entries of the owner's log (docs/formats/statistics.md,
section 5). GDP-38: differencing is blocked by auditing overlapping queries.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from anonymise.statistics.cohort import NOBODY, Cohort
from anonymise.statistics.layouts import LAYOUTS, Key

MICRO = 1_000_000


class Refusal(StrEnum):
    """Why a table is not answered."""

    OVERLAP = "overlap"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Answer:
    """A protected table that was answered.

    Attributes:
        at: when, aware UTC.
        minimum: its threshold.
        whole: everybody whom it counts.
        figures: key and cohort of each published figure.
        left: the same of each figure that was left out.
        snapshot: the moment's people, in all layouts; empty if the table was made by itself.
        pattern: what is published and left out of all layouts of that snapshot together.
    """

    layout: str
    at: datetime
    minimum: int
    whole: Cohort = field(repr=False)
    figures: tuple[tuple[Key, Cohort], ...] = field(repr=False)
    left: tuple[tuple[Key, Cohort], ...] = field(default=(), repr=False)
    snapshot: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class PrivateAnswer:
    """A table that was answered with differential privacy.

    Attributes:
        epsilon: what it cost, in millionths.
        budget: what the recipient could spend that month, in millionths.
        figures: key and figure as it left.
    """

    layout: str
    at: datetime
    epsilon: int
    budget: int
    figures: tuple[tuple[Key, int], ...]

    @property
    def month(self) -> str:
        """The month that pays for it."""
        return f"{self.at.astimezone(UTC):%Y-%m}"


Record = Answer | PrivateAnswer


@dataclass(frozen=True, slots=True)
class State:
    """How a figure last stood: whom it counted, and whether it was published."""

    cohort: Cohort
    published: bool


_NOTHING = State(NOBODY, published=False)


class Answered:
    """The records of one owner and recipient, folded; owned by who folds them."""

    def __init__(self) -> None:
        self._wholes: list[Answer] = []
        self._last: dict[str, Answer] = {}
        self._states: dict[str, dict[Key, State]] = {}
        self._sizes: dict[int, list[tuple[Cohort, str]]] = {}
        self._spent: Counter[str] = Counter()
        self._private: dict[tuple[str, str], PrivateAnswer] = {}
        self._snapshot, self._prior = "", self
        self.tables = 0

    def before(self, snapshot: str) -> "Answered":
        """What had been answered when the first table of this snapshot was.

        That is what its pattern is made from, so that it is the same for each of its tables. A
        snapshot that another came after begins anew.
        """
        return self._prior if snapshot and snapshot == self._snapshot else self

    def _copied(self) -> "Answered":
        copy = Answered()
        copy._wholes, copy._last = [*self._wholes], {**self._last}
        copy._states = {layout: {**states} for layout, states in self._states.items()}
        copy._sizes = {size: [*cohorts] for size, cohorts in self._sizes.items()}
        copy.tables = self.tables
        return copy

    def refuses(self, record: Record) -> Refusal | None:
        """Why this record may not stand after those before it."""
        if isinstance(record, PrivateAnswer):
            over = self.spent(record.month) + record.epsilon > record.budget
            return Refusal.BUDGET if over else None
        if self.overlapped(record.whole, record.minimum, record.pattern) is not None:
            return Refusal.OVERLAP
        close = any(
            self.too_close(cohort, record.minimum, record.pattern) for _, cohort in record.figures
        )
        return Refusal.OVERLAP if close else None

    def fold(self, record: Record) -> Refusal | None:
        """Take one record after all before it; a void one changes nothing."""
        refusal = self.refuses(record)
        if refusal is not None:
            return refusal
        if isinstance(record, PrivateAnswer):
            self._spent[record.month] += record.epsilon
            self._private[record.layout, f"{record.at.astimezone(UTC):%Y-%m-%d}"] = record
            return None
        people = record.layout not in LAYOUTS or LAYOUTS[record.layout].people
        if people and (not record.snapshot or record.snapshot != self._snapshot):
            self._snapshot, self._prior = record.snapshot, self._copied()
        self.tables += 1
        self._wholes.append(record)
        self._last[record.layout] = record
        states = self._states.setdefault(record.layout, {})
        states |= {key: State(cohort, published=False) for key, cohort in record.left}
        for key, cohort in record.figures:
            states[key] = State(cohort, published=True)
            if not self.counts(cohort):
                self._sizes.setdefault(cohort.size, []).append((cohort, record.pattern))
        return None

    def overlapped(self, whole: Cohort, minimum: int, pattern: str = "") -> Answer | None:
        """The answered table whose people are others, but fewer than `minimum` of them.

        Not one of the same pattern: that was proved together with this.
        """
        return next(
            (
                one
                for one in self._wholes
                if not (pattern and one.pattern == pattern)
                if 0 < whole.apart(one.whole) < minimum
            ),
            None,
        )

    def counts(self, cohort: Cohort) -> bool:
        """Whether a figure of exactly these people was answered."""
        return any(cohort.apart(other) == 0 for other, _ in self._sizes.get(cohort.size, ()))

    def too_close(self, cohort: Cohort, minimum: int, pattern: str = "") -> bool:
        """Whether an answered figure counts other people, but fewer than `minimum` others.

        A figure of exactly these people that was answered before tells nothing new, and one of the
        same pattern was proved together with this.
        """
        if self.counts(cohort):
            return False
        return any(
            cohort.apart(other) < minimum
            for other, made in self._near(cohort.size, minimum)
            if not (pattern and made == pattern)
        )

    def _near(self, size: int, minimum: int) -> Iterator[tuple[Cohort, str]]:
        for other in range(size - minimum + 1, size + minimum):
            yield from self._sizes.get(other, ())

    def state(self, layout: str, key: Key) -> State:
        """How a figure last stood; nobody, and left out, if it never did."""
        return self._states.get(layout, {}).get(key, _NOTHING)

    def unchanged(self, layout: str, cohorts: Mapping[Key, Cohort], minimum: int) -> Answer | None:
        """The last answer of a layout, if no figure has changed by as many as `minimum` since."""
        last = self._last.get(layout)
        if last is None or last.minimum != minimum:
            return None
        for key in self._states[layout].keys() | cohorts.keys():
            now = cohorts.get(key, NOBODY)
            if self.state(layout, key).cohort.apart(now) >= minimum:
                return None
        return last

    def holds(self, answer: Answer) -> bool:
        """Whether just this was answered already, so that answering it again tells nothing."""
        last = self._last.get(answer.layout)
        return last is not None and replace(answer, at=last.at) == last

    def spent(self, month: str) -> int:
        """Millionths of epsilon spent in a month, `YYYY-MM`."""
        return self._spent[month]

    def private(self, layout: str, day: str) -> PrivateAnswer | None:
        """What was answered of a layout on a day: asking again that day gives it again, free."""
        return self._private.get((layout, day))
