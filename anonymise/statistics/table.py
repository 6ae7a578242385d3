# SPDX-License-Identifier: EUPL-1.2
"""From members to a table that may be published, or to a refusal.

In this order: everybody in one cell, where the layout says so; the whole cohort against the tables
answered before; every figure's cohort against the figures answered before; what is small, or would
tell what is small, left out; the proof; then noise and rounding. Law rules GDP-36, GDP-38; duties
min_cell_10 and min_cell_20.

A figure whose people have changed by fewer than the threshold stands as it was, published or left
out: what a reader sees of it changes when at least so many people did, never for one, and what one
edition left out to protect another figure is not handed over by the next. A figure left out looks
exactly like one that never was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from anonymise.errors import TableError
from anonymise.statistics.audit_lp import prove
from anonymise.statistics.cohort import Cohort, cohorts_of, together
from anonymise.statistics.cube import Cube, cube_of
from anonymise.statistics.layouts import ALL, Key, Layout
from anonymise.statistics.ledger import Answer, Answered
from anonymise.statistics.noise import BASE, figure_of
from anonymise.statistics.suppress import LeftOut, left_out

SMALLEST_THRESHOLD = 5
_NEVER = datetime.min.replace(tzinfo=UTC)
MOST_FIGURES = 2000  # a record of more would not fit into a sealed detail

Members = Mapping[Key, frozenset[str]]


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


def protect_table(
    layout: Layout,
    members: Members,
    *,
    minimum: int,
    key: bytes,
    answered: Answered | None = None,
) -> ProtectedTable | Overlap:
    """Protect a table.

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
    if isinstance(minimum, bool) or minimum < SMALLEST_THRESHOLD:
        raise TableError(f"a table needs a threshold of at least {SMALLEST_THRESHOLD}")
    before = answered or Answered()
    placed = _placed(members) if layout.additive else members
    counts = {cell: len(whom) for cell, whom in placed.items()}
    cube = cube_of(layout, counts)
    cells, whole = cohorts_of(placed, key)
    earlier = before.overlapped(whole, minimum)
    if earlier is not None:
        return Overlap(earlier)
    cohorts = _cohorts(cube, cells)
    stands = before.unchanged(layout.name, cohorts, minimum)
    if stands is not None:
        return _told(layout, stands, key)
    left = _left_out(layout, cube, cohorts, minimum, before)
    figures = _published(layout, cohorts, left, before, minimum)
    if len(cohorts) > MOST_FIGURES:
        raise TableError(f"a table has at most {MOST_FIGURES} figures; refuse the layout")
    told = {name for name, _ in figures}
    rest = tuple((name, cohorts[name]) for name in cube.figures if name not in told)
    return _told(layout, Answer(layout.name, _NEVER, minimum, whole, figures, rest), key)


def _told(layout: Layout, answer: Answer, key: bytes) -> ProtectedTable:
    told = [(name, figure_of(cohort, key, answer.minimum)) for name, cohort in answer.figures]
    return ProtectedTable(
        layout=layout,
        cells=tuple(one for one in told if ALL not in one[0]),
        margins=tuple(one for one in told if ALL in one[0]),
        minimum=answer.minimum,
        answer=answer,
    )


def _left_out(
    layout: Layout,
    cube: Cube,
    cohorts: Mapping[Key, Cohort],
    minimum: int,
    before: Answered,
) -> LeftOut:
    """What is not published anew, proved to be protected."""
    counts = {figure: cohort.size for figure, cohort in cohorts.items()}
    fit = [figure for figure, count in counts.items() if count >= minimum]
    held = {figure for figure in fit if before.too_close(cohorts[figure], minimum)}
    still = {
        figure
        for figure in fit
        for state in [before.state(layout.name, figure)]
        if state.cohort.size and not state.published
        if state.cohort.apart(cohorts[figure]) < minimum
    }
    left = left_out(cube, counts, minimum, held, still)
    if cube.margins:
        exact = {name: count for name, count in counts.items() if name not in left.demands}
        prove(cube, exact, left.demands)
    return left


def _placed(members: Members) -> dict[Key, frozenset[str]]:
    """Everybody in the first of his cells: a person counted twice would not add up."""
    seen: set[str] = set()
    placed = {}
    for key in sorted(members):
        placed[key] = members[key] - seen
        seen |= members[key]
    return placed


def _cohorts(cube: Cube, cells: Mapping[Key, Cohort]) -> dict[Key, Cohort]:
    margins = {key: together(cells[cell] for cell in parts) for key, parts in cube.margins.items()}
    return {**{key: cells[key] for key in cube.cells}, **margins}


def _published(
    layout: Layout,
    cohorts: Mapping[Key, Cohort],
    left: LeftOut,
    before: Answered,
    minimum: int,
) -> tuple[tuple[Key, Cohort], ...]:
    """Whom each published figure counts: those of now, or those of then where it stands."""
    published = {key: cohort for key, cohort in cohorts.items() if key not in left.demands}
    for key in left.small | left.held:
        then = before.state(layout.name, key)
        if then.published and then.cohort.apart(cohorts[key]) < minimum <= then.cohort.size:
            published[key] = then.cohort
    return tuple(sorted(published.items(), key=lambda figure: figure[0]))
