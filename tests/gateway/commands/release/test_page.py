# SPDX-License-Identifier: EUPL-1.2
"""The commands on the page about releases are typed as they stand there."""

import shlex
from pathlib import Path

import click
import pytest

from gateway.commands.release import release

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/anonymisation/releases.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("$ cuvar release "))
    for line in PAGE.splitlines()
    if line.startswith("$ cuvar release ")
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_command_of_the_page_is_understood(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hierarchies").mkdir()
    with click.Context(release) as context:
        command = release.get_command(context, words[0])
    with command.make_context(words[0], words[1:]) as made:
        assert not made.args


def test_the_page_shows_all_of_them():
    with click.Context(release) as context:
        assert [words[0] for words in COMMANDS] == release.list_commands(context)
