# SPDX-License-Identifier: EUPL-1.2
"""The hit view: its closed shape and its bare form."""

from datetime import date

import pytest

from anonymise import (
    BARE,
    HIT_FIELDS,
    ContextError,
    Hit,
    PlanError,
    ViewContext,
    compile_view,
    shape_hit,
)
from anonymise.hit import PERSON_CATEGORIES

TODAY = date(2026, 11, 24)
ROW = {
    "record.person_category": "IRR",
    "record.registered_at": date(2026, 10, 3),
    "record.reference_number": "BA2-000017",
    "direct_identifier.surnames": "Canary",
}


def context(*hits):
    return ViewContext(today=TODAY, hits=hits)


def test_a_hit_tells_strength_owner_category_month_and_token():
    plan = compile_view("hit", HIT_FIELDS)
    assert plan.apply([ROW], context(Hit("strong", "BA", "tok"))) == [
        {
            "strength": "strong",
            "owner": "BA",
            "person_category": "IRR",
            "month": "2026-10",
            "token": "tok",
        }
    ]


def test_a_bare_hit_tells_strength_and_owner_and_no_more():
    plan = compile_view("hit", {})
    assert plan.apply([ROW], context(Hit("possible", "HR"))) == [
        {"strength": "possible", "owner": "HR"}
    ]
    assert plan.fields == frozenset()


def test_the_token_for_the_second_step_stays_in_the_bare_form():
    assert shape_hit(Hit("strong", "HR", "tok"), person_category="ASY", told=BARE) == {
        "strength": "strong",
        "owner": "HR",
        "token": "tok",
    }


def test_a_part_of_the_hit_fields_gives_that_part():
    plan = compile_view("hit", {"record.person_category": "keep", "record.registered_at": "drop"})
    assert plan.outputs == ("strength", "owner", "person_category", "token")
    [row] = plan.apply([ROW], context(Hit("strong", "BA")))
    assert "month" not in row
    assert row["person_category"] == "IRR"


@pytest.mark.parametrize(
    "fields",
    [
        {"record.reference_number": "keep"},
        {"record.registered_at": "keep"},
        {"record.registered_at": "week"},
        {"direct_identifier.surnames": "keep", **HIT_FIELDS},
    ],
)
def test_no_other_field_and_no_finer_treatment_enters_a_hit(fields):
    with pytest.raises(PlanError, match="drop every other field"):
        compile_view("hit", fields)


@pytest.mark.parametrize("strange", ["ASYLUM", "", "asy", 3, None, "Canary"])
def test_a_category_outside_the_closed_list_is_not_told(strange):
    assert shape_hit(Hit("strong", "BA"), person_category=strange)["person_category"] is None


@pytest.mark.parametrize("strange", ["2026-10-03", 20261003, None])
def test_a_date_that_is_no_date_is_not_told(strange):
    assert shape_hit(Hit("strong", "BA"), registered_at=strange)["month"] is None


def test_all_person_categories_of_the_vocabulary_pass():
    for category in PERSON_CATEGORIES:
        assert (
            shape_hit(Hit("strong", "BA"), person_category=category)["person_category"] == category
        )


@pytest.mark.parametrize("strength", ["", "certain", "0.93"])
def test_an_unknown_strength_is_withheld(strength):
    with pytest.raises(ContextError):
        shape_hit(Hit(strength, "BA"))


@pytest.mark.parametrize("hits", [None, (), (Hit("strong", "BA"), Hit("strong", "BA"))])
def test_hits_that_do_not_match_the_rows_are_refused(hits):
    with pytest.raises(ContextError, match="one hit for each row"):
        compile_view("hit", HIT_FIELDS).apply([ROW], ViewContext(today=TODAY, hits=hits))


def test_the_token_is_in_no_repr():
    assert "secret-token" not in repr(Hit("strong", "BA", "secret-token"))
    assert "secret-token" not in repr(context(Hit("strong", "BA", "secret-token")))
