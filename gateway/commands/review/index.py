# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review index …`: make the searchable index, bring it up to date, check it."""

import json

import click

from audit.review.erased import sweep as sweep_index
from audit.review.index import Indexer, Synced
from audit.review.index_file import create_index, logs, open_index
from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, origin_of, progress, with_desk


@click.group()
def index() -> None:
    """The index: useless without your key, derived from the copy, checked against it."""


@index.command()
@with_desk
@with_json
def build(desk: Desk, *, as_json: bool) -> None:
    """Make an index of a copy.

    \b
    Example:
      cuvar review index build --log copy.sqlite --key dpo-BA.key --index ba.idx
    """
    create_index(desk.index, desk.search_key())
    _synced(desk, sweep=False, as_json=as_json)


@index.command()
@with_desk
@with_json
@click.option("--sweep", is_flag=True, help="Look at every detail for erasures nobody announced.")
def sync(desk: Desk, *, sweep: bool, as_json: bool) -> None:
    """Take what is new in a newer copy; forget what was erased.

    \b
    Example:
      cuvar review index sync --log copy.sqlite --key dpo-BA.key --index ba.idx
    A copy that does not continue the one before is refused.
    """
    _synced(desk, sweep=sweep, as_json=as_json)


def _synced(desk: Desk, *, sweep: bool, as_json: bool) -> None:
    done: list[Synced] = []
    with open_index(desk.index, desk.search_key()) as con, desk.copies() as copies:
        indexer = Indexer(con, desk.search_key(), desk.unsealer())
        for copy in copies:
            found = indexer.sync(copy, progress)
            swept = sweep_index(con, copy) if sweep else 0
            done.append(Synced(found.origin, found.added, found.forgotten + swept, found.size))
            desk.record("index", copy, (), {"added": found.added})
    if as_json:
        told = [
            {"log": s.origin, "added": s.added, "forgotten": s.forgotten, "entries": s.size}
            for s in done
        ]
        click.echo(json.dumps(told))
    else:
        for s in done:
            click.echo(
                f"{s.origin}: {s.added:,} entries added, {s.forgotten:,} forgotten,"
                f" {s.size:,} in all"
            )
    desk.hand_in()


@index.command()
@with_desk
@with_json
def verify(desk: Desk, *, as_json: bool) -> None:
    """Compute the index again from the entries and name what differs.

    \b
    Example:
      cuvar review index verify --log copy.sqlite --key dpo-BA.key --index ba.idx
    Exit code 1 when something differs.
    """
    wrong: dict[str, list[str]] = {}
    with desk.indexed() as (con, copies):
        indexer = Indexer(con, desk.search_key(), desk.unsealer())
        for copy in copies:
            wrong[origin_of(copy)] = indexer.verify(copy, progress)
            desk.record("index verify", copy, (), {})
    if as_json:
        click.echo(json.dumps(wrong))
    else:
        for origin, found in wrong.items():
            click.echo(f"{origin}: {'the index is what the entries say' if not found else ''}")
            for line in found:
                click.echo(f"  {line}")
    desk.hand_in()
    if any(wrong.values()):
        raise click.exceptions.Exit(1)


@index.command()
@with_desk
@with_json
def status(desk: Desk, *, as_json: bool) -> None:
    """Which logs the index covers, how far, and which readings wait.

    \b
    Example:
      cuvar review index status --log copy.sqlite --key dpo-BA.key --index ba.idx
    """
    with open_index(desk.index, desk.search_key()) as con, desk.copies() as copies:
        sizes = {origin_of(copy): head.size for copy in copies if (head := copy.head())}
        told = [
            {
                "log": state.origin,
                "indexed": state.frontier.size,
                "root": state.frontier.root.hex(),
                "copy": sizes.get(state.origin),
            }
            for state in logs(con)
        ]
    waiting = len(desk.looks.pending())
    if as_json:
        click.echo(json.dumps({"logs": told, "readings_waiting": waiting}))
        return
    for one in told:
        size = one["copy"]
        of = "no copy of it here" if size is None else f"{size:,} in the copy"
        click.echo(f"{one['log']}: {one['indexed']:,} entries indexed, {of}")
    click.echo(f"{waiting} readings are not in the log yet")
