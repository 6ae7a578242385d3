# SPDX-License-Identifier: EUPL-1.2
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.audit.alerts.making import LATER, LOG, NOON, access, always, during, raised

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# No follow-up: hit flags (INT-02)

HIT = access(owner="HR", view="hit", hit=True, persons={"p-1"}, case_no="CASE1")
ASKED_ON = access(1, NOON + HOUR, owner="HR", action="consult", persons={"p-1"})


def test_a_hit_flag_without_a_request_is_an_alert_after_a_day():
    (alert,) = raised("no-follow-up", [HIT])
    assert alert.score == 60
    assert {one.explanation for one in alert.tried} == {"border-presence", "reason-on-file"}
    assert not raised("no-follow-up", [HIT], until=NOON + 23 * HOUR)


@pytest.mark.parametrize(
    "later",
    [
        ASKED_ON,
        replace(ASKED_ON, officer="officer-2"),
        replace(ASKED_ON, refused=True, persons=frozenset(), case_no="CASE1"),
    ],
)
def test_a_request_by_the_organisation_is_the_follow_up_granted_or_not(later):
    assert not raised("no-follow-up", [HIT, later])


@pytest.mark.parametrize(
    "later",
    [
        replace(ASKED_ON, org="BA-AS"),
        replace(ASKED_ON, owner="RS"),
        replace(ASKED_ON, persons=frozenset({"p-2"})),
        replace(ASKED_ON, at=NOON + DAY),
        replace(ASKED_ON, action="find"),
        replace(ASKED_ON, refused=True, persons=frozenset(), case_no="CASE2"),
        replace(ASKED_ON, refused=True, persons=frozenset(), case_no=""),
        replace(ASKED_ON, officer="officer-2", refused=True, persons=frozenset(), case_no="CASE1"),
    ],
)
def test_another_request_is_none(later):
    assert raised("no-follow-up", [HIT, later])


def test_a_request_before_the_hit_is_none():
    assert raised("no-follow-up", [replace(ASKED_ON, index=0, at=NOON), replace(HIT, index=1)])


def test_presence_does_not_excuse_a_hit_flag_and_a_reason_on_file_does():
    asked = replace(HIT, purpose="border_check", sure=frozenset({"presence"}))
    assert raised("no-follow-up", [asked])
    assert not raised("no-follow-up", [asked], reasons=frozenset({(LOG, 0)}))
    for other in ((LOG, 1), ("audit.example/HR/2026h2", 0)):
        assert raised("no-follow-up", [asked], reasons=frozenset({other}))


# No follow-up: other look-ups

LOOK = access(hit=True, persons={"p-1"}, case_no="CASE1")


def test_a_look_up_with_nothing_done_in_the_case_is_an_alert():
    assert raised("no-follow-up", [LOOK], actions={})
    assert raised("no-follow-up", [LOOK], actions={"CASE2": (NOON + HOUR,)})
    assert raised("no-follow-up", [LOOK], actions={"CASE1": (NOON - HOUR, NOON + DAY)})
    assert raised("no-follow-up", [replace(LOOK, case_no="")], actions={"": (NOON + HOUR,)})


def test_without_the_case_systems_actions_only_hit_flags_are_judged():
    assert not raised("no-follow-up", [LOOK])
    assert not raised("no-follow-up", [LOOK], actions={}, until=NOON + HOUR)


@pytest.mark.parametrize("changes", [{"hit": False}, {"action": "count"}, {"action": "list"}])
def test_an_empty_answer_a_list_or_a_table_needs_no_follow_up(changes):
    assert not raised("no-follow-up", [replace(LOOK, **changes)], actions={})


