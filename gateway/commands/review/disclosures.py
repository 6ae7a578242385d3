# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review disclosures`: who consulted a person's data, with proofs, and whom to tell."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from audit.copies import Copy
from audit.review.disclosures import disclosures as listed
from audit.review.disclosures import recipients
from audit.review.opened import Opened, open_entries
from audit.review.pages import disclosure_page
from audit.review.queries import Filter, find
from audit.review.receipts import receipt_of
from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, origin_of, with_desk

_PAGE = 1000


@click.command()
@with_desk
@with_json
@click.option("--person", multiple=True, required=True, help="Every reference that means her.")
@click.option("--receipts", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@click.option("--with-officers", is_flag=True, help="Name officers too, where that was decided.")
@click.option("--with-police", is_flag=True, help="List law enforcement, if nothing restricts it.")
@click.option("--recipients", "only_recipients", is_flag=True, help="Whom to tell of a correction.")
def disclosures(desk: Desk, *, as_json: bool, **chosen: Any) -> None:
    """List who consulted a person's data, for her, or whom a rectification must reach, for you.

    \b
    Examples:
      cuvar review disclosures --log copy.sqlite --key dpo-BA.key --person 4711 --receipts proofs
      cuvar review disclosures --log copy.sqlite --key dpo-BA.key --person 4711 --recipients
    Each line of the list has a receipt that proves it.
    """
    persons = frozenset(chosen["person"])
    with desk.indexed() as (con, copies):
        by_origin = {origin_of(copy): copy for copy in copies}
        key, unsealer = desk.search_key(), desk.unsealer()
        entries: list[Opened] = []
        for origin, copy in by_origin.items():
            wanted = Filter(persons=tuple(sorted(persons)))
            numbers: list[int] = []
            before = None
            while True:
                page = find(con, key, origin, wanted, before=before, limit=_PAGE)
                numbers += page.entries
                before = page.before
                if before is None:
                    break
            desk.record("disclosures", copy, numbers, {"persons": sorted(persons)})
            entries += _opened(copy, unsealer, numbers)
        if chosen["only_recipients"]:
            _tell_recipients(entries, persons, as_json=as_json)
        else:
            found = listed(
                entries,
                persons,
                lambda entry: receipt_of(by_origin[entry.origin], entry.index),
                with_officers=chosen["with_officers"],
                with_restricted=chosen["with_police"],
            )
            if chosen["receipts"] is not None:
                chosen["receipts"].mkdir(parents=True, exist_ok=True)
                for line in found.lines:
                    (chosen["receipts"] / line.receipt_name).write_text(line.receipt)
            told = json.dumps(found.document(), ensure_ascii=False)
            click.echo(told if as_json else disclosure_page(found))
    desk.hand_in()


def _opened(copy: Copy, unsealer: Any, numbers: list[int]) -> Iterator[Opened]:
    for number in sorted(numbers):
        yield from open_entries(copy, unsealer, number, number + 1)


def _tell_recipients(entries: list[Opened], persons: frozenset[str], *, as_json: bool) -> None:
    found = recipients(entries, persons)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        mark = "  (law enforcement: for you alone)" if one.restricted else ""
        told = ", ".join(one.categories)
        click.echo(f"{one.country} {one.org}: last on {one.last[:10]}, {told}{mark}")
