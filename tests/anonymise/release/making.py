# SPDX-License-Identifier: EUPL-1.2
"""A small table of arrivals with its hierarchies; seeded, of nobody."""

import csv

import numpy as np

from anonymise.release.columns import Columns, read_hierarchies
from anonymise.release.create import create
from anonymise.release.manifest import Draft
from anonymise.release.part import Wish
from anonymise.release.verdict import Limits

__all__ = ["read_hierarchies"]

QUASI = ("age", "sex", "nationality")
SECRET = "needs"
COLUMNS = Columns(QUASI, SECRET)
HEADER = (*QUASI, SECRET)
NATIONS = {"AF": "South Asia", "PK": "South Asia", "SY": "Middle East", "IQ": "Middle East"}
NEEDS = ("none", "medical", "legal", "shelter")


def hierarchies(folder):
    """A folder with one file for each quasi-identifier."""
    folder.mkdir(exist_ok=True)
    ages = [(str(a), f"{a // 10 * 10}-{a // 10 * 10 + 9}", "*") for a in range(60)]
    write(folder / "age.csv", ages)
    write(folder / "sex.csv", [("F", "*"), ("M", "*")])
    write(folder / "nationality.csv", [(n, r, "*") for n, r in NATIONS.items()])
    return folder


def rows(many=1500, seed=1):
    """Rows as text."""
    dice = np.random.default_rng(seed)
    nations = list(NATIONS)
    return [
        (
            str(min(int(dice.gamma(4.0, 6.0)), 59)),
            "FM"[int(dice.random() < 0.7)],
            nations[int(dice.choice(4, p=(0.5, 0.25, 0.15, 0.1)))],
            NEEDS[int(dice.choice(4, p=(0.6, 0.2, 0.1, 0.1)))],
        )
        for _ in range(many)
    ]


def write(path, lines):
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    return path


def table(path, many=1500, seed=1):
    """A table with a column that nobody asked for."""
    lines = [(*row, f"person {place}") for place, row in enumerate(rows(many, seed))]
    return write(path, [(*HEADER, "name"), *lines])


def read(path):
    """Header and rows of a CSV file, without a line of notes."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = [line for line in csv.reader(file) if not line[0].startswith("# ")]
    return tuple(header), [tuple(line) for line in lines]


def silent(_stage, _done, _whole):
    """No progress."""


def made(folder, out="out.csv", *, k=5, many=1500, **more):
    """A draft of the small table."""
    limits = {name: more.pop(name) for name in ("l", "t", "most_risk") if name in more}
    wish = Wish(more.pop("columns", COLUMNS), Limits(k=k, **limits), **{"steps": 0.2, **more})
    source = folder / "table.csv"
    if not source.exists():
        table(source, many)
    create(source, hierarchies(folder / "hierarchies"), wish, folder / out, silent)
    return Draft(folder / out)
