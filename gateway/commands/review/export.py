# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review export …`: envelopes for other tools; nobody's identity leaves this way."""

import json
import sys
from pathlib import Path

import click

from audit.review.columnar import write_months
from audit.review.following import head_of
from audit.review.ocsf import ocsf_lines
from gateway.commands.options import with_json
from gateway.commands.review.desk import Desk, origin_of, progress, with_desk


@click.group()
def export() -> None:
    """Entries for other tools, without officers, persons and cases."""


@export.command()
@with_desk
@click.option("--from", "first", type=click.IntRange(min=0), default=0, show_default=True)
def ocsf(desk: Desk, first: int) -> None:
    """Print entries as OCSF events, one JSON object a line.

    \b
    Example:
      cuvar review export ocsf --log copy.sqlite --key dpo-BA.key > events.jsonl
    """
    with desk.copies() as copies:
        for copy in copies:
            size = head_of(copy).size
            if first >= size:
                continue
            desk.record("export ocsf", copy, (first, size - 1), {})
            for line in ocsf_lines(copy, first, size):
                sys.stdout.buffer.write(line)
    sys.stdout.flush()
    desk.hand_in()


@export.command()
@with_desk
@with_json
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def parquet(desk: Desk, folder: Path, *, as_json: bool) -> None:
    """Write or continue monthly Parquet files, a folder of its own for each log.

    \b
    Example:
      cuvar review export parquet months --log copy.sqlite --key dpo-BA.key
    """
    done = []
    with desk.copies() as copies:
        for copy in copies:
            origin = origin_of(copy)
            desk.record("export parquet", copy, (), {})
            done.append(write_months(copy, folder / origin.replace("/", "_"), progress))
    if as_json:
        told = [{"log": w.origin, "added": w.added, "months": list(w.months)} for w in done]
        click.echo(json.dumps(told))
    else:
        for w in done:
            click.echo(f"{w.origin}: {w.added:,} entries into {', '.join(w.months) or 'no month'}")
    desk.hand_in()
