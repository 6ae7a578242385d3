# SPDX-License-Identifier: EUPL-1.2
"""Other linkers on the same lists, each in a process and an environment of its own.

They write scored pairs; linking one to one and all figures are ours, the same for everybody.
"""

import csv
import subprocess
from collections.abc import Iterator
from pathlib import Path

from anonymise.linkage.evaluate import Evaluation, Figures, Pair
from bench.figure import Figure
from gateway.linkage.lists import read_list, read_truth

HERE = Path(__file__).parent.parent
PYTHON = HERE.parent / ".venv" / "linkage-peers" / "bin" / "python"
OURS = "candidates.csv"
"""Where a folder has it, the pairs that our keys found: some peers only score, or do it slowly."""

PEERS: dict[str, tuple[str, ...]] = {
    "rapidfuzz, plain blocking": ("linkage_rapidfuzz.py",),
    "splink": ("linkage_splink.py",),
    "rapidfuzz, our candidates": ("linkage_rapidfuzz.py", OURS),
    "nomenklatura logic-v2, our candidates": ("linkage_nomenklatura.py", OURS, "logic-v2"),
    "nomenklatura regression-v1, our candidates": (
        *("linkage_nomenklatura.py", OURS, "regression-v1"),
    ),
}


def call(script: str, *arguments: str | Path) -> None:
    """Run a peer's script.

    Raises:
        SystemExit: Its environment is missing.
    """
    if not PYTHON.exists():
        raise SystemExit("no .venv/linkage-peers: run `make bench ONLY=linkage`")
    subprocess.run(
        [PYTHON, HERE / "peers" / script, *arguments], check=True, stdout=subprocess.DEVNULL
    )


def peer(folder: Path, name: str) -> Evaluation:
    """A peer's pairs of the lists in a folder, held against the truth.

    Args:
        folder: It has A.csv, B.csv and truth.csv.
        name: One of `PEERS`.
    """
    script, *further = PEERS[name]
    out = folder / "pairs.csv"
    given = [folder / one if one == OURS else one for one in further]
    call(script, folder / "A.csv", folder / "B.csv", out, *given)
    first, second = (read_list(folder / part) for part in ("A.csv", "B.csv"))
    truth = read_truth(folder / "truth.csv", first, second)
    with out.open(encoding="utf-8", newline="") as file:
        pairs = [
            Pair(row["id_a"], row["id_b"], float(row["score"])) for row in csv.DictReader(file)
        ]
    return Evaluation(pairs, truth, first.persons)


def told(name: str, figures: Figures) -> Iterator[Figure]:
    """The rows of one linker, without bars."""
    yield Figure(f"{name}: F1", figures.linked.f1, "")
    yield Figure("  precision", figures.linked.precision, "")
    yield Figure("  recall", figures.linked.recall, "")
    for label, one in zip(("FNIR@1%", "FNIR@0.1%"), figures.identified, strict=True):
        if one is not None:
            yield Figure(f"  {label}", one.fnir, "")
