# SPDX-License-Identifier: EUPL-1.2
"""A group whose commands are imported when they are called, so that a small one starts at once.

Each command is named with a function that imports it: import-linter and the type checker see every
import, and `cuvar policy check` need not wait for web servers and database drivers.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

import click

Loaders = Mapping[str, Callable[[], click.Command]]


class LazyGroup(click.Group):
    """Commands by name, each behind its import."""

    loaders: ClassVar[Loaders] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order given."""
        return [*self.loaders, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        load = self.loaders.get(cmd_name)
        return load() if load is not None else super().get_command(ctx, cmd_name)
