# SPDX-License-Identifier: EUPL-1.2
"""What releases lose: two public tables, three k, beside anjana in the same run.

GCP is judged from published labels by one judge (bench/extracts.py). Nodes of the hierarchies are
the only vocabulary. Seconds are processor time of the call alone, on rows in memory, machine code
compiled; anjana's those of its own call. Local recoding drops no row; global recoding may drop 5 %.
"""

import csv
import subprocess
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from time import thread_time

from anonymise.release.recode import Demand, recode
from bench.extracts import DATA, Extract, Judged, judge, read_extract, told
from bench.figure import Figure, at_least, at_most

NAME = "release"
PEER = Path(__file__).parent / "peers" / "anjana_release.py"
ANJANA = Path(__file__).parent.parent / ".venv" / "anjana" / "bin" / "python"
BARS = {5: 0.048, 10: 0.073, 50: 0.148}  # of Adult
STEPS = {5: 3.0, 10: 3.0, 50: 1.0}
SUPPRESSED = 0.05


def _made(extract: Extract, demand: Demand) -> tuple[Judged, float]:
    start = thread_time()
    found = recode(extract.rows, extract.hierarchies, demand)
    taken = thread_time() - start
    return judge(extract, told(extract, found), demand.k), taken


def _anjana(extract: Extract, k: int) -> tuple[Judged, float]:
    folder = DATA / extract.name
    command = [ANJANA, PEER, folder / f"{extract.name}.csv", folder / "hierarchies", str(k)]
    done = subprocess.run(
        [*command, str(100 * SUPPRESSED), *extract.columns],
        check=True,
        capture_output=True,
        text=True,
    )
    published = [
        tuple(row[column] for column in (*extract.columns, extract.sensitive))
        for row in csv.DictReader(done.stdout.splitlines())
    ]
    return judge(extract, published, k), float(done.stderr.split()[-1])


def _table(extract: Extract, distinct: int) -> Iterator[Figure]:
    name = extract.name
    for k, steps in STEPS.items():
        theirs, taken = _anjana(extract, k)
        yield Figure(f"{name}, k={k}: anjana, global, GCP", theirs.gcp, "")
        yield Figure("  its call", taken, "s")
        made, taken = _made(extract, Demand(k=k, method="global", most_suppressed=SUPPRESSED))
        yield at_most("  global, GCP, against anjana's", made.gcp, "", ceil(theirs.gcp * 1e4) / 1e4)
        yield Figure("  its call", taken, "s")
        made, _ = _made(extract, Demand(k=k, steps=0.0))
        yield Figure("  local, greedy alone, GCP", made.gcp, "")
        made, taken = _made(extract, Demand(k=k, steps=steps))
        label = f"  local, {steps:g} search steps a row, GCP"
        bar = BARS.get(k) if name == "adult" else None
        yield at_most(label, made.gcp, "", bar) if bar else Figure(label, made.gcp, "")
        yield at_least("  its smallest class", made.k, "rows", k)
        yield Figure("  its C_avg", made.c_avg, "")
        yield Figure("  its DM", made.dm, "")
        yield Figure("  its call", taken, "s")
        made, taken = _made(extract, Demand(k=k, l=distinct, steps=steps / 3))
        yield Figure(f"  local, l={distinct}, {steps / 3:.2g} steps a row, GCP", made.gcp, "")
        yield at_least("  its fewest sensitive values", made.l, "", distinct)
        yield Figure("  its call", taken, "s")


def run() -> list[Figure]:
    """Both tables."""
    tables = [(read_extract("adult", "salary-class"), 2), (read_extract("randhie", "visits"), 3)]
    for extract, distinct in tables:  # compile, and warm up
        _made(extract, Demand(k=5, l=distinct, steps=0.001))
    return [figure for extract, distinct in tables for figure in _table(extract, distinct)]
