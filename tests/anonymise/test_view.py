# SPDX-License-Identifier: EUPL-1.2
"""Compiled views: nothing outside the plan, nothing that identifies, no order that joins."""

import secrets
from dataclasses import replace
from datetime import UTC, date, datetime
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise import (
    TREATMENTS,
    AnonymiseError,
    ContextError,
    Hit,
    PlanError,
    UnknownTreatmentError,
    ViewContext,
    arrange,
    compile_view,
)
from anonymise.passing import NEVER_CODED, NEVER_KEPT

TODAY = date(2026, 11, 24)
VIEWS = ["full", "pseudonym", "generalised", "hit"]
CODED = ["pseudonym", "generalised"]
# The personal fields of access matrix §1.3 that identify, whatever a vocabulary may say of them.
IDENTIFYING = {
    *(f"direct_identifier.{name}" for name in ("surnames", "forenames", "aliases", "badge_name")),
    *(f"document.{name}" for name in ("doc_number", "doc_scan_ref", "visa_number")),
    *(f"biometric_reference.{name}" for name in ("fingerprint_ref", "face_ref")),
    *(f"record.{name}" for name in ("reference_number", "operator_user_id")),
    "security.security_flag",
    "biographic.date_of_birth",
    "biographic.place_of_birth",
    "travel.event_place",
    "accommodation.room",
    "accommodation.family_group_no",
    "protection.note",
    "protection.safe_address",
    "protection.guardian_ref",
    "protection.declared_persecutor",
    "family.linked_reference",
}
CODES = {
    "biographic.sex",
    "biographic.languages",
    "biographic.nationalities",
    "travel.origin_state",
    "travel.event_date",
    "asylum.claim_state",
    "asylum.applied_on",
    "accommodation.centre_id",
    "protection.needs_codes",
    "protection.medical_alert_code",
    "family.tracing_state",
}
fields = st.sampled_from(sorted(IDENTIFYING | CODES))
plans = st.dictionaries(fields, st.sampled_from(sorted(TREATMENTS)), max_size=12)


def fits(view, field, treatment):
    try:
        compile_view(view, {field: treatment})
    except PlanError:
        return False
    return True


FITTING = {
    view: [
        (field, treatment)
        for field in sorted(IDENTIFYING | CODES)
        for treatment in sorted(TREATMENTS)
        if fits(view, field, treatment)
    ]
    for view in ("full", "pseudonym", "generalised")
}


def compiled_plans(view):
    """Plans that compile: fitting pairs, a second field under one output name left out."""

    def build(pairs):
        chosen = {}
        for field, treatment in pairs:
            try:
                compile_view(view, {**chosen, field: treatment})
            except PlanError:
                continue
            chosen[field] = treatment
        return compile_view(view, chosen)

    return st.lists(st.sampled_from(FITTING[view]), max_size=15).map(build)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.text(max_size=30),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(st.text(max_size=12), max_size=3).map(tuple),
)
rows = st.lists(st.dictionaries(fields, values), max_size=6).map(lambda page: page * 10)


def context(page, **more):
    return ViewContext(
        today=TODAY,
        case_nos=[f"BA-{number:04}" for number in range(len(page))],
        randbelow=secrets.randbelow,
        coded=lambda _field, _value: "CODE",
        hits=[Hit("sure", "BA")] * len(page),
        **more,
    )


def apply(plan, page, seen=None):
    """A page of a view, told among itself where the view needs a crowd."""
    seen = seen or context(page)
    if plan.view == "generalised":
        seen = replace(seen, crowd=plan.gather(page, range(len(page)), seen))
    return plan.apply(page, seen)


coded_plans = st.sampled_from(CODED).flatmap(compiled_plans)
row_plans = st.sampled_from(sorted(FITTING)).flatmap(compiled_plans)


@given(row_plans, rows)
def test_every_row_has_the_keys_of_its_plan_and_no_other(plan, page):
    for row in apply(plan, page):
        assert tuple(row) == plan.outputs


