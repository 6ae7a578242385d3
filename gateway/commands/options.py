# SPDX-License-Identifier: EUPL-1.2
"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
DEFAULT: Final = "cuvar.toml"


def with_config(command: _Command) -> _Command:
    """`--config FILE`, also from CUVAR_CONFIG."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=DEFAULT,
        envvar="CUVAR_CONFIG",
        show_default=True,
        help="The settings file; see docs/settings.md.",
    )(command)


def with_json(command: _Command) -> _Command:
    """`--json`, for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)
