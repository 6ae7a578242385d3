# SPDX-License-Identifier: EUPL-1.2
"""Help that can be read: an example for every command, each on a line of its own."""

import click
import pytest
from click.testing import CliRunner

from gateway.cli import cuvar


def commands(group, path=()):
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            here = (*path, name)
            if isinstance(command, click.Group):
                yield from commands(command, here)
            else:
                yield here


@pytest.mark.parametrize("path", list(commands(cuvar)), ids=" ".join)
def test_a_commands_help_shows_an_example_as_it_is_typed(path):
    told = CliRunner().invoke(cuvar, [*path, "--help"]).output
    assert "\\b" not in told
    shown = told.partition("Example")[2].partition("Options:")[0]
    assert any(f"cuvar {' '.join(path)}" in line for line in shown.splitlines()), told