@given(coded_plans, st.integers(1, 40))
def test_no_identifying_value_comes_out_of_a_coded_view(plan, people):
    # A canary in every field; in those that identify it even has the form of a code.
    page = [
        {name: f"CANARY-{name}-{person}"[:24] for name in IDENTIFYING} | dict.fromkeys(CODES, "AF")
        for person in range(people)
    ]
    assert "CANARY" not in str(apply(plan, page))


@given(coded_plans, rows)
def test_no_date_no_free_text_and_no_long_number_comes_out_of_a_coded_view(plan, page):
    told = {"possible match, contact the tracing unit", "nothing to tell", "same-sex interpreter"}
    for row in apply(plan, page):
        for value in row.values():
            assert not isinstance(value, (date, datetime))
            assert not isinstance(value, int) or 0 <= value <= 999
            for text in value if isinstance(value, tuple) else [value]:
                if isinstance(text, str) and text not in told:
                    assert " " not in text
                    assert len(text) <= 30


@given(row_plans, rows)
def test_a_plan_looks_at_no_field_beyond_those_it_names(plan, page):
    fewer = [{name: value for name, value in row.items() if name in plan.fields} for row in page]
    unshuffled = ViewContext(
        today=TODAY,
        case_nos=[f"BA-{number:04}" for number in range(len(page))],
        randbelow=lambda below: below - 1,
    )
    assert apply(plan, fewer, unshuffled) == apply(plan, page, unshuffled)


@given(st.sampled_from(VIEWS), plans, rows)
def test_a_view_treats_or_refuses_and_nothing_else(view, wanted, page):
    try:
        apply(compile_view(view, wanted), page)
    except AnonymiseError as refusal:
        assert "CANARY" not in str(refusal)  # noqa: PT017 - refusing is as good as treating


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ["", "KEEP", "keep ", "mask", "None"])
def test_an_unknown_treatment_is_a_refusal_in_every_view(view, name):
    with pytest.raises(UnknownTreatmentError):
        compile_view(view, {"biographic.sex": name})


@pytest.mark.parametrize("view", ["", "FULL", "count", "pseudonyms", "*"])
def test_an_unknown_view_is_a_refusal(view):
    with pytest.raises(PlanError, match="no such row view"):
        compile_view(view, {"biographic.sex": "keep"})


@pytest.mark.parametrize(
    "field", ["", "sex", "biographic.", ".sex", "biographic.sex.x", "a.b\n", "A.b", "*.*"]
)
def test_a_malformed_field_id_is_a_refusal(field):
    with pytest.raises(PlanError, match=r"category\.field"):
        compile_view("full", {field: "keep"})


@pytest.mark.parametrize("view", CODED)
@pytest.mark.parametrize("category", sorted(NEVER_CODED))
@pytest.mark.parametrize("treatment", ["keep", "yes_no", "has_value", "week", "coded"])
def test_an_identifying_category_enters_no_coded_view_under_any_treatment(
    view, category, treatment
):
    with pytest.raises(PlanError):
        compile_view(view, {f"{category}.anything": treatment})


@pytest.mark.parametrize("view", CODED)
@pytest.mark.parametrize("category", sorted(NEVER_CODED))
def test_an_identifying_category_may_be_dropped(view, category):
    plan = compile_view(view, {f"{category}.anything": "drop"})
    assert plan.fields == frozenset()
    assert set(plan.outputs) <= {"case_no"}


@pytest.mark.parametrize("field", sorted(NEVER_KEPT))
def test_identifying_fields_and_free_text_are_never_kept_in_a_pseudonym_row(field):
    with pytest.raises(PlanError, match="cannot be kept"):
        compile_view("pseudonym", {field: "keep"})


@pytest.mark.parametrize("treatment", ["keep", "coded", "case_no"])
def test_nothing_that_singles_out_stands_in_a_generalised_row(treatment):
    with pytest.raises(PlanError, match="does not belong in the generalised view"):
        compile_view("generalised", {"accommodation.centre_id": treatment})


