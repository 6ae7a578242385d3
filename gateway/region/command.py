# SPDX-License-Identifier: EUPL-1.2
"""`cuvar region create`: the synthetic region on the command line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

__all__ = ["region"]

_REFRESH_S = 0.2


class _Bar:
    """One line on stderr, only on a terminal; `_rows` and `_shown` belong to the asking thread."""

    def __init__(self) -> None:
        self._rows = 0
        self._shown = 0.0
        self._on = sys.stderr.isatty()

    def __call__(self, name: str, rows: int) -> None:
        self._rows += rows
        now = time.monotonic()
        if self._on and now - self._shown > _REFRESH_S:
            self._shown = now
            click.echo(f"\r{self._rows:>12,} rows, writing {name:<6}", err=True, nl=False)

    def done(self) -> None:
        if self._on and self._shown:
            click.echo("\r" + " " * 40 + "\r", err=True, nl=False)


@click.group()
def region() -> None:
    """The synthetic region: registers of people who do not exist."""


@region.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--persons", type=click.IntRange(1, 20_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
@click.option("--force", is_flag=True, help="Replace a region that is there.")
def create(directory: Path, persons: int, seed: int, *, as_json: bool, force: bool) -> None:
    """Build nine national registers in DIRECTORY; the same seed gives the same contents.

    \b
    Example:
      cuvar region create my-region --persons 20000 --seed 7
    """
    from gateway.region.build import create_region
    from gateway.region.errors import RegionError

    bar, started = _Bar(), time.monotonic()
    try:
        manifest = create_region(
            directory, persons=persons, seed=seed, on_progress=bar, force=force
        )
    except RegionError as error:
        raise click.ClickException(str(error)) from error
    finally:
        bar.done()
    if as_json:
        click.echo(json.dumps(json.loads(manifest.to_json()), ensure_ascii=False))
        return
    rows = sum(sum(tables.values()) for name, tables in manifest.tables.items() if name != "truth")
    click.echo(
        f"{persons:,} people who do not exist, {rows:,} rows in nine registers, "
        f"{time.monotonic() - started:.1f} s: {directory}"
    )
