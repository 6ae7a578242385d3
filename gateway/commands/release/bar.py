# SPDX-License-Identifier: EUPL-1.2
"""The progress bar of releases, on standard error and only where somebody looks."""

import sys
from typing import Final

import click

_WIDTH: Final = 28


def bar(stage: str, done: int, whole: int) -> None:
    """Draw how far a stage is; the line ends with it."""
    if not sys.stderr.isatty():
        return
    share = done / whole if whole else 1.0
    filled = "#" * round(share * _WIDTH)
    click.echo(f"\r{stage:24} [{filled:{_WIDTH}}] {share:4.0%}", nl=done >= whole, err=True)
