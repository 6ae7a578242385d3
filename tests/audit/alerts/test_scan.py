# SPDX-License-Identifier: EUPL-1.2
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from audit.alerts import RULES, Past, View, scan
from audit.alerts.access import accesses_of
from audit.alerts.context import Context, Officer
from audit.alerts.declared import Rule
from audit.event import Asked, Envelope, Owner, Requester
from audit.vocabulary import Kind, Status, Verdict
from tests.audit.alerts.making import LATER, LOG, NOON, SEED, access, always, person, scanned

USERS = (Officer("officer-9", "unit-a", person("BA", "p-1")),)


def test_there_are_the_eight_rules_of_the_reference_each_with_an_explanation():
    names = [rule.id for rule in RULES]
    assert names == [
        "protected",
        "self-or-relative",
        "colleague",
        "off-hours",
        "bulk",
        "same-name-sweep",
        "no-follow-up",
        "purpose-drift",
    ]
    assert all(rule.explanations and rule.signal for rule in RULES)


def test_an_empty_context_explains_nothing_and_accuses_nobody_of_what_it_would_know():
    asked = [access(n, NOON + timedelta(hours=n), hit=True, persons={"p-1"}) for n in range(50)]
    assert not scanned(asked).alerts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_unknown_explains_nothing(rule):
    view = View(LOG, [access(case_no="CASE1", sure={"case_number"})], Context(), LATER)
    assert not any(one.covers(view) for one in rule.explanations)


def test_an_alert_says_score_reasons_what_was_tried_and_what_became_of_similar_ones():
    past = [
        Past("c", "colleague", "unit-a", "justified"),
        Past("d", "colleague", "unit-b", "justified"),
        Past("e", "bulk", "unit-a", "justified"),
        *[Past(str(n), "colleague", "unit-a", "unjustified") for n in range(4)],
    ]
    (alert,) = scanned([access(persons={"p-1"})], past=past, officers=USERS).alerts
    assert 1 <= alert.score <= 100
    assert len(alert.reasons) == 2
    assert [one.alert for one in alert.similar] == ["c", "0", "1"]
    assert [(t.explanation, t.why_not) for t in alert.tried] == [
        ("duty-to-vet", "not known: vetting.csv is not there")
    ]


def test_explanations_are_subtracted_before_the_rule_looks():
    seen = []

    def find(view, rest):
        seen.append([a.index for a in rest])
        return ()

    colleague = next(rule for rule in RULES if rule.id == "colleague")
    rule = Rule("colleague", "x", colleague.explanations, find)
    asked = [access(0), access(1, officer="officer-2")]
    context = Context(vetting=(always(officer="officer-2"),))
    found = scan(View(LOG, asked, context, LATER), SEED, rules=(rule,))
    assert seen[-1] == [0]
    assert (found.explained, found.explained_at_all) == ({"duty-to-vet": 1}, 1)


def test_a_scan_says_how_many_signals_there_would_be_without_explanations():
    vetting = (always(unit="unit-a"),)
    found = scanned([access(persons={"p-1"})], officers=USERS, vetting=vetting)
    assert found.signals_without["colleague"] == 1
    assert not found.alerts


# Accesses out of entries

ENVELOPE = Envelope(
    id="019ab5f0-0000-7000-8000-000000000001",
    kind=Kind.ACCESS,
    t=NOON,
    log=LOG,
    requester=Requester("BA", "BA-BP", "border_officer"),
    owner=Owner("BA", "persons"),
    purpose="border_check",
    asked=Asked("find", "full", (), named=True, sure=("presence",)),
    decision=Verdict.ALLOW,
    view="full",
    count=1,
    status=Status.HIT,
    correlation="q-1",
)
DETAIL = {
    "v": 2,
    "officer": "officer-1",
    "issuer": "https://a.example",
    "unit": "unit-a",
    "case_no": "Case-1",
    "query": {
        "subject": {"surnames": "Đurić", "forenames": "Ana", "date_of_birth": "1990-02-01"},
    },
    "persons": ["p-1"],
    "facts": [{"sure": ["assigned_case"], "maybe": [], "granted": {}}],
}


class Entry:
    def __init__(self, index, detail, **more):
        self.origin, self.index, self.detail = LOG, index, detail
        self.envelope = replace(ENVELOPE, **more)


def test_an_access_is_what_envelope_and_detail_say():
    (found,) = accesses_of([Entry(7, DETAIL)])
    assert (found.index, found.officer, found.unit, found.owner) == (7, "officer-1", "unit-a", "BA")
    assert (found.action, found.hit, found.refused, found.case_no) == ("find", True, False, "CASE1")
    assert found.has("presence")
    assert found.has("assigned_case")
    assert (found.searched.surnames, found.searched.born) == ("duric", "1990-02-01")
    assert found.persons == {"p-1"}
    for secret in ("officer-1", "duric", "p-1", "CASE1", "a.example"):
        assert secret not in repr(found)


def test_sealed_entries_and_other_kinds_are_no_accesses():
    assert not accesses_of([Entry(0, None)])
    for kind in (Kind.REVIEW, Kind.AUTHENTICATION, Kind.ALERT, Kind.ERROR):
        assert not accesses_of([Entry(0, DETAIL, kind=kind)])
    assert accesses_of([Entry(0, DETAIL, kind=Kind.BREAK_GLASS)])


def test_officers_of_two_issuers_with_one_subject_are_two():
    other = {**DETAIL, "issuer": "https://b.example"}
    one, two, third = accesses_of(
        [Entry(0, DETAIL), Entry(1, other), Entry(2, {**DETAIL, "officer": "officer-2"})]
    )
    assert one.officer == "https://a.example officer-1"
    assert two.officer == "https://b.example officer-1"
    assert third.officer == "officer-2"


def test_a_case_number_of_ones_own_domain_is_no_reference():
    by_case = {**DETAIL, "query": {"reference": {"kind": "case_number", "ref": "BA-1"}}}
    by_record = {**DETAIL, "query": {"reference": {"kind": "record", "ref": "r-1"}}}
    found = accesses_of([Entry(0, by_case), Entry(1, by_record)])
    assert [a.searched.reference for a in found] == ["", "r-1"]


@pytest.mark.parametrize("name", DETAIL)
@pytest.mark.parametrize("value", [None, 7, [], {}, "x", [None], {"subject": 3}, [{"sure": 3}]])
def test_an_odd_detail_is_unknown_and_never_an_error(name, value):
    found = accesses_of([Entry(0, {**DETAIL, name: value})])
    json.dumps([a.officer for a in found])


def test_the_page_says_every_rule_with_its_signal_and_its_explanations():
    page = (Path(__file__).parents[3] / "docs/review-alerts.md").read_text(encoding="utf-8")
    for rule in RULES:
        explained = "; ".join(f"`{one.id}`: {one.words}" for one in rule.explanations)
        assert f"| `{rule.id}` | {rule.signal} | {explained} |" in page, rule.id
