# SPDX-License-Identifier: EUPL-1.2
"""docs/verify.md: each command prints what the page says."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from audit.copies import open_copy
from audit.publish import publish
from audit.verify.__main__ import main
from audit.verify.report import Fault
from tests.audit.making import SIGNER, VECTORS

PAGE = (Path(__file__).parent.parent.parent.parent / "docs/verify.md").read_text(encoding="utf-8")
RUNS = re.findall(r"```console\n\$ python -m audit\.verify (.*?)\n(.*?)```", PAGE, re.DOTALL)
OLD = VECTORS / "format1"


@pytest.mark.parametrize(("words", "told"), RUNS, ids=[words[:20] for words, _ in RUNS])
def test_a_command_of_the_page_prints_what_it_says(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    for kept in OLD.iterdir():
        shutil.copy(kept, tmp_path / kept.name)
    with open_copy(str(OLD / "log.sqlite")) as copy:
        publish(copy, tmp_path / "public", SIGNER.verifier, details=True)
    assert main(shlex.split(words.replace("VKEY", SIGNER.vkey))) == 0
    assert capsys.readouterr().out == told


def test_the_page_has_runs_and_every_status():
    assert len(RUNS) == 3
    assert set(re.findall(r"^\| ([0-9]) \|", PAGE, re.MULTILINE)) == {
        "0",
        "2",
        *(str(fault.value) for fault in Fault),
    }
