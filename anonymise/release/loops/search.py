# SPDX-License-Identifier: EUPL-1.2
"""Rebuild search: a few neighbouring classes are regrouped, again and again.

A large-neighbourhood search (Shaw, CP 1998) over classes. Each step pools the class of a random row
with the classes that near rows would enter at the least cost, regroups the pool, and keeps the
result unless it costs more. Every class meets the limits after every step, so that the search can
stop at any time.
"""

from typing import NamedTuple

import numpy as np

from anonymise.release.compiled import compiled, inner
from anonymise.release.loops.descent import descend
from anonymise.release.loops.pool import Breadth, Pool, refresh, total_cost
from anonymise.release.loops.rebuild import rebuild
from anonymise.release.loops.tables import (
    F64,
    I32,
    I64,
    SMALL,
    U64,
    Costs,
    Limits,
    Units,
    box_cost,
    chance,
    draw,
    grown_cost,
)

_SKIPPED = 0.3
_WANDERING = 0.3
_REBUILT = 0.75
_NEAREST = 32


class State(NamedTuple):
    """A recoding in the middle of the search.

    Attributes:
        unit: The unit of each row.
        group: The class of each row.
        head, after: The first row of each class, and the row after each; -1 ends.
        begin, rows: The rows of unit u are rows[begin[u]:begin[u + 1]].
        near: Near units of each unit.
        box, size, cost: Each class's box, number of rows and cost a row.
        free: Unused classes; free[0] is how many, free[1:] are they.
        seen: The step in which each class was last looked at.
    """

    unit: I32
    group: I32
    head: I32
    after: I32
    begin: I64
    rows: I32
    near: I32
    box: I32
    size: I64
    cost: F64
    free: I64
    seen: I64


@compiled
def index_classes(units: Units, costs: Costs, state: State) -> None:
    """Fill in head, after, box, size and cost from the class of each row."""
    state.head[:] = -1
    state.size[:] = 0
    for r in range(state.unit.shape[0]):
        g = state.group[r]
        row = units.codes[state.unit[r]]
        if state.size[g] == 0:
            state.box[g, 0, :] = row
            state.box[g, 1, :] = row
        else:
            for a in range(row.shape[0]):
                state.box[g, 0, a] = min(state.box[g, 0, a], row[a])
                state.box[g, 1, a] = max(state.box[g, 1, a], row[a])
        state.size[g] += 1
        state.after[r] = state.head[g]
        state.head[g] = r
    state.free[0] = 0
    for g in range(state.size.shape[0]):
        if state.size[g] > 0:
            state.cost[g] = box_cost(costs, state.box[g, 0], state.box[g, 1])
        else:
            state.free[0] += 1
            state.free[state.free[0]] = g


@inner
def _pick(
    units: Units, costs: Costs, state: State, where: tuple[int, int, int], random: U64
) -> tuple[I64, int]:
    """Classes to pool with that of a row, the best first; and how many."""
    r, step, classes = where
    near = state.near[state.unit[r]]
    row = units.codes[state.unit[r]]
    wandering = chance(random) < _WANDERING
    found = np.zeros(classes, np.int64)
    price = np.full(classes, np.inf)
    many = 0
    tries = near.shape[0]
    for i in range(tries):
        v = near[draw(random, min(_NEAREST, tries))] if wandering else near[i]
        if v < 0:
            continue
        first = state.begin[v]
        there = int(state.begin[v + 1] - first)
        g = state.group[state.rows[first + draw(random, there)]]
        if state.seen[g] == step or (not wandering and chance(random) < _SKIPPED):
            continue
        state.seen[g] = step
        size = state.size[g]
        cost = float(i)
        if not wandering:
            grown = grown_cost(costs, state.box[g, 0], state.box[g, 1], row)
            cost = grown * (size + 1) - state.cost[g] * size
        if cost >= price[classes - 1]:
            continue
        at = classes - 1
        while at > 0 and price[at - 1] > cost:
            price[at] = price[at - 1]
            found[at] = found[at - 1]
            at -= 1
        price[at] = cost
        found[at] = g
        many = min(many + 1, classes)
    return found, many


@inner
def _load(units: Units, state: State, pool: Pool, g: int) -> None:
    """Take a class into the pool as its next group."""
    into = pool.used[1]
    r = state.head[g]
    while r >= 0:
        at = pool.used[0]
        u = state.unit[r]
        pool.row[at, :] = units.codes[u]
        pool.sensitive[at] = units.sensitive[u]
        pool.item[at] = r
        pool.group[at] = into
        pool.used[0] += 1
        r = state.after[r]
    pool.used[1] += 1


@inner
def _store(state: State, pool: Pool, taken: I64) -> None:
    """Put the pool's groups in place of the classes that were taken."""
    for i in range(taken.shape[0]):
        g = taken[i]
        state.head[g] = -1
        state.size[g] = 0
        state.free[0] += 1
        state.free[state.free[0]] = g
    ids = np.zeros(pool.used[1], np.int64)
    for i in range(pool.used[1]):
        g = state.free[state.free[0]]
        state.free[0] -= 1
        ids[i] = g
        state.box[g, :, :] = pool.box[i, :2]
        state.size[g] = pool.size[i]
        state.cost[g] = pool.cost[i]
    for at in range(pool.used[0]):
        r = pool.item[at]
        g = ids[pool.group[at]]
        state.group[r] = g
        state.after[r] = state.head[g]
        state.head[g] = r


@inner
def _gather(
    units: Units, tables: tuple[Costs, Breadth], state: State, pool: Pool, at: tuple[int, int, U64]
) -> I64:
    """Fill the pool around a row; the classes taken, none if the row's own does not fit."""
    costs, breadth = tables
    r, step, random = at
    pool.used[:] = 0
    taken = np.zeros(breadth.classes, np.int64)
    g = state.group[r]
    if state.size[g] > pool.row.shape[0]:
        return taken[:0]
    state.seen[g] = step
    taken[0] = g
    many = 1
    _load(units, state, pool, g)
    wanted = breadth.classes - draw(random, min(3, breadth.classes - 1))
    found, there = _pick(units, costs, state, (r, step, breadth.classes + 2), random)
    for i in range(there):
        if many == wanted:
            break
        g = found[i]
        if pool.used[0] + state.size[g] <= breadth.rows:
            taken[many] = g
            many += 1
            _load(units, state, pool, g)
    return taken[:many]


@compiled
def search(
    units: Units,
    tables: tuple[Costs, Limits, Breadth],
    state: State,
    pool: Pool,
    steps: tuple[int, int],
    random: U64,
) -> float:
    """Take the steps from the first number to before the second; how much the cost fell."""
    costs, limits, breadth = tables
    won = 0.0
    for step in range(steps[0], steps[1]):
        r = draw(random, state.unit.shape[0])
        taken = _gather(units, (costs, breadth), state, pool, (r, step, random))
        if taken.shape[0] == 0:
            continue
        for g in range(pool.used[1]):
            refresh(costs, pool, g)
        before = total_cost(pool)
        if before <= SMALL:
            continue
        pool.kept[: pool.used[0]] = pool.group[: pool.used[0]]
        groups = pool.used[1]
        if chance(random) < _REBUILT and not rebuild(costs, limits, pool, random):
            pool.group[: pool.used[0]] = pool.kept[: pool.used[0]]
            pool.used[1] = groups
            for g in range(groups):
                refresh(costs, pool, g)
        descend(costs, limits, pool, breadth)
        after = total_cost(pool)
        if after <= before + SMALL:
            won += before - after
            _store(state, pool, taken)
    return won
