# SPDX-License-Identifier: EUPL-1.2
"""Which figures of a table are left out: the small ones, and those that would tell them.

Primary: everything under the threshold. Complementary: for each figure to be protected, a linear
program looks for another table that agrees with all that is published, in which this figure is at
the other end of its protection interval, and that differs in as little as possible from the true
one. What differs is left out too; the other table is then the proof that nobody can tell the two
apart (Robertson's CONFID heuristic; Fischetti and Salazar-Gonzalez, Management Science 47, 2001).
The result is near the least, not the least. `audit_lp.prove` checks it afterwards on its own.

Public figures and those that the reader had before cannot be left out any more. Where they alone
tell of a figure more than its protection allows, nothing is told beyond that.

Protection intervals: a figure under the threshold, from nothing to the threshold, so that nobody
learns that anybody is there, nor that few are; a figure held back for its likeness to one that was
answered, as wide as the threshold; any other that is left out, as wide as the rounding.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import floor, log

from anonymise.errors import TableError
from anonymise.statistics.audit_lp import EXACT, Protection, equations
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
        held: too like an answered figure, or one of another table.
        beside: left out only so that the others cannot be worked out.
        demands: what each of them is protected by, and what in no table is.
    """

    small: frozenset[Key]
    held: frozenset[Key]
    beside: frozenset[Key]
    demands: Mapping[Key, Protection]

    @property
    def keys(self) -> frozenset[Key]:
        """All figures that are left out."""
        return self.small | self.held | self.beside


def left_out(
    cube: Cube,
    counts: Mapping[Key, int],
    threshold: int,
    held: Collection[Key] = (),
    still: Collection[Key] = (),
    *,
    told: Collection[Key] = (),
    secret: Collection[Key] = (),
) -> LeftOut:
    """What must be left out of a table, or of several.

    Args:
        cube: how they are built.
        counts: exact count of every cell and margin of the cube.
        threshold: least count that may be published.
        held: figures that may not be published anew although they reach the threshold.
        still: figures that were left out before and are so again.
        told: figures that the reader had before, just so.
        secret: hidden figures that are to be protected as small ones are.

    Raises:
        TableError: A program has no solution; refuse the table.
    """
    figures = frozenset(cube.figures)
    small = {key for key in figures if counts[key] < threshold}
    also = {key for key in held if key not in small}
    again = {key for key in still if key not in small and key not in also}
    known = cube.public.keys() | set(told)
    demands = {key: Protection(BASE) for key in again - known}
    demands |= {key: Protection(threshold) for key in also - known}
    demands |= {key: Protection(threshold, reach=threshold) for key in small - known}
    demands |= {key: Protection(threshold, reach=threshold) for key in secret}
    if (cube.margins or cube.ties) and demands:
        demands = _Search(cube, counts, demands, known).run()
    beside = ((demands.keys() | again) & figures) - small - also
    return LeftOut(frozenset(small), frozenset(also), frozenset(beside), demands)


