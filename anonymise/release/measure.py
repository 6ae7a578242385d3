# SPDX-License-Identifier: EUPL-1.2
"""What a recoding costs and what it holds: measures of loss, and k, l and t of the result.

Definitions, with n rows of which s suppressed, q quasi-identifiers:

- GCP: the cost of the published node, averaged over all rows and quasi-identifiers; a suppressed
  row costs 1 everywhere (Xu et al., KDD 2006). The same as Iyengar's loss (KDD 2002), which ARX
  calls loss and publishes, as 1 - loss, as "granularity".
- DM: squared class sizes plus s x n, by n squared (Bayardo and Agrawal, ICDE 2005).
- C_avg: published rows by classes, by k (LeFevre et al., ICDE 2006).
- Intensity of generalisation: level of the published node by levels above the leaf, averaged
  likewise (Sweeney 2002; 1 - precision, as ARX publishes it).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anonymise.release.distinct import distinct_boxes
from anonymise.release.hierarchy import Hierarchy

if TYPE_CHECKING:
    from anonymise.release.recode import Demand, Recoding, Rows

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Loss:
    """What a recoding costs; every figure from 0 (nothing) to 1, but for `c_avg`."""

    gcp: float
    dm: float
    c_avg: float
    intensity: float
    by_column: tuple[float, ...]
    suppressed: float


@dataclass(frozen=True, slots=True)
class Held:
    """What every class of a recoding holds at least (k, l) or at most (t).

    `l` and `t` are None without a sensitive column.
    """

    k: int
    l: int | None  # noqa: E741 - as in the literature
    t: float | None
    classes: int
    rows: int


def class_sizes(recoding: "Recoding") -> NDArray[np.int64]:
    """Rows of each class."""
    kept = recoding.cls >= 0
    sizes = np.zeros(len(recoding.boxes), np.int64)
    np.add.at(sizes, recoding.cls[kept], recoding.take[kept])
    return sizes


def loss(recoding: "Recoding", hierarchies: Sequence[Hierarchy], k: int) -> Loss:
    """Measure the loss of a recoding.

    Args:
        recoding: The result.
        hierarchies: Those that it was made with.
        k: The k that was demanded, for `c_avg`.
    """
    sizes = class_sizes(recoding)
    published = int(sizes.sum())
    n = int(recoding.take.sum())
    suppressed = n - published
    column, intensity = [], 0.0
    for a, hierarchy in enumerate(hierarchies):
        lo, hi = recoding.boxes[:, a, 0], recoding.boxes[:, a, 1]
        steps = max(len(hierarchy.leaves) - 1, 1)
        column.append((float(((hi - lo) / steps * sizes).sum()) + suppressed) / n)
        covers = (hierarchy.first[:, lo] <= lo) & (hi <= hierarchy.last[:, lo])
        level = np.argmax(covers, axis=0) / max(hierarchy.levels - 1, 1)
        intensity += (float((level * sizes).sum()) + suppressed) / n
    squares = float((sizes.astype(np.float64) ** 2).sum())
    return Loss(
        gcp=sum(column) / len(column),
        dm=(squares + float(suppressed) * n) / float(n) ** 2,
        c_avg=published / max(len(sizes), 1) / k,
        intensity=intensity / len(hierarchies),
        by_column=tuple(column),
        suppressed=suppressed / n,
    )


def held(rows: "Rows", recoding: "Recoding") -> Held:
    """What the classes of a recoding hold, suppressed rows left out."""
    sizes = class_sizes(recoding)
    distinct: int | None = None
    distance: float | None = None
    if rows.sensitive is not None and len(sizes):
        kept = recoding.cls >= 0
        values = int(rows.sensitive.max()) + 1
        key = recoding.cls[kept].astype(np.int64) * values + rows.sensitive[recoding.row[kept]]
        cells, where = np.unique(key, return_inverse=True)
        counts = np.bincount(where, weights=recoding.take[kept])
        distinct = int(np.bincount(cells // values, minlength=len(sizes)).min())
        share = np.bincount(cells % values, weights=counts, minlength=values) / sizes.sum()
        # Half the sum of |p - share|: the values that a class lacks add the rest of the share.
        p = counts / sizes[cells // values]
        present = share[cells % values]
        apart = np.bincount(cells // values, weights=np.abs(p - present) - present)
        distance = float((apart.max() + 1.0) / 2.0)
    smallest = int(sizes.min()) if len(sizes) else 0
    return Held(smallest, distinct, distance, len(sizes), int(sizes.sum()))


def shortfall(rows: "Rows", recoding: "Recoding", demand: "Demand") -> str:
    """What a recoding lacks of a demand, in words; empty when it lacks nothing."""
    found = held(rows, recoding)
    taken = np.zeros(len(rows.counts), np.int64)
    np.add.at(taken, recoding.row, recoding.take)
    kept = recoding.cls >= 0
    codes, told = rows.codes[recoding.row[kept]], recoding.boxes[recoding.cls[kept]]
    inside = (told[:, :, 0] <= codes) & (codes <= told[:, :, 1])
    boxes, _ = distinct_boxes(recoding.boxes)
    suppressed = 1.0 - found.rows / int(taken.sum())
    may = demand.most_suppressed if demand.method == "global" else 0.0
    lacks = {
        "a row is missing or doubled": not np.array_equal(taken, rows.counts),
        "a row lies outside the box that it is told as": not bool(inside.all()),
        "two classes have the same box": len(boxes) < found.classes,
        "a class has fewer than k rows": found.k < demand.k,
        "a class has fewer than l sensitive values": demand.l > 1 and (found.l or 0) < demand.l,
        "a class is farther than t from the table": (
            demand.t is not None and (found.t is None or found.t > demand.t + _ROUNDING)
        ),
        "more rows are suppressed than allowed": suppressed > may + _ROUNDING,
    }
    return "; ".join(words for words, true in lacks.items() if true)
