# SPDX-License-Identifier: EUPL-1.2
"""Generalised views: nobody is told who does not look like nine others, and none of them alike."""

import secrets
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymise import ANY, WITHHELD, Anonymity, ContextError, PlanError, ViewContext, compile_view
from anonymise.ladder import SENSITIVE, generalised_treatments, ladder
from anonymise.treatment import TREATMENTS, looked_at

TODAY = date(2026, 11, 24)
PLAN = compile_view(
    "generalised",
    {
        "biographic.age": "age_band_10",
        "biographic.sex": "sex_merged",
        "biographic.nationalities": "nationality_or_region",
        "biographic.languages": "language_common",
        "accommodation.arrived_on": "week_or_month",
        "protection.needs_codes": "vulnerable",
        "asylum.claim_state": "claim_open",
    },
)
QUASI = (
    "biographic.age_band",
    "biographic.sex",
    "biographic.nationality",
    "biographic.languages",
    "accommodation.arrived_period",
)
HIDDEN = ("protection.vulnerable", "asylum.claim_open")
people = st.fixed_dictionaries(
    {
        "biographic.age": st.integers(0, 70),
        "biographic.sex": st.sampled_from("MMMF"),
        "biographic.nationalities": st.sampled_from([("AF",), ("SY",), ("MA",), ("AF", "PK")]),
        "biographic.languages": st.sampled_from([("ps",), ("ar",), ("ar", "fr"), ()]),
        "accommodation.arrived_on": st.integers(0, 40).map(lambda d: TODAY - timedelta(days=d)),
        "protection.needs_codes": st.sampled_from([(), (), ("SM",), None]),
        "asylum.claim_state": st.sampled_from(["open", "open", "granted", None]),
    }
)
lives = st.lists(st.tuples(people, st.integers(0, 30) | st.none()), max_size=120)


def context(**more):
    return ViewContext(
        today=TODAY,
        counts={"biographic.nationalities": {"AF": 400, "SY": 90}},
        randbelow=secrets.randbelow,
        **more,
    )


def crowded(plan, rows, persons, seen=None, **how):
    seen = seen or context()
    return replace(seen, crowd=plan.gather(rows, persons, seen, **how))


def man(**more):
    return {
        "biographic.age": 30,
        "biographic.sex": "M",
        "biographic.nationalities": ("AF",),
        "accommodation.arrived_on": TODAY,
        "protection.needs_codes": (),
        "asylum.claim_state": "open",
    } | more


@settings(max_examples=150)
@given(lives, st.sampled_from([Anonymity(), Anonymity(k=15), Anonymity(l=3)]))
def test_what_is_told_holds_k_and_l_by_an_independent_count(lives, anonymity):
    rows, persons = [row for row, _ in lives], [person for _, person in lives]
    told = PLAN.told(rows, crowded(PLAN, rows, persons, context(anonymity=anonymity)))
    classes = defaultdict(lambda: (set(), defaultdict(set)))
    for row, person in zip(told, persons, strict=True):
        if row is not None:
            members, values = classes[tuple(row[name] for name in QUASI)]
            members.add(person)
            for name in HIDDEN:
                values[name].add(row[name])
    for members, values in classes.values():
        assert len(members - {None}) >= anonymity.k
        for name in HIDDEN:
            known = values[name] - {"unknown"}
            assert known == {WITHHELD} or not known or len(known) >= anonymity.l


@given(lives, st.randoms())
def test_the_crowd_is_the_same_in_any_order(lives, dice):
    mixed = list(lives)
    dice.shuffle(mixed)
    one, other = (
        PLAN.gather([row for row, _ in some], [person for _, person in some], context())
        for some in (lives, mixed)
    )
    assert one == other


@given(lives, st.integers(1, 20))
def test_a_page_tells_of_a_row_what_the_whole_list_tells(lives, size):
    rows = [row for row, _ in lives]
    seen = crowded(PLAN, rows, [person for _, person in lives])
    paged = [
        row
        for first in range(0, len(rows), size)
        for row in PLAN.told(rows[first : first + size], seen)
    ]
    assert paged == PLAN.told(rows, seen)
    assert sum(row is None for row in paged) == seen.crowd.held
    assert len(rows) == seen.crowd.rows


@given(lives, people)
def test_about_a_named_person_the_quasi_identifiers_are_shared_or_not_told(lives, asked):
    rows, persons = [row for row, _ in lives], [person for _, person in lives]
    seen = crowded(PLAN, rows, persons, named=True)
    [told] = PLAN.told([asked], seen)
    others = [row for row in PLAN.told(rows, seen) if row is not None]
    assert len(others) == len(rows)
    key = tuple(told[name] for name in QUASI)
    alike = {
        person
        for row, person in zip(others, persons, strict=True)
        if tuple(row[name] for name in QUASI) == key
    }
    assert set(key) == {ANY} or len(alike - {None}) >= 10
    assert told["protection.vulnerable"] in {"yes", "no", "unknown"}


