# SPDX-License-Identifier: EUPL-1.2
"""The attacker with a solver: what the published figures of a table tell of those left out.

For each figure that is left out two linear programs are solved, the least and the most that it can
be, given all published cells and margins. The attacker is given more than anybody has: the exact
counts behind every published figure, before noise and rounding, and which cells are empty. What
holds against him holds against every reader. Duncan, Fienberg and others call the outcome the
feasibility interval (Hundepool et al., Statistical Disclosure Control, 2012, chapter 4).

`prove` is run on every table before it is published; `intervals` also takes figures that are known
only to within so much, as an attacker on real publications would.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from anonymise.errors import DisclosureError
from anonymise.statistics.cube import Cube
from anonymise.statistics.layouts import Key
from anonymise.statistics.solver import INFINITE, Program, Row

EXACT = 1e-6  # HiGHS is exact to 1e-7; counts are whole

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Protection:
    """What must hold for a figure that is left out.

    Attributes:
        width: its interval is at least so wide.
        reach: and holds everything from 0 up to this; 0 where it may start anywhere.
    """

    width: int
    reach: int = 0

    def holds(self, interval: Interval) -> bool:
        """Whether this interval protects."""
        low, high = interval
        if high - low < self.width - EXACT:
            return False
        return not self.reach or (low <= EXACT and high >= self.reach - EXACT)


def intervals(
    cube: Cube,
    published: Mapping[Key, float],
    wanted: Collection[Key] | None = None,
    *,
    within: float = 0,
) -> dict[Key, Interval]:
    """From what to what each figure can be, as far as the published ones tell.

    Args:
        cube: how the table is built; the attacker knows it.
        published: key -> what is known of a published figure.
        wanted: figures to look at; by default all that are not published.
        within: how far the truth may be from what is known.

    Raises:
        TableError: No table at all agrees with these figures.
    """
    place = {key: number for number, key in enumerate(cube.cells)}
    known = [published.get(key) for key in cube.cells]
    lower = [0.0 if value is None else max(0.0, value - within) for value in known]
    upper = [INFINITE if value is None else value + within for value in known]
    rows = [
        Row({place[cell]: 1.0 for cell in parts}, published[key] - within, published[key] + within)
        for key, parts in cube.margins.items()
        if key in published
    ]
    program = Program(lower, upper, rows)
    found = {}
    for key in cube.figures if wanted is None else wanted:
        if wanted is None and key in published:
            continue
        parts = cube.margins.get(key, (key,))
        program.cost({place[cell]: 1.0 for cell in parts})
        low, _ = program.solved()
        # Without any published margin above it, nothing ends a figure.
        found[key] = low, _most(program, lower, upper, rows, [place[cell] for cell in parts])
    return found


def _most(
    program: Program,
    lower: list[float],
    upper: list[float],
    rows: list[Row],
    parts: list[int],
) -> float:
    bounded = frozenset().union(*(row.parts for row in rows)) if rows else frozenset[int]()
    if any(upper[part] == INFINITE and part not in bounded for part in parts):
        return INFINITE
    return program.solved(most=True)[0] if parts and lower else 0.0


def breaches(
    cube: Cube, published: Mapping[Key, int], demands: Mapping[Key, Protection]
) -> list[Key]:
    """The figures left out that the published ones tell too closely."""
    found = intervals(cube, published, demands)
    return [key for key, demand in demands.items() if not demand.holds(found[key])]


def prove(cube: Cube, published: Mapping[Key, int], demands: Mapping[Key, Protection]) -> None:
    """Let a table pass only if every figure left out is protected.

    Raises:
        DisclosureError: One is not; publish nothing of the table.
    """
    open_to = breaches(cube, published, demands)
    if open_to:
        raise DisclosureError(
            f"{len(open_to)} figures left out could be worked out again; publish nothing of it"
        )
