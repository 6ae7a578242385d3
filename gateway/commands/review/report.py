# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review report …`: the month of the whole log, and the law-enforcement report."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from audit.copies import Copy
from audit.envelope import EPOCH
from audit.review.month import month_report
from audit.review.pages import period_page, police_page
from audit.review.reports import police_entries, police_report
from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, origin_of, with_desk
from gateway.commands.review.filters import MomentError, moment

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_MICRO: Final = timedelta(microseconds=1)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


@click.group()
def report() -> None:
    """Reports that law or habit ask for, as JSON or as a page."""


@report.command()
@with_desk
@with_json
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--month", "when", help="YYYY-MM; all months without it.")
@click.option("--country", help="Only entries with this country on either side.")
def month(desk: Desk, folder: Path, *, as_json: bool, **chosen: Any) -> None:
    """Count a month, or everything, out of the files of `cuvar review export parquet`.

    \b
    Example:
      cuvar review report month months --log copy.sqlite --key dpo-BA.key --month 2026-11
    """
    when, country = chosen["when"], chosen["country"]
    if when is not None and not _MONTH.fullmatch(when):
        raise MomentError("a month is written 2026-11")
    found = []
    with desk.copies() as copies:
        for copy in copies:
            desk.record("report month", copy, (), {"month": when, "country": country})
            place = folder / origin_of(copy).replace("/", "_")
            found.append(month_report(place, when, country))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
    else:
        click.echo("\n".join(period_page(one, country) for one in found))
    desk.hand_in()


@report.command("law-enforcement")
@with_desk
@with_json
@click.option("--country", required=True, help="Your country.")
@click.option("--since", required=True, help="First day of the period.")
@click.option("--until", help="First day after it; up to now without it.")
@click.option("--seed", required=True, help="Of the sample; agree on it with the supervisor.")
@click.option("--sample", type=click.IntRange(0, 1000), default=20, show_default=True)
def law_enforcement(desk: Desk, *, as_json: bool, **chosen: Any) -> None:
    """Count law-enforcement requests and draw the supervisor's sample.

    \b
    Example:
      cuvar review report law-enforcement --log copy.sqlite --key dpo-BA.key \\
        --country BA --since 2026-07-01 --until 2027-01-01 --seed 2026h2
    The sample names people: it is for the supervisor only.
    """
    period = (moment(chosen["since"]) or EPOCH, moment(chosen["until"]) or _END)
    with desk.copies() as copies:
        spans = {origin_of(copy): _span(copy, period) for copy in copies}
        for copy in copies:
            desk.record("report law-enforcement", copy, spans[origin_of(copy)], {**chosen})
        unsealer = desk.unsealer()
        found = police_report(
            (
                entry
                for copy in copies
                for entry in police_entries(copy, unsealer, *_range(spans[origin_of(copy)]))
            ),
            country=chosen["country"],
            period=period,
            seed=chosen["seed"],
            sample=chosen["sample"],
            looked_at=spans,
        )
    if as_json:
        click.echo(json.dumps(found.document(), ensure_ascii=False))
    else:
        click.echo(police_page(found))
    desk.hand_in()


def _span(copy: Copy, period: tuple[datetime, datetime]) -> tuple[int, int]:
    """First and last entry of a period; (0, 0) where there is none."""
    first, stop = copy.between(*((moment - EPOCH) // _MICRO for moment in period))
    return (first, stop - 1) if first < stop else (0, 0)


def _range(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], span[1] + 1
