# SPDX-License-Identifier: EUPL-1.2
"""Reasons: every condition in order, every line, and the one thing that was missing."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import Truth
from policies.explain import GUARDS
from tests.policies.making import CONSULT, READ, aimed, at_best, facts, truths

SOME = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)


def only(explanation):
    (cell,) = explanation.cells
    return cell


def test_an_allowed_cell_names_its_line_with_file_and_law(snapshot):
    found = snapshot.explain(READ, "BA", facts(snapshot.vocabulary, "presence"))
    assert [c.id for c in found.checks] == ["Q-WORD", "Q-KIND", "Q-ROLE", "Q-BASIS"]
    cell = only(found)
    assert cell.granted
    assert cell.view == "full"
    assert cell.nearest is None
    assert all(condition.holds for condition in cell.conditions)
    (line,) = next(c.lines for c in cell.conditions if c.id == "owner allow")
    assert (line.id, line.file, line.number) == ("BA-O01", "BA/rules.csv", 2)
    assert "INT-04" in line.law


def test_a_check_that_fails_ends_the_explanation(snapshot):
    found = snapshot.explain(replace(READ, purpose="law_enforcement"), "BA", {})
    assert [(c.id, c.holds) for c in found.checks] == [
        ("Q-WORD", True),
        ("Q-KIND", True),
        ("Q-ROLE", False),
    ]
    assert found.cells == ()
    assert not found.decision.allowed


def test_the_one_missing_fact_is_named(snapshot):
    stated = facts(snapshot.vocabulary, "case_number", "hit_token", "strong_login")
    cell = only(snapshot.explain(CONSULT, "BA", stated))
    assert not cell.granted
    assert cell.nearest is not None
    assert (cell.nearest.line.id, cell.nearest.column) == ("BA-A03", GUARDS)
    assert cell.nearest.needed == ("claim_here",)


def test_the_one_wrong_column_is_named(snapshot):
    asked = replace(READ, categories=("security",))
    cell = only(snapshot.explain(asked, "BA", facts(snapshot.vocabulary, "presence")))
    assert cell.nearest is not None
    assert cell.nearest.line.id == "BA-O01"
    assert cell.nearest.column == "category"
    assert "direct_identifier" in cell.nearest.needed


def test_a_single_denial_says_what_would_have_to_be_sure(snapshot):
    stated = facts(snapshot.vocabulary, "presence", maybe=["retention_over"])
    cell = only(snapshot.explain(READ, "BA", stated))
    assert cell.nearest is not None
    assert (cell.nearest.line.id, cell.nearest.needed) == ("F06", ("retention_over",))


def test_two_obstacles_have_no_nearest(snapshot):
    stated = facts(snapshot.vocabulary, "presence", maybe=["retention_over", "naturalised"])
    assert only(snapshot.explain(READ, "BA", stated)).nearest is None


@SOME
@given(st.data())
def test_an_explanation_says_what_was_decided(snapshot, data):
    question, owner = data.draw(aimed(snapshot))
    stated = truths(snapshot.vocabulary, data.draw)
    found = snapshot.explain(question, owner, stated)
    assert found.decision == snapshot.decide_record(question, owner, stated)
    for cell in found.cells:
        assert cell.granted == (found.decision.cells[cell.category].view is not None)
        assert cell.granted == all(condition.holds for condition in cell.conditions)
        denied = {line.id for c in cell.conditions if c.id.endswith("deny") for line in c.lines}
        assert denied <= set(found.decision.cells[cell.category].refused)


@SOME
@given(st.data())
def test_following_the_hint_of_missing_facts_opens_the_cell(snapshot, data):
    """The near miss is honest: with just that made sure, the answer is yes."""
    words = snapshot.vocabulary
    question, owner = data.draw(aimed(snapshot))
    stated = at_best(words)
    dropped = data.draw(st.sampled_from(sorted(stated)))
    stated[dropped] = Truth.POSSIBLE
    for cell in snapshot.explain(question, owner, stated).cells:
        miss = cell.nearest
        if miss is None or miss.column != GUARDS or miss.line.eft != "allow":
            continue
        more = stated | dict.fromkeys(miss.needed, Truth.TRUE)
        again = replace(question, categories=(cell.category,), view=cell.view)
        decision = snapshot.decide_record(again, owner, more)
        assert decision.allowed


def test_a_line_that_needs_a_fact_and_a_denial_for_want_of_it_are_one_condition(snapshot):
    cell = only(snapshot.explain(READ, "BA", facts(snapshot.vocabulary)))
    denials = next(c.lines for c in cell.conditions if c.id == "owner deny")
    assert [line.id for line in denials] == ["F03"]
    assert cell.nearest is not None
    assert (cell.nearest.line.id, cell.nearest.needed) == ("BA-O01", ("presence",))


def test_two_different_facts_are_no_single_condition(snapshot):
    stated = facts(snapshot.vocabulary, "suspended")
    assert only(snapshot.explain(READ, "BA", stated)).nearest is None
