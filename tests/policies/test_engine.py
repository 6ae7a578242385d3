# SPDX-License-Identifier: EUPL-1.2
"""Checks before any line, the ladder, the two passes, and what an explanation names."""

import threading
from dataclasses import replace

import pytest

from policies import PolicyError, Truth, UnknownGuardError
from policies.checks import BASIS, CELL, KIND, NAMED, ROLE, WORD
from policies.loader import build
from tests.policies.making import CONSULT, READ, TODAY, at_best, base_guards, facts, granted

P = Truth.POSSIBLE


def decide(snapshot, question, *sure, maybe=(), **changes):
    asked = replace(question, **changes)
    known = facts(snapshot.vocabulary, *sure, maybe=maybe)
    return snapshot.decide_record(asked, asked.owners[0], known)


def reasons(decision):
    return {reason for cell in decision.cells.values() for reason in cell.refused}


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"org": "BA-AS"}, KIND),
        ({"country": "HR"}, KIND),
        ({"org": "UNHCR", "country": "INT", "role": "caseworker"}, KIND),
        ({"purpose": "law_enforcement", "basis": "EUR-20"}, ROLE),
        ({"basis": "EUR-01"}, BASIS),
        ({"basis": ""}, BASIS),
        ({"action": "count"}, CELL),
        ({"view": "count"}, CELL),
        ({"view": "hit"}, CELL),
        ({"action": "find", "named": False}, NAMED),
        ({"action": "consult", "named": False}, NAMED),
    ],
)
def test_a_check_refuses_before_any_line(snapshot, changes, check):
    asked = replace(READ, **changes)
    best = at_best(snapshot.vocabulary)
    decisions = (
        snapshot.decide(asked, {"BA": best})["BA"],
        snapshot.decide_record(asked, "BA", best),
    )
    for decision in decisions:
        assert not decision.allowed
        assert reasons(decision) == {check}
        assert decision.cells["direct_identifier"].nameable == (check,)


@pytest.mark.parametrize(
    "column", ["role", "org", "country", "action", "dataset", "view", "purpose"]
)
@pytest.mark.parametrize("word", ["", "*", "anyone", "own", "nobody", "BA-BP + HR-BP"])
def test_an_unknown_word_in_any_column_is_refused(snapshot, column, word):
    asked = replace(READ, **{column: word})
    decision = snapshot.decide(asked, {"BA": at_best(snapshot.vocabulary)})["BA"]
    assert reasons(decision) == {WORD}
    assert snapshot.relevant_guards(asked, "BA") == frozenset()


def test_an_unknown_category_refuses_the_whole_question(snapshot):
    decision = decide(snapshot, READ, "presence", categories=("direct_identifier", "shoe_size"))
    assert not decision.allowed
    assert reasons(decision) == {WORD}


def test_an_owner_that_was_not_asked_or_is_not_known_is_refused(snapshot):
    best = at_best(snapshot.vocabulary)
    assert reasons(snapshot.decide_record(READ, "HR", best)) == {WORD}
    assert reasons(snapshot.decide(replace(READ, owners=("",)), {})[""]) == {WORD}
    assert not snapshot.decide(replace(READ, owners=("XX",)), {"XX": best})["XX"].allowed


def test_a_question_of_an_unknown_dataset_still_has_a_cell_that_says_why(snapshot):
    decision = snapshot.decide_record(replace(READ, dataset="x", categories=()), "BA", {})
    assert decision.rules == (WORD,)
    assert not decision.allowed


def test_a_subject_that_is_named_by_anything_but_true_is_not_named(snapshot):
    asked = replace(READ, action="find", named="no")
    assert reasons(snapshot.decide_record(asked, "BA", {})) == {NAMED}


def test_no_category_means_every_one_and_each_is_decided_alone(snapshot):
    decision = decide(snapshot, READ, "presence", categories=())
    assert list(decision.cells) == list(snapshot.vocabulary.datasets["persons"].categories)
    assert set(decision.granted) == set(decision.cells) - {"security"}
    assert decision.cells["security"].refused == ("no owner line",)
    assert decision.duties == {"log_reason"}


