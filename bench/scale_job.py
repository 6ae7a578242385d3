# SPDX-License-Identifier: EUPL-1.2
"""One job of `bench_scale` in a process of its own, so that its peak memory is its own.

Prints seconds and peak MiB. Imports and the loading of compiled code are not part of the seconds.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import polars as pl

from anonymise.release.columns import Columns
from anonymise.release.create import Made, create
from anonymise.release.part import Wish
from anonymise.release.verdict import Limits

QUASI = (
    "sex",
    "age",
    "race",
    "marital-status",
    "education",
    "native-country",
    "workclass",
    "occupation",
)
SENSITIVE = "salary-class"


def _silent(_stage: str, _done: int, _whole: int) -> None:
    return None


def _release(table: Path, hierarchies: Path, out: Path, steps: float) -> Made:
    wish = Wish(Columns(QUASI, SENSITIVE), Limits(k=5), steps=steps)
    return create(table, hierarchies, wish, out, _silent)


def grouped(table: Path) -> dict[str, float]:
    """What any tool must do: read the table, group by the quasi-identifiers."""
    start = perf_counter()
    pl.read_csv(table).group_by(QUASI).len()
    return {"seconds": perf_counter() - start}


def released(table: Path, hierarchies: Path, small: Path, steps: float) -> dict[str, float]:
    """A release from the table on disk to the file on disk."""
    with TemporaryDirectory(dir=table.parent) as place:
        _release(small, hierarchies, Path(place) / "warm.csv", steps)
        start = perf_counter()
        made = _release(table, hierarchies, Path(place) / "out.csv", steps)
        return {
            "seconds": perf_counter() - start,
            "gcp": made.manifest.summary.gcp,
            "rows": made.found.rows,
            "k": made.found.k,
        }


def peak() -> float:
    """Peak memory of this process alone; `getrusage` counts the parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    table = Path(sys.argv[2])
    found = (
        grouped(table)
        if sys.argv[1] == "grouped"
        else released(table, Path(sys.argv[3]), Path(sys.argv[4]), float(sys.argv[5]))
    )
    found["mib"] = peak()
    sys.stdout.write(json.dumps(found))
