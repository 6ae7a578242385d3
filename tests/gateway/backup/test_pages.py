# SPDX-License-Identifier: EUPL-1.2
"""The commands on the operator's page do what it says, in its order."""

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import cuvar
from tests.gateway.backup.test_backup import empty

PAGE = Path(__file__).parents[3] / "docs/operations/backup.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
COMMANDS = [line.strip() for block in BLOCKS for line in block.splitlines() if line.strip()]


def test_the_page_can_be_followed_from_top_to_bottom(house_folder, monkeypatch):
    monkeypatch.chdir(house_folder)
    monkeypatch.setenv("CUVAR_CONFIG", "cuvar.toml")
    done = []
    for command in COMMANDS:
        program, *words = shlex.split(command)
        if words[1] == "restore":
            empty(house_folder)
        result = CliRunner().invoke(cuvar, words)
        assert (program, result.exit_code) == ("cuvar", 0), (command, result.output)
        done.append(tuple(words[:2]))
    assert {("backup", word) for word in ("create", "check", "erase", "restore")} < set(done)
    assert ("audit", "succeed") in done
