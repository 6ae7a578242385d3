# SPDX-License-Identifier: EUPL-1.2
"""`cuvar release trace`: which recipient's copy a leaked file is, or is torn from."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from anonymise.release.manifest import Draft
from anonymise.release.trace import trace
from gateway.commands.options import with_json


@click.command(name="trace")
@click.argument("leaked", type=click.Path(path_type=Path))
@click.option(
    "--draft",
    type=click.Path(path_type=Path),
    required=True,
    help="The release that the copies were made of.",
)
@with_json
def tracing(leaked: Path, draft: Path, *, as_json: bool) -> None:
    """Hold a leaked copy against every published one, by its rows' order and tags.

    The exit status is 0 when one recipient is sure and 1 when none is.

    \b
    Example:
      cuvar release trace found-on-the-web.csv --draft arrivals-2026.csv
    """
    release = Draft(draft)
    found = trace(leaked, release, release.manifest().columns.published)
    sure = [one for one in found if one.likeness.is_sure]
    if as_json:
        told = [
            {**asdict(one), "deviations": one.likeness.deviations, "sure": one.likeness.is_sure}
            for one in found
        ]
        click.echo(json.dumps(told))
    for one in () if as_json else found:
        likeness = one.likeness
        click.echo(
            f"{'SURE' if likeness.is_sure else '    '} {one.recipient} for {one.purpose} until "
            f"{one.expires}, entry {one.entry}: {likeness.tags:,} tags, "
            f"{likeness.rising:,} of {likeness.steps:,} steps in its order"
        )
    if not sure:
        raise click.exceptions.Exit(1)
