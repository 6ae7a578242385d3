# SPDX-License-Identifier: EUPL-1.2
"""Attacks: what an attacker fills in for a node, and when there is no result.

That the attacks bite, and that a failing one stops publication, is proven where a release is
published: tests/gateway/commands/release.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from anonymise.errors import AttackError
from anonymise.release import attack as attacks
from anonymise.release.attack import attack
from anonymise.release.columns import Columns, read_hierarchies
from anonymise.release.keeping import Targets
from anonymise.release.verdict import FEWEST
from tests.anonymise.release import making

LINES = [("20-29", "*", "South Asia", "none"), ("7", "F", "SY", "legal"), ("*", "M", "*", "none")]


@pytest.fixture
def known(tmp_path):
    return read_hierarchies(making.hierarchies(tmp_path / "h"), making.COLUMNS)


def test_a_node_is_filled_with_a_leaf_below_it_and_the_rest_stays(known):
    dice = np.random.default_rng(1)
    for _ in range(50):
        first, second, third = attacks._guess(LINES, making.rows(200), known, dice)
        assert 20 <= int(first[0]) <= 29
        assert first[1] in "FM"
        assert first[2] in {"AF", "PK"}
        assert second == LINES[1]
        assert third[1] == "M"
        assert third[2] in making.NATIONS
        assert [line[3] for line in (first, second, third)] == ["none", "legal", "none"]


def test_leaves_are_drawn_as_often_as_outsiders_would_expect(known):
    control = [("25", "F", "AF", "none")] * 90 + [("25", "F", "PK", "none")] * 10
    dice = np.random.default_rng(1)
    filled = attacks._guess([LINES[0]] * 2000, control, known, dice)
    assert 0.86 < sum(line[2] == "AF" for line in filled) / 2000 < 0.94
    assert sum(line[0] == "25" for line in filled) / 2000 > 0.99


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (making.COLUMNS, ["singling_out", "linkability", "inference"]),
        (Columns(making.QUASI), ["singling_out", "linkability"]),
        (Columns(("age",), "needs"), ["singling_out", "inference"]),
    ],
)
def test_with_too_few_people_every_attack_that_the_columns_allow_has_no_result(
    known, columns, names
):
    few = Targets(LINES, LINES, making.rows(FEWEST - 1))
    told = attack(
        LINES, few, columns, known[: len(columns.quasi_identifiers)], Path(sys.executable)
    )
    assert [one.name for one in told.attacks] == names
    assert not any(one.has_result for one in told.attacks)
    assert told.proof is None


def test_an_interpreter_without_anonymeter_is_no_result_but_an_error(known):
    enough = Targets(*([making.rows(FEWEST)] * 3))
    with pytest.raises(AttackError, match="does not pass"):
        attack(LINES, enough, making.COLUMNS, known, Path(sys.executable))


def test_a_missing_interpreter_is_told_with_what_to_install(known, tmp_path):
    with pytest.raises(AttackError, match="pip install anonymeter"):
        attack(LINES, Targets([], [], []), making.COLUMNS, known, tmp_path / "python")
