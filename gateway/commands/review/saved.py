# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review saved …`: keep look-ups by name, encrypted in the index."""

import json

import click

from audit.review.index_file import open_index
from audit.review.queries import Filter
from audit.review.saved import filter_document, remove, save
from audit.review.saved import saved as saved_queries
from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, with_desk
from gateway.commands.review.filters import with_filter


@click.group()
def saved() -> None:
    """Look-ups kept by name; name and filters are encrypted under your key."""


@saved.command()
@with_desk
@with_filter
@click.argument("name")
def add(desk: Desk, wanted: Filter, name: str) -> None:
    """Keep a look-up; one of the same name is replaced.

    \b
    Example:
      cuvar review saved add refusals --log copy.sqlite --key dpo-BA.key --decision deny
    """
    key = desk.search_key()
    with open_index(desk.index, key) as con:
        save(con, key, name, wanted)
    click.echo("saved; use it with `cuvar review find --saved NAME`")


@saved.command("list")
@with_desk
@with_json
def list_saved(desk: Desk, *, as_json: bool) -> None:
    """Show what is saved.

    \b
    Example:
      cuvar review saved list --log copy.sqlite --key dpo-BA.key
    """
    key = desk.search_key()
    with open_index(desk.index, key) as con:
        known = {name: filter_document(kept) for name, kept in saved_queries(con, key).items()}
    if as_json:
        click.echo(json.dumps(known, ensure_ascii=False))
        return
    for name, filters in known.items():
        click.echo(f"{name}: {json.dumps(filters, ensure_ascii=False)}")


@saved.command("remove")
@with_desk
@click.argument("name")
def remove_saved(desk: Desk, name: str) -> None:
    """Drop a saved look-up.

    \b
    Example:
      cuvar review saved remove refusals --log copy.sqlite --key dpo-BA.key
    """
    key = desk.search_key()
    with open_index(desk.index, key) as con:
        remove(con, key, name)
    click.echo("removed")
