# SPDX-License-Identifier: EUPL-1.2
import csv
import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.linkage.registers import make_registers
from bench.linkage.write import write_registers
from gateway.cli import cuvar

PAGE = Path(__file__).parents[4] / "docs/linkage/evaluate.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("lists")
    write_registers(make_registers("held_out", size=600, shared=300), place)
    return place


def evaluate(folder, *arguments):
    lists = [str(folder / name) for name in ("A.csv", "B.csv")]
    return CliRunner().invoke(
        cuvar,
        ["linkage", "evaluate", *lists, "--truth", str(folder / "truth.csv"), *arguments],
    )


def test_both_steps_are_told_with_subsets_and_progress_stands_apart(folder):
    done = evaluate(folder)
    assert done.exit_code == 0, done.output
    assert "Step 1, the index alone" in done.stdout
    assert "Step 2, the full comparison" in done.stdout
    assert "full date of birth" in done.stdout
    assert "culture: afghan" in done.stdout
    assert "graded strong or possible" in done.stdout
    assert "of 600" in done.stderr
    assert "of 600" not in done.stdout


def test_the_pairs_file_gives_the_same_figures_again(folder, tmp_path):
    out = tmp_path / "pairs.csv"
    told = json.loads(evaluate(folder, "--json", "--pairs", str(out)).stdout)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == told["candidates"]
    linked = told["compared"]["whole"]["linked"]
    kept = [
        row
        for row in rows
        if row["linked"] == "1" and float(row["score"]) >= linked["threshold"] - 1e-6
    ]
    true = sum(row["true"] == "1" for row in kept)
    assert true / len(kept) == pytest.approx(linked["precision"])
    assert true / 300 == pytest.approx(linked["recall"])
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_the_pairs_file_holds_no_value_of_a_person(folder, tmp_path):
    out = tmp_path / "pairs.csv"
    evaluate(folder, "--pairs", str(out))
    with out.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert header == [
        *("id_a", "id_b", "keys", "index_score", "index_grade"),
        *("score", "grade", "linked", "true"),
    ]


def test_a_folder_that_is_missing_is_told_and_leaves_nothing(folder, tmp_path):
    done = evaluate(folder, "--pairs", str(tmp_path / "missing" / "pairs.csv"))
    assert "can't be written" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_the_pages_example_prints_what_the_page_shows(tmp_path, monkeypatch):
    blocks = PAGE.read_text(encoding="utf-8").split("```")[1::2]
    files = {name: text for name, _, text in (block.partition("\n") for block in blocks)}
    for name in ("rs.csv", "hr.csv", "known.csv"):
        (tmp_path / name).write_text(files[f"csv {name}"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    command = files["sh"].strip().removeprefix("cuvar ").split()
    done = CliRunner().invoke(cuvar, command)
    assert done.exit_code == 0, done.output
    assert [line.split() for line in files["text"].splitlines()] == [
        line.split() for line in done.stdout.rstrip("\n").splitlines()
    ]
    written = (tmp_path / "scored.csv").read_text(encoding="utf-8")
    assert graded(written) == graded(files["csv scored.csv"])


def graded(text):
    """The rows but for what the weights alone decide."""
    rows = csv.DictReader(text.splitlines())
    return [{name: its for name, its in row.items() if "score" not in name} for row in rows]
