# SPDX-License-Identifier: EUPL-1.2
"""Marks that name a recipient: order and tags, whole copies and parts of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise.release.watermark import SYMBOLS, Likeness, Mark, liken
from tests.anonymise.release import making

VECTORS = Path(__file__).parents[2] / "vectors" / "anonymise" / "release_mark.json"
MINE, OTHER = Mark(b"\x01" * 32), Mark(b"\x02" * 32)
ROWS = sorted(set(making.rows(400)), key=MINE.rank)
TAGS = [tag.decode() for tag in MINE.tags(len(ROWS))]


def test_the_vectors_hold():
    for vector in json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]:
        mark = Mark(bytes.fromhex(vector["mark"]))
        assert [tag.decode() for tag in mark.tags(len(vector["tags"]))] == vector["tags"]
        ranks = {row[0]: mark.rank(tuple(row)).hex() for row in vector["rows"]}
        assert ranks == vector["ranks"]


def test_tags_are_of_the_telephone_alphabet_and_do_not_repeat():
    tags = MINE.tags(100_000)
    assert len(np.unique(tags)) == 100_000
    assert {len(tag) for tag in tags.tolist()} == {SYMBOLS}
    assert not set(b"".join(tags[:5000].tolist()).decode()) & set("ILOU")


def test_tags_of_two_copies_have_nothing_in_common():
    assert not np.isin(MINE.tags(50_000), OTHER.tags(50_000)).any()


@given(st.integers(0, len(ROWS) - 20), st.integers(20, 60))
def test_any_run_of_rows_in_order_names_its_recipient(start, many):
    part = ROWS[start : start + many]
    assert liken(MINE, part, [], len(ROWS)).is_sure
    assert not liken(OTHER, part, [], len(ROWS)).is_sure


@given(st.sets(st.integers(0, len(ROWS) - 1), min_size=20))
def test_rows_left_out_or_repeated_do_not_hide_it(chosen):
    part = [ROWS[place] for place in sorted(chosen) for _ in range(2)]
    likeness = liken(MINE, part, [], len(ROWS))
    assert likeness.is_sure
    assert likeness.rising == likeness.steps


def test_a_few_rows_out_of_place_do_not_hide_it():
    moved = [*ROWS[40:], *ROWS[:40]]
    assert liken(MINE, moved, [], len(ROWS)).is_sure


def test_rows_sorted_anew_name_nobody_by_their_order():
    assert not liken(MINE, sorted(ROWS), [], len(ROWS)).is_sure


@given(st.sets(st.sampled_from(TAGS), min_size=3, max_size=10))
def test_three_tags_in_any_order_name_their_recipient(tags):
    assert liken(MINE, [], sorted(tags), len(ROWS)).is_sure
    assert not liken(OTHER, [], sorted(tags), len(ROWS)).is_sure


@pytest.mark.parametrize("few", [[], TAGS[:2], ["not a tag", "čćž", ""]])
def test_too_little_names_nobody(few):
    assert not liken(MINE, ROWS[:10], few, len(ROWS)).is_sure


def test_chance_is_measured_by_the_law_of_rises():
    """n things in random order rise (n-1)/2 times with variance (n+1)/12."""
    dice = np.random.default_rng(3)
    told = [
        Likeness(int((np.diff(dice.permutation(50)) > 0).sum()), 49, 0).deviations
        for _ in range(4000)
    ]
    assert abs(np.mean(told)) < 0.06
    assert np.std(told) == pytest.approx(1.0, abs=0.05)


def test_keys_are_not_shown():
    assert "01" not in repr(MINE)
