# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import json
import subprocess
import sys

from click.testing import CliRunner

from gateway.region.command import region as command


def test_the_command_builds_a_region_and_says_so(tmp_path):
    result = CliRunner().invoke(
        command, ["create", str(tmp_path / "region"), "--persons", "30", "--seed", "2"]
    )
    assert result.exit_code == 0
    assert "30 people who do not exist" in result.stdout
    assert result.stderr == ""
    assert (tmp_path / "region/registers/RS.sqlite").exists()


def test_json_prints_the_manifest_on_one_line(tmp_path):
    result = CliRunner().invoke(
        command, ["create", str(tmp_path / "region"), "--persons", "30", "--json"]
    )
    assert json.loads(result.stdout) == json.loads(
        (tmp_path / "region/manifest.json").read_text(encoding="utf-8")
    )


def test_a_full_folder_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "note.txt").write_text("", encoding="utf-8")
    result = CliRunner().invoke(command, ["create", str(tmp_path)])
    assert result.exit_code == 1
    assert "name another folder" in result.stderr


def test_zero_persons_is_a_wrong_use(tmp_path):
    result = CliRunner().invoke(command, ["create", str(tmp_path / "region"), "--persons", "0"])
    assert result.exit_code == 2


def test_help_imports_neither_numpy_nor_faker():
    code = (
        "import sys, gateway.region.command; "
        "sys.exit('numpy' in sys.modules or 'faker' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