@pytest.mark.parametrize("treatment", sorted(set(TREATMENTS) - {"keep", "drop"}))
def test_the_full_view_keeps_or_drops(treatment):
    with pytest.raises(PlanError, match="does not belong in the full view"):
        compile_view("full", {"biographic.sex": treatment})


@pytest.mark.parametrize(
    "value",
    [
        "Amir Hadzic",
        "Ulica 1",
        "P12345678",
        "19900101",
        "x" * 25,
        "a;b",
        "a@b",
        "",
        date(1990, 1, 1),
        datetime(2026, 1, 1, tzinfo=UTC),
        1000,
        -1,
        ("ok", "not ok"),
    ],
)
def test_only_a_code_passes_where_a_pseudonym_row_keeps(value):
    plan = compile_view("pseudonym", {"protection.referral_kind": "keep"})
    page = [{"protection.referral_kind": value}]
    assert apply(plan, page)[0]["protection.referral_kind"] is None


@pytest.mark.parametrize("value", ["M", "medical", "BA-LIPA", "XX", True, 3, ("ps", "prs"), ()])
def test_a_code_passes_where_a_pseudonym_row_keeps(value):
    plan = compile_view("pseudonym", {"protection.referral_kind": "keep"})
    page = [{"protection.referral_kind": value}]
    assert apply(plan, page)[0]["protection.referral_kind"] == value


def test_the_full_view_gives_values_as_held_in_the_order_held():
    plan = compile_view("full", {"direct_identifier.surnames": "keep", "protection.note": "drop"})
    page = [{"direct_identifier.surnames": "B b", "protection.note": "x"}, {}]
    assert plan.apply(page, ViewContext(today=TODAY)) == [
        {"direct_identifier.surnames": "B b"},
        {"direct_identifier.surnames": None},
    ]


def test_pseudonym_rows_start_with_the_case_number_and_come_in_its_order():
    plan = compile_view(
        "pseudonym", {"biographic.sex": "keep", "biographic.date_of_birth": "age_band"}
    )
    page = [{"biographic.sex": "F"}, {"biographic.sex": "M"}, {"biographic.sex": "X"}]
    numbers = ["BA-9", "BA-1", "BA-5"]
    told = plan.apply(page, ViewContext(today=TODAY, case_nos=numbers))
    assert [next(iter(row.items())) for row in told] == [
        ("case_no", "BA-1"),
        ("case_no", "BA-5"),
        ("case_no", "BA-9"),
    ]
    assert [row["biographic.sex"] for row in told] == ["M", "X", "F"]


@pytest.mark.parametrize("numbers", [None, [], ["BA-1", "BA-2"], [""], [None]])
def test_a_pseudonym_row_without_its_own_case_number_is_refused(numbers):
    plan = compile_view("pseudonym", {"biographic.sex": "keep"})
    with pytest.raises(ContextError, match="case number"):
        plan.apply([{"biographic.sex": "F"}], ViewContext(today=TODAY, case_nos=numbers))