class _Search:
    """The other tables: what each figure can be moved to, and what has to be left out for it."""

    def __init__(
        self,
        cube: Cube,
        counts: Mapping[Key, int],
        demands: Mapping[Key, Protection],
        known: Collection[Key],
    ) -> None:
        self._keys = cube.all
        self._counts = [counts[key] for key in self._keys]
        self._demands = dict(demands)
        self._hidden = cube.hidden
        self._low = list[float](self._counts)
        self._high = list[float](self._counts)
        self._program = self._loaded(cube, known)
        self._costs = {
            column: cost
            for number, key in enumerate(self._keys)
            if key not in demands and key not in self._hidden
            for cost in [self._weight(number, margin=key in cube.margins)]
            for column in (2 * number, 2 * number + 1)
        }

    def _weight(self, number: int, *, margin: bool) -> float:
        return (_MARGIN_COST if margin else 1.0) + _SMALL_FIRST * log(1 + self._counts[number])

    def _loaded(self, cube: Cube, known: Collection[Key]) -> Program:
        """Column 2n is how far figure n goes up, 2n+1 how far down; equations go on holding."""
        rows = [
            Row(
                {
                    2 * number + down: (1 - 2 * down) * times
                    for number, times in row.parts.items()
                    for down in (0, 1)
                },
                0,
                0,
            )
            for row in equations(cube)
        ]
        upper = [
            bound
            for key, count in zip(self._keys, self._counts, strict=True)
            for bound in ((0.0, 0.0) if key in known else (INFINITE, float(count)))
        ]
        return Program([0.0] * len(upper), upper, rows)

    def run(self) -> dict[Key, Protection]:
        """All demands, met, with those of what has to be left out for it."""
        place = {key: number for number, key in enumerate(self._keys)}
        waiting = sorted(self._demands, key=lambda key: (-self._counts[place[key]], key))
        while waiting:
            key = waiting.pop(0)
            moved, self._demands[key] = self._protected(place[key], self._demands[key])
            for number in sorted(moved):
                other = self._keys[number]
                if other not in self._demands and other not in self._hidden:
                    self._demands[other] = Protection(BASE)
                    waiting.append(other)
        return self._demands

    def _protected(self, number: int, demand: Protection) -> tuple[set[int], Protection]:
        """The figures that differ in the tables that protect this one, and what it is held to."""
        count = self._counts[number]
        low = 0 if demand.reach else max(0, count - demand.width)
        down, least = self._moved(number, low)
        high = max(demand.reach, least + demand.width)
        up, most = self._moved(number, high)
        if (least, most) == (low, high):
            return down | up, demand
        if demand.reach:
            return down | up, Protection(most - least, reach=most, floor=least)
        return down | up, Protection(min(demand.width, most - least))

    def _moved(self, number: int, goal: int) -> tuple[set[int], int]:
        """The least change with which one figure comes to its goal, or as near as it can."""
        if self._low[number] - EXACT <= goal <= self._high[number] + EXACT:
            return set(), goal
        try:
            return self._changed(number, goal), goal
        except TableError:
            goal = self._nearest(number, goal)
            at = self._counts[number]
            return (set() if goal == at else self._changed(number, goal)), goal

    def _nearest(self, number: int, goal: int) -> int:
        """How far one figure can go towards its goal, whatever else is left out for it."""
        count, up = self._counts[number], goal > self._counts[number]
        self._bounds(number, rise=(0, INFINITE if up else 0), fall=(0, 0 if up else count))
        self._program.cost({2 * number + (not up): 1.0})
        far, _ = self._program.solved(most=True)
        self._bounds(number, rise=(0, INFINITE), fall=(0, count))
        return count + floor(far + EXACT) if up else count - floor(far + EXACT)

    def _bounds(self, number: int, *, rise: tuple[float, float], fall: tuple[float, float]) -> None:
        self._program.bound(2 * number, *rise)
        self._program.bound(2 * number + 1, *fall)

    def _changed(self, number: int, goal: int) -> set[int]:
        """The figures that differ when this one is at its goal and as little else as can be."""
        count = self._counts[number]
        up, down = max(0, goal - count), max(0, count - goal)
        self._bounds(number, rise=(up, INFINITE if up else 0), fall=(down, count if down else 0))
        self._program.cost(self._costs)
        try:
            _, values = self._program.solved()
        finally:
            self._bounds(number, rise=(0, INFINITE), fall=(0, count))
        change = values[0::2] - values[1::2]
        moved = {int(place) for place in (abs(change) > EXACT).nonzero()[0]}
        for place in moved:
            self._low[place] = min(self._low[place], self._counts[place] + float(change[place]))
            self._high[place] = max(self._high[place], self._counts[place] + float(change[place]))
            for column in (2 * place, 2 * place + 1):
                self._costs.pop(column, None)
        return moved
