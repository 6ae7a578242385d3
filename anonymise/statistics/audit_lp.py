# SPDX-License-Identifier: EUPL-1.2
"""The attacker with a solver: what published figures tell of those left out.

For each figure that is left out two linear programs are solved, the least and the most that it can
be, given all published cells and margins, what is public, and what holds between tables over the
same people. The attacker is given more than anybody has: the exact counts behind every published
figure, before noise and rounding, and which cells are empty. What holds against him holds against
every reader. Duncan, Fienberg and others call the outcome the feasibility interval (Hundepool et
al., Statistical Disclosure Control, 2012, chapter 4).

`prove` is run on everything that may be published of a snapshot; `intervals` also takes figures
that are known only to within so much, as an attacker on real publications would.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

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
        reach: and holds everything from `floor` up to this; 0 where it may start anywhere.
        floor: 0, but where the reader knows from elsewhere that it is more.
    """

    width: int
    reach: int = 0
    floor: int = 0

    def holds(self, interval: Interval) -> bool:
        """Whether this interval protects."""
        low, high = interval
        if high - low < self.width - EXACT:
            return False
        return not self.reach or (low <= self.floor + EXACT and high >= self.reach - EXACT)


def equations(cube: Cube) -> list[Row]:
    """What holds between all cells and margins of a cube, by their places in `cube.all`."""
    place = {key: number for number, key in enumerate(cube.all)}
    rows = [
        Row({place[key]: -1.0, **{place[cell]: 1.0 for cell in parts}}, 0, 0)
        for key, parts in cube.margins.items()
    ]
    rows += [
        Row({place[key]: float(times) for key, times in tie.parts.items()}, tie.total, tie.total)
        for tie in cube.ties
    ]
    return rows


class _Attack:
    """All tables that agree with what is known."""

    def __init__(self, cube: Cube, published: Mapping[Key, float], within: float) -> None:
        self._place = {key: number for number, key in enumerate(cube.all)}
        lower, upper = [0.0] * len(cube.all), [INFINITE] * len(cube.all)
        for key, value in published.items():
            number = self._place[key]
            lower[number], upper[number] = max(0.0, value - within), value + within
        for key, count in cube.public.items():
            lower[self._place[key]] = upper[self._place[key]] = float(count)
        self._program = Program(lower, upper, equations(cube))
        self._least = np.full(len(cube.all), INFINITE)
        self._most = np.full(len(cube.all), -INFINITE)

    def seen(self, key: Key) -> Interval:
        """What the figure is from and to in the tables that were found so far."""
        number = self._place[key]
        return float(self._least[number]), float(self._most[number])

    def bounds(self, key: Key) -> Interval:
        """The least and the most that the figure can be."""
        self._program.cost({self._place[key]: 1.0})
        found = []
        for most in (False, True):
            value, table = self._program.solved(most=most)
            found.append(value)
            if len(table):
                self._least = np.minimum(self._least, table)
                self._most = np.maximum(self._most, table)
        return found[0], found[1]


def intervals(
    cube: Cube,
    published: Mapping[Key, float],
    wanted: Collection[Key] | None = None,
    *,
    within: float = 0,
) -> dict[Key, Interval]:
    """From what to what each figure can be, as far as the published and public ones tell.

    Args:
        cube: how the tables are built; the attacker knows it.
        published: key -> what is known of a published figure.
        wanted: figures to look at; by default all that are not published.
        within: how far the truth may be from what is known; public figures are exact.

    Raises:
        TableError: No table at all agrees with these figures.
    """
    attack = _Attack(cube, published, within)
    keys = [key for key in cube.figures if key not in published] if wanted is None else wanted
    return {key: attack.bounds(key) for key in keys}


def breaches(
    cube: Cube, published: Mapping[Key, int], demands: Mapping[Key, Protection]
) -> list[Key]:
    """The figures left out that the published ones tell too closely.

    Any table that agrees with what is known is a proof that its figures are possible, so a figure
    is looked at by itself only if the tables found for others have not shown enough of it.
    """
    if not demands:
        return []
    attack = _Attack(cube, published, 0)
    return [
        key
        for key, demand in demands.items()
        if not demand.holds(attack.seen(key)) and not demand.holds(attack.bounds(key))
    ]


def prove(cube: Cube, published: Mapping[Key, int], demands: Mapping[Key, Protection]) -> None:
    """Let tables pass only if every figure left out is protected.

    Raises:
        DisclosureError: One is not; publish nothing of them.
    """
    open_to = breaches(cube, published, demands)
    if open_to:
        raise DisclosureError(
            f"{len(open_to)} figures left out could be worked out again; publish nothing of it"
        )
