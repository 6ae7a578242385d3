# SPDX-License-Identifier: EUPL-1.2
"""Global (full-domain) recoding: one level of each hierarchy for the whole table.

Every vector of levels is a point of a lattice (Samarati 2001). The rows to suppress never grow in
number when a level is raised, so that one vector which suppresses too many rules out all below it.
A vector's loss without suppression never falls when a level is raised, and bounds its loss with
suppression, so that vectors are tried from the cheapest on until none can beat the best. The result
is the least loss (GCP) that the method allows; where t is asked and rows are dropped, the least
among the vectors whose published rows alone meet t. The binary search along a path to the top is
that of Flash (Kohlmayer et al., 2012).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from anonymise.errors import RecodingError
from anonymise.release.distinct import distinct
from anonymise.release.encode import Pieces, make_limits, make_recoding, make_units
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.loops.tables import F32, F64, I32, I64, SMALL, Limits, Units
from anonymise.release.recode import SUPPRESSED, Demand, Progress, Recoding, Rows

MOST_VECTORS = 4_000_000

Vector = tuple[int, ...]
Mask = NDArray[np.bool_]


def recode_globally(
    rows: Rows, hierarchies: Sequence[Hierarchy], demand: Demand, progress: Progress | None
) -> Recoding:
    """See `recode.recode`."""
    units, unit_of_row = make_units(rows, hierarchies, demand)
    lattice = _Lattice(units, hierarchies, make_limits(rows, demand))
    best, least = None, np.inf
    for done, vector in lattice.cheapest():
        if progress is not None:
            progress(done, lattice.base.size)
        if lattice.base[vector] >= least - SMALL:
            break
        kept = lattice.kept(vector)
        if lattice.suppressed(kept) > demand.most_suppressed:
            lattice.rule_out(vector, demand.most_suppressed)
            continue
        lost = lattice.loss(vector, kept)
        if lost < least and lattice.stays_close(vector, kept):
            best, least = (vector, kept), lost
    if progress is not None:
        progress(lattice.base.size, lattice.base.size)
    if best is None:
        raise RecodingError("no vector of levels meets the demand; allow more suppression")
    vector, kept = best
    first, cls = lattice.classes(vector)
    pieces = Pieces(np.arange(len(cls)), np.where(kept, cls, SUPPRESSED), units.weight)
    return make_recoding(rows, unit_of_row, pieces, lattice.boxes(vector)[first], demand.seed)


class _Lattice:
    """All vectors of levels of one table, what each costs, and which are ruled out."""

    def __init__(self, units: Units, hierarchies: Sequence[Hierarchy], limits: Limits) -> None:
        self._units, self._hierarchies, self._limits = units, hierarchies, limits
        self._weight = units.weight / units.weight.sum()
        self._levels = [_different_levels(hierarchy) for hierarchy in hierarchies]
        shape = [len(levels) for levels in self._levels]
        if float(np.prod([float(levels) for levels in shape])) > MOST_VECTORS:
            raise RecodingError(
                f"the hierarchies make more than {MOST_VECTORS:,} vectors of levels; drop levels "
                "or columns, or take local recoding"
            )
        self.base = np.zeros(shape)
        for a in range(len(shape)):
            prices = [float(self._price(a, step) @ self._weight) for step in range(shape[a])]
            self.base += np.expand_dims(np.array(prices), [b for b in range(len(shape)) if b != a])
        self._ruled_out = np.zeros(shape, np.bool_)

    def cheapest(self) -> Iterator[tuple[int, Vector]]:
        """Vectors that are not ruled out when their turn comes, by loss without suppression."""
        for done, index in enumerate(np.argsort(self.base, axis=None, kind="stable")):
            vector = tuple(int(step) for step in np.unravel_index(index, self.base.shape))
            if not self._ruled_out[vector]:
                yield done, vector

    def rule_out(self, vector: Vector, most: float) -> None:
        """Rule out a vector that suppresses too much, and all below the highest such above it."""
        path = [vector]
        while path[-1] != tuple(n - 1 for n in self.base.shape):
            path.append(min(self._above(path[-1]), key=lambda above: float(self.base[above])))
        low, high = 0, len(path) - 1  # the top may fail too: where l or t cannot be met
        while low < high:
            middle = (low + high + 1) // 2
            if self.suppressed(self.kept(path[middle])) > most:
                low = middle
            else:
                high = middle - 1
        self._ruled_out[tuple(slice(0, step + 1) for step in path[low])] = True

    def _above(self, vector: Vector) -> Iterator[Vector]:
        for a, step in enumerate(vector):
            if step + 1 < self.base.shape[a]:
                yield (*vector[:a], step + 1, *vector[a + 1 :])

    def classes(self, vector: Vector) -> tuple[I64, I64]:
        """One unit of each class, and the class of each unit."""
        columns = [
            hierarchy.first[levels[step]][self._units.codes[:, a]]
            for a, (hierarchy, levels, step) in enumerate(
                zip(self._hierarchies, self._levels, vector, strict=True)
            )
        ]
        return distinct(columns, [len(hierarchy.leaves) for hierarchy in self._hierarchies])

    def boxes(self, vector: Vector) -> I32:
        """How each unit is told: [unit, column, (lo, hi)]."""
        told = np.zeros((*self._units.codes.shape, 2), np.int32)
        for a, hierarchy in enumerate(self._hierarchies):
            level = self._levels[a][vector[a]]
            told[:, a, 0] = hierarchy.first[level][self._units.codes[:, a]]
            told[:, a, 1] = hierarchy.last[level][self._units.codes[:, a]]
        return told

    def kept(self, vector: Vector) -> Mask:
        """The units whose class meets the limits."""
        first, cls = self.classes(vector)
        sizes = np.bincount(cls, weights=self._units.weight)
        good = sizes >= self._limits.k
        if len(self._limits.share) > 1:
            counts = self._counts(cls, len(first))
            good &= (counts > 0).sum(axis=1) >= self._limits.l
            good &= _distances(counts, self._limits.share) <= self._limits.t + SMALL
        return np.asarray(good[cls], np.bool_)

    def suppressed(self, kept: Mask) -> float:
        """Share of the rows that are not kept."""
        return float(self._weight[~kept].sum())

    def loss(self, vector: Vector, kept: Mask) -> float:
        """Cost of a row on average, added up over the columns; a suppressed row costs 1 in each."""
        prices = sum(self._price(a, step)[kept] for a, step in enumerate(vector))
        return float(prices @ self._weight[kept]) + self.suppressed(kept) * len(vector)

    def stays_close(self, vector: Vector, kept: Mask) -> bool:
        """Whether t is met by the published rows alone, once the others are dropped."""
        if len(self._limits.share) == 1 or bool(kept.all()):
            return True
        first, cls = self.classes(vector)
        counts = self._counts(cls, len(first))
        counts = counts[np.unique(cls[kept])]
        share = counts.sum(axis=0) / counts.sum()
        return bool((_distances(counts, share) <= self._limits.t + SMALL).all())

    def _counts(self, cls: I64, classes: int) -> F64:
        values = len(self._limits.share)
        key = cls * values + self._units.sensitive
        counts = np.bincount(key, weights=self._units.weight, minlength=classes * values)
        return np.asarray(counts, np.float64).reshape(classes, values)

    def _price(self, a: int, step: int) -> F32:
        """What each unit costs in a column at a level."""
        hierarchy, level = self._hierarchies[a], self._levels[a][step]
        first, last = hierarchy.first[level], hierarchy.last[level]
        price: F32 = hierarchy.cost[first, last][self._units.codes[:, a]]
        return price


def _distances(counts: F64, share: F64) -> F64:
    """For each class half the sum of differences of shares; `tables.diverse`."""
    spread = np.abs(counts / counts.sum(axis=1, keepdims=True) - share)
    return np.asarray(spread.sum(axis=1) / 2.0)


def _different_levels(hierarchy: Hierarchy) -> list[int]:
    """Levels that differ from the one below."""
    return [
        level
        for level in range(hierarchy.levels)
        if level == 0 or not np.array_equal(hierarchy.first[level], hierarchy.first[level - 1])
    ]
