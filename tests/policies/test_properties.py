# SPDX-License-Identifier: EUPL-1.2
"""Whatever is doubted, lost or unknown, no cell is ever added (T14, T15)."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import Truth
from policies.checks import refusal
from policies.facts import derived, known
from policies.loader import build
from policies.zones import asker_name
from tests.policies.making import TODAY, aimed, at_most, base_guards, granted, truths

MANY = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
FEW = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=6)


@MANY
@given(st.data())
def test_a_doubt_never_adds_a_cell(snapshot, data):
    question, owner = data.draw(aimed(snapshot))
    stated = truths(snapshot.vocabulary, data.draw)
    doubted = data.draw(st.sampled_from(base_guards(snapshot.vocabulary)))
    before = snapshot.decide_record(question, owner, stated)
    after = snapshot.decide_record(question, owner, stated | {doubted: Truth.POSSIBLE})
    assert at_most(after, before)
    first = snapshot.decide(question, {owner: stated})[owner]
    again = snapshot.decide(question, {owner: stated | {doubted: Truth.POSSIBLE}})[owner]
    assert at_most(again, first)


@MANY
@given(st.data())
def test_a_register_that_says_nothing_never_adds_a_cell(snapshot, data):
    question, owner = data.draw(aimed(snapshot))
    stated = truths(snapshot.vocabulary, data.draw)
    lost = data.draw(st.sets(st.sampled_from(base_guards(snapshot.vocabulary))))
    less = {name: truth for name, truth in stated.items() if name not in lost}
    before = snapshot.decide_record(question, owner, stated)
    assert at_most(snapshot.decide_record(question, owner, less), before)


@MANY
@given(st.data())
def test_the_second_pass_never_adds_a_cell_to_the_first(snapshot, data):
    question, owner = data.draw(aimed(snapshot))
    stated = truths(snapshot.vocabulary, data.draw)
    first = snapshot.decide(question, {owner: stated})[owner]
    second = snapshot.decide_record(question, owner, stated)
    assert at_most(second, first)
    for cell in second.cells.values():
        assert set(cell.nameable) <= set(cell.refused)


@MANY
@given(st.data())
def test_facts_outside_the_relevant_guards_change_no_decision(snapshot, data):
    question, owner = data.draw(aimed(snapshot))
    stated = truths(snapshot.vocabulary, data.draw)
    relevant = snapshot.relevant_guards(question, owner)
    only = {name: truth for name, truth in stated.items() if name in relevant}
    full = snapshot.decide_record(question, owner, stated)
    part = snapshot.decide_record(question, owner, only)
    assert granted(part) == granted(full)
    assert part.rules == full.rules


@FEW
@given(st.data())
def test_losing_any_allow_line_never_adds_a_cell(snapshot, files, data):
    book = snapshot.book
    every = (*book.owners.values(), *book.asking.values())
    lines = [line for some in every for line in some if line.eft == "allow" and len(some) > 1]
    lost = data.draw(st.sampled_from(lines))
    kept = [
        raw
        for raw in files[lost.file].splitlines(keepends=True)
        if not raw.startswith(f"{lost.id},".encode())
    ]
    less = build({**files, lost.file: b"".join(kept)}, on=TODAY)
    for _ in range(12):
        question, owner = data.draw(aimed(snapshot))
        stated = truths(snapshot.vocabulary, data.draw)
        assert at_most(
            less.decide_record(question, owner, stated),
            snapshot.decide_record(question, owner, stated),
        )


@MANY
@given(st.data(), st.text(max_size=12))
def test_an_unknown_value_in_any_column_is_refused(snapshot, data, word):
    question, owner = data.draw(aimed(snapshot))
    words = snapshot.vocabulary
    column = data.draw(
        st.sampled_from(["role", "org", "country", "action", "dataset", "view", "purpose", "basis"])
    )
    taken = {*words.roles, *words.organisations, *words.countries, *words.views, *words.actions}
    if word in taken | set(words.purposes) | set(words.datasets) | set(words.law):
        return
    asked = replace(question, **{column: word})
    assert not snapshot.decide(asked, {owner: truths(words, data.draw)})[owner].allowed


def fits(line, question, owner, asker, cell, groups):
    """Whether a line names all columns of a question: read plainly, without casbin or masks."""
    roles = set().union(*(groups.get(role, {role}) for role in line.role))
    category, view = cell
    wanted = {
        "org": asker,
        "owner": owner,
        "dataset": question.dataset,
        "category": category,
        "view": view,
        "action": question.action,
        "purpose": question.purpose,
    }
    return question.role in roles and all(
        getattr(line, name) == ("*",) or value in getattr(line, name)
        for name, value in wanted.items()
    )


@MANY
@given(st.data())
def test_what_no_line_lists_is_refused_and_what_is_granted_stands_in_each_rule_set(snapshot, data):
    words, book = snapshot.vocabulary, snapshot.book
    question, owner = data.draw(aimed(snapshot))
    stated = truths(words, data.draw)
    decision = snapshot.decide_record(question, owner, stated)
    if refusal(words, question, owner) is not None:
        assert not decision.allowed
        return
    facts = known(words, stated, derived(words, question, owner))
    org = words.organisations[question.org]
    asker = asker_name(org, question.country)
    sets = [(*book.floor, *book.owners[owner])]
    if org.country == "INT" or question.country != owner:
        sets.append(book.asking[org.id if org.country == "INT" else org.country])
    for name, cell in decision.granted.items():
        named = set()
        for lines in sets:
            listed = [
                line
                for line in lines
                if fits(line, question, owner, asker, (name, cell.view), words.groups)
            ]
            allows = {
                line.id
                for line in listed
                if line.eft == "allow" and facts.sure.issuperset(line.guards)
            }
            assert allows
            assert not any(
                facts.maybe.issuperset(line.guards) for line in listed if line.eft == "deny"
            )
            named |= allows
        assert set(cell.rules) == named
        duties = {duty for part in sets for x in part if x.id in named for duty in x.duties}
        assert cell.duties == duties
