# SPDX-License-Identifier: EUPL-1.2
"""What casbin's own readers take in silence, through the real command: refused with a place."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from policies import example_rules

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors/rules/refused.json").read_text(encoding="utf-8")
)["refused"]
TRAPS = (
    "a denial of the floor in capitals",
    "a remark after a denial of the floor",
    "a floor with a byte-order mark",
    "a line of a second policy",
    "a floor saved with semicolons",
)


@pytest.mark.parametrize("name", TRAPS)
def test_the_command_refuses_it_and_names_file_and_line(tmp_path, name):
    vector = next(vector for vector in VECTORS if vector["name"] == name)
    rules = shutil.copytree(example_rules(), tmp_path / "rules")
    file = rules / vector["file"]
    if "hex" in vector:
        file.write_bytes(bytes.fromhex(vector["hex"]))
    else:
        whole = file.read_bytes()
        find, replace = vector["find"].encode(), vector["replace"].encode()
        assert find in whole
        file.write_bytes(whole.replace(find, replace, 1))
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "policy", "check", str(rules), "--unsigned"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"{vector['file']}:{vector['line']}: " in done.stderr
    assert vector["says"] in done.stderr
    assert "Traceback" not in done.stderr
