# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy replay`: what a draft would have changed in the accesses that the log holds."""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from audit import read_private_key
from audit.sealing import Unsealer
from gateway.commands.options import with_config, with_json
from gateway.opening import open_rules
from gateway.policy.replaying import Reach, replay_document, replay_lines, replay_log
from gateway.settings import load_settings
from policies import load_rules

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@with_config
@with_json
@click.option("--rules", type=_FOLDER, required=True, help="Folder with the draft rules.")
@click.option("--url", help="Another log or a copy: sqlite:///FILE, postgresql://…")
@click.option("--from", "first", type=_DAY, help="First day, UTC.")
@click.option("--to", "last", type=_DAY, help="Last day, UTC.")
@click.option(
    "--key",
    type=_FILE,
    help="A data-protection officer's private key; then the facts of the records count too.",
)
def replay(
    config: Path,
    rules: Path,
    url: str | None,
    first: datetime | None,
    last: datetime | None,
    key: Path | None,
    *,
    as_json: bool,
) -> None:
    r"""Decide the log's questions again under a draft and say which accesses would have changed.

    \b
    Examples:
      cuvar policy replay --rules my-rules --config .demo/cuvar.toml
      cuvar policy replay --rules my-rules --from 2026-10-01 --to 2026-10-31 --json
      cuvar policy replay --rules my-rules --url sqlite:///copy.sqlite --key dpo-BA.key
    The log is read as it stands; `cuvar audit verify` proves it whole.
    """
    settings = load_settings(config)
    today = datetime.now(UTC).date()
    report = replay_log(
        url or settings.log.url.get_secret_value(),
        (open_rules(settings, today), load_rules(rules, on=today)),
        Reach(first=_day(first), last=_day(last)),
        None if key is None else Unsealer(read_private_key(key)),
        _progress,
    )
    click.echo(json.dumps(replay_document(report)) if as_json else "\n".join(replay_lines(report)))


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _progress(done: int, size: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} of {size:,} entries", nl=done >= size, err=True)
