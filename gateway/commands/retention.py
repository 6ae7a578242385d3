# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit retention` and `cuvar audit hold …`: what is due, what is kept, and erasing it."""

import asyncio
import json
import secrets
import sys
from dataclasses import asdict
from pathlib import Path

import click

from audit.concern import country_of
from audit.errors import AuditError
from audit.holds import Hold, HoldGround
from audit.standing import MonthLine, Standing
from gateway.commands.options import with_config, with_json
from gateway.commands.ordering import numbers, orderer_of, with_order
from gateway.erasing import erased_elsewhere
from gateway.opening import utc_now
from gateway.retaining import (
    Held,
    erase_due,
    hold,
    lift,
    question_entries,
    require_clock,
    standings,
    unfinished,
)
from gateway.settings import load_settings

_GROUNDS = click.Choice([ground.value for ground in HoldGround])


def _progress(done: int, size: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} of {size:,} entries read", nl=done >= size, err=True)


@click.command()
@with_config
@with_json
@click.option("--country", default=None, help="One country's logs; all of them when left out.")
@click.option("--do", "doing", is_flag=True, help="Erase what is due; otherwise it is only shown.")
@click.option(
    "--rewrite",
    is_flag=True,
    help="With --do on PostgreSQL: write the table of details anew. Entries wait meanwhile.",
)
@click.option(
    "--clock-is-right",
    "sure",
    is_flag=True,
    help="With --do: the clock is right, though no witness stated a time this week.",
)
def retention(
    config: Path, country: str | None, *, doing: bool, rewrite: bool, sure: bool, as_json: bool
) -> None:
    """Show which sealed details are due for erasure, month by month, and erase them.

    Each erasure is an entry first, then done; a run that was cut off is finished by the next.
    Details under a legal hold stay. A clock far ahead of the witnesses' is refused. Details that
    another country's authority had erased on its side, and that still stand here, are named.

    \b
    Examples:
      cuvar audit retention --config .demo/cuvar.toml
      cuvar audit retention --do --country BA --config .demo/cuvar.toml
    """
    settings, today = load_settings(config), utc_now().date()
    found = standings(settings, country, _progress)
    lines = [line for standing in found.values() for line in standing.lines(today)]
    document: dict[str, object] = {"logs": [asdict(line) for line in lines]}
    document["faults"] = [f"{log}/{n}: {what}" for log, n, what in _faults(found)]
    told = [_said(line) for line in lines] or ["no sealed detail in any log"]
    told += [f"{log}/{n}: {what}" for log, n, what in _faults(found)]
    elsewhere = erased_elsewhere(settings, found)
    document["erased_elsewhere"] = [asdict(one) for one in elsewhere]
    told += [one.said for one in elsewhere]
    waiting = unfinished(settings, found)
    document["unfinished"] = waiting
    told += [
        f"{log}: {count} details still stand though they are declared erased: a run was cut off;"
        " the next with --do finishes it"
        for log, count in waiting.items()
    ]
    if doing:
        if not sure:
            require_clock(settings)
        total = sum(line.due for line in lines)
        bar = _Erasing(total)
        done, left = asyncio.run(
            erase_due(settings, found, today, rewrite=rewrite, on_progress=bar.add)
        )
        document["erased"] = {name: asdict(one) for name, one in done.items()}
        document["leftovers"] = left.said
        told += [
            f"{name}: {one.details} details erased under {one.entries} entries,"
            f" {one.finished} of an earlier run, {one.kept} kept for a hold"
            for name, one in done.items()
        ]
        told += left.said
    click.echo(json.dumps(document) if as_json else "\n".join(told))


def _faults(found: dict[str, Standing]) -> list[tuple[str, int, str]]:
    return [fault for one in found.values() for fault in (*one.faults, *one.holds.faults)]


def _said(line: MonthLine) -> str:
    month = line.month or "no month"
    state = f"{line.due} due" if line.due else "not due"
    return (
        f"{line.log} {month}: {line.standing} stand, {state}, {line.held} held,"
        f" {line.erased} erased"
    )


