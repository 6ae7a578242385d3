# SPDX-License-Identifier: EUPL-1.2
"""Annexes I and II: what is the same, what is similar and by which rule, and what is neither."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise.linkage.similarity import (
    Compared,
    DateReason,
    IdentityData,
    NameReason,
    PlaceReason,
    Sameness,
    compare_identity,
)

BASE = IdentityData(
    surnames=("Rahimzadeh",),
    forenames=("Mohammad Amir",),
    birth=(1991, 3, 7),
    sex="M",
    nationalities=("AFG",),
    places=("Herat",),
)


def compared(**changes):
    return compare_identity(BASE, replace(BASE, **changes))


def test_equal_in_all_four_groups_is_the_same():
    assert compared() == Compared(Sameness.SAME, frozenset())


def test_formats_are_harmonised_before_they_are_compared():
    assert compared(surnames=("  RAHIMZADEH ",)).sameness is Sameness.SAME


def test_one_equal_spelling_of_several_is_enough():
    assert compared(surnames=("Other", "Rahimzadeh")).sameness is Sameness.SAME


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"surnames": ("Рахимзаде",)}, NameReason.TRANSLITERATION),
        (
            {"surnames": ("Mohammad Amir",), "forenames": ("Rahimzadeh",)},
            NameReason.SWAPPED_FIELDS,
        ),
        (
            {"surnames": ("Mohammad Amir Rahimzadeh",), "forenames": ()},
            NameReason.ONE_FIELD,
        ),
        ({"forenames": ("Amir Mohammad",)}, NameReason.SWAPPED_WORDS),
        ({"surnames": ("Rahimzahed",)}, NameReason.SWAPPED_LETTERS),
        ({"surnames": ("Rahimzade",)}, NameReason.ONE_CHARACTER),
        ({"surnames": ("Rahimxadeh",)}, NameReason.ONE_CHARACTER),
        ({"surnames": ("Rahim-zadeh",)}, NameReason.PUNCTUATION),
        ({"surnames": ("Rahimz",)}, NameReason.TRUNCATION),
        ({"birth": (1991, 7, 3)}, DateReason.DAY_MONTH),
        ({"birth": (1369, 12, 16)}, DateReason.CALENDAR),
        ({"birth": (1991, 3, 1)}, DateReason.ONE_CHARACTER),
        ({"nationalities": ("IRN",), "places": ("Hirat",)}, PlaceReason.ONE_CHARACTER),
        ({"nationalities": ("IRN",), "places": ("Херат",)}, PlaceReason.TRANSLITERATION),
    ],
    ids=lambda value: value.name if hasattr(value, "name") else "",
)
def test_each_rule_makes_similar_what_it_is_for(changes, reason):
    found = compared(**changes)
    assert found.sameness is Sameness.SIMILAR
    assert reason in found.reasons


def test_a_renamed_city_is_the_same_place():
    one = replace(BASE, places=("Titograd",))
    other = replace(BASE, nationalities=("MNE",), places=("Podgorica",))
    found = compare_identity(one, other)
    assert found == Compared(Sameness.SIMILAR, frozenset({PlaceReason.RENAMED}))


@pytest.mark.parametrize(
    "changes",
    [
        {"sex": "F"},
        {"sex": None},
        {"birth": None},
        {"birth": (1985, 11, 20)},
        {"surnames": ("Karimi",)},
        {"forenames": ("Jawad",)},
        {"forenames": ()},
        {"nationalities": ("IRN",), "places": ("Shiraz",)},
        {"nationalities": (), "places": ()},
        {"surnames": ("Rahi",)},  # too short for a name that was cut
    ],
)
def test_one_group_that_is_neither_makes_the_whole_different(changes):
    assert compared(**changes).sameness is Sameness.DIFFERENT


_NAMES = st.lists(st.text("abcdefg -'", max_size=9), max_size=2).map(tuple)
_DATA = st.builds(
    IdentityData,
    surnames=_NAMES,
    forenames=_NAMES,
    birth=st.none() | st.tuples(st.integers(1350, 2020), st.integers(1, 12), st.integers(1, 28)),
    sex=st.sampled_from([None, "M", "F"]),
    nationalities=st.lists(st.sampled_from(["AFG", "SYR"]), max_size=2).map(tuple),
    places=_NAMES,
)


@given(_DATA, _DATA)
def test_it_does_not_matter_which_record_is_named_first(one, other):
    assert compare_identity(one, other) == compare_identity(other, one)


@given(_DATA, _DATA, st.sampled_from(["surnames", "forenames", "birth", "sex"]))
def test_what_is_missing_never_makes_two_records_more_alike(one, other, part):
    order = [Sameness.DIFFERENT, Sameness.SIMILAR, Sameness.SAME]
    less = replace(other, **{part: () if part.endswith("names") else None})
    before = order.index(compare_identity(one, other).sameness)
    if part in {"birth", "sex"}:
        assert order.index(compare_identity(one, less).sameness) <= before
    assert compare_identity(one, less).sameness is not Sameness.SAME