def test_the_ladder_goes_down_from_the_wanted_view_and_never_up(snapshot):
    aid = replace(
        READ,
        role="caseworker",
        org="BA-NGO",
        purpose="humanitarian_assistance",
        basis="HUM-01",
        categories=("biographic",),
    )
    sure = ("case_number", "assigned_case", "consent_given")
    assert granted(decide(snapshot, aid, *sure)) == {"biographic": "pseudonym"}
    assert granted(decide(snapshot, aid, *sure, view="pseudonym")) == {"biographic": "pseudonym"}
    assert granted(decide(snapshot, aid, *sure, view="generalised")) == {}
    cell = decide(snapshot, aid, *sure).cells["biographic"]
    assert cell.refused == ("F27",)
    assert cell.rules == ("BA-O18",)


def test_hit_and_count_are_served_only_when_asked_for(snapshot):
    find = replace(
        READ, action="find", owners=("RS",), dataset="registrations", categories=("record",)
    )
    assert granted(decide(snapshot, find, "presence", view="hit")) == {"record": "hit"}
    for view in ("full", "pseudonym", "generalised"):
        decision = decide(snapshot, find, "presence", view=view)
        assert not decision.allowed
        assert "F11" in reasons(decision)


def test_an_explanation_names_every_matching_line_of_both_rule_sets(snapshot):
    sure = ("case_number", "le_grounds", "hit_token", "verified", "urgent_declared", "strong_login")
    asked = replace(
        CONSULT,
        role="investigator",
        org="AT-CP",
        country="AT",
        owners=("RS",),
        purpose="law_enforcement",
        basis="EUR-20",
    )
    cell = decide(snapshot, asked, *sure).cells["direct_identifier"]
    assert cell.rules == ("RS-A09v", "RS-A09u", "AT-Q06")
    assert {"four_eyes", "expost_verify", "erase_if_refused"} <= cell.duties
    refused = decide(
        snapshot, asked, *sure, maybe=("retention_over", "naturalised", "same_unit", "deceased")
    )
    assert refused.cells["direct_identifier"].refused == ("F06", "F08", "F09", "F49")


def test_facts_about_the_record_count_at_their_best_before_the_fetch(snapshot):
    known = {"presence": Truth.TRUE, "suspended": Truth.FALSE}
    first = snapshot.decide(READ, {"BA": known})["BA"]
    assert granted(first) == {"direct_identifier": "full"}
    harmed = dict.fromkeys(base_guards(snapshot.vocabulary), P) | known
    assert snapshot.decide(READ, {"BA": harmed})["BA"] == first
    assert not snapshot.decide_record(READ, "BA", harmed).allowed


def test_a_record_fact_in_the_first_pass_changes_nothing(snapshot):
    known = facts(snapshot.vocabulary, "presence")
    worse = facts(snapshot.vocabulary, "presence", "retention_over", "blocked")
    assert snapshot.decide(READ, {"BA": known}) == snapshot.decide(READ, {"BA": worse})
    assert not snapshot.decide_record(READ, "BA", worse).allowed


def test_a_missing_fact_is_possible_in_both_passes(snapshot):
    assert reasons(snapshot.decide(READ, {})["BA"]) == {"F01", "F03"}
    assert {"F01", "F03", "F06", "F07", "F08", "F09", "F25"} <= reasons(
        snapshot.decide_record(READ, "BA", {})
    )


def test_only_reasons_that_held_before_the_fetch_are_nameable(snapshot):
    before = decide(snapshot, READ, maybe=("retention_over",)).cells["direct_identifier"]
    assert before.refused == ("F03", "F06")
    assert before.nameable == ("F03",)
    after = decide(snapshot, READ, "presence", "retention_over").cells["direct_identifier"]
    assert after.refused == ("F06",)
    assert after.nameable == ()


def test_a_missing_line_that_follows_from_a_record_fact_is_not_nameable(snapshot):
    asked = replace(CONSULT, dataset="family", categories=("family",), owners=("BA",))
    sure = ("case_number", "claim_here", "hit_token", "strong_login")
    cell = decide(snapshot, asked, *sure, maybe=("consent_given",)).cells["family"]
    assert cell.refused == ("no owner line",)
    assert cell.nameable == ()


