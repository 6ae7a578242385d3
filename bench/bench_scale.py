# SPDX-License-Identifier: EUPL-1.2
"""A release of three million rows, from a CSV file to a CSV file, beside reading and grouping it.

The rows are Adult's, repeated with ages moved by up to two years and one in twenty of the other
values drawn anew: denser than any register, so the loss says nothing of a real one. Every job runs
in a process of its own, in turn with the others; ratios are medians of rounds measured together.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from bench.figure import Figure, at_most, median_ratio
from bench.scale_job import QUASI, SENSITIVE

NAME = "scale"
ROWS = 3_000_000
SMALL = 2_000
ROUNDS = 3
SEARCHED = 0.05
HERE = Path(__file__).parent
ADULT = HERE / "data" / "adult"


def grow(table: Path, rows: int, generator: np.random.Generator) -> pl.DataFrame:
    """Adult's rows, repeated and moved."""
    known = pl.read_csv(table).select(*QUASI, SENSITIVE)
    places = np.tile(np.arange(known.height), rows // known.height + 1)[:rows]
    moved = known[places]
    age = moved["age"].to_numpy() + generator.integers(-2, 3, rows)
    columns = {"age": pl.Series(np.clip(age, 17, 90))}
    for name in QUASI:
        if name != "age":
            places = np.arange(rows)
            redrawn = generator.random(rows) < 0.05
            places[redrawn] = generator.integers(0, rows, int(redrawn.sum()))
            columns[name] = moved[name][places]
    return moved.with_columns(**columns)


def _job(*arguments: str | Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.scale_job", *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        cwd=HERE.parent,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run() -> list[Figure]:
    """Measure."""
    with TemporaryDirectory() as place:
        table, small = Path(place) / "table.csv", Path(place) / "small.csv"
        whole = grow(ADULT / "adult.csv", ROWS, np.random.default_rng(1))
        whole.write_csv(table)
        whole.head(SMALL).write_csv(small)
        del whole
        jobs: dict[str, tuple[str | Path, ...]] = {
            "group": ("grouped", table),
            "release": ("released", table, ADULT / "hierarchies", small, "0"),
            "searched": ("released", table, ADULT / "hierarchies", small, str(SEARCHED)),
        }
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in jobs}
        for turn in range(ROUNDS):
            for name, arguments in jobs.items():
                if name != "searched" or not turn:
                    turns[name].append(_job(*arguments))
    seconds = {name: [one["seconds"] for one in told] for name, told in turns.items()}
    peak = {name: max(one["mib"] for one in told) for name, told in turns.items()}
    last = {name: told[-1] for name, told in turns.items()}
    return [
        Figure("polars reads and groups 3,000,000 rows", median(seconds["group"]), "s"),
        Figure("  peak memory", peak["group"], "MiB"),
        Figure("release, k = 5, read to written", median(seconds["release"]), "s"),
        at_most(
            "  against reading and grouping",
            median_ratio(seconds["release"], seconds["group"]),
            "x",
            2.0,
        ),
        at_most("  peak memory", peak["release"], "MiB", 1024.0),
        Figure("  GCP", last["release"]["gcp"], ""),
        Figure(f"with {SEARCHED:g} search steps a row", last["searched"]["seconds"], "s"),
        at_most("  peak memory", peak["searched"], "MiB", 1024.0),
        Figure("  GCP", last["searched"]["gcp"], ""),
    ]
