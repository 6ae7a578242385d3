# SPDX-License-Identifier: EUPL-1.2
"""`cuvar release check`: the gate, and the report written anew with how the attacks went."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from anonymise.release.check import Verdict, check
from anonymise.release.manifest import Draft
from anonymise.release.remake import require_remade
from gateway.commands.options import with_config, with_json
from gateway.commands.release.attacker import attacker_of
from gateway.commands.release.bar import bar
from gateway.commands.release.foretold import foretell, settings_of
from gateway.commands.release.table import with_table


@click.command(name="check")
@click.argument("draft", type=click.Path(path_type=Path))
@with_table
@with_config
@with_json
def checking(draft: Path, table: Path | None, config: Path, *, as_json: bool) -> None:
    """Count k, l and t in the file itself, attack it with Anonymeter, and say whether it passes.

    The exit status is 0 when it passes and 1 when it does not.

    \b
    Example:
      cuvar release check arrivals-2026.csv
    """
    settings = settings_of(config)
    attacker = attacker_of(settings)
    manifest = Draft(draft).manifest()
    foretell(settings, manifest.columns, manifest.limits)
    if table is not None:
        require_remade(Draft(draft), manifest, table, bar)
    verdict = check(Draft(draft), attacker, bar)
    click.echo(
        json.dumps(
            {
                "found": asdict(verdict.found),
                "attacks": [asdict(one) for one in verdict.attacks],
                "missed": verdict.missed,
                "passes": not verdict.missed,
            }
        )
        if as_json
        else "\n".join(_said(verdict))
    )
    if verdict.missed:
        raise click.exceptions.Exit(1)


def _said(verdict: Verdict) -> list[str]:
    found = verdict.found
    l_found = "" if found.l is None else f", l {found.l}, t {found.t:.3f}"
    told = [f"{found.rows:,} rows in {found.classes:,} groups: k {found.k}{l_found}"]
    for one in verdict.attacks:
        words = one.name.replace("_", " ")
        told.append(
            f"{words}: {one.risk:.3f}, at most {one.high:.3f}, in {one.attempts:,} attempts"
            if one.has_result
            else f"{words}: no result, only {one.attempts:,} attempts"
        )
    told += [f"MISSED: {one}" for one in verdict.missed]
    return [*told, "does not pass" if verdict.missed else "passes"]
