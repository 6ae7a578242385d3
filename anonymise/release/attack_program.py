# SPDX-License-Identifier: EUPL-1.2
"""Runs Anonymeter's attacks; a program of its own, started by `anonymise.release.attack`.

Anonymeter needs an older numpy than Čuvar has, so it lives in an environment of its own and this
file runs there, importing nothing of ours. It reads folders, each with `known.csv`, `control.csv`,
`theirs.csv`, `released.csv` and `task.json`, and prints one JSON object: `version` of Anonymeter,
and `found`: the word of each task -> attack -> attempts, risk, low, high, rates. Draws are seeded
for each folder, so that the same files get the same verdict.
"""

import json
import sys
import warnings
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from anonymeter.evaluators import (
    InferenceEvaluator,
    LinkabilityEvaluator,
    SinglingOutEvaluator,
    singling_out_evaluator,
)

SEED: Final = 20_261_124
_FRESH: Final = np.random.default_rng
_GENERATE: Final = singling_out_evaluator._generate_singling_out_queries  # noqa: SLF001 - see below


def main(folders: list[Path]) -> int:
    """Run the attacks of the tasks; 0 when they ran."""
    found = {}
    for folder in folders:
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        found[task["word"]] = _attacks(folder, task)
    sys.stdout.write(json.dumps({"version": version("anonymeter"), "found": found}))
    return 0


def _attacks(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    names = ("known", "control", "theirs", "released")
    known, control, theirs, released = (
        _read(folder / f"{name}.csv", task["numeric"]) for name in names
    )
    _seed()
    attempts = min(task["attempts"], len(known), len(control), len(released))
    found = {"singling_out": _singling_out(known, theirs, control, (attempts, task["tries"]))}
    if len(task["quasi_identifiers"]) > 1:
        found["linkability"] = _linkability(known, released, control, attempts, task)
    if task["sensitive"] is not None:
        found["inference"] = _inference(known, released, control, attempts, task)
    return found


def _read(path: Path, numeric: list[str]) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return frame.astype(dict.fromkeys(numeric, float))


def _seed() -> None:
    """One sequence for every draw, also where Anonymeter makes a generator of its own."""
    np.random.seed(SEED)  # noqa: NPY002 - pandas draws from it
    seeds = count(SEED)
    np.random.default_rng = lambda seed=None: _FRESH(next(seeds) if seed is None else seed)


def _singling_out(
    known: pd.DataFrame, theirs: pd.DataFrame, control: pd.DataFrame, effort: tuple[int, int]
) -> dict[str, Any]:
    """Predicates over some columns that fit one released row: do they fit one person?"""
    evaluator = SinglingOutEvaluator(
        ori=known,
        syn=theirs,
        control=control,
        n_attacks=effort[0],
        n_cols=min(4, known.shape[1]),
        max_attempts=effort[1],
        seed=SEED,
    )

    def counted(**wanted: Any) -> Any:
        """Anonymeter divides by the attacks asked for; only those made may count."""
        queries = _GENERATE(**wanted)
        evaluator._n_attacks = len(queries)  # noqa: SLF001 - there is no public way
        return queries

    singling_out_evaluator._generate_singling_out_queries = counted  # noqa: SLF001
    return _told(evaluator, lambda: evaluator.evaluate(mode="multivariate"))


def _linkability(
    known: pd.DataFrame,
    released: pd.DataFrame,
    control: pd.DataFrame,
    attempts: int,
    task: dict[str, Any],
) -> dict[str, Any]:
    """Two registers that know half of the columns each: does the release join them?"""
    columns = task["quasi_identifiers"]
    evaluator = LinkabilityEvaluator(
        ori=known,
        syn=released,
        control=control,
        aux_cols=(columns[::2], columns[1::2]),
        n_attacks=attempts,
        n_neighbors=task["neighbours"],
    )
    return _told(evaluator, lambda: evaluator.evaluate(n_jobs=1))


def _inference(
    known: pd.DataFrame,
    released: pd.DataFrame,
    control: pd.DataFrame,
    attempts: int,
    task: dict[str, Any],
) -> dict[str, Any]:
    """All quasi-identifiers of a person: does the nearest released row tell the sensitive value?"""
    evaluator = InferenceEvaluator(
        ori=known,
        syn=released,
        control=control,
        aux_cols=task["quasi_identifiers"],
        secret=task["sensitive"],
        n_attacks=attempts,
    )
    return _told(evaluator, lambda: evaluator.evaluate(n_jobs=1))


def _told(evaluator: Any, run: Any) -> dict[str, Any]:
    """What came of an attack; an attack that could not be made made no attempts."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()
            results = evaluator.results()
            risk = results.risk()
    except (RuntimeError, ValueError, ZeroDivisionError):
        return {"attempts": 0, "risk": None, "low": None, "high": None, "rates": None}
    rates = {"known": results.attack_rate.value, "control": results.control_rate.value}
    return {
        "attempts": int(min(results.n_attacks_ori, results.n_attacks_control)),
        "risk": float(risk.value),
        "low": float(risk.ci[0]),
        "high": float(risk.ci[1]),
        "rates": {name: float(rate) for name, rate in rates.items()},
    }


if __name__ == "__main__":
    sys.exit(main([Path(folder) for folder in sys.argv[1:]]))
