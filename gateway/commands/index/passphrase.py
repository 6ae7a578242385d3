# SPDX-License-Identifier: EUPL-1.2
"""Where the passphrase of the nations' key comes from: a file, the environment, or a person."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from anonymise.errors import LinkageError

_Command = TypeVar("_Command", bound=Callable[..., Any])
ENVIRONMENT: Final = "CUVAR_NATIONS_PASSPHRASE"


def with_passphrase(command: _Command) -> _Command:
    """`--passphrase-file FILE`."""
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"File with the key's passphrase; else {ENVIRONMENT}, else you are asked.",
    )(command)


def passphrase_of(file: Path | None, *, confirm: bool = False) -> str:
    """The passphrase.

    Raises:
        LinkageError: the file can't be read.
    """
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise LinkageError(
                f"the passphrase file {file.name} can't be read: {error.strerror}"
            ) from None
    known = os.environ.get(ENVIRONMENT)
    if known is not None:
        return known
    told: str = click.prompt(
        "Passphrase of the nations' key", hide_input=True, confirmation_prompt=confirm, err=True
    )
    return told