def test_an_action_in_the_case_or_a_record_opened_is_the_follow_up():
    assert not raised("no-follow-up", [LOOK], actions={"CASE1": (NOON - DAY, NOON + HOUR)})
    opened = access(1, NOON + HOUR, action="read", persons={"p-1"}, hit=False)
    assert not raised("no-follow-up", [LOOK, opened], actions={})
    assert raised("no-follow-up", [LOOK, replace(opened, refused=True)], actions={})
    assert raised("no-follow-up", [LOOK, replace(opened, officer="officer-2")], actions={})


def test_a_border_check_of_somebody_present_is_explained():
    there = replace(LOOK, purpose="border_check", sure=frozenset({"presence"}))
    assert not raised("no-follow-up", [there], actions={})
    assert raised("no-follow-up", [replace(there, purpose="identification")], actions={})
    assert raised("no-follow-up", [replace(there, sure=frozenset())], actions={})


# Purpose drift


def questions(officer, purpose, count, first, **more):
    return [
        access(first + n, NOON + timedelta(minutes=n), officer=officer, purpose=purpose, **more)
        for n in range(count)
    ]


UNIT = [
    *questions("officer-2", "border_check", 20, 1000),
    *questions("officer-3", "border_check", 20, 2000),
]
DRIFTED = questions("officer-1", "law_enforcement", 10, 0)


def test_purposes_that_differ_from_the_units_are_an_alert():
    asked = [*DRIFTED, *questions("officer-1", "border_check", 5, 100), *UNIT]
    (alert,) = raised("purpose-drift", asked)
    assert alert.entries == tuple(range(10))
    assert "67% of his, 0% of his unit's" in alert.reasons[0]


def test_small_or_usual_shares_are_none():
    assert not raised("purpose-drift", [*DRIFTED[:9], *UNIT])
    mostly = [*DRIFTED, *questions("officer-1", "border_check", 30, 100), *UNIT]
    assert not raised("purpose-drift", mostly)
    usual = [*UNIT, *questions("officer-4", "law_enforcement", 14, 3000)]
    assert not any(0 in a.entries for a in raised("purpose-drift", [*DRIFTED, *usual]))


def test_a_unit_of_too_few_has_no_mix_to_differ_from():
    assert not raised("purpose-drift", [*DRIFTED, *UNIT[:20]])
    assert not raised("purpose-drift", [*DRIFTED, *UNIT[:14], *UNIT[20:35]])
    elsewhere = [replace(a, unit="unit-b") for a in UNIT]
    assert not raised("purpose-drift", [*DRIFTED, *elsewhere])


def test_months_are_apart():
    before = [replace(a, at=a.at - 30 * DAY) for a in UNIT]
    assert not raised("purpose-drift", [*DRIFTED, *before])


def test_a_new_order_explains_it():
    for order in (
        always(officer="officer-1", purpose="law_enforcement"),
        always(unit="unit-a", purpose="law_enforcement"),
    ):
        assert not raised("purpose-drift", [*DRIFTED, *UNIT], orders=(order,))
    for order in (
        always(officer="officer-1", purpose="readmission"),
        always(officer="officer-2", purpose="law_enforcement"),
        replace(during("officer-1", NOON + DAY, 9), purpose="law_enforcement"),
    ):
        assert raised("purpose-drift", [*DRIFTED, *UNIT], orders=(order,))


def test_a_posting_to_a_unit_with_that_purpose_explains_it():
    crime = questions("officer-7", "law_enforcement", 3, 4000, unit="unit-c")
    posting = always(officer="officer-1", unit="unit-c")
    asked = [*DRIFTED, *UNIT, *crime]
    assert not raised("purpose-drift", asked, postings=(posting,))
    for other in (
        replace(posting, officer="officer-2"),
        replace(posting, unit="unit-d"),
        replace(posting, unit="unit-a"),
        replace(during("officer-1", NOON + DAY, 9), unit="unit-c"),
    ):
        assert raised("purpose-drift", asked, postings=(other,))
    (alert,) = raised("purpose-drift", asked, until=LATER)
    assert "not known: postings.csv" in alert.tried[1].why_not
