# SPDX-License-Identifier: EUPL-1.2
"""Treatments that depend on how many share a value: rare means coarse, unknown means rare."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise import (
    SHARED_BY,
    TREATMENTS,
    Anonymity,
    UnknownTreatmentError,
    ViewContext,
    tally,
)
from anonymise.anonymity import LEAST_NATIONALITY
from anonymise.groups import ANY_SEX, COUNTED
from anonymise.regions import REGIONS

TODAY = date(2026, 11, 24)
FIELD = "biographic.x"
countries = st.sampled_from(["AF", "PK", "SY", "MA", "XX", "ZZ"])
VALUES = {
    "nationality_or_region": st.lists(countries, max_size=2).map(tuple) | countries,
    "sex_merged": st.sampled_from(["M", "F", "X", None, "", "male"]),
    "week_or_month": st.none() | st.integers(0, 60).map(lambda days: TODAY - timedelta(days=days)),
    "language_common": st.lists(st.sampled_from(["ps", "prs", "ar"]), max_size=3).map(tuple),
    "size_band": st.sampled_from(["1", "2", 3, None]),
}


def bound(treatment, counts):
    context = ViewContext(today=TODAY, counts={FIELD: counts} if counts is not None else {})
    return TREATMENTS[treatment].bind(FIELD, context)


def test_exactly_the_treatments_that_look_at_counts_are_counted():
    assert set(VALUES) == COUNTED


@pytest.mark.parametrize("treatment", sorted(set(TREATMENTS) - COUNTED))
def test_nothing_else_is_counted(treatment):
    with pytest.raises(UnknownTreatmentError):
        tally(treatment, ["M"])


@pytest.mark.parametrize("treatment", sorted(COUNTED - {"size_band"}))
@given(st.data())
def test_a_fine_form_is_told_only_when_enough_share_it(treatment, data):
    people = data.draw(st.lists(VALUES[treatment], max_size=60))
    many = data.draw(st.sampled_from([1, 10, 30]))
    counts = {form: many * persons for form, persons in tally(treatment, people).items()}
    enough = LEAST_NATIONALITY if treatment == "nationality_or_region" else SHARED_BY
    treat = bound(treatment, counts)
    coarse = bound(treatment, None)
    for value in people:
        told = treat(value)
        for form in told if isinstance(told, tuple) else [told]:
            assert form == coarse(value) or counts[form] >= enough


@pytest.mark.parametrize("treatment", sorted(COUNTED))
@given(st.data())
def test_one_person_fewer_in_the_counts_never_makes_an_answer_finer(treatment, data):
    counts = tally(treatment, data.draw(st.lists(VALUES[treatment], max_size=60)))
    value = data.draw(VALUES[treatment])
    form = data.draw(st.sampled_from(sorted(counts))) if counts else ""
    fewer = {name: persons - (name == form) for name, persons in counts.items()}
    told, later = bound(treatment, counts)(value), bound(treatment, fewer)(value)
    if treatment == "sex_merged":
        # A sex that nobody has any more cannot be named by merging the rest.
        assert later in {told, ANY_SEX} or fewer[form] == 0
    elif treatment == "language_common":
        assert set(later) <= set(told)
    elif treatment != "size_band":
        assert later in {told, bound(treatment, None)(value)}


@given(st.lists(st.sampled_from(["M", "F", "X"]), min_size=1, max_size=80))
def test_merging_the_sexes_never_names_the_rare_one(people):
    treat = bound("sex_merged", tally("sex_merged", people))
    told = Counter(treat(person) for person in people)
    assert set(told) == {ANY_SEX} or min(told.values()) >= SHARED_BY


@pytest.mark.parametrize("treatment", sorted(COUNTED))
def test_counts_of_another_field_do_not_count(treatment):
    context = ViewContext(today=TODAY, counts={"biographic.y": Counter({"AF": 99, "M": 99})})
    treat = TREATMENTS[treatment].bind(FIELD, context)
    coarse = bound(treatment, None)
    for value in ("AF", "M", "ps", TODAY):
        assert treat(value) == coarse(value)


def test_a_nationality_held_twice_counts_once_and_a_pair_counts_as_a_pair():
    counts = tally("nationality_or_region", [("PK", "AF"), ("AF", "PK"), ("AF", "AF"), "AF", None])
    assert counts == {"AF+PK": 2, "AF": 2}


def test_a_rare_nationality_is_told_by_a_region_of_the_table():
    treat = bound("nationality_or_region", {"AF": LEAST_NATIONALITY - 1, "SY": LEAST_NATIONALITY})
    assert treat(("AF",)) == REGIONS["AF"]
    assert treat(("SY",)) == "SY"


def test_a_recipient_held_to_more_is_told_fewer_nationalities():
    context = ViewContext(
        today=TODAY, counts={FIELD: {"AF": 150}}, anonymity=Anonymity(nationality_from=200)
    )
    treat = TREATMENTS["nationality_or_region"].bind(FIELD, context)
    assert treat(("AF",)) == REGIONS["AF"]


@pytest.mark.parametrize("code", [None, lambda _field, _value: None])
def test_without_a_coder_a_group_has_no_code(code):
    context = ViewContext(today=TODAY, coded=code)
    assert TREATMENTS["coded"].bind(FIELD, context)("17") is None


def test_a_group_is_coded_by_the_domain_with_its_field():
    context = ViewContext(today=TODAY, coded=lambda field, value: f"{field}:{value}!")
    treat = TREATMENTS["coded"].bind(FIELD, context)
    assert treat("17") == treat(17) == "biographic.x:17!"
    assert treat(None) is None
    assert treat("") is None
