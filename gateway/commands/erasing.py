# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit erase`: details erased before their time, on every order that it takes."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from audit.concern import country_of
from audit.errors import AuditError
from audit.ranges import ranges_of
from gateway.commands.options import with_config, with_json
from gateway.commands.ordering import numbers, orderer_of, with_order
from gateway.erasing import Done, Ordered, erase_ordered, plan_ordered, require_body
from gateway.retaining import Held, Orderer
from gateway.settings import Settings, load_settings


def _progress(done: int, size: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} of {size:,} entries read", nl=done >= size, err=True)


@click.command(name="erase")
@with_config
@with_json
@click.argument("log")
@click.option("--entries", required=True, help="Numbers and ranges: 12,17-40.")
@click.option(
    "--with-order",
    "abroad",
    nargs=3,
    multiple=True,
    metavar="ORG WHO FILE-NO",
    help="Another country's order for the same details in its log; repeatable.",
)
@click.option(
    "--leave-twins",
    "leave",
    is_flag=True,
    help="Leave the same details in logs of countries that ordered nothing.",
)
@click.option("--rewrite", is_flag=True, help="As of `cuvar audit retention`.")
@with_order
def erasing(
    config: Path,
    log: str,
    entries: str,
    abroad: tuple[tuple[str, str, str], ...],
    *,
    leave: bool,
    rewrite: bool,
    as_json: bool,
    **by: str,
) -> None:
    """Erase details before their time, because an authority or a court ordered it.

    A question between two countries stands in both their logs, each with the same detail. Both go
    in one run if both countries ordered it; otherwise nothing is erased, unless you leave the other
    side on purpose.

    \b
    Examples:
      cuvar audit erase demo.cuvar.invalid/BA/2026h2 --entries 12 --org BA-SA \\
        --ordered-by "Judge A." --file-no 7/26 \\
        --with-order HR-SA "Judge B." 31/26 --config .demo/cuvar.toml
      cuvar audit erase demo.cuvar.invalid/BA/2026h2 --entries 12 --org BA-SA \\
        --ordered-by "Judge A." --file-no 7/26 --leave-twins --config .demo/cuvar.toml
    """
    settings = load_settings(config)
    wanted = Ordered(
        Held(log, numbers(entries)),
        orderer_of(settings, by, country_of(log)),
        _abroad(settings, abroad, country_of(log)),
        leave,
    )
    plan = plan_ordered(settings, wanted, _progress)
    done = asyncio.run(erase_ordered(settings, wanted, plan, rewrite=rewrite))
    click.echo(json.dumps(_document(done)) if as_json else "\n".join(_told(done)))


def _abroad(
    settings: Settings, given: tuple[tuple[str, str, str], ...], home: str
) -> dict[str, Orderer]:
    """Who ordered it in other countries, by country.

    Raises:
        AuditError: one is no body that orders, or a country is named twice.
    """
    found: dict[str, Orderer] = {}
    for org, person, file_no in given:
        country = org.partition("-")[0]
        if country == home or country in found:
            raise AuditError(f"{country} orders this more than once; name one order a country")
        found[country] = require_body(settings, Orderer(org, person, file_no), country)
    return found


def _told(done: Done) -> list[str]:
    told = [
        f"{country}: {one.details} details erased under {one.entries} entries,"
        f" {one.finished} of an earlier run"
        for country, one in sorted(done.erased.items())
    ]
    told += [
        f"left in {name}, with the same detail, until {country_of(name)}'s authority orders it or"
        f" its month is over: entries {','.join(ranges_of(n))}; `cuvar audit retention` shows them"
        for name, n in done.left.items()
    ]
    return [*told, *done.leftovers.said]


def _document(done: Done) -> dict[str, object]:
    return {
        "erased": {country: asdict(one) for country, one in sorted(done.erased.items())},
        "left": {name: list(ranges_of(n)) for name, n in done.left.items()},
        "leftovers": done.leftovers.said,
    }
