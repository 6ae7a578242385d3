# SPDX-License-Identifier: EUPL-1.2
"""`cuvar release create`: from a table to a draft with its report."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal

import click

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns
from anonymise.release.create import Made, create
from anonymise.release.part import CONTROL, Wish
from anonymise.release.spark_beside import Work, make_by_spark
from anonymise.release.verdict import Limits
from gateway.commands.options import with_config, with_json
from gateway.commands.release.bar import bar
from gateway.commands.release.foretold import foretell, settings_of

SPARK: Final = Path(sys.prefix) / "spark" / "bin" / "python"


def _columns(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--within",
            help="Release each value of this column by itself; one that [releases] within names.",
        ),
        click.option("--sensitive", help="The column that nobody may learn of a person."),
        click.option(
            "--quasi-identifiers",
            required=True,
            help="Columns that an outsider may know of a person, with commas between.",
        ),
        click.option(
            "--hierarchies",
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            required=True,
            help="The folder with COLUMN.csv for each of them.",
        ),
    ):
        command = option(command)
    return command


def _limits(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--most-risk",
            type=click.FloatRange(0, 1),
            default=0.25,
            show_default=True,
            help="How far an attack may succeed more often on people in the release.",
        ),
        click.option("--t", "t", type=click.FloatRange(0, 1), help="Closeness of each group."),
        click.option(
            "--l",
            "l",
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="Sensitive values in each group.",
        ),
        click.option(
            "--k",
            "k",
            type=click.IntRange(2),
            required=True,
            help="Rows in each group; 10 for what leaves the house.",
        ),
    ):
        command = option(command)
    return command


def _ways(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--seed", type=int, default=0, show_default=True, help="Of every draw."),
        click.option(
            "--steps",
            type=click.FloatRange(0),
            default=None,
            help="Search steps a row: more lose less and take longer; 1 if left out, and less in"
            " tables of over 100,000 rows.",
        ),
        click.option(
            "--control",
            type=click.IntRange(0),
            default=CONTROL,
            show_default=True,
            help="Rows held back for the attacks of the gate; at most one in twenty.",
        ),
        click.option(
            "--most-suppressed",
            type=click.FloatRange(0, 1),
            default=0.0,
            show_default=True,
            help="The share of rows that may be left out.",
        ),
        click.option(
            "--method",
            type=click.Choice(["local", "global"]),
            default="local",
            show_default=True,
            help="local loses less; global is easier to count with.",
        ),
    ):
        command = option(command)
    return command


def _engine(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--master",
            default="local[*]",
            show_default=True,
            help="Where Spark is.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["local", "spark"]),
            default="local",
            show_default=True,
            help="spark for what this machine can't read in time; the file is the same. It lives"
            " in an environment of its own: make .venv/spark.done.",
        ),
    ):
        command = option(command)
    return command


@click.command(name="create")
@click.argument("table", type=click.Path(path_type=Path))
@_columns
@_limits
@_ways
@_engine
@click.option("--out", type=click.Path(path_type=Path), required=True, help=".csv or .parquet")
@with_config
@with_json
def creating(
    table: Path, hierarchies: Path, out: Path, config: Path, *, as_json: bool, **told: Any
) -> None:
    """Make a draft: OUT, its report OUT.html, and what stays in the house, OUT.kept.

    Only the named columns are released. docs/formats/hierarchy.md says how hierarchies are written.

    \b
    Example:
      cuvar release create arrivals.csv --hierarchies hierarchies \\
        --quasi-identifiers age,sex,nationality,region --sensitive needs \\
        --k 10 --l 2 --out arrivals-2026.csv
    """
    wish = _wish(told)
    foretell(settings_of(config), wish.columns, wish.limits)
    if told["engine"] == "spark":
        made = _by_spark(Work(table, hierarchies, wish, out), told["master"])
    else:
        made = create(table, hierarchies, wish, out, bar)
    if as_json:
        click.echo(json.dumps({"manifest": asdict(made.manifest), "found": asdict(made.found)}))
        return
    click.echo("\n".join(_said(made)))


def _by_spark(work: Work, master: str) -> Made:
    (made,) = make_by_spark(SPARK, master, [work])
    if isinstance(made, ReleaseError):
        raise made
    return made


def _wish(told: dict[str, Any]) -> Wish:
    method: Literal["local", "global"] = told["method"]
    names = tuple(name.strip() for name in told["quasi_identifiers"].split(",") if name.strip())
    return Wish(
        columns=Columns(names, told["sensitive"] or None, told["within"] or None),
        limits=Limits(told["k"], told["l"], told["t"], told["most_risk"]),
        method=method,
        most_suppressed=told["most_suppressed"],
        control=told["control"],
        steps=told["steps"],
        seed=told["seed"],
    )


def _said(made: Made) -> list[str]:
    manifest, found, summary = made.manifest, made.found, made.manifest.summary
    l_found = "" if found.l is None else f", l {found.l}, t {found.t:.3f}"
    return [
        f"{made.draft.path.name}: {found.rows:,} of {manifest.read:,} rows",
        f"groups: {found.classes:,}",
        f"found in the file: k {found.k}{l_found}",
        f"lost: {summary.gcp:.1%} (GCP {summary.gcp:.4f})",
        f"left out: {summary.suppressed:,} suppressed, {manifest.held_back:,} held back",
        f"report: {made.draft.report_path.name}; next, `cuvar release check {made.draft.path}`",
    ]
