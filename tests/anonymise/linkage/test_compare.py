# SPDX-License-Identifier: EUPL-1.2
"""Missing evidence never raises a score, and each feature is told in plain words."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymise.linkage.compare import WORDS, compare, words
from anonymise.linkage.frequency import Frequencies
from anonymise.linkage.grading import Grade, grade_kinds, score_kinds
from anonymise.linkage.keys import KeyKind, keys_of
from anonymise.linkage.person import BirthDate, LinkagePerson
from anonymise.linkage.weights import STATES, Weights

_NAMES = st.lists(
    st.sampled_from(
        [
            "Ali",
            "Alee",
            "Muhammad",
            "Mehmet",
            "Nur Ahmad",
            "Nurahmad",
            "Ahmadi",
            "Zarmina",
            "Stanikzai",
            "Stanekzai",
            "Khan",
        ]
    ),
    max_size=3,
).map(tuple)
_BIRTHS = st.none() | st.sampled_from(
    [
        BirthDate(1990, 5, 4), BirthDate(1990, 4, 5), BirthDate(1990, 5, 5), BirthDate(1992, 5, 4),
        BirthDate(1990), BirthDate(1990, 1, 1), BirthDate(1991), BirthDate(1950, 2, 3),
    ]
)  # fmt: skip
PERSONS = st.builds(
    LinkagePerson,
    given_names=_NAMES,
    surnames=_NAMES,
    sex=st.sampled_from(["M", "F", None]),
    birth=_BIRTHS,
    nationalities=st.sampled_from([(), ("AFG",), ("SYR",), ("AFG", "SYR")]),
    documents=st.sampled_from([(), ("P1234567",), ("P1234568",), ("X7654321",)]),
    places=st.sampled_from([(), ("Kabul",), ("Kabul", "Herat"), ("Mosul",)]),
)
_EMPTY = {
    "given_names": (), "surnames": (), "sex": None, "birth": None, "nationalities": (),
    "documents": (), "places": (),
}  # fmt: skip
NAMED = LinkagePerson(("Zarmina",), ("Stanikzai",), "F", BirthDate(1991, 5, 14), ("AFG",))


@settings(max_examples=400)
@given(PERSONS, PERSONS, st.sampled_from(sorted(_EMPTY)))
def test_leaving_a_field_out_on_either_side_never_raises_the_log_odds(asked, held, field):
    whole = compare(asked, held).log_odds + 1e-9
    nothing = {field: _EMPTY[field]}
    assert compare(replace(asked, **nothing), held).log_odds <= whole
    assert compare(asked, replace(held, **nothing)).log_odds <= whole


@given(PERSONS, PERSONS)
def test_a_comparison_is_the_sum_of_its_features_each_in_a_known_state(asked, held):
    found = compare(asked, held)
    weights = Weights.packaged()
    assert found.log_odds == pytest.approx(
        weights.prior + sum(feature.log_odds for feature in found.features)
    )
    for feature in found.features:
        assert words(feature)
        assert feature.log_odds <= 0 or feature.state != "missing"
    assert compare(held, asked).log_odds == pytest.approx(found.log_odds)


@given(PERSONS, PERSONS)
def test_strong_needs_a_date_or_a_number_that_agrees(asked, held):
    bare = replace(held, documents=(), birth=BirthDate(1950, 11, 23))
    assert compare(asked, bare).grade is not Grade.STRONG


def test_every_state_of_every_feature_has_words_and_no_other():
    names = {("names", state) for state in ("more", "two", "one", "none", "missing")}
    states = {(feature, state) for feature, each in STATES.items() for state in each}
    assert set(WORDS) == names | states
    assert len(set(WORDS.values())) == len(WORDS)


def test_one_person_under_two_spellings_is_strong_with_the_date_and_possible_with_1_january():
    other = replace(NAMED, given_names=("Зармина",), surnames=("Станикзај",))
    assert compare(NAMED, other).grade is Grade.STRONG
    assert compare(NAMED, replace(other, birth=BirthDate(1991, 1, 1))).grade is Grade.POSSIBLE


@pytest.mark.parametrize(
    "birth", [None, BirthDate(1975, 2, 3), BirthDate(1991), BirthDate(1991, 5, 29)]
)
def test_a_stranger_of_the_same_name_is_not_strong(birth):
    stranger = replace(NAMED, birth=birth)
    kinds = {key.encoded(): key.kind for key in keys_of(NAMED)}
    agreeing = {kinds[key.encoded()] for key in keys_of(stranger) if key.encoded() in kinds}
    assert compare(NAMED, stranger).grade is not Grade.STRONG
    assert grade_kinds(agreeing) is not Grade.STRONG


def test_a_frequent_name_weighs_less_than_a_rare_one():
    common, rare = (
        compare(person, person).features[0].log_odds
        for person in (
            LinkagePerson(("Muhammad",), ("Ali",)),
            LinkagePerson(("Zarmina",), ("Wardak",)),
        )
    )
    assert common < rare


def test_a_registers_own_count_makes_its_own_names_frequent():
    own = Frequencies.of([NAMED] * 50 + [LinkagePerson(("Ali",), ("Khan",))])
    counted = Weights.packaged().counted(own)
    assert own.persons == 51
    assert compare(NAMED, NAMED, counted).log_odds < compare(NAMED, NAMED).log_odds
    assert "STNK" not in repr(counted)


@given(st.sets(st.sampled_from(list(KeyKind))), st.sampled_from(list(KeyKind)))
def test_another_agreeing_kind_never_lowers_the_index(kinds, kind):
    assert score_kinds(kinds | {kind}) >= score_kinds(kinds)
    assert score_kinds(sorted([*kinds, *kinds])) == score_kinds(kinds)


def test_the_index_grades_by_what_agrees_and_never_strong_by_one_kind():
    assert grade_kinds(()) is Grade.NONE
    assert grade_kinds({KeyKind.DOCUMENT}) is Grade.POSSIBLE
    assert grade_kinds({KeyKind.TOKEN_DAY}) is Grade.NONE
    assert grade_kinds({KeyKind.PAIR_YEAR, KeyKind.ALL_YEAR}) is Grade.POSSIBLE
    assert grade_kinds({KeyKind.DOCUMENT, KeyKind.PAIR_YEAR}) is Grade.STRONG
    full = {KeyKind.TOKEN_BIRTH, KeyKind.ALL_BIRTH, KeyKind.PAIR_YEAR, KeyKind.ALL_YEAR}
    assert grade_kinds(full | {KeyKind.BIRTH_ETC}) is Grade.STRONG
