# SPDX-License-Identifier: EUPL-1.2
"""Local recoding: greedy cuts, exact classes peeled off, then a search over what is left.

Rows are searched only where they are not told exactly. Every stage leaves a valid recoding, so the
search ends when its steps are spent.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from anonymise.release.cutting import cut
from anonymise.release.encode import (
    Pieces,
    lowest_boxes,
    make_limits,
    make_recoding,
    make_units,
    pack_costs,
    pack_cuts,
)
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.loops.nearest import nearest
from anonymise.release.loops.peel import peel
from anonymise.release.loops.pool import Breadth, make_pool
from anonymise.release.loops.search import State, index_classes, search
from anonymise.release.loops.tables import I64, U64, Costs, Limits, Units
from anonymise.release.recode import Demand, Progress, Recoding, Rows

_NEAR = 64
_MANY = 100_000  # units beyond which near ones are looked for less thoroughly
_REPORTS = 100
_SMALL_K = 7


def recode_locally(
    rows: Rows, hierarchies: Sequence[Hierarchy], demand: Demand, progress: Progress | None
) -> Recoding:
    """See `recode.recode`."""
    units, unit_of_row = make_units(rows, hierarchies, demand)
    limits, costs = make_limits(rows, demand), pack_costs(hierarchies)
    cls = cut(units, costs, pack_cuts(hierarchies), limits)
    exact, left = _peel(units, limits, cls)
    found = _search(units, (costs, limits), (cls, left), demand, progress)
    pieces = Pieces(
        np.concatenate([exact.unit, found.unit]),
        np.concatenate([exact.cls, found.cls + len(units.weight)]),
        np.concatenate([exact.take, found.take]),
    )
    pieces = _renumber(pieces)
    boxes = lowest_boxes(units, hierarchies, pieces)
    return make_recoding(rows, unit_of_row, pieces, boxes, demand.seed)


def _renumber(pieces: Pieces) -> Pieces:
    _, cls = np.unique(pieces.cls, return_inverse=True)
    return Pieces(pieces.unit, cls.astype(np.int64), pieces.take)


def _peel(units: Units, limits: Limits, cls: I64) -> tuple[Pieces, I64]:
    """What is told exactly, and the rows of each unit that are not."""
    order = np.lexsort((np.arange(len(cls)), cls)).astype(np.int32)
    begin = np.searchsorted(cls[order], np.arange(int(cls.max()) + 2)).astype(np.int64)
    left = units.weight.copy()
    peel(units, limits, order, begin, left)
    gone = np.flatnonzero(left < units.weight)
    # Equal tuples stand side by side; the first one's number is their class.
    new = np.r_[True, (np.diff(units.codes, axis=0) != 0).any(axis=1)]
    tuple_of = np.flatnonzero(new)[np.cumsum(new) - 1]
    return Pieces(gone, tuple_of[gone], (units.weight - left)[gone]), left


def _search(
    units: Units,
    tables: tuple[Costs, Limits],
    start: tuple[I64, I64],
    demand: Demand,
    progress: Progress | None,
) -> Pieces:
    """Improve the classes of the rows that are left."""
    cls, left = start
    costs, limits = tables
    kept = np.flatnonzero(left)
    steps = int(demand.steps * left.sum())
    if not steps or not len(kept):
        return Pieces(kept, cls[kept], left[kept])
    some = Units(
        np.ascontiguousarray(units.codes[kept]), units.sensitive[kept].copy(), left[kept].copy()
    )
    random = np.array([demand.seed], np.int64).view(np.uint64)
    state = _state(some, costs, cls[kept], demand.k, random)
    breadth = _breadth(demand)
    pool = make_pool(2 * breadth.rows, units.codes.shape[1], len(limits.share))
    marks = np.linspace(0, steps, min(_REPORTS, steps) + 1).astype(np.int64)
    for done, until in pairwise(marks):
        if progress is not None:
            progress(int(done), steps)
        search(some, (costs, limits, breadth), state, pool, (int(done), int(until)), random)
    if progress is not None:
        progress(steps, steps)
    key = state.unit.astype(np.int64) * (len(state.size) + 1) + state.group
    pairs, take = np.unique(key, return_counts=True)
    return Pieces(
        kept[pairs // (len(state.size) + 1)],
        pairs % (len(state.size) + 1),
        take.astype(np.int64),
    )


def _breadth(demand: Demand) -> Breadth:
    """How much to pool: wider for larger k, and wider still where sensitive values matter.

    Measured on two tables (docs/anonymisation/recoding.md): trading places pays for small k only.
    """
    small = demand.k <= _SMALL_K
    rows = max(30, 10 * min(demand.k, 10), 22 * demand.k // 5)
    if demand.reads_sensitive:
        rows = max(200, 8 * demand.k)
    return Breadth(rows, 5 if small else 4, small)


def _state(
    units: Units,
    costs: Costs,
    cls: I64,
    k: int,
    random: U64,
) -> State:
    partitions, block = (6, 512) if len(units.weight) <= _MANY else (4, 256)
    near = nearest(units, costs, _NEAR, partitions, block, random)
    unit = np.repeat(np.arange(len(units.weight)), units.weight).astype(np.int32)
    _, group = np.unique(cls, return_inverse=True)
    n, most = len(unit), len(unit) // k + 1
    state = State(
        unit=unit,
        group=group.astype(np.int32)[unit],
        head=np.zeros(most, np.int32),
        after=np.zeros(n, np.int32),
        begin=np.r_[0, np.cumsum(units.weight)].astype(np.int64),
        rows=np.arange(n).astype(np.int32),
        near=near,
        box=np.zeros((most, 2, units.codes.shape[1]), np.int32),
        size=np.zeros(most, np.int64),
        cost=np.zeros(most),
        free=np.zeros(most + 1, np.int64),
        seen=np.full(most, -1, np.int64),
    )
    index_classes(units, costs, state)
    return state
