# SPDX-License-Identifier: EUPL-1.2
"""docs/witness.md: every command on it is one that runs."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.commands.fork_evidence import check_evidence_
from gateway.commands.witness import witness
from gateway.witness.serving import WitnessFolder
from tests.audit.making import ORIGIN, SIGNER
from tests.audit.witnessing import Tree

PAGE = (Path(__file__).parents[3] / "docs/witness.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ +cuvar (witness|audit) (.+)$", PAGE, re.MULTILINE)


def refuse(folder):
    """Let the page's witness see a fork."""
    with WitnessFolder(folder).app(prefix="", tell=print) as app:
        for tree, old in ((Tree(), 0), (Tree(fork=3), 9)):
            answer = app._witness.add_checkpoint(tree.submission(old, 9, SIGNER))
    assert answer.status == 422


def test_the_commands_run_in_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.pem").touch()
    (tmp_path / "server.key").touch()
    told = {}
    for group, line in COMMANDS:
        name, *arguments = shlex.split(line)
        if (group, name) == ("witness", "serve"):
            command = witness.get_command(click.Context(witness), name)
            assert command.make_context(name, arguments), "the options are there"
            continue
        if (group, name) == ("witness", "evidence") and "--number" in arguments:
            refuse(Path("my-witness"))
        command = check_evidence_ if group == "audit" else witness
        given = arguments if group == "audit" else [name, *arguments]
        told[line] = CliRunner().invoke(command, given, catch_exceptions=False).output
    assert len(told) >= 7
    assert told["check-evidence fork.evidence"].startswith(f"FORK: {ORIGIN}")


@pytest.mark.parametrize("word", ["witness.key", "trusted.txt", "witness.sqlite", "/health"])
def test_the_page_names_what_there_is(word):
    assert word in PAGE