class _Erasing:
    """Tells on a terminal how far erasing is; `_done` is its own."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0

    def add(self, details: int) -> None:
        """So many more."""
        self._done += details
        if sys.stderr.isatty():
            last = self._done >= self._total
            click.echo(f"\r{self._done:,} of {self._total:,} details erased", nl=last, err=True)


@click.group(name="hold")
def holding() -> None:
    """Legal holds: entries whose details no clock erases."""


@holding.command(name="add")
@with_config
@click.argument("log")
@click.option("--entries", default=None, help="Numbers and ranges: 12,17-40.")
@click.option("--question", default=None, help="Or all entries with this correlation.")
@click.option("--ground", type=_GROUNDS, required=True, help="Why they are kept.")
@with_order
def add_hold(
    config: Path,
    log: str,
    entries: str | None,
    question: str | None,
    ground: str,
    **by: str,
) -> None:
    """Keep details from erasure while a procedure runs, and print the hold's name.

    \b
    Example:
      cuvar audit hold add demo.cuvar.invalid/BA/2026h2 --entries 12,17-40 \\
        --ground COURT-ORDER --org BA-SA --ordered-by "Judge A." --file-no 7/26 \\
        --config .demo/cuvar.toml
    """
    settings = load_settings(config)
    if (entries is None) == (question is None):
        raise click.UsageError("name either --entries or --question")
    named = Held(log, numbers(entries) if entries else (), question)
    held = Held(log, question_entries(settings, named))
    if not held.indices:
        raise AuditError(f"{log} has no entry of that question")
    name = f"hold-{secrets.token_hex(4)}"
    told = asyncio.run(
        hold(settings, held, name, ground, orderer_of(settings, by, country_of(log)))
    )
    click.echo(f"{name}: {len(held.indices)} entries are held by {', '.join(told)}")


@holding.command(name="lift")
@with_config
@click.argument("name")
@with_order
def lift_hold(config: Path, name: str, **by: str) -> None:
    """End a hold. What is due by then goes with the next `cuvar audit retention --do`.

    \b
    Example:
      cuvar audit hold lift hold-5f3a9c01 --org BA-SA --ordered-by "Judge A." --file-no 7/26 \\
        --config .demo/cuvar.toml
    """
    settings = load_settings(config)
    holds = [one for one in _holds(standings(settings, None, _progress)) if one.name == name]
    if not holds:
        raise AuditError(
            f"no hold {name} is in force; `cuvar audit hold list` shows those that are"
        )
    for one in holds:
        told = asyncio.run(lift(settings, one, orderer_of(settings, by, country_of(one.log))))
        click.echo(f"{name}: {one.count} entries of {one.log} are free again by {', '.join(told)}")


@holding.command(name="list")
@with_config
@with_json
@click.option("--country", default=None, help="One country's holds; all of them when left out.")
def list_holds(config: Path, country: str | None, *, as_json: bool) -> None:
    """Show the holds in force, as the entries of the logs say.

    \b
    Example:
      cuvar audit hold list --config .demo/cuvar.toml
    """
    holds = _holds(standings(load_settings(config), country, _progress))
    if as_json:
        click.echo(json.dumps({"holds": [_document(one) for one in holds]}))
        return
    for one in holds:
        click.echo(
            f"{one.name}: {one.count} entries of {one.log} since {one.t:%Y-%m-%d}, {one.basis}"
        )
    click.echo(f"{len(holds)} holds" if holds else "nothing is held")


def _holds(found: dict[str, Standing]) -> list[Hold]:
    return [one for standing in found.values() for one in standing.holds.in_force()]


def _document(one: Hold) -> dict[str, object]:
    return {
        "name": one.name,
        "log": one.log,
        "country": country_of(one.log),
        "about": [f"{s.start}" if len(s) == 1 else f"{s.start}-{s.stop - 1}" for s in one.spans],
        "count": one.count,
        "ground": one.basis,
        "since": one.t.isoformat(),
        "entries": [f"{log}/{index}" for log, index in one.places],
    }
