# SPDX-License-Identifier: EUPL-1.2
"""Greedy top-down cutting: the start of local recoding.

The whole table is one block. A block is cut in two where that lowers the cost of the halves' boxes
most, as long as both meet the limits; blocks that cannot be cut are classes. A cut goes between two
neighbouring codes of one column, or takes a node of its hierarchy out of the rest. A relative of
Mondrian (LeFevre, DeWitt, Ramakrishnan, ICDE 2006), which halves the widest column at its median.
"""

from typing import NamedTuple

import numpy as np

from anonymise.release.compiled import compiled, inner
from anonymise.release.loops.tables import I32, I64, Costs, Limits, Units, box_cost, diverse

NOTHING = 1 << 30  # low end of the box of no rows; its high end is -1


class Cuts(NamedTuple):
    """Nodes of all hierarchies: those of column a stand from start[a] to start[a + 1]."""

    first: I32
    last: I32
    start: I64


class _Scratch(NamedTuple):
    """One column of a block, by rank among the codes that occur in it.

    Attributes:
        before: [code] -> how many lower codes occur.
        code: [rank] -> code.
        at: Box of the rows of each code.
        upto: Box of those of all lower codes.
        since: Box of those of this and all higher codes.
        weight, counts: Rows, and rows by sensitive value, of all lower codes.
        inside, outside, box: For one cut.
    """

    before: I32
    code: I32
    at: I32
    upto: I32
    since: I32
    weight: I64
    counts: I64
    inside: I64
    outside: I64
    box: I32


class _Block(NamedTuple):
    """Rows order[start:stop] and their box."""

    order: I32
    start: int
    stop: int
    box: I32


@inner
def _take(box: I32, row: I32) -> None:
    for a in range(row.shape[0]):
        box[0, a] = min(box[0, a], row[a])
        box[1, a] = max(box[1, a], row[a])


@inner
def _union(box: I32, one: I32, other: I32) -> None:
    for a in range(box.shape[1]):
        box[0, a] = min(one[0, a], other[0, a])
        box[1, a] = max(one[1, a], other[1, a])


@inner
def _empty(box: I32) -> None:
    for a in range(box.shape[1]):
        box[0, a] = NOTHING
        box[1, a] = -1


@inner
def _rank(units: Units, block: _Block, a: int, s: _Scratch) -> int:
    """Rank the codes that occur in column a; how many do."""
    lo, hi = block.box[0, a], block.box[1, a]
    for c in range(lo, hi + 2):
        s.before[c] = 0
    for i in range(block.start, block.stop):
        s.before[units.codes[block.order[i], a]] = 1
    found = 0
    for c in range(lo, hi + 2):
        occurs = s.before[c]
        s.before[c] = found
        if occurs > 0:
            s.code[found] = c
            found += 1
    return found


@inner
def _spread(units: Units, block: _Block, a: int, s: _Scratch) -> int:
    """Fill in the scratch for column a; how many codes occur."""
    found = _rank(units, block, a, s)
    sensitive = s.counts.shape[1] > 1
    for c in range(found + 1):
        s.weight[c] = 0
        _empty(s.at[c])
        if sensitive:
            s.counts[c] = 0
    for i in range(block.start, block.stop):
        u = block.order[i]
        c = s.before[units.codes[u, a]]
        _take(s.at[c], units.codes[u])
        s.weight[c + 1] += units.weight[u]
        if sensitive:
            s.counts[c + 1, units.sensitive[u]] += units.weight[u]
    _empty(s.upto[0])
    _empty(s.since[found])
    for c in range(found):
        s.weight[c + 1] += s.weight[c]
        if sensitive:
            s.counts[c + 1] += s.counts[c]
        _union(s.upto[c + 1], s.upto[c], s.at[c])
        back = found - 1 - c
        _union(s.since[back], s.since[back + 1], s.at[back])
    return found


@inner
def _score(costs: Costs, limits: Limits, s: _Scratch, found: int, cut: tuple[int, int]) -> float:
    """Cost of both halves when the ranks of the cut leave the others."""
    first, last = cut
    inside = s.weight[last + 1] - s.weight[first]
    outside = s.weight[found] - inside
    if inside < limits.k or outside < limits.k:
        return np.inf
    if s.counts.shape[1] > 1:
        s.inside[:] = s.counts[last + 1] - s.counts[first]
        s.outside[:] = s.counts[found] - s.inside
        if not (diverse(limits, s.inside, inside) and diverse(limits, s.outside, outside)):
            return np.inf
    if first == 0:
        cost = box_cost(costs, s.upto[last + 1, 0], s.upto[last + 1, 1]) * inside
    else:
        _empty(s.box)
        for c in range(first, last + 1):
            _union(s.box, s.box, s.at[c])
        cost = box_cost(costs, s.box[0], s.box[1]) * inside
    _union(s.box, s.upto[first], s.since[last + 1])
    cost += box_cost(costs, s.box[0], s.box[1]) * outside
    return float(cost)


