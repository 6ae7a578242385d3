# SPDX-License-Identifier: EUPL-1.2
"""The pages for the lawyer are true: every command in them runs and prints what they show."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from policies import example_rules
from tests.gateway import house as houses

ROOT = Path(__file__).parents[2]
CHANGE = (ROOT / "docs/policies/change.md").read_text(encoding="utf-8")
READ = (ROOT / "docs/policies/README.md").read_text(encoding="utf-8")


def commands(page):
    """Each command with the lines that it must print."""
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            yield command, shown


@pytest.fixture
def shell(tmp_path):
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    cuvar = bin_folder / "cuvar"
    cuvar.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n', encoding="utf-8")
    cuvar.chmod(0o755)
    path = f"{bin_folder}:{os.environ['PATH']}"

    def run(command, folder):
        return subprocess.run(
            ["bash", "-euc", command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        )

    return run


def test_the_worked_change_prints_what_the_page_shows(house_template, shell, tmp_path):
    folder = houses.copy(house_template, tmp_path / "work")
    shutil.copytree(example_rules(), folder / "in-force")
    (folder / "keys").mkdir()
    ran = 0
    for command, shown in commands(CHANGE):
        # What fails on purpose says so with its exit code; everything else must end well.
        done = shell(f"set +e; {command}" if "echo exit" in command else command, folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        for line in shown:
            expected = re.escape(line).replace("…", ".*")
            assert re.search(f"^{expected}", done.stdout, re.MULTILINE), (line, done.stdout)
        ran += 1
    assert ran > 12


def test_the_start_of_a_new_country_runs_as_shown(shell, tmp_path):
    shutil.copytree(example_rules(), tmp_path / "my-rules")
    ((command, _),) = commands(READ)
    done = shell(command, tmp_path)
    assert done.returncode == 0, done.stderr
    checked = shell("cuvar policy check my-rules --unsigned", tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_every_verb_that_the_page_names_exists(shell, tmp_path):
    verbs = set(re.findall(r"`cuvar policy ([a-z-]+)`", READ))
    assert len(verbs) > 6
    listed = shell("cuvar policy --help", tmp_path).stdout
    assert all(re.search(rf"^  {verb} ", listed, re.MULTILINE) for verb in verbs)


def test_the_line_that_the_page_reads_is_in_force():
    line = re.search(r"^BA-A02,.*$", READ, re.MULTILINE).group()
    assert line in (example_rules() / "BA/rules.csv").read_text(encoding="utf-8").splitlines()
