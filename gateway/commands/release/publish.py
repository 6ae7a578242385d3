# SPDX-License-Identifier: EUPL-1.2
"""`cuvar release publish`: a recipient's own copy, after the gate and after its log entry."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from anonymise.release.check import check
from anonymise.release.manifest import Draft
from anonymise.release.publish import Copy, publish
from anonymise.release.remake import require_remade
from gateway.commands.options import with_config, with_json
from gateway.commands.release.attacker import attacker_of
from gateway.commands.release.bar import bar
from gateway.commands.release.table import with_table
from gateway.opening import utc_now
from gateway.releases import Order, check_order, record, require_floor, ticket_of
from gateway.settings import load_settings


@click.command(name="publish")
@click.argument("draft", type=click.Path(path_type=Path))
@click.option("--owner", required=True, help="The country whose data it is, such as BA.")
@click.option("--recipient", required=True, help="The organisation that gets it, such as UNHCR.")
@click.option("--purpose", default="statistics", show_default=True, help="Of the closed list.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The last day on which the copy may be held.",
)
@click.option("--ordered-by", required=True, help="Who ordered it; it is sealed.")
@click.option("--file-no", required=True, help="The order's file number; it is sealed.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help=".csv or .parquet")
@with_table
@with_config
@with_json
def publishing(draft: Path, out: Path, config: Path, *, as_json: bool, **told: Any) -> None:
    """Write a recipient's copy of a draft, watermarked, once it passed the gate and is logged.

    The whole gate runs again. OUT stands whole or not at all.

    \b
    Example:
      cuvar release publish arrivals-2026.csv --owner BA --recipient UNHCR \\
        --expires 2027-06-30 --ordered-by "Head of unit" --file-no 12/26 \\
        --out for-unhcr.csv --config .demo/cuvar.toml
    """
    settings = load_settings(config)
    expires: datetime = told["expires"]
    order = Order(
        owner=told["owner"],
        recipient=told["recipient"],
        purpose=told["purpose"],
        expires=expires.date(),
        person=told["ordered_by"],
        file_no=told["file_no"],
    )
    grounds = check_order(settings, order, utc_now().date())
    manifest = Draft(draft).manifest()
    require_floor(settings.releases, manifest)
    ticket = asyncio.run(ticket_of(settings, order, manifest))
    passed = check(Draft(draft), attacker_of(settings), bar)
    passed.require()
    if told["table"] is not None:
        require_remade(Draft(draft), passed.manifest, told["table"], bar)
    require_floor(
        settings.releases, passed.manifest
    )  # the one that was checked, should it have been exchanged
    places: list[str] = []

    def log(copy: Copy) -> None:
        places.extend(asyncio.run(record(settings, order, grounds, copy, passed)))

    copy = publish(Draft(draft), passed.manifest, ticket, out, log, bar)
    if as_json:
        document = {
            "entries": places,
            "entry": ticket.entry,
            "sha256": copy.sha256,
            "rows": copy.rows,
            "expires": ticket.expires.isoformat(),
        }
        click.echo(json.dumps(document))
        return
    click.echo(f"{out.name}: {copy.rows:,} rows for {ticket.recipient} until {ticket.expires}")
    click.echo(f"recorded as {', '.join(places)}")
