# SPDX-License-Identifier: EUPL-1.2
"""The shipped rules as a whole against stock casbin (engine §1.6, 4 and 5).

Each run draws its own questions, half of them aimed at lines that exist, and prints its seed.
`pytest -m exhaustive` asks everything that can be asked of one owner (`CUVAR_STOCK_OWNER`).
"""

import os

import pytest

from policies import Question, Truth
from policies.facts import Known, derived, known
from policies.masks import Request
from policies.matcher import stock_enforcer
from policies.zones import asker_name
from tests.policies import making
from tests.policies.judging import SEED, aimed, alone, column_words, dice, enforce, some_facts, told
from tests.policies.seeds import tell

EACH_SET = 40
OWNER = os.environ.get("CUVAR_STOCK_OWNER", "BA")


def all_sets(snapshot):
    """Every compiled set: the floor with each owner's lines, and each asking file."""
    return [*snapshot.engine.owners.values(), *snapshot.engine.asking.values()]


def drawn(rules, snapshot, throw, count):
    """Requests with facts: in turn aimed at a line, aimed with one column changed, and free."""
    words, guards = snapshot.vocabulary, sorted(snapshot.vocabulary.guards)
    columns = column_words(words)
    every = (*guards, *sorted(words.negatives))
    for number in range(count):
        line = throw.choice(rules.lines)
        request = aimed(line, columns, words.groups, throw)
        if number % 4 == 1:
            column = throw.choice(sorted(columns))
            request = request._replace(**{column: throw.choice(columns[column])})
        elif number % 4 in (2, 3):
            request = Request(**{name: throw.choice(values) for name, values in columns.items()})
        yield line, request, some_facts(line.guards, every, throw)


def test_questions_drawn_anew_are_allowed_and_refused_as_stock_casbin_does(snapshot):
    throw = dice("whole")
    asked = allowed = denied = 0
    for rules in all_sets(snapshot):
        judge = stock_enforcer(snapshot.book.conf, rules.lines, snapshot.vocabulary.groups)
        for _, request, facts in drawn(rules, snapshot, throw, EACH_SET):
            answer = enforce(judge, request, facts)
            found = rules.matching(request, facts)
            assert rules.allowed(request, facts) is answer, told(request, facts)
            cells = [(request.dataset, request.category)]
            assert rules.allowed_cells(request, cells, facts) == [answer], told(request, facts)
            asked, allowed = asked + 1, allowed + answer
            denied += bool(found & rules.denies)
    tell(f"{asked} questions, {allowed} allowed, {denied} denied, seed {SEED}")
    assert allowed > asked // 20
    assert denied > asked // 20


def test_the_lines_found_are_all_those_that_stock_casbin_matches(snapshot):
    throw = dice("matching")
    groups, conf = snapshot.vocabulary.groups, snapshot.book.conf
    judges = {}
    for rules in throw.sample(all_sets(snapshot), 3):
        for _, request, facts in drawn(rules, snapshot, throw, 6):
            expected = set()
            for line in rules.lines:
                if line.id not in judges:
                    judges[line.id] = alone(conf, line, groups)
                judge, when_matching = judges[line.id]
                if enforce(judge, request, facts) is when_matching:
                    expected.add(line.id)
            found = {line.id for line in rules.named(rules.matching(request, facts))}
            assert found == expected, told(request, facts)


def slice_of(snapshot, owner):
    """Every question to one owner that reaches its lines: who may hold and state what."""
    words = snapshot.vocabulary
    for org, place in making.askers(words):
        for role in sorted(words.roles):
            for purpose in words.purposes.values():
                if words.may_hold(org, role) and role in purpose.roles:
                    for cell in sorted(words.cells):
                        yield (
                            Question(
                                role=role,
                                org=org.id,
                                country=place,
                                action=cell.action,
                                dataset=cell.dataset,
                                owners=(owner,),
                                categories=(cell.category,),
                                view=cell.view,
                                purpose=purpose.id,
                                basis=purpose.bases[0],
                                named=True,
                            ),
                            Request(
                                role,
                                asker_name(org, place),
                                owner,
                                cell.dataset,
                                cell.category,
                                cell.view,
                                cell.action,
                                purpose.id,
                            ),
                        )


def fact_worlds(words):
    """Everything at its best; everything that a lawyer fears; nothing known at all."""
    best = making.at_best(words)
    yield best
    yield dict.fromkeys(best, Truth.POSSIBLE)
    yield best | {
        name: Truth.TRUE for name in ("minor_alone", "data_reveals_protection") if name in best
    }


@pytest.mark.exhaustive
@pytest.mark.timeout(6 * 3600)
def test_everything_that_can_be_asked_of_one_owner_is_answered_as_stock_casbin_does(snapshot):
    words, rules = snapshot.vocabulary, snapshot.engine.owners[OWNER]
    judge = stock_enforcer(snapshot.book.conf, rules.lines, words.groups)
    asked = allowed = 0
    for stated in fact_worlds(words):
        for question, request in slice_of(snapshot, OWNER):
            facts = known(words, stated, derived(words, question, OWNER))
            answer = enforce(judge, request, facts)
            assert rules.allowed(request, facts) is answer, told(request, facts)
            asked, allowed = asked + 1, allowed + answer
    tell(f"{OWNER}: {asked} questions, {allowed} allowed")
    assert allowed


def test_a_set_that_lost_its_denials_would_be_noticed(snapshot):
    rules = snapshot.engine.owners["BA"]
    less = stock_enforcer(
        snapshot.book.conf,
        [line for line in rules.lines if line.eft == "allow"],
        snapshot.vocabulary.groups,
    )
    throw = dice("denials")
    lines = [line for line in rules.lines if line.eft == "allow"]
    every = frozenset((*snapshot.vocabulary.guards, *snapshot.vocabulary.negatives))
    asked = [
        aimed(line, column_words(snapshot.vocabulary), snapshot.vocabulary.groups, throw)
        for line in lines
    ]
    feared = Known(every, every)
    assert any(enforce(less, one, feared) and not rules.allowed(one, feared) for one in asked)
