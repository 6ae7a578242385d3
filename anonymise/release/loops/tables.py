# SPDX-License-Identifier: EUPL-1.2
"""The tables that every loop reads: rows as numbers, costs of nodes, and what a class must meet.

Rows that agree in every quasi-identifier (and in the sensitive value, where that matters) are one
unit with a weight.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anonymise.release.compiled import inner

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

SMALL = 1e-9  # differences of cost below this are rounding


class Costs(NamedTuple):
    """All columns' tables of costs in one piece: flat[offset[a] + lo * width[a] + hi]."""

    flat: F32
    offset: I64
    width: I64


class Units(NamedTuple):
    """Distinct rows: codes of the quasi-identifiers, code of the sensitive value, weight."""

    codes: I32
    sensitive: I32
    weight: I64


class Limits(NamedTuple):
    """What every class must meet.

    Attributes:
        k: Rows at least.
        l: Distinct sensitive values at least; 1 asks nothing.
        t: Largest distance of the class's sensitive values from the whole table's; 2 asks nothing.
        share: The whole table's share of each sensitive value; one entry where none matters.
    """

    k: int
    l: int  # noqa: E741 - as in the literature
    t: float
    share: F64


@inner
def box_cost(costs: Costs, lo: I32, hi: I32) -> float:
    """Cost of a box, added up over its columns."""
    total = 0.0
    for a in range(lo.shape[0]):
        total += costs.flat[costs.offset[a] + lo[a] * costs.width[a] + hi[a]]
    return total


@inner
def grown_cost(costs: Costs, lo: I32, hi: I32, row: I32) -> float:
    """Cost of a box once it takes in one more row."""
    total = 0.0
    for a in range(lo.shape[0]):
        low = min(lo[a], row[a])
        high = max(hi[a], row[a])
        total += costs.flat[costs.offset[a] + low * costs.width[a] + high]
    return total


@inner
def pair_cost(costs: Costs, one: I32, other: I32) -> float:
    """Cost of the box of two rows."""
    total = 0.0
    for a in range(one.shape[0]):
        low = min(one[a], other[a])
        high = max(one[a], other[a])
        total += costs.flat[costs.offset[a] + low * costs.width[a] + high]
    return total


@inner
def diverse(limits: Limits, counts: I64, rows: int) -> bool:
    """Whether counts of sensitive values meet l and t.

    The distance is half the sum of differences of shares: the earth mover's distance where all
    values are equally far apart (Li, Li, Venkatasubramanian, ICDE 2007, section 4.2).
    """
    distinct = 0
    distance = 0.0
    for s in range(counts.shape[0]):
        if counts[s] > 0:
            distinct += 1
        distance += abs(counts[s] / rows - limits.share[s])
    return distinct >= limits.l and distance <= 2.0 * limits.t + SMALL


@inner
def draw(state: U64, below: int) -> int:
    """The next number of a seeded sequence (splitmix64), from 0 to below - 1."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return int((z >> np.uint64(11)) % np.uint64(below))


@inner
def chance(state: U64) -> float:
    """The next number of the same sequence, from 0 to below 1."""
    return draw(state, 1 << 30) / float(1 << 30)
