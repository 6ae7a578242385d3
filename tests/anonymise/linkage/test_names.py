# SPDX-License-Identifier: EUPL-1.2
"""Names in any script and spelling come to one skeleton."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymise.linkage.names import letters, skeleton, skeletons, tokens

_VECTORS = Path(__file__).parents[2] / "vectors" / "linkage"
_CASES = json.loads((_VECTORS / "spellings.json").read_text(encoding="utf-8"))["cases"]
_LETTERS = "".join(
    sorted({letter for case in _CASES for each in case["spellings"] for letter in each})
)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_one_name_has_one_skeleton_in_every_spelling(case):
    found = {spelling: skeletons((spelling,)) for spelling in case["spellings"]}
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ahmad", "Hamid"),
        ("Ahmad", "Ahmadi"),
        ("Ali", "Al"),
        ("Omar", "Amar Khan"),
        ("Abdullah", "Abdurrahman"),
        ("Hassan", "Hussaini"),
        ("Karim", "Rahim"),
    ],
)
def test_other_names_keep_another_skeleton(one, other):
    assert skeletons((one,)) != skeletons((other,))


def test_the_order_of_the_names_and_the_field_they_stand_in_make_no_difference():
    apart = skeletons(("Mohammad Nabi",), ("Stanikzai",))
    assert apart == skeletons(("Stanikzai",), ("Nabi Mohammad",))
    assert apart == skeletons((), ("Stanikzai, Mohammad Nabi",))


def test_particles_are_dropped_but_not_where_they_are_the_whole_name():
    assert tokens("Omar bin al-Khattab") == ("omar", "khattab")
    assert tokens("Jan van der Berg") == ("jan", "berg")
    assert tokens("Al") == ("al",)
    assert tokens("Abdul") == ("abdul",)


def test_a_name_split_or_joined_has_the_same_letters():
    assert letters(skeletons(("Nur Ahmad",))) == letters(skeletons(("Nurahmad",)))
    assert letters(skeletons(("Gul Bibi",))) == letters(skeletons(("Gulbibi",)))


def test_what_is_no_name_has_no_tokens():
    for text in ("", " ", "-", "'", "...", "123", "\u200c"):
        assert tokens(text) == ()


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_any_text_gives_tokens_of_small_latin_letters_and_skeletons_of_large_ones(text):
    for token in tokens(text):
        assert token.isascii()
        assert token.isalpha()
        assert token.islower()
        folded = skeleton(token)
        assert folded.isascii()
        assert folded.isalpha()
        assert folded.isupper()


@given(st.text(alphabet=_LETTERS, max_size=24))
def test_large_letters_and_marks_between_make_no_difference(text):
    assert skeletons((text.upper().lower(),)) == skeletons((text.lower(),))
    assert skeletons((text.replace(" ", "-"),)) == skeletons((text,))