@inner
def _first_after(ends: I32, start: int, stop: int, code: int) -> int:
    """The first position from start to before stop whose end is above the code."""
    while start < stop:
        middle = (start + stop) // 2
        if ends[middle] > code:
            stop = middle
        else:
            start = middle + 1
    return start


@inner
def _choose(
    units: Units, tables: tuple[Costs, Cuts], limits: Limits, block: _Block, s: _Scratch
) -> tuple[int, int, int]:
    """Column and codes of the best cut; column -1 where none is allowed."""
    costs, cuts = tables
    column, first, last, least = -1, -1, -1, np.inf
    for a in range(units.codes.shape[1]):
        lo, hi = block.box[0, a], block.box[1, a]
        if lo == hi:
            continue
        found = _spread(units, block, a, s)
        for c in range(found - 1):
            score = _score(costs, limits, s, found, (0, c))
            if score < least:
                column, first, last, least = a, lo, s.code[c], score
        node = _first_after(cuts.first, cuts.start[a], cuts.start[a + 1], lo)
        while node < cuts.start[a + 1] and cuts.first[node] < hi:
            x, y = cuts.first[node], cuts.last[node]
            node += 1
            if y >= hi or s.before[y + 1] == s.before[x]:  # a cut between neighbours, or no rows
                continue
            score = _score(costs, limits, s, found, (s.before[x], s.before[y + 1] - 1))
            if score < least:
                column, first, last, least = a, x, y, score
    return column, first, last


@inner
def _divide(units: Units, block: _Block, cut: tuple[int, int, int]) -> int:
    """Bring the rows that the cut takes out to the front of the block; where the rest starts."""
    a, first, last = cut
    i, j = block.start, block.stop - 1
    while i <= j:
        if first <= units.codes[block.order[i], a] <= last:
            i += 1
        else:
            block.order[i], block.order[j] = block.order[j], block.order[i]
            j -= 1
    return i


@inner
def _scratch(units: Units, costs: Costs, limits: Limits) -> _Scratch:
    q = units.codes.shape[1]
    most, values = int(costs.width.max()) + 2, limits.share.shape[0]
    return _Scratch(
        np.zeros(most, np.int32),
        np.zeros(most, np.int32),
        np.zeros((most, 2, q), np.int32),
        np.zeros((most, 2, q), np.int32),
        np.zeros((most, 2, q), np.int32),
        np.zeros(most, np.int64),
        np.zeros((most, values), np.int64),
        np.zeros(values, np.int64),
        np.zeros(values, np.int64),
        np.zeros((2, q), np.int32),
    )


@compiled
def cut_blocks(
    units: Units,
    tables: tuple[Costs, Cuts],
    limits: Limits,
    order: I32,
    ends: I32,
    span: tuple[int, int, int],
) -> list[tuple[int, int]]:
    """Cut one block to the end, or until its parts are small enough to be handed on.

    Threads may cut blocks that share no rows at the same time: each touches its own part of both.

    Args:
        units: The table.
        tables: Costs and cuts.
        limits: That the whole table meets.
        order: Rows, block by block; each block's are put in order.
        ends: [position in `order`] -> one where a class begins; filled in.
        span: First and last + 1 of the block's positions; parts of at most so many rows as the
            third says are not cut, but given back. 0 cuts all.
    """
    scratch = _scratch(units, tables[0], limits)
    box = np.zeros((2, units.codes.shape[1]), np.int32)
    waiting = [(span[0], span[1])]
    handed = [(0, 0)]
    while len(waiting) > 0:
        start, stop = waiting.pop()
        if stop - start <= span[2]:
            handed.append((start, stop))
            continue
        _empty(box)
        weight = 0
        for i in range(start, stop):
            _take(box, units.codes[order[i]])
            weight += units.weight[order[i]]
        block = _Block(order, start, stop, box)
        cut = (-1, -1, -1)
        if weight >= 2 * limits.k:
            cut = _choose(units, tables, limits, block, scratch)
        if cut[0] < 0:
            ends[start] = 1
        else:
            middle = _divide(units, block, cut)
            waiting.append((start, middle))
            waiting.append((middle, stop))
    return handed
