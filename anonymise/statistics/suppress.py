# SPDX-License-Identifier: EUPL-1.2
"""Which figures of a table are left out: the small ones, and those that would tell them.

Primary: everything under the threshold. Complementary: for each figure to be protected, a linear
program looks for another table that agrees with all that is published, in which this figure is at
the other end of its protection interval, and that differs in as little as possible from the true
one. What differs is left out too; the other table is then the proof that nobody can tell the two
apart (Robertson's CONFID heuristic; Fischetti and Salazar-Gonzalez, Management Science 47, 2001).
The result is near the least, not the least. `audit_lp.prove` checks it afterwards on its own.

Protection intervals: a figure under the threshold, from nothing to the threshold, so that nobody
learns that anybody is there, nor that few are; a figure held back for its likeness to one that was
answered, as wide as the threshold; any other that is left out, as wide as the rounding.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import log

from anonymise.statistics.audit_lp import EXACT, Protection
from anonymise.statistics.cube import Cube
from anonymise.statistics.layouts import Key
from anonymise.statistics.noise import BASE
from anonymise.statistics.solver import INFINITE, Program, Row

_MARGIN_COST = 20.0  # a margin left out blinds the reader more than a cell does
_SMALL_FIRST = 0.1  # of two cells the smaller goes


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not published anew.

    Attributes:
        small: under the threshold.
        held: too like an answered figure.
        beside: left out only so that the others cannot be worked out.
        demands: what each of them is protected by.
    """

    small: frozenset[Key]
    held: frozenset[Key]
    beside: frozenset[Key]
    demands: Mapping[Key, Protection]


def left_out(
    cube: Cube,
    counts: Mapping[Key, int],
    threshold: int,
    held: Collection[Key] = (),
    still: Collection[Key] = (),
) -> LeftOut:
    """What must be left out of a table.

    Args:
        cube: how it is built.
        counts: exact count of every figure of the cube.
        threshold: least count that may be published.
        held: figures that may not be published anew although they reach the threshold.
        still: figures that were left out before and are so again.

    Raises:
        TableError: A program has no solution; refuse the table.
    """
    small = {key for key, count in counts.items() if count < threshold}
    also = {key for key in held if key not in small}
    demands = {key: Protection(BASE) for key in still}
    demands |= {key: Protection(threshold) for key in also}
    demands |= {key: Protection(threshold, reach=threshold) for key in small}
    if cube.margins and demands:
        demands |= _Search(cube, counts, demands).run()
    beside = demands.keys() - small - also
    return LeftOut(frozenset(small), frozenset(also), frozenset(beside), demands)


class _Search:
    """The other tables: what each figure can be moved to, and what has to be left out for it."""

    def __init__(
        self, cube: Cube, counts: Mapping[Key, int], demands: Mapping[Key, Protection]
    ) -> None:
        self._keys = cube.figures
        self._counts = [counts[key] for key in self._keys]
        self._demands = dict(demands)
        self._low = list[float](self._counts)
        self._high = list[float](self._counts)
        self._program = self._loaded(cube)
        self._costs = {
            column: cost
            for number, key in enumerate(self._keys)
            if key not in demands
            for cost in [self._weight(number, margin=key in cube.margins)]
            for column in (2 * number, 2 * number + 1)
        }

    def _weight(self, number: int, *, margin: bool) -> float:
        return (_MARGIN_COST if margin else 1.0) + _SMALL_FIRST * log(1 + self._counts[number])

    def _loaded(self, cube: Cube) -> Program:
        """Column 2n is how far figure n goes up, 2n+1 how far down; margins stay sums."""
        place = {key: number for number, key in enumerate(self._keys)}
        rows = []
        for key, parts in cube.margins.items():
            row = {2 * place[key]: -1.0, 2 * place[key] + 1: 1.0}
            for cell in parts:
                row |= {2 * place[cell]: 1.0, 2 * place[cell] + 1: -1.0}
            rows.append(Row(row, 0, 0))
        upper = [bound for count in self._counts for bound in (INFINITE, float(count))]
        return Program([0.0] * len(upper), upper, rows)

    def run(self) -> dict[Key, Protection]:
        """What has to be left out beside the given figures."""
        place = {key: number for number, key in enumerate(self._keys)}
        waiting = sorted(self._demands, key=lambda key: (-self._counts[place[key]], key))
        beside: dict[Key, Protection] = {}
        while waiting:
            key = waiting.pop(0)
            found = self._protected(place[key], self._demands[key])
            for number in sorted(found):
                other = self._keys[number]
                if other not in self._demands:
                    self._demands[other] = beside[other] = Protection(BASE)
                    waiting.append(other)
        return beside

    def _protected(self, number: int, demand: Protection) -> set[int]:
        """The figures that differ in the tables that protect this one."""
        count = self._counts[number]
        low = 0 if demand.reach else max(0, count - demand.width // 2)
        moved = set[int]()
        if self._low[number] > low + EXACT:
            moved |= self._moved(number, down=count - low)
        high = max(demand.reach, low + demand.width)
        if self._high[number] < high - EXACT:
            moved |= self._moved(number, up=high - count)
        return moved

    def _moved(self, number: int, *, up: int = 0, down: int = 0) -> set[int]:
        """The least change with which one figure goes up or down by so much."""
        rise, fall, count = 2 * number, 2 * number + 1, float(self._counts[number])
        self._program.bound(rise, float(up), INFINITE if up else 0.0)
        self._program.bound(fall, float(down), count if down else 0.0)
        self._program.cost(self._costs)
        _, values = self._program.solved()
        self._program.bound(rise, 0.0, INFINITE)
        self._program.bound(fall, 0.0, count)
        change = values[0::2] - values[1::2]
        moved = {int(place) for place in (abs(change) > EXACT).nonzero()[0]}
        for place in moved:
            self._low[place] = min(self._low[place], self._counts[place] + float(change[place]))
            self._high[place] = max(self._high[place], self._counts[place] + float(change[place]))
            for column in (2 * place, 2 * place + 1):
                self._costs.pop(column, None)
        return moved
