# SPDX-License-Identifier: EUPL-1.2
"""From members to tables that may be published, or to a refusal.

In this order: everybody in one cell, where the layout says so; every figure's cohort against the
figures answered before, and against those of the other layouts; what is small, or would tell what
is small, left out of all layouts together; the proof over all of them; for each table that is told,
its whole cohort against the tables answered before; then noise and rounding. Law rules GDP-36,
GDP-38; duties min_cell_10 and min_cell_20.

What is left out does not depend on which of the layouts a reader asks for, nor in which order:
each answer is a part of one pattern, and the pattern as a whole was proved.

A figure whose people have changed by fewer than the threshold stands as it was, published or left
out: what a reader sees of it changes when at least so many people did, never for one, and what one
edition left out to protect another figure is not handed over by the next. A figure left out looks
exactly like one that never was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b

from anonymise.errors import TableError
from anonymise.statistics.audit_lp import prove
from anonymise.statistics.cohort import Cohort
from anonymise.statistics.layouts import ALL, Key, Layout
from anonymise.statistics.ledger import Answer, Answered
from anonymise.statistics.noise import BASE, figure_of
from anonymise.statistics.snapshot import Members, Snapshot, snapshot_of
from anonymise.statistics.suppress import LeftOut, left_out

_NEVER = datetime.min.replace(tzinfo=UTC)
MOST_FIGURES = 2000  # a record of more would not fit into a sealed detail


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    """A table that may be published.

    Attributes:
        layout: its layout.
        cells: (key, figure), sorted by key; figures are multiples of 5, none under `minimum`.
        margins: the same for the published margins; "all" stands where a column is summed over.
        minimum: the threshold.
        answer: whom it and each of its figures count; for the ledger, which sets the time.
    """

    layout: Layout
    cells: tuple[tuple[Key, int], ...]
    margins: tuple[tuple[Key, int], ...]
    minimum: int
    answer: Answer = field(repr=False)

    @property
    def note(self) -> str:
        """What a reader must know about the figures."""
        return (
            f"figures under {self.minimum} are left out, as are empty ones and those that would "
            f"tell them; the others carry a little noise, are multiples of {BASE} and need not add "
            f"up; a figure stands until at least {self.minimum} people of it have changed"
        )


@dataclass(frozen=True, slots=True)
class Overlap:
    """The refusal of a table: its people are nearly, but not quite, those of an answered one."""

    earlier: Answer


@dataclass(frozen=True, slots=True)
class Pattern:
    """What may be published of each layout of a snapshot, whichever of them are asked for.

    Attributes:
        snapshot: whom it is about.
        answers: by layout, its answer, or the earlier one that stands; the ledger sets the time.
        id: the same for the same answers of the same people.
    """

    snapshot: Snapshot
    answers: Mapping[str, Answer] = field(repr=False)
    id: str

    def table(self, layout: Layout, answered: Answered, key: bytes) -> ProtectedTable | Overlap:
        """One of its tables, or its refusal to a reader who had these answers.

        Raises:
            TableError: The table has too many figures for the ledger.
        """
        whole = self.snapshot.wholes[layout.name]
        earlier = answered.overlapped(whole, self.snapshot.minimum, self.id)
        if earlier is not None:
            return Overlap(earlier)
        answer = self.answers[layout.name]
        if len(answer.figures) + len(answer.left) > MOST_FIGURES:
            raise TableError(f"a table has at most {MOST_FIGURES} figures; refuse the layout")
        told = [(name, figure_of(cohort, key, answer.minimum)) for name, cohort in answer.figures]
        return ProtectedTable(
            layout=layout,
            cells=tuple(one for one in told if ALL not in one[0]),
            margins=tuple(one for one in told if ALL in one[0]),
            minimum=answer.minimum,
            answer=answer,
        )


def protect_table(
    layout: Layout,
    members: Members,
    *,
    minimum: int,
    key: bytes,
    answered: Answered | None = None,
) -> ProtectedTable | Overlap:
    """Protect a table by itself, of people who are in no other.

    Args:
        layout: what it is.
        members: references of whom each cell counts; they leave this function only as sketches.
        minimum: threshold of the strictest duty, at least 5.
        key: 32 secret bytes for cohorts and noise, the same for all gateways of an owner.
        answered: what this recipient was answered of this owner; nothing by default.

    Raises:
        TableError: Threshold too small, keys of another layout, too many figures.
        DisclosureError: The proof fails; publish nothing.
    """
    had = answered or Answered()
    snapshot = snapshot_of({layout: members}, minimum=minimum, key=key)
    return pattern_of(snapshot, had, key).table(layout, had, key)


def pattern_of(snapshot: Snapshot, answered: Answered, key: bytes) -> Pattern:
    """What may be published of a snapshot to a reader who had these answers.

    Raises:
        TableError: A program has no solution.
        DisclosureError: The proof fails; publish nothing.
    """
    before = answered.before(snapshot.id)
    left = _left_out(snapshot, before)
    made = {layout.name: _answer(layout, snapshot, left, before) for layout in snapshot.layouts}
    drawn = blake2b(key=key, digest_size=16, person=b"cuvar pattern 1")
    drawn.update(repr((snapshot.id, snapshot.minimum)).encode())
    for name, answer in made.items():
        drawn.update(repr((name, [key for key, _ in answer.left])).encode())
        told = [(key, cohort.size, cohort.digest) for key, cohort in answer.figures]
        drawn.update(repr(told).encode())
    answers = {
        name: replace(answer, pattern=drawn.hexdigest())
        if answer.at == _NEVER and answer.snapshot
        else answer
        for name, answer in made.items()
    }
    return Pattern(snapshot, answers, drawn.hexdigest())


def _answer(layout: Layout, snapshot: Snapshot, left: LeftOut, before: Answered) -> Answer:
    """A layout's answer, or its last one as long as hardly anything has changed."""
    cohorts, minimum = snapshot.of(layout), snapshot.minimum
    stands = before.unchanged(layout.name, cohorts, minimum)
    if stands is not None:
        return stands
    figures = {
        key: cohort for key, cohort in cohorts.items() if (layout.name, *key) not in left.keys
    }
    for key, cohort in cohorts.items():
        then = before.state(layout.name, key)
        if (layout.name, *key) not in left.small | left.held or not then.published:
            continue
        if then.cohort.apart(cohort) < minimum <= then.cohort.size:
            figures[key] = then.cohort  # it stands
    return Answer(
        layout=layout.name,
        at=_NEVER,
        minimum=minimum,
        whole=snapshot.wholes[layout.name],
        figures=tuple(sorted(figures.items(), key=lambda figure: figure[0])),
        left=tuple((key, cohort) for key, cohort in cohorts.items() if key not in figures),
        snapshot=snapshot.id if layout.people else "",
    )


