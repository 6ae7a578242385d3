# SPDX-License-Identifier: EUPL-1.2
"""Between a table's distinct rows and the numbers that the loops work on.

Rows that no class can tell apart become one unit; the sensitive value tells rows apart only where
the demand reads it. Pieces are (unit, class, how many rows); they are spread over the table's rows
again at the end. Where a unit is split between classes and its rows differ in the sensitive value,
they are dealt out at random, so that no order of the file gathers equal values in one class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anonymise.release.distinct import distinct, distinct_boxes
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.loops.greedy import Cuts
from anonymise.release.loops.tables import I32, I64, Costs, Limits, Units
from anonymise.release.recode import Demand, Recoding, Rows

_NO_T = 2.0  # no two distributions are so far apart


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Which rows of which unit go into which class."""

    unit: I64
    cls: I64
    take: I64


def pack_costs(hierarchies: Sequence[Hierarchy]) -> Costs:
    """All tables of costs in one piece."""
    sizes = [0, *(hierarchy.cost.size for hierarchy in hierarchies)]
    return Costs(
        np.concatenate([hierarchy.cost.ravel() for hierarchy in hierarchies]),
        np.cumsum(sizes)[:-1].astype(np.int64),
        np.array([len(hierarchy.leaves) for hierarchy in hierarchies], np.int64),
    )


def pack_cuts(hierarchies: Sequence[Hierarchy]) -> Cuts:
    """All nodes of all hierarchies but "*"."""
    nodes = [
        sorted(
            {
                (int(lo), int(hi))
                for first, last in zip(one.first[:-1], one.last[:-1], strict=True)
                for lo, hi in zip(first, last, strict=True)
            }
        )
        for one in hierarchies
    ]
    every = np.array([ends for column in nodes for ends in column], np.int32).reshape(-1, 2)
    start = np.cumsum([0, *(len(column) for column in nodes)]).astype(np.int64)
    return Cuts(every[:, 0].copy(), every[:, 1].copy(), start)


def make_limits(rows: Rows, demand: Demand) -> Limits:
    """The demand as the loops read it."""
    share = np.ones(1)
    if demand.reads_sensitive and rows.sensitive is not None:
        share = np.bincount(rows.sensitive, weights=rows.counts) / rows.counts.sum()
    return Limits(demand.k, demand.l, _NO_T if demand.t is None else demand.t, share)


def make_units(
    rows: Rows, hierarchies: Sequence[Hierarchy], demand: Demand
) -> tuple[Units, NDArray[np.int64]]:
    """The units, sorted by their codes, and the unit of each row."""
    columns = [rows.codes[:, a] for a in range(rows.codes.shape[1])]
    widths = [len(hierarchy.leaves) for hierarchy in hierarchies]
    sensitive = np.zeros(len(rows.codes), np.int32)
    if demand.reads_sensitive and rows.sensitive is not None:
        sensitive = rows.sensitive.astype(np.int32)
        columns.append(sensitive)
        widths.append(int(sensitive.max()) + 1)
    first, unit = distinct(columns, widths)
    weight = np.zeros(len(first), np.int64)
    np.add.at(weight, unit, rows.counts)
    codes = np.ascontiguousarray(rows.codes[first], dtype=np.int32)
    return Units(codes, sensitive[first].copy(), weight), unit


def make_recoding(rows: Rows, unit_of_row: I64, pieces: Pieces, boxes: I32, seed: int) -> Recoding:
    """Spread the pieces over the rows; classes with one box become one.

    Args:
        rows: The table.
        unit_of_row: The unit of each row.
        pieces: Every row of every unit, once.
        boxes: How each class of the pieces is told.
        seed: Of the dealing.
    """
    row, cls, take = _deal(rows, unit_of_row, pieces, seed)
    kept = cls >= 0
    used = np.unique(cls[kept])
    first, where = distinct_boxes(boxes[used])
    told = boxes[used][first]
    rank = np.zeros(len(boxes), np.int64)
    rank[used] = where
    cls[kept] = rank[cls[kept]]
    order = np.lexsort((cls, row))
    row, cls, take = row[order], cls[order], take[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(row) != 0) | (np.diff(cls) != 0)])
    return Recoding(
        row[starts].astype(np.int32),
        cls[starts].astype(np.int32),
        np.add.reduceat(take, starts),
        told.astype(np.int32),
    )


def lowest_boxes(units: Units, hierarchies: Sequence[Hierarchy], pieces: Pieces) -> I32:
    """For each class the lowest nodes over its units; classes are numbered without gaps."""
    order = np.argsort(pieces.cls, kind="stable")
    member = pieces.unit[order]
    starts = np.flatnonzero(np.diff(pieces.cls[order], prepend=-1))
    boxes = np.zeros((len(starts), len(hierarchies), 2), np.int32)
    for a, hierarchy in enumerate(hierarchies):
        column = units.codes[member, a]
        lo, hi = np.minimum.reduceat(column, starts), np.maximum.reduceat(column, starts)
        boxes[:, a, 0], boxes[:, a, 1] = hierarchy.node(lo, hi)
    return boxes


def _deal(
    rows: Rows, unit_of_row: NDArray[np.int64], pieces: Pieces, seed: int
) -> tuple[I64, I64, I64]:
    """Pieces of units into pieces of rows: (row, class, rows)."""
    units = int(unit_of_row.max()) + 1
    split = np.bincount(pieces.unit, minlength=units) > 1
    whole_class = np.zeros(units, np.int64)
    whole_class[pieces.unit] = pieces.cls
    whole = np.flatnonzero(~split[unit_of_row])
    rest = np.flatnonzero(split[unit_of_row])
    if rows.sensitive is not None:  # so that the order of the table does not matter
        rest = rest[np.lexsort((rows.sensitive[rest], unit_of_row[rest]))]
    single = np.repeat(rest, rows.counts[rest])
    chance = np.random.default_rng(seed).random(len(single))
    single = single[np.lexsort((chance, unit_of_row[single]))]
    parts = np.flatnonzero(split[pieces.unit])
    parts = parts[np.argsort(pieces.unit[parts], kind="stable")]
    classes = np.repeat(pieces.cls[parts], pieces.take[parts])
    return (
        np.concatenate([whole, single]),
        np.concatenate([whole_class[unit_of_row[whole]], classes]),
        np.concatenate([rows.counts[whole], np.ones(len(single), np.int64)]),
    )