@pytest.mark.parametrize("name", ["", "abroad", "weak_login", "unverified", "colour", "F01"])
def test_a_fact_that_nobody_may_state_is_refused_not_ignored(snapshot, name):
    with pytest.raises(UnknownGuardError) as refusal:
        snapshot.decide(READ, {"BA": {name: Truth.FALSE}})
    assert isinstance(refusal.value, PolicyError)
    with pytest.raises(UnknownGuardError):
        snapshot.decide_record(READ, "BA", {name: Truth.FALSE})


@pytest.mark.parametrize("truth", [True, False, None, "false", 0])
def test_a_truth_that_is_not_three_valued_is_refused(snapshot, truth):
    with pytest.raises(UnknownGuardError):
        snapshot.decide_record(READ, "BA", {"suspended": truth})


def test_relevant_guards_are_the_base_facts_that_some_fitting_line_names(snapshot):
    found = snapshot.relevant_guards(READ, "BA")
    assert {"presence", "suspended", "retention_over", "naturalised", "origin_state"} <= found
    assert found.isdisjoint({"abroad", "presence_missing", "hit_token", "agreement_in_force"})
    asking = replace(
        READ, action="find", owners=("RS",), dataset="registrations", categories=(), view="hit"
    )
    assert "supervisor_ok" not in snapshot.relevant_guards(asking, "RS")
    break_glass = replace(asking, purpose="vital_interest", basis="LED-10")
    assert "supervisor_ok" in snapshot.relevant_guards(break_glass, "RS")


def test_unverified_counts_as_its_two_positives(snapshot):
    asked = replace(
        READ, role="investigator", org="BA-CP", purpose="law_enforcement", basis="EUR-20"
    )
    assert {"verified", "urgent_declared"} <= snapshot.relevant_guards(asked, "BA")
    sure = ("case_number", "le_grounds", "strong_login")
    for way in ("verified", "urgent_declared"):
        assert decide(snapshot, asked, *sure, way).allowed
        doubted = decide(snapshot, asked, *sure, maybe=(way,))
        assert reasons(doubted) == {"F48"}


def test_several_owners_are_decided_by_their_own_rules_in_one_call(snapshot):
    find = replace(
        READ,
        action="find",
        owners=("RS", "HR", "MK", "BA"),
        dataset="registrations",
        categories=("record",),
        view="hit",
    )
    known = dict.fromkeys(find.owners, facts(snapshot.vocabulary, "presence", "transfer_basis"))
    decisions = snapshot.decide(find, known)
    assert list(decisions) == ["RS", "HR", "MK", "BA"]
    assert [decision.allowed for decision in decisions.values()] == [True, False, True, False]
    assert decisions["RS"].rules == ("RS-A01", "BA-Q01")


def test_an_international_body_needs_its_own_asking_line_in_its_host_country_too(snapshot):
    asked = replace(
        READ,
        role="caseworker",
        org="UNHCR",
        purpose="humanitarian_assistance",
        basis="HUM-01",
        categories=("biographic",),
    )
    sure = ("case_number", "assigned_case", "consent_given")
    assert decide(snapshot, asked, *sure).rules == ("BA-O18", "UNHCR-Q1")
    at_home = replace(asked, org="BA-NGO")
    assert decide(snapshot, at_home, *sure).rules == ("BA-O18",)


def test_decisions_are_the_same_from_many_threads_on_a_cold_snapshot(snapshot, files):
    cold = build(files, on=TODAY)
    wanted = {
        e.id: {n: c.view for n, c in self_decide(snapshot, e).cells.items()}
        for e in snapshot.examples[:120]
    }
    wrong: list[str] = []

    def work(examples):
        for example in examples:
            views = {n: c.view for n, c in self_decide(cold, example).cells.items()}
            if views != wanted[example.id]:
                wrong.append(example.id)

    examples = snapshot.examples[:120]
    threads = [threading.Thread(target=work, args=(examples[::step],)) for step in (1, -1, 2, -2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def self_decide(snapshot, example):
    return snapshot.decide_record(example.question, example.owner, example.facts)


def test_a_decision_is_remembered_and_its_cells_cannot_be_changed(snapshot):
    known = facts(snapshot.vocabulary, "presence")
    one = snapshot.decide_record(READ, "BA", known)
    assert snapshot.decide_record(READ, "BA", dict(reversed(known.items()))) is one
    with pytest.raises(TypeError):
        one.cells["security"] = one.cells["direct_identifier"]
