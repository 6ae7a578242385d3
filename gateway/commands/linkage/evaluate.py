# SPDX-License-Identifier: EUPL-1.2
"""`cuvar linkage evaluate`: how well two lists are linked, where the truth is known."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

import click

from anonymise.linkage.evaluate import Figures
from gateway.commands.options import with_json
from gateway.linkage.lists import PersonList, read_list, read_truth
from gateway.linkage.pairs_file import write_pairs
from gateway.linkage.quality import Quality, Step, judge, shipped_matcher

_FILE = click.Path(path_type=Path, dir_okay=False)
_STEPS = {"index": "Step 1, the index alone", "compared": "Step 2, the full comparison"}
_WIDTH = 44
_HEAD = ("persons", "mated", "F1", "precision", "recall", "FNIR@1%", "FNIR@0.1%")


@click.command()
@click.argument("first", metavar="A.csv", type=_FILE)
@click.argument("second", metavar="B.csv", type=_FILE)
@click.option("--truth", required=True, type=_FILE, help="Pairs that are one person: id_a, id_b.")
@click.option("--pairs", type=_FILE, help="Write all scored pairs here, as CSV.")
@with_json
def evaluate(first: Path, second: Path, truth: Path, pairs: Path | None, *, as_json: bool) -> None:
    """Link the persons of A with those of B and print how many were found, and found wrongly.

    Both lists have the columns id, given_names, surnames, sex, date_of_birth, nationality and
    document_number; any cell but id may be empty. Each further column with few values, such as
    name culture, makes a table row for every value. docs/linkage/evaluate.md explains the figures.

    \b
    Example:
      cuvar linkage evaluate rs.csv hr.csv --truth known.csv --pairs scored.csv
    """
    asking, asked = read_list(first), read_list(second)
    known = read_truth(truth, asking, asked)
    quality = judge(asking, asked, known, shipped_matcher(), _progress)
    if pairs is not None:
        write_pairs(pairs, quality, known)
    if as_json:
        click.echo(json.dumps(_document(quality, asking, asked), ensure_ascii=False))
    else:
        click.echo("\n".join(_table(quality)))


def _progress(what: str, done: int, of: int) -> None:
    click.echo(f"{what}: {done:,} of {of:,}", err=True)


def _document(quality: Quality, first: PersonList, second: PersonList) -> dict[str, Any]:
    steps = {"index": quality.index, "compared": quality.compared}
    lists = {"first": len(first.persons), "second": len(second.persons)}
    told = {name: _finite(asdict(step)) for name, step in steps.items()}
    return {"persons": lists, "candidates": len(quality.pairs), **told}


def _finite(value: Any) -> Any:
    """JSON has no infinity: a threshold that nothing reaches is null."""
    if isinstance(value, dict):
        return {key: _finite(its) for key, its in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(its) for its in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _table(quality: Quality) -> Iterator[str]:
    for step, title in ((quality.index, "index"), (quality.compared, "compared")):
        yield _STEPS[title]
        yield "".ljust(_WIDTH) + "".join(head.rjust(10) for head in _HEAD)
        yield from _lines(step)
        yield ""


def _lines(step: Step) -> Iterator[str]:
    yield _line("all", step.whole)
    for name, figures in step.subsets.items():
        yield _line(name, figures)
    for grade, linked in step.grades.items():
        shown = f"{linked.f1:.3f}", f"{linked.precision:.3f}", f"{linked.recall:.3f}"
        label = "graded strong" if grade == "strong" else "graded strong or possible"
        yield label.ljust(_WIDTH + 20) + "".join(text.rjust(10) for text in shown)


def _line(name: str, figures: Figures) -> str:
    linked = figures.linked
    cells = [f"{figures.persons:,}", f"{figures.mated:,}"]
    cells += [f"{value:.3f}" for value in (linked.f1, linked.precision, linked.recall)]
    cells += ["-" if one is None else f"{one.fnir:.3f}" for one in figures.identified]
    return name[: _WIDTH - 1].ljust(_WIDTH) + "".join(cell.rjust(10) for cell in cells)