def _left_out(snapshot: Snapshot, before: Answered) -> LeftOut:
    """What is not published anew, proved to be protected in all layouts together."""
    cube, counts, cohorts = snapshot.cube, snapshot.counts, snapshot.cohorts
    told = frozenset(key for key, cohort in cohorts.items() if before.counts(cohort))
    left = left_out(
        cube,
        counts,
        snapshot.minimum,
        _held(snapshot, before),
        _still(snapshot, before),
        told=told,
        secret=snapshot.secret,
    )
    if cube.margins or cube.ties:
        exact = {key: counts[key] for key in cube.figures if key not in left.keys or key in told}
        prove(cube, exact, left.demands)
    return left


def _held(snapshot: Snapshot, before: Answered) -> set[Key]:
    """Figures too like one that was answered, or one of another layout that is to be told."""
    minimum, held = snapshot.minimum, set[Key]()
    kept: dict[int, list[tuple[str, Cohort]]] = {}
    for key, cohort in snapshot.cohorts.items():
        if cohort.size < minimum:
            continue
        near = [
            cohort.apart(other)
            for size in range(cohort.size - minimum + 1, cohort.size + minimum)
            for name, other in kept.get(size, ())
            if name != key[0]
        ]
        alike = 0 not in near and any(apart < minimum for apart in near)
        if before.too_close(cohort, minimum) or (alike and not before.counts(cohort)):
            held.add(key)
        else:
            kept.setdefault(cohort.size, []).append((key[0], cohort))
    return held


def _still(snapshot: Snapshot, before: Answered) -> set[Key]:
    """Figures that were left out, and have hardly changed since."""
    return {
        key
        for key, cohort in snapshot.cohorts.items()
        for state in [before.state(key[0], key[1:])]
        if state.cohort.size and not state.published
        if state.cohort.apart(cohort) < snapshot.minimum
    }
