# SPDX-License-Identifier: EUPL-1.2
"""Small tables to recode: a part of Adult, and made-up ones; a slow, plain check of the promise."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from anonymise.release.hierarchy import make_hierarchy, read_hierarchy
from anonymise.release.recode import Rows

DATA = Path(__file__).parents[3] / "bench" / "data"
COLUMNS = (
    "age workclass education marital-status occupation race sex native-country".split()  # noqa: SIM905
)


def adult(rows):
    """The first rows of Adult, their hierarchies, salary class as the sensitive value."""
    hierarchies = [read_hierarchy(DATA / f"adult/hierarchies/{name}.csv") for name in COLUMNS]
    with (DATA / "adult/adult.csv").open(encoding="utf-8", newline="") as lines:
        table = [row for row, _ in zip(csv.DictReader(lines), range(rows), strict=False)]
    codes = np.array(
        [[hierarchy.codes()[row[hierarchy.name]] for hierarchy in hierarchies] for row in table],
        np.int32,
    )
    salary = np.array([row["salary-class"] == ">50K" for row in table], np.int32)
    return collapse(codes, salary), hierarchies


def collapse(codes, sensitive):
    """Distinct rows with counts."""
    every, counts = np.unique(np.c_[codes, sensitive], axis=0, return_counts=True)
    every = every.astype(np.int32)
    return Rows(every[:, :-1].copy(), every[:, -1].copy(), counts.astype(np.int64))


def binary(name, depth):
    """A hierarchy of 2 ** depth leaves that joins them two by two."""
    return make_hierarchy(
        name,
        [[*(f"{step}:{leaf >> step}" for step in range(depth)), "*"] for leaf in range(1 << depth)],
    )


def published(rows, hierarchies, recoding):
    """The published rows as (labels, sensitive value) -> how many, and how many are dropped."""
    out, dropped = Counter(), 0
    for row, cls, take in zip(recoding.row, recoding.cls, recoding.take, strict=True):
        if cls < 0:
            dropped += int(take)
            continue
        labels = tuple(
            hierarchy.label(int(lo), int(hi))
            for hierarchy, (lo, hi) in zip(hierarchies, recoding.boxes[cls], strict=True)
        )
        out[labels, int(rows.sensitive[row])] += int(take)
    return out, dropped


def plain_k_l_t(table):
    """k, l and t of published rows, worked out the long way."""
    classes, whole = defaultdict(Counter), Counter()
    for (labels, value), many in table.items():
        classes[labels][value] += many
        whole[value] += many
    rows = sum(whole.values())
    return (
        min(sum(values.values()) for values in classes.values()),
        min(len(values) for values in classes.values()),
        max(
            sum(abs(values[v] / sum(values.values()) - whole[v] / rows) for v in whole) / 2
            for values in classes.values()
        ),
    )