def test_generalised_rows_have_no_case_number_and_are_shuffled_by_the_secret_source():
    plan = compile_view("generalised", {"asylum.applied_on": "month"})
    page = [{"asylum.applied_on": date(2026, 1 + place // 10, 1)} for place in range(120)]
    asked = []

    def randbelow(below):
        asked.append(below)
        return below // 3

    seen = ViewContext(today=TODAY, case_nos=["x"] * 120, randbelow=randbelow)
    told = apply(plan, page, seen)
    assert asked == [factorial(120)]
    months = [row["asylum.applied_month"] for row in told]
    assert months != sorted(months)
    assert sorted(months) == [f"2026-{1 + place // 10:02}" for place in range(120)]
    assert all(tuple(row) == ("asylum.applied_month",) for row in told)


def test_every_order_of_a_shuffle_is_as_likely_as_another():
    seen = {}
    for _ in range(6_000):
        order = "".join(
            str(row["a.b"])
            for row in arrange("generalised", [{"a.b": n} for n in range(3)], secrets.randbelow)
        )
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    # A thousand each expected, standard deviation 29.
    assert all(820 < times < 1180 for times in seen.values())


def test_a_generalised_view_without_a_secret_source_is_refused():
    plan = compile_view("generalised", {"asylum.applied_on": "month"})
    with pytest.raises(ContextError, match="randomness"):
        apply(plan, [{}] * 20, ViewContext(today=TODAY))


def test_two_fields_under_one_output_name_are_refused():
    with pytest.raises(PlanError, match="one name"):
        compile_view(
            "pseudonym", {"biographic.date_of_birth": "age_band", "biographic.age": "age_band"}
        )


@pytest.mark.parametrize(
    ("needs", "mark", "told"),
    [
        ((), False, "no"),
        (("SM",), False, "yes"),
        ((), True, "yes"),
        (None, False, "unknown"),
        (None, True, "yes"),
    ],
)
def test_several_signs_of_vulnerability_join_into_one_answer(needs, mark, told):
    plan = compile_view(
        "generalised",
        {"protection.needs_codes": "vulnerable", "protection.trafficking_mark": "vulnerable"},
    )
    page = [{"protection.needs_codes": needs, "protection.trafficking_mark": mark}]
    assert plan.outputs == ("protection.vulnerable",)
    named = plan.gather([], [], context(page), named=True)
    assert plan.apply(page, context(page, crowd=named)) == [{"protection.vulnerable": told}]


def test_a_birth_date_is_fetched_with_its_precision_and_an_age_alone():
    born = compile_view("pseudonym", {"biographic.date_of_birth": "age_band"})
    assert born.fields == {"biographic.date_of_birth", "biographic.dob_precision"}
    assert compile_view("pseudonym", {"biographic.age": "age_band"}).fields == {"biographic.age"}


@pytest.mark.parametrize("precision", ["day", "month", "year", "unknown", None, 3])
@pytest.mark.parametrize("born", [date.min, date.max, date(2024, 2, 29)])
def test_a_birth_moment_is_banded_as_its_day_at_the_ends_of_the_calendar_too(born, precision):
    plan = compile_view("pseudonym", {"biographic.date_of_birth": "age_band"})
    moment = datetime(born.year, born.month, born.day, 23, tzinfo=UTC)
    page = [
        {"biographic.date_of_birth": value, "biographic.dob_precision": precision}
        for value in (born, moment)
    ]
    of_day, of_moment = apply(plan, page)
    assert of_day["biographic.age_band"] == of_moment["biographic.age_band"]


@pytest.mark.parametrize("view", CODED)
def test_a_value_outside_the_common_model_refuses_the_page(view):
    plan = compile_view(view, {"asylum.claim_state": "claim_open"})
    page = [{"asylum.claim_state": ["open"]}]
    with pytest.raises(ContextError, match="common model"):
        apply(plan, page)


def test_a_truth_and_the_number_one_stay_apart_in_a_column():
    plan = compile_view("pseudonym", {"biographic.age": "age_band"})
    page = [{"biographic.age": value} for value in (1, True, 1)]
    told = [row["biographic.age_band"] for row in apply(plan, page)]
    assert told == ["0-17", "unknown", "0-17"]


@given(st.lists(st.dates() | st.datetimes(timezones=st.just(UTC)), max_size=30))
def test_a_column_of_weeks_says_the_iso_week_of_each_day(days):
    plan = compile_view("pseudonym", {"asylum.applied_on": "week"})
    told = apply(plan, [{"asylum.applied_on": day} for day in days])
    iso = [day.isocalendar() for day in days]
    assert sorted(row["asylum.applied_week"] for row in told) == sorted(
        f"{day.year:04}-W{day.week:02}" for day in iso
    )


def test_a_view_of_no_field_has_one_empty_row_for_each_record():
    assert compile_view("full", {}).apply([{}, {"a.b": "x"}], ViewContext(today=TODAY)) == [{}, {}]


def test_no_repr_of_a_context_shows_what_it_holds():
    shown = repr(ViewContext(today=TODAY, case_nos=["BA-SECRET"], places={"Secret": "x"}))
    assert "SECRET" not in shown.upper()
