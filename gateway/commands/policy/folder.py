# SPDX-License-Identifier: EUPL-1.2
"""The rule folder that a command works on, and progress while it works."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from gateway.errors import GatewayError
from policies import Snapshot, example_rules, load_rules

_Command = TypeVar("_Command", bound=Callable[..., Any])
FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)


def with_rules(command: _Command) -> _Command:
    """`--rules DIR`; without it, the packaged example region."""
    return click.option(
        "--rules", type=FOLDER, help="The rule folder; without it, the packaged example region."
    )(command)


def read_rules(folder: Path | None) -> Snapshot:
    """The rules of a folder as they stand today.

    Raises:
        RulesRefusedError: something in the folder is broken.
    """
    path = folder if folder is not None else example_rules()
    tell(f"reading {path.name}")
    return load_rules(path, on=datetime.now(UTC).date())


def tell(what: str) -> None:
    """What goes on, for somebody who waits at a terminal."""
    if sys.stderr.isatty():
        click.echo(f"… {what}", err=True)


class UnwritableError(GatewayError):
    """A file that was asked for can't be written."""


def write(path: Path, text: str) -> None:
    """A report into a file, and word of it.

    Raises:
        UnwritableError: the file can't be written there.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnwritableError(f"{path} can't be written: {error.strerror}") from error
    click.echo(f"written: {path}", err=True)