def test_one_person_with_many_rows_is_one_person():
    rows = [man(**{"asylum.claim_state": state}) for state in ("open", "granted")] * 20
    assert PLAN.gather(rows, ["the same"] * 40, context()).held == 40
    assert PLAN.gather(rows, range(40), context()).held == 0


def test_rows_that_are_nobodys_count_for_nothing():
    rows = [man(**{"asylum.claim_state": state}) for state in ("open", "granted")] * 20
    assert PLAN.gather(rows, [*range(9), *[None] * 31], context()).held == 40
    assert PLAN.gather(rows, [*range(10), *[None] * 30], context()).held == 0


def test_ten_who_look_alike_are_told_and_nine_are_not():
    plan = compile_view("generalised", {"biographic.age": "age_band_10"})
    for persons, told in ((10, 10), (9, 0)):
        rows = [{"biographic.age": 30}] * persons
        assert len(plan.apply(rows, crowded(plan, rows, range(persons)))) == told


def test_a_rare_row_makes_a_column_coarser_when_that_loses_less_than_holding_back():
    plan = compile_view("generalised", {"biographic.age": "age_band_10"})
    rows = [{"biographic.age": age} for age in [20] * 9 + [35] * 9 + [45] * 9]
    told = plan.apply(rows, crowded(plan, rows, range(27)))
    assert {row["biographic.age_band"] for row in told} == {"18-59"}
    rows = [{"biographic.age": age} for age in [20] * 900 + [35] * 9]
    told = plan.apply(rows, crowded(plan, rows, range(909)))
    assert [row["biographic.age_band"] for row in told] == ["18-29"] * 900


def test_a_sensitive_value_that_all_have_is_withheld_from_all():
    plan = compile_view(
        "generalised",
        {"biographic.sex": "sex_merged", "protection.medical_alert_code": "yes_no"},
    )
    rows = [{"biographic.sex": sex, "protection.medical_alert_code": "A1"} for sex in "MF" * 20]
    told = plan.apply(rows, crowded(plan, rows, range(40)))
    assert {row["protection.medical_alert"] for row in told} == {WITHHELD}
    assert {row["biographic.sex"] for row in told} == {"M", "F"}


def test_a_row_whose_likes_all_share_a_need_is_held_back():
    plan = compile_view(
        "generalised",
        {"biographic.sex": "sex_merged", "protection.needs_codes": "vulnerable"},
    )
    rows = [{"biographic.sex": "M", "protection.needs_codes": ("SM",)}] * 12
    rows += [{"biographic.sex": "F", "protection.needs_codes": need} for need in [(), ("SV",)] * 60]
    shown = plan.told(rows, crowded(plan, rows, range(len(rows))))
    mixed = [row for row in shown if row is not None]
    assert all(row["biographic.sex"] != "M" for row in mixed)


def test_what_is_unknown_of_everybody_says_nothing_and_is_told():
    plan = compile_view(
        "generalised",
        {"biographic.sex": "sex_merged", "protection.needs_codes": "vulnerable"},
    )
    rows = [{"biographic.sex": "M"}] * 12
    assert (
        plan.apply(rows, crowded(plan, rows, range(12)))
        == [{"biographic.sex": "M", "protection.vulnerable": "unknown"}] * 12
    )


def test_a_generalised_view_without_its_own_crowd_is_refused():
    other = compile_view("generalised", {"biographic.sex": "sex_merged"})
    for seen in (context(), crowded(other, [], [])):
        with pytest.raises(ContextError, match="gather it first"):
            PLAN.apply([man()], seen)


@pytest.mark.parametrize("view", ["full", "pseudonym"])
def test_no_other_view_has_a_crowd(view):
    plan = compile_view(view, {"biographic.sex": "keep"})
    with pytest.raises(PlanError, match="crowd"):
        plan.gather([], [], context())
    with pytest.raises(PlanError, match="crowd"):
        plan.told([], context())


def test_rows_and_persons_of_a_crowd_are_as_many():
    with pytest.raises(ContextError, match="one person for each row"):
        PLAN.gather([man()], [], context())


def test_nobody_is_told_of_an_empty_crowd():
    seen = crowded(PLAN, [], [])
    assert PLAN.apply([man()] * 30, seen) == []


def test_no_repr_of_a_crowd_shows_what_its_people_share():
    rows = [man()] * 20
    assert "southern" not in repr(PLAN.gather(rows, range(20), context()))
    assert "AF" not in repr(PLAN.gather(rows, range(20), context()))


def test_every_treatment_of_a_generalised_view_is_sensitive_or_has_a_ladder():
    names = generalised_treatments()
    assert names >= SENSITIVE
    for name in names:
        steps = ladder(TREATMENTS[name])
        assert steps[0].name == name or name == "week_or_month"
        assert name not in SENSITIVE or len(steps) == 1
        for step in steps:
            # A coarser step must not look at what the plan does not fetch.
            assert looked_at(step, "a.b") <= looked_at(TREATMENTS[name], "a.b")
