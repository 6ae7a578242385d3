# SPDX-License-Identifier: EUPL-1.2
"""The attacks of docs/linkage/attacks.md at a small scale: they work as it says."""

from pathlib import Path

import pytest

from anonymise.linkage.keys import KeyKind
from bench.linkage_attack import findings

PAGE = (Path(__file__).parents[2] / "docs/linkage/attacks.md").read_text(encoding="utf-8")
RIGHT, TOLD = "of those, right, in 100", "own persons told, in 100"
NEAR, LARGEST = "of the top 200, within 10 ranks", "largest bucket"
FORBIDDEN = "rank alignment, forbidden: name pair, nation, sex"
MIXED = "rank alignment, all kinds mixed"


@pytest.fixture(scope="module")
def found():
    return {(one.attack, one.what): one.value for one in findings(1_200)}


def test_a_key_without_a_date_would_tell_more_by_its_frequency_than_all_that_there_are(found):
    assert found[FORBIDDEN, NEAR] > 2 * found[MIXED, NEAR]
    assert found[FORBIDDEN, LARGEST] > found[MIXED, LARGEST]
    assert found[MIXED, "of the top 200, exactly right"] <= 5


def test_a_country_finds_its_own_people_where_rows_meet_and_nobody_by_structure_alone(found):
    assert found["who of mine is in theirs", TOLD] > 60
    assert found["who of mine is in theirs", RIGHT] > 95
    alone = "their rows by structure alone"
    right = found[alone, "persons claimed, in 100"] * found[alone, RIGHT] / 100
    assert right < 2
    for attack in ("own rows by structure", "two epochs of one register"):
        assert found[attack, RIGHT] == 100


def test_the_page_tells_of_every_kind_and_every_attack():
    for kind in KeyKind:
        assert f"| `{kind}` |" in PAGE
    for words in ("Rank alignment", "same people", "Chosen rows", "key holder changes"):
        assert words in PAGE
