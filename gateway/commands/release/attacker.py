# SPDX-License-Identifier: EUPL-1.2
"""Where Anonymeter lives: an environment of its own, beside the gateway's unless it is named."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
BESIDE: Final = Path(sys.prefix) / "anonymeter" / "bin" / "python"


def with_attacker(command: _Command) -> _Command:
    """`--anonymeter PYTHON`, also from CUVAR_ANONYMETER."""
    return click.option(
        "--anonymeter",
        "attacker",
        type=click.Path(path_type=Path, dir_okay=False),
        default=BESIDE,
        envvar="CUVAR_ANONYMETER",
        help="The Python of the environment that has Anonymeter; docs/anonymisation/releases.md.",
    )(command)
