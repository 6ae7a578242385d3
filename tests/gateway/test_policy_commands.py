# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy …` as a person calls it: what is printed, as JSON and in words, and exit codes."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from gateway.commands.policy.new_country import FIRST_EXAMPLES, FIRST_LINE
from policies import example_rules


def cuvar(*arguments):
    """Exit code, what was printed, what was said on the side, and seconds of processor time."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "policy", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    spent = after.children_user + after.children_system
    return (
        done.returncode,
        done.stdout,
        done.stderr,
        spent - before.children_user - before.children_system,
    )


@pytest.fixture
def rules(tmp_path):
    return shutil.copytree(example_rules(), tmp_path / "rules")


def test_the_shipped_rules_are_sound_within_three_seconds():
    code, told, _, seconds = cuvar("check")
    assert code == 0
    assert "0 faults" in told
    assert "signatures not checked: no keys" in told
    assert "\nsound in " in told
    # Processor time: what others do on the machine is no matter of this command.
    assert seconds < 3


def test_a_check_starts_without_a_web_server_or_a_driver():
    code = "import sys; import gateway.cli; from gateway.commands.policy.check import check;"
    code += "print([m for m in ('fastapi', 'sqlalchemy', 'aiohttp', 'faker') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_a_floor_line_the_check_fails_with_a_counterexample(rules):
    floor = rules / "floor.csv"
    rows = floor.read_text(encoding="utf-8").splitlines(keepends=True)
    floor.write_text("".join(r for r in rows if not r.startswith("F56,")), encoding="utf-8")
    code, told, _, _ = cuvar("check", rules, "--unsigned")
    assert code == 1
    assert "S21a does not hold: operators read nothing at all; the floor does not refuse" in told
    assert "NOT SOUND" in told
    code, told, _, _ = cuvar("check", "--rules", rules, "--unsigned", "--json")
    assert code == 1
    broken = json.loads(told)["broken_invariants"]
    assert {"id", "file", "line", "statement", "counterexample"} == set(broken[0])
    assert "S21a" in [row["id"] for row in broken]


def test_a_broken_folder_ends_with_code_two_and_names_the_place(rules):
    (rules / "BA/rules.csv").write_text("id\n", encoding="utf-8")
    code, told, said, _ = cuvar("check", rules)
    assert (code, told) == (2, "")
    assert "BA/rules.csv:1: the header must be exactly" in said


def test_a_difference_is_told_in_sentences_and_as_accesses(rules):
    file = rules / "BA/rules.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace(
            "case_number + claim_here + hit_token,allow,notify_owner + onward_ban + expert",
            "case_number + hit_token,allow,notify_owner + onward_ban + expert",
        ),
        encoding="utf-8",
    )
    code, told, _, _ = cuvar("diff", example_rules(), rules)
    assert code == 0
    assert "no longer only when claim_here" in told
    assert "40 accesses" in told
    code, told, _, _ = cuvar("diff", example_rules(), rules, "--json")
    document = json.loads(told)
    assert len(document["accesses"]) == 40
    assert {a["kind"] for a in document["accesses"]} == {"wider"}
    assert sum(s["accesses"] for s in document["sentences"]) == 40
    assert document["files"] == ["BA/rules.csv"]


def test_a_new_country_starts_with_nothing_allowed_and_its_first_line_can_be_copied(rules):
    code, told, _, _ = cuvar("new-country", rules, "XK", "--name", "Kosovo")
    assert code == 0
    assert FIRST_LINE.format("XK") in told
    assert cuvar("check", rules, "--unsigned")[0] == 0
    _, told, _, _ = cuvar("diff", example_rules(), rules, "--json")
    assert all(a["owner"] != "XK" for a in json.loads(told)["accesses"])
    lines, examples = rules / "XK/rules.csv", rules / "XK/examples.csv"
    header = lines.read_text(encoding="utf-8").splitlines()[0]
    lines.write_text(f"{header}\n{FIRST_LINE.format('XK')}\n", encoding="utf-8")
    rows = examples.read_text(encoding="utf-8").splitlines()
    rows = [row for row in rows if not row.startswith("XK-E01")]
    rows += [row.format("XK") for row in FIRST_EXAMPLES]
    examples.write_text("\n".join(rows) + "\n", encoding="utf-8")
    code, told, _, _ = cuvar("check", rules, "--unsigned")
    assert code == 0, told


def test_a_country_that_is_there_already_is_refused(rules):
    code, _, said, _ = cuvar("new-country", rules, "BA", "--name", "Bosnia")
    assert code == 2
    assert "is there already" in said


def test_the_matrix_comes_as_table_csv_json_page_and_picture(tmp_path):
    asked = ("matrix", "--owner", "BA", "--purpose", "vital_interest")
    code, told, _, _ = cuvar(*asked)
    assert code == 0
    assert "stays.protection" in told
    assert cuvar(*asked, "--csv")[1].startswith("owner,purpose,scope,role,data,view,rules,law\n")
    document = json.loads(cuvar(*asked, "--abroad", "--json")[1])
    assert document["scope"] == "abroad"
    assert {"role", "data", "view", "rules", "law"} <= set(document["cells"][0])
    page, picture = tmp_path / "m.html", tmp_path / "m.svg"
    assert cuvar(*asked, "--html", page, "--svg", picture)[0] == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    code, _, said, _ = cuvar("matrix", "--owner", "XX", "--purpose", "statistics")
    assert code == 2
    assert "no country XX" in said


def test_rules_are_rendered_in_words_as_text_json_and_page(tmp_path):
    code, told, _, _ = cuvar("render", "--country", "SI")
    assert code == 0
    assert "SI-N1\n  Prepovedano. Vloga: vsaka vloga" in told
    document = json.loads(cuvar("render", "--country", "RS", "--lang", "sr-Cyrl", "--json")[1])
    assert document["draft"] is True
    assert document["files"][0]["lines"][0]["sr-Cyrl"].startswith("Допуштено")
    page = tmp_path / "al.html"
    code, _, said, _ = cuvar("render", "--country", "AL", "--html", page)
    assert code == 0
    assert "written:" in said
    assert "Nënshkrimi / Signature" in page.read_text(encoding="utf-8")
