# SPDX-License-Identifier: EUPL-1.2
"""Two public tables to anonymise, and one judge for whatever is published of them.

The judge sees published labels only, ours and a peer's alike: definitions as in
docs/anonymisation/recoding.md.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anonymise.release.hierarchy import Hierarchy, read_hierarchy
from anonymise.release.recode import Recoding, Rows

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Extract:
    """A table with its hierarchies.

    Attributes:
        name: Of the folder and the file.
        sensitive: The sensitive column.
        hierarchies: One for each quasi-identifier.
        rows: The table as distinct rows.
        values: Sensitive values by code.
    """

    name: str
    sensitive: str
    hierarchies: tuple[Hierarchy, ...]
    rows: Rows
    values: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the quasi-identifiers."""
        return tuple(hierarchy.name for hierarchy in self.hierarchies)


@dataclass(frozen=True, slots=True)
class Judged:
    """What published labels cost, and what their classes hold; suppressed rows are in none."""

    gcp: float
    k: int
    l: int  # noqa: E741 - as in the literature
    c_avg: float
    dm: float


def read_extract(name: str, sensitive: str) -> Extract:
    """A table of bench/data."""
    with (DATA / name / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        table = list(csv.DictReader(lines))
    hierarchies = tuple(
        read_hierarchy(DATA / name / "hierarchies" / f"{column}.csv")
        for column in table[0]
        if column != sensitive
    )
    values = tuple(sorted({row[sensitive] for row in table}))
    code = {value: number for number, value in enumerate(values)}
    codes = [
        [*(one.codes()[row[one.name]] for one in hierarchies), code[row[sensitive]]]
        for row in table
    ]
    every, counts = np.unique(np.array(codes, np.int32), axis=0, return_counts=True)
    rows = Rows(every[:, :-1].copy(), every[:, -1].copy(), counts.astype(np.int64))
    return Extract(name, sensitive, hierarchies, rows, values)


def told(extract: Extract, recoding: Recoding) -> list[tuple[str, ...]]:
    """The published rows as labels, the sensitive value last; suppressed rows are not there."""
    labels = [
        tuple(
            hierarchy.label(int(lo), int(hi))
            for hierarchy, (lo, hi) in zip(extract.hierarchies, box, strict=True)
        )
        for box in recoding.boxes
    ]
    assert extract.rows.sensitive is not None
    return [
        (*labels[cls], extract.values[extract.rows.sensitive[row]])
        for row, cls, take in zip(recoding.row, recoding.cls, recoding.take, strict=True)
        if cls >= 0
        for _ in range(int(take))
    ]


def judge(extract: Extract, published: Sequence[tuple[str, ...]], k: int) -> Judged:
    """Score published rows; those that are missing from the table count as suppressed."""
    total = int(extract.rows.counts.sum())
    classes: Counter[tuple[str, ...]] = Counter()
    values: dict[tuple[str, ...], set[str]] = {}
    for *labels, value in published:
        told_as = tuple(labels)
        if set(told_as) != {"*"}:
            classes[told_as] += 1
            values.setdefault(told_as, set()).add(value)
    ranges = [hierarchy.labelled() for hierarchy in extract.hierarchies]
    widths = [max(len(hierarchy.leaves) - 1, 1) for hierarchy in extract.hierarchies]
    kept = classes.total()
    cost = float((total - kept) * len(ranges))
    for labels, rows in classes.items():
        for label, known, width in zip(labels, ranges, widths, strict=True):
            lo, hi = known[label]
            cost += (hi - lo) / width * rows
    squares = sum(rows * rows for rows in classes.values()) + (total - kept) * total
    return Judged(
        cost / total / len(ranges),
        min(classes.values()),
        min(len(found) for found in values.values()),
        kept / len(classes) / k,
        squares / total**2,
    )
