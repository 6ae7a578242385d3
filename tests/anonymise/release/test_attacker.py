# SPDX-License-Identifier: EUPL-1.2
"""What answers in the place of Anonymeter must find whom it can, and nobody else."""

import json
import sys
from pathlib import Path

import pytest

from anonymise.errors import AttackError
from anonymise.release.attacker import Attacker, planted
from anonymise.release.placing import digest
from tests.environments import environment

FAKE = """#!{python}
import json, sys
from pathlib import Path
one = {{"attempts": 2000, "risk": {risk}, "low": 0.0, "high": {risk}, "rates": None}}
words = [json.loads((Path(f) / "task.json").read_text())["word"] for f in sys.argv[3:]]
print(json.dumps({{"version": "1.1.0", "found": {{
    word: dict.fromkeys(("singling_out", "linkability", "inference"), one) for word in words
}}}}))
"""


def fake(folder, text):
    path = folder / "python"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o700)
    return Attacker(path)


@pytest.mark.parametrize("risk", ["0.0", "1.0", "None"])
def test_who_says_the_same_of_every_table_is_not_anonymeter(tmp_path, risk):
    attacker = fake(tmp_path, FAKE.format(python=sys.executable, risk=risk))
    with pytest.raises(AttackError, match="in the place of Anonymeter"):
        attacker.run(planted(leaks=False))


@pytest.mark.parametrize("answer", ['{"found": {}}', "[]", '"no risk"'])
def test_who_does_not_answer_each_table_is_not_anonymeter(tmp_path, answer):
    attacker = fake(tmp_path, f"#!/bin/sh\necho '{answer}'\n")
    with pytest.raises(AttackError, match="in the place of Anonymeter"):
        attacker.run(planted(leaks=False))


def test_a_name_without_its_folder_is_refused():
    with pytest.raises(AttackError, match="named in full"):
        Attacker(Path("python"))


def test_anonymeter_finds_who_is_there_and_is_named_with_its_digest():
    attacker = Attacker(environment("anonymeter"))
    found, proof = attacker.run(planted(leaks=True))
    assert all(one["risk"] > 0.6 for one in found.values())
    assert proof.version == "1.1.0"
    assert proof.python == digest(environment("anonymeter").resolve())


def test_planted_people_differ_each_time():
    assert planted(leaks=True) != planted(leaks=True)
    assert json.dumps(planted(leaks=True).released) != json.dumps(planted(leaks=False).released)
