# SPDX-License-Identifier: EUPL-1.2
"""The published vectors: another implementation must come to the same."""

import json
from pathlib import Path

import pytest

from anonymise.statistics import (
    Answered,
    Cohort,
    cube_of,
    decode_record,
    intervals,
    layout_of,
    pattern_of,
    snapshot_of,
)
from anonymise.statistics.cohort import cohort_of, marker
from anonymise.statistics.layouts import Layout
from anonymise.statistics.noise import figure_of, noise_of

VECTORS = json.loads(Path("tests/vectors/anonymise/statistics.json").read_text(encoding="utf-8"))
PAGE = Path("docs/formats/statistics.md").read_text(encoding="utf-8")
KEY = bytes.fromhex(VECTORS["key"])
SMALL = Layout("small", ("a", "b"), margins=(("a",), ("b",), ()), additive=True)


def people(written):
    if isinstance(written, list):
        return written
    return [f"P-{number}" for number in range(int(written["last"].removeprefix("P-")) + 1)]


@pytest.mark.parametrize("vector", VECTORS["cohorts"])
def test_a_cohort_its_noise_and_its_figures_are_as_published(vector):
    cohort = cohort_of(map(marker(KEY), people(vector["members"])))
    assert (cohort.size, f"{cohort.digest:032x}") == (vector["size"], vector["digest"])
    assert Cohort.decode(bytes.fromhex(vector["encoded"])) == cohort
    assert noise_of(cohort, KEY) == vector["noise"]
    for minimum, figure in vector.get("figure", {}).items():
        assert figure_of(cohort, KEY, int(minimum)) == figure


def test_the_records_get_their_verdicts_in_their_order():
    answered = Answered()
    for vector in VECTORS["ledger"]:
        _, record = decode_record(vector["record"].encode())
        assert answered.fold(record) == vector["verdict"]


@pytest.mark.parametrize("vector", VECTORS["intervals"])
def test_published_figures_tell_of_the_others_what_is_published_here(vector):
    cube = cube_of(SMALL, {tuple(key): count for key, count in vector["cells"]})
    found = intervals(cube, {tuple(key): count for key, count in vector["published"]})
    told = {tuple(key): (low, high) for key, low, high in vector["intervals"]}
    assert found == {key: pytest.approx(both) for key, both in told.items()}


def test_the_layouts_of_one_moment_are_left_out_together_as_published():
    given = VECTORS["joint"]
    tables = {
        layout_of(name): {
            tuple(key): frozenset(f"P-{n}" for n in range(int(first[2:]), int(last[2:]) + 1))
            for key, first, last in cells
        }
        for name, cells in given["tables"].items()
    }
    taken = snapshot_of(tables, minimum=10, key=KEY)
    pattern = pattern_of(taken, Answered(), KEY)
    assert (taken.id, pattern.id) == (given["snapshot"], given["pattern"])
    assert {
        name: [list(key) for key, _ in answer.figures] for name, answer in pattern.answers.items()
    } == given["published"]


def test_the_page_shows_records_with_their_members_in_order():
    shown = [
        list(json.loads(line))
        for line in PAGE.splitlines()
        if line.startswith(('{"v":1,"recipient"', '{"v":2,"recipient"'))
    ]
    written = [list(json.loads(VECTORS["ledger"][place]["record"])) for place in (0, 6, 4)]
    assert shown == written
