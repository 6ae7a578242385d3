# SPDX-License-Identifier: EUPL-1.2
"""Regrouping a pool from nothing: greedy k-member clustering with random ties.

After Byun, Kamra, Bertino and Li (DASFAA 2007): from a seed, the row that costs least joins until
the group meets the limits; what is left over at the end goes where it costs least.
"""

import numpy as np

from anonymise.release.compiled import inner
from anonymise.release.loops.pool import (
    Pool,
    add_row,
    clear_group,
    least_increase,
    may_change,
    refresh,
)
from anonymise.release.loops.tables import (
    I64,
    SMALL,
    U64,
    Costs,
    Limits,
    box_cost,
    diverse,
    draw,
    grown_cost,
    pair_cost,
)


@inner
def _distance(limits: Limits, counts: I64, rows: int) -> float:
    """Twice the distance of a group's sensitive values from the whole table's."""
    total = 0.0
    for s in range(limits.share.shape[0]):
        total += abs(counts[s] / rows - limits.share[s])
    return total


@inner
def _lacks(limits: Limits, pool: Pool, g: int) -> tuple[bool, float]:
    """Whether the group's next row must bring a new value, and must end closer than how far."""
    if limits.share.shape[0] == 1:
        return False, np.inf
    distinct = 0
    for s in range(limits.share.shape[0]):
        distinct += pool.counts[g, s] > 0
    new = distinct < limits.l and limits.l - distinct >= limits.k - pool.size[g]
    if limits.t >= 1.0 or pool.size[g] < limits.k // 2:
        return new, np.inf
    now = _distance(limits, pool.counts[g], pool.size[g])
    return new, np.inf if now <= 2.0 * limits.t + SMALL else now


@inner
def _helps(limits: Limits, pool: Pool, g: int, r: int, lacks: tuple[bool, float]) -> bool:
    """Whether row r may join a group that lacks this."""
    new, closer = lacks
    if new:
        return bool(pool.counts[g, pool.sensitive[r]] == 0)
    if closer == np.inf:
        return True
    pool.spare[:] = pool.counts[g]
    pool.spare[pool.sensitive[r]] += 1
    return _distance(limits, pool.spare, pool.size[g] + 1) < closer


@inner
def _seed(costs: Costs, pool: Pool, last: int, state: U64) -> int:
    """A free row: the one farthest from the last seed, or any where that is -1."""
    best, most, ties = -1, -1.0, 0
    for r in range(pool.used[0]):
        if pool.group[r] >= 0:
            continue
        far = pair_cost(costs, pool.row[r], pool.row[last]) if last >= 0 else 0.0
        if far > most:
            best, most, ties = r, far, 1
        elif far == most:
            ties += 1
            if draw(state, ties) == 0:
                best = r
    return best


@inner
def _cheapest(
    costs: Costs, limits: Limits, pool: Pool, target: tuple[int, bool], state: U64
) -> int:
    """The free row that makes the group's box grow least; -1 when none may join."""
    g, anew = target
    lacks = _lacks(limits, pool, g)
    best, least, ties = -1, np.inf, 0
    for r in range(pool.used[0]):
        if pool.group[r] >= 0:
            continue
        if anew:
            pool.price[r] = grown_cost(costs, pool.box[g, 0], pool.box[g, 1], pool.row[r])
        cost = pool.price[r]
        if cost > least or not _helps(limits, pool, g, r, lacks):
            continue
        ties = 1 if cost < least else ties + 1
        if cost < least or draw(state, ties) == 0:
            best, least = r, cost
    return best


@inner
def _grow(costs: Costs, limits: Limits, pool: Pool, g: int, state: U64) -> bool:
    """Let the group grow until it meets the limits; False when the free rows do not suffice."""
    anew = True
    while pool.size[g] < limits.k or not (
        limits.share.shape[0] == 1 or diverse(limits, pool.counts[g], pool.size[g])
    ):
        r = _cheapest(costs, limits, pool, (g, anew), state)
        if r < 0:
            return False
        anew, _ = add_row(pool, g, r)
    return True


@inner
def rebuild(costs: Costs, limits: Limits, pool: Pool, state: U64) -> bool:
    """Regroup all rows; False, and groups of no use, when some row fits nowhere."""
    pool.group[: pool.used[0]] = -1
    pool.used[1] = 0
    free = int(pool.used[0])
    farthest = draw(state, 2) == 0
    last = -1
    while free >= limits.k:
        g = pool.used[1]
        last = _seed(costs, pool, last if farthest else -1, state)
        clear_group(pool, g)
        add_row(pool, g, last)
        if not _grow(costs, limits, pool, g, state):
            for r in range(pool.used[0]):
                if pool.group[r] == g:
                    pool.group[r] = -1
            break
        pool.cost[g] = box_cost(costs, pool.box[g, 0], pool.box[g, 1])
        free -= int(pool.size[g])
        pool.used[1] += 1
    for r in range(pool.used[0]):
        if pool.group[r] < 0:
            g, _ = least_increase(costs, limits, pool, r)
            if g < 0 or not may_change(limits, pool, g, -1, r):
                return False
            add_row(pool, g, r)
            pool.cost[g] = box_cost(costs, pool.box[g, 0], pool.box[g, 1])
    for g in range(pool.used[1]):
        refresh(costs, pool, g)
    return True
