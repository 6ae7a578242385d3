# SPDX-License-Identifier: EUPL-1.2
"""`--table`: the table that a draft was made of, to make it anew and compare."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def with_table(command: _Command) -> _Command:
    """The option."""
    return click.option(
        "--table",
        type=click.Path(path_type=Path),
        help="The table that it was made of: it is made anew and must be the same to the byte.",
    )(command)
