# SPDX-License-Identifier: EUPL-1.2
"""Near units of every unit: where the search looks for classes to pool.

Near means a cheap common box. Exact for few units; for many, the nearest within the blocks of
several random partitions (half at the median of a randomly weighted column, again and again).
Where sensitive values matter, half of the places are kept for units with another one.
"""

import numpy as np

from anonymise.release.compiled import compiled, inner
from anonymise.release.loops.tables import F32, I32, U64, Costs, Units, chance, draw, pair_cost


@inner
def _offer(near: I32, far: F32, u: int, other: int, cost: float) -> None:
    """Insert into one sorted list of nearest units, unless it stands there already."""
    kept = near.shape[1]
    if cost >= far[u, kept - 1]:
        return
    at = kept - 1
    while at > 0 and far[u, at - 1] > cost:
        at -= 1
    same = at
    while same > 0 and far[u, same - 1] >= cost:
        same -= 1
        if near[u, same] == other:
            return
    for i in range(kept - 1, at, -1):
        near[u, i] = near[u, i - 1]
        far[u, i] = far[u, i - 1]
    near[u, at] = other
    far[u, at] = cost


@inner
def _compare(units: Units, costs: Costs, block: I32, lists: tuple[I32, F32, I32, F32]) -> None:
    """Offer every unit of a block to every other; `lists` for any value and for another value."""
    near, far, unlike, unlike_far = lists
    split = unlike.shape[1] > 0
    for i in range(block.shape[0]):
        u = block[i]
        for j in range(i):
            v = block[j]
            cost = float(np.float32(pair_cost(costs, units.codes[u], units.codes[v])))
            _offer(near, far, u, v, cost)
            _offer(near, far, v, u, cost)
            if split and units.sensitive[u] != units.sensitive[v]:
                _offer(unlike, unlike_far, u, v, cost)
                _offer(unlike, unlike_far, v, u, cost)


@inner
def _halve(units: Units, costs: Costs, block: I32, state: U64) -> None:
    """Sort a block by a randomly weighted column, ties at random."""
    column, best = 0, -1.0
    for a in range(units.codes.shape[1]):
        lo = hi = units.codes[block[0], a]
        for i in range(1, block.shape[0]):
            c = units.codes[block[i], a]
            lo, hi = min(lo, c), max(hi, c)
        wide = costs.flat[costs.offset[a] + lo * costs.width[a] + hi] * chance(state)
        if wide > best:
            column, best = a, wide
    keys = np.zeros(block.shape[0], np.int64)
    for i in range(block.shape[0]):
        keys[i] = (np.int64(units.codes[block[i], column]) << 30) + draw(state, 1 << 30)
    block[:] = block[np.argsort(keys)]


@compiled
def nearest(units: Units, costs: Costs, kept: int, partitions: int, size: int, state: U64) -> I32:
    """For every unit the codes of near ones, -1 where there are fewer.

    Args:
        units: Distinct rows; a column of equal sensitive values where they do not matter.
        costs: Tables of costs.
        kept: How many near units to keep.
        partitions: How many random partitions to take; one block of all where they fit into one.
        size: Units in a block at most.
        state: Seeded sequence.
    """
    n = units.codes.shape[0]
    split = bool(n > 0 and units.sensitive.max() != units.sensitive.min())
    half = kept // 2 if split else 0
    near = np.full((n, kept - half), -1, np.int32)
    far = np.full((n, kept - half), np.inf, np.float32)
    unlike = np.full((n, half), -1, np.int32)
    unlike_far = np.full((n, half), np.inf, np.float32)
    order = np.arange(n).astype(np.int32)
    for _ in range(partitions if n > size else 1):
        waiting = [(0, n)]
        while len(waiting) > 0:
            start, stop = waiting.pop()
            if stop - start <= size:
                _compare(units, costs, order[start:stop], (near, far, unlike, unlike_far))
            else:
                _halve(units, costs, order[start:stop], state)
                middle = (start + stop) // 2
                waiting.append((start, middle))
                waiting.append((middle, stop))
    if not split:
        return near
    both = np.full((n, kept), -1, np.int32)
    both[:, : kept - half] = near
    both[:, kept - half :] = unlike
    return both
