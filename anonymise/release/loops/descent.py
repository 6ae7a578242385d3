# SPDX-License-Identifier: EUPL-1.2
"""Descent in a pool: rows move, or trade places, while that lowers the cost.

A row leaves a group that stays within the limits without it for the group where the total falls
most; a row that its group cannot spare is exchanged for one of another group. Groups with one box
are joined, which frees their surplus.
"""

import numpy as np

from anonymise.release.compiled import inner
from anonymise.release.loops.pool import (
    Breadth,
    Pool,
    clear_group,
    enter,
    least_increase,
    leave,
    may_change,
    refresh,
)
from anonymise.release.loops.tables import SMALL, Costs, Limits

PASSES = 6


@inner
def _without(pool: Pool, r: int, a: int) -> tuple[int, int]:
    """Column a of the box of row r's group without r; (high, low) if r was its only row."""
    g = pool.group[r]
    c = pool.row[r, a]
    lo = pool.box[g, 2, a] if c == pool.box[g, 0, a] else pool.box[g, 0, a]
    hi = pool.box[g, 3, a] if c == pool.box[g, 1, a] else pool.box[g, 1, a]
    return lo, hi


@inner
def _exchanged(costs: Costs, pool: Pool, leaves: int, enters: int, most: float) -> float:
    """What a group costs a row when one row leaves and another enters; gives up beyond `most`."""
    total = 0.0
    for a in range(pool.row.shape[1]):
        lo, hi = _without(pool, leaves, a)
        c = pool.row[enters, a]
        low, high = min(lo, c), max(hi, c)
        total += costs.flat[costs.offset[a] + low * costs.width[a] + high]
        if total > most:
            return np.inf
    return total


@inner
def _move(costs: Costs, limits: Limits, pool: Pool, r: int) -> bool:
    """Move row r where the total falls most, if it falls."""
    g = pool.group[r]
    size = pool.size[g]
    gain = pool.cost[g] * size - pool.lone[r] * (size - 1)
    if gain <= SMALL or not may_change(limits, pool, g, r, -1):
        return False
    to, increase = least_increase(costs, limits, pool, r)
    if to < 0 or increase >= gain - SMALL:
        return False
    leave(costs, pool, r)
    enter(costs, pool, to, r)
    return True


@inner
def _swap(costs: Costs, limits: Limits, pool: Pool, r: int) -> bool:
    """Exchange row r for the row of another group that lowers the total most, if any does."""
    g = pool.group[r]
    mine = (pool.cost[g] - pool.lone[r]) * pool.size[g]
    best, least = -1, -SMALL
    for s in range(pool.used[0]):
        h = pool.group[s]
        if h == g:
            continue
        theirs = (pool.cost[h] - pool.lone[s]) * pool.size[h]
        if mine + theirs <= -least:  # more than this cannot be won
            continue
        spare = (theirs + least) / pool.size[g] + pool.cost[g]
        ours = _exchanged(costs, pool, r, s, spare)
        if ours == np.inf:
            continue
        change = (ours - pool.cost[g]) * pool.size[g]
        spare = (least - change) / pool.size[h] + pool.cost[h]
        change += (_exchanged(costs, pool, s, r, spare) - pool.cost[h]) * pool.size[h]
        if (
            change < least
            and may_change(limits, pool, g, r, s)
            and may_change(limits, pool, h, s, r)
        ):
            best, least = s, change
    if best < 0:
        return False
    h = pool.group[best]
    leave(costs, pool, r)
    leave(costs, pool, best)
    enter(costs, pool, g, best)
    enter(costs, pool, h, r)
    return True


@inner
def _passes(costs: Costs, limits: Limits, pool: Pool, breadth: Breadth) -> None:
    for _ in range(PASSES):
        changed = False
        for r in range(pool.used[0]):
            moved = pool.size[pool.group[r]] > limits.k and _move(costs, limits, pool, r)
            if moved or (breadth.swaps and _swap(costs, limits, pool, r)):
                changed = True
        if not changed:
            return


@inner
def _join_equal(costs: Costs, pool: Pool) -> bool:
    """Join groups that have the same box; whether there were any."""
    joined = False
    g = 0
    while g < pool.used[1]:
        h = g + 1
        while h < pool.used[1]:
            if np.array_equal(pool.box[g, :2], pool.box[h, :2]):
                last = pool.used[1] - 1
                for r in range(pool.used[0]):
                    if pool.group[r] == h:
                        pool.group[r] = g
                    elif pool.group[r] == last:
                        pool.group[r] = h
                pool.used[1] = last
                refresh(costs, pool, g)
                if h < last:
                    refresh(costs, pool, h)
                clear_group(pool, last)
                joined = True
            else:
                h += 1
        g += 1
    return joined


@inner
def descend(costs: Costs, limits: Limits, pool: Pool, breadth: Breadth) -> None:
    """Bring the pool to a local optimum, or near it."""
    _passes(costs, limits, pool, breadth)
    if _join_equal(costs, pool):
        _passes(costs, limits, pool, breadth)
