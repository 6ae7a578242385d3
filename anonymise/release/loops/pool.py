# SPDX-License-Identifier: EUPL-1.2
"""A pool: the rows of a few neighbouring classes, in a workspace where they are regrouped.

A group keeps, for each column, its smallest and largest code and the next ones after these, so that
its box without any one row is known at once.
"""

from typing import NamedTuple

import numpy as np

from anonymise.release.compiled import compiled, inner
from anonymise.release.loops.tables import (
    F64,
    I32,
    I64,
    SMALL,
    Costs,
    Limits,
    box_cost,
    diverse,
    grown_cost,
)

NOTHING = 1 << 30


class Breadth(NamedTuple):
    """How much is pooled, rows and classes at most, and whether rows also trade places."""

    rows: int
    classes: int
    swaps: bool


class Pool(NamedTuple):
    """The workspace.

    Attributes:
        used: [rows, groups] in use.
        row: Rows' codes, [row, column].
        sensitive: Rows' sensitive values.
        item: Where each row comes from.
        group: The group of each row, -1 for none.
        lone: For each row, what its group costs a row without it.
        price: For each row without a group, what the growing group would cost a row with it.
        box: [group, (lo, hi, next lo, next hi), column].
        size: Rows of each group.
        cost: What each group costs a row.
        counts: [group, sensitive value].
        kept: Groups as they were, to return to.
        spare: One line of counts, for trying changes out.
    """

    used: I64
    row: I32
    sensitive: I32
    item: I32
    group: I32
    lone: F64
    price: F64
    box: I32
    size: I64
    cost: F64
    counts: I64
    kept: I32
    spare: I64


@compiled
def make_pool(rows: int, columns: int, values: int) -> Pool:
    """An empty workspace for so many rows."""
    return Pool(
        np.zeros(2, np.int64),
        np.zeros((rows, columns), np.int32),
        np.zeros(rows, np.int32),
        np.zeros(rows, np.int32),
        np.full(rows, -1, np.int32),
        np.zeros(rows, np.float64),
        np.zeros(rows, np.float64),
        np.zeros((rows, 4, columns), np.int32),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.float64),
        np.zeros((rows, values), np.int64),
        np.full(rows, -1, np.int32),
        np.zeros(values, np.int64),
    )


@inner
def lone_cost(costs: Costs, pool: Pool, r: int) -> float:
    """What the group of row r costs a row once r has left it."""
    total = 0.0
    g = pool.group[r]
    for a in range(pool.row.shape[1]):
        c = pool.row[r, a]
        lo = pool.box[g, 2, a] if c == pool.box[g, 0, a] else pool.box[g, 0, a]
        hi = pool.box[g, 3, a] if c == pool.box[g, 1, a] else pool.box[g, 1, a]
        if lo <= hi:
            total += costs.flat[costs.offset[a] + lo * costs.width[a] + hi]
    return total


@inner
def clear_group(pool: Pool, g: int) -> None:
    """Empty a group."""
    pool.box[g, 0, :] = NOTHING
    pool.box[g, 2, :] = NOTHING
    pool.box[g, 1, :] = -1
    pool.box[g, 3, :] = -1
    pool.size[g] = 0
    pool.counts[g, :] = 0


@inner
def add_row(pool: Pool, g: int, r: int) -> tuple[bool, bool]:
    """Put row r into group g; whether its box changed, and whether the codes next to it did.

    The caller sets the costs.
    """
    box = pool.box[g]
    wider, other = False, False
    for a in range(pool.row.shape[1]):
        c = pool.row[r, a]
        if c < box[0, a]:
            box[2, a] = box[0, a]
            box[0, a] = c
            wider = True
        elif c < box[2, a]:
            box[2, a] = c
            other = True
        if c > box[1, a]:
            box[3, a] = box[1, a]
            box[1, a] = c
            wider = True
        elif c > box[3, a]:
            box[3, a] = c
            other = True
    pool.size[g] += 1
    pool.counts[g, pool.sensitive[r]] += 1
    pool.group[r] = g
    return wider, other or wider


@inner
def enter(costs: Costs, pool: Pool, g: int, r: int) -> None:
    """Put row r into group g, costs included."""
    wider, other = add_row(pool, g, r)
    if wider:
        pool.cost[g] = box_cost(costs, pool.box[g, 0], pool.box[g, 1])
    if other:
        _price_rows(costs, pool, g)
    else:
        pool.lone[r] = lone_cost(costs, pool, r)


@inner
def leave(costs: Costs, pool: Pool, r: int) -> None:
    """Take row r out of its group, costs included."""
    g = pool.group[r]
    pool.group[r] = -1
    inner = True
    for a in range(pool.row.shape[1]):
        c = pool.row[r, a]
        if c <= pool.box[g, 2, a] or c >= pool.box[g, 3, a]:
            inner = False
            break
    if inner:
        pool.size[g] -= 1
        pool.counts[g, pool.sensitive[r]] -= 1
    else:
        refresh(costs, pool, g)


@inner
def _price_rows(costs: Costs, pool: Pool, g: int) -> None:
    for r in range(pool.used[0]):
        if pool.group[r] == g:
            pool.lone[r] = lone_cost(costs, pool, r)


@inner
def refresh(costs: Costs, pool: Pool, g: int) -> None:
    """Work a group out anew from its rows."""
    clear_group(pool, g)
    for r in range(pool.used[0]):
        if pool.group[r] == g:
            add_row(pool, g, r)
    pool.cost[g] = box_cost(costs, pool.box[g, 0], pool.box[g, 1])
    _price_rows(costs, pool, g)


@inner
def total_cost(pool: Pool) -> float:
    """Cost of all groups."""
    total = 0.0
    for g in range(pool.used[1]):
        total += pool.cost[g] * pool.size[g]
    return total


@inner
def may_change(limits: Limits, pool: Pool, g: int, leaves: int, enters: int) -> bool:
    """Whether a group keeps within l and t when one row leaves (or -1) and one enters (or -1)."""
    if limits.share.shape[0] == 1:
        return True
    if limits.t >= 1.0:  # only a value that would be gone from the group can matter
        if leaves < 0 or pool.counts[g, pool.sensitive[leaves]] > 1:
            return True
        if enters >= 0 and pool.sensitive[leaves] == pool.sensitive[enters]:
            return True
    pool.spare[:] = pool.counts[g]
    rows = pool.size[g]
    if leaves >= 0:
        pool.spare[pool.sensitive[leaves]] -= 1
        rows -= 1
    if enters >= 0:
        pool.spare[pool.sensitive[enters]] += 1
        rows += 1
    return diverse(limits, pool.spare, rows)


@inner
def least_increase(costs: Costs, limits: Limits, pool: Pool, r: int) -> tuple[int, float]:
    """The group, other than its own, that row r enters at the least cost; group -1 for none."""
    best, least = -1, np.inf
    for g in range(pool.used[1]):
        if g == pool.group[r] or pool.size[g] == 0:
            continue
        size = pool.size[g]
        if pool.cost[g] >= least + SMALL:  # it costs at least its own place in the group
            continue
        increase = grown_cost(costs, pool.box[g, 0], pool.box[g, 1], pool.row[r]) * (size + 1)
        increase -= pool.cost[g] * size
        if increase < least and may_change(limits, pool, g, -1, r):
            best, least = g, increase
    return best, least
