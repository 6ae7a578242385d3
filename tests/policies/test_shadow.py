# SPDX-License-Identifier: EUPL-1.2
"""Shadow mode: stock casbin looks over the shoulder, and can only take away."""

from dataclasses import replace

import pytest

from policies.decision import Cell
from policies.engine import Engine
from policies.shadow import DIFFERS
from policies.snapshot import Snapshot
from tests.policies.making import CONSULT, READ, facts


def test_one_decision_in_n_is_judged_and_equal_answers_say_nothing(snapshot):
    told = []
    shadowed = snapshot.shadowed(2, lambda: told.append(1))
    stated = facts(snapshot.vocabulary, "presence")
    for _ in range(4):
        assert shadowed.decide_record(READ, "BA", stated) == snapshot.decide_record(
            READ, "BA", stated
        )
    assert told == []


def lying(snapshot, view):
    """An engine whose answer is not what its lines say."""

    class Liar(Engine):
        def decide(self, question, owner, known):
            decision = super().decide(question, owner, known)
            cells = {
                name: Cell(name, view, ("BA-O01",), (), frozenset()) for name in decision.cells
            }
            return replace(decision, cells=cells)

    engine = snapshot.engine
    return Snapshot(snapshot.book, Liar(engine.vocabulary, engine.owners, engine.asking))


def test_an_answer_that_casbin_would_not_give_is_withheld_and_told(snapshot):
    told = []
    shadowed = lying(snapshot, "full").shadowed(1, lambda: told.append(1))
    decision = shadowed.decide_record(READ, "BA", facts(snapshot.vocabulary))
    assert not decision.allowed
    assert decision.cells["direct_identifier"].refused == (DIFFERS,)
    assert told == [1]


def test_a_weaker_compiled_answer_stands_though_it_differs(snapshot):
    told = []
    shadowed = lying(snapshot, None).shadowed(1, lambda: told.append(1))
    decision = shadowed.decide_record(READ, "BA", facts(snapshot.vocabulary, "presence"))
    assert not decision.allowed
    assert told == [1]


def test_both_sides_are_judged_abroad(snapshot):
    told = []
    sure = ("case_number", "claim_here", "hit_token", "strong_login")
    stated = facts(snapshot.vocabulary, *sure)
    shadowed = snapshot.shadowed(1, lambda: told.append(1))
    assert shadowed.decide(CONSULT, {"BA": stated})["BA"].allowed
    assert told == []


def test_shadow_mode_needs_a_positive_number(snapshot):
    with pytest.raises(ValueError, match="at least 1"):
        snapshot.shadowed(0, lambda: None)


def test_lines_out_of_force_are_out_for_the_judge_too(snapshot):
    told = []
    less = snapshot.shadowed(1, lambda: told.append(1)).without(frozenset({"BA-O01"}))
    stated = facts(snapshot.vocabulary, "presence")
    assert not less.decide_record(READ, "BA", stated).allowed
    assert snapshot.decide_record(READ, "BA", stated).allowed
    assert told == []


def test_a_denial_cannot_be_taken_out_of_force(snapshot):
    every = frozenset(line.id for line in snapshot.book.floor)
    assert snapshot.without(every).engine.owners["BA"] is snapshot.engine.owners["BA"]
    assert snapshot.without(frozenset()) is snapshot
