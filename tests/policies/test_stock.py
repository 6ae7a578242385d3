# SPDX-License-Identifier: EUPL-1.2
"""Stock casbin is the judge: compiled decisions equal its own, always (architecture §4, no. 10)."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import example_rules
from policies.checks import refusal, views
from policies.facts import Known, derived, known
from policies.loader import build
from policies.masks import Request, RuleSet
from policies.matcher import ModelRefusedError, covers, holds, stock_enforcer
from policies.zones import asker_name
from tests.policies.making import TODAY, aimed, truths

SOME = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
_JUDGES: dict[int, object] = {}


def judge(snapshot, rules):
    """A stock enforcer with the lines of a compiled set."""
    if id(rules) not in _JUDGES:
        book = snapshot.book
        _JUDGES[id(rules)] = stock_enforcer(book.conf, rules.lines, snapshot.vocabulary.groups)
    return _JUDGES[id(rules)]


def request(words, question, owner, category, view, facts):
    org = words.organisations[question.org]
    asker = asker_name(org, question.country)
    what = (question.dataset, category, view, question.action, question.purpose)
    return (question.role, asker, owner, *what, facts.sure, facts.maybe)


@SOME
@given(st.data())
def test_a_decision_equals_the_answers_of_stock_casbin(snapshot, data):
    words = snapshot.vocabulary
    question, owner = data.draw(aimed(snapshot))
    stated = truths(words, data.draw)
    decision = snapshot.decide_record(replace(question, named=True), owner, stated)
    if refusal(words, question, owner) is not None:
        assert not decision.allowed
        return
    facts = known(words, stated, derived(words, question, owner))
    org = words.organisations[question.org]
    sets = [snapshot.engine.owners[owner]]
    if question.country != owner or org.country == "INT":
        sets.append(snapshot.engine.asking[org.id if org.country == "INT" else org.country])
    for name, cell in decision.cells.items():
        expected = None
        for view in views(words, question, name):
            asked = request(words, question, owner, name, view, facts)
            if all(judge(snapshot, rules).enforce(*asked) for rules in sets):
                expected = view
                break
        assert cell.view == expected


@SOME
@given(st.data())
def test_each_matching_line_is_one_that_stock_casbin_matches_alone(snapshot, data):
    words = snapshot.vocabulary
    question, owner = data.draw(aimed(snapshot))
    facts = known(words, truths(words, data.draw), derived(words, question, owner))
    rules = snapshot.engine.owners[owner]
    category = data.draw(st.sampled_from(sorted(words.datasets[question.dataset].categories)))
    asked = request(words, question, owner, category, question.view, facts)
    matching = {line.id for line in rules.named(rules.matching(Request(*asked[:8]), facts))}
    line = data.draw(st.sampled_from(rules.lines))
    everything = replace(
        line,
        id="ALL",
        role=(question.role,),
        **dict.fromkeys(("org", "owner", "dataset", "category", "view", "action"), ("*",)),
        purpose=("*",),
        guards=(),
        eft="allow",
    )
    lines = (line,) if line.eft == "allow" else (everything, line)
    alone = stock_enforcer(snapshot.book.conf, lines, words.groups).enforce(*asked)
    assert alone is ((line.id in matching) == (line.eft == "allow"))


def test_the_four_effect_cases_are_those_of_stock_casbin(snapshot):
    allow = next(line for line in snapshot.book.owners["BA"] if line.id == "BA-O01")
    deny = replace(snapshot.book.floor[0], guards=())
    words = snapshot.vocabulary
    asked = ("border_officer", "BA-BP", "BA", "persons", "document", "full", "read")
    asked = (*asked, "border_check", frozenset({"presence"}), frozenset({"presence"}))
    other = replace(allow, id="ZZ-O99", dataset=("stays",))
    for lines, expected in (
        ((other,), False),
        ((allow,), True),
        ((deny,), False),
        ((allow, deny), False),
    ):
        assert stock_enforcer(snapshot.book.conf, lines, words.groups).enforce(*asked) is expected
        rules = RuleSet(snapshot.book.conf, lines, words.groups)
        assert rules.allowed(Request(*asked[:8]), Known(*asked[8:])) is expected


def test_covers_takes_a_star_the_value_or_a_member_and_nothing_else():
    assert covers("a", "*")
    assert covers("a", "a")
    assert covers("b", "a + b")
    assert not covers("a", "ab")
    assert not covers("a", "a+b")
    assert not covers("", "a + b")
    assert not covers("*", "a")


def test_holds_reads_sure_for_allow_and_possible_for_everything_else():
    sure, maybe = frozenset("a"), frozenset("ab")
    assert holds("allow", "-", sure, maybe)
    assert holds("allow", "a", sure, maybe)
    assert not holds("allow", "a + b", sure, maybe)
    assert holds("deny", "a + b", sure, maybe)
    assert not holds("deny", "c", sure, maybe)
    assert holds("Deny", "b", sure, maybe)


@pytest.mark.parametrize(
    ("find", "replace_by"),
    [
        ("&& covers(r.org, p.org) ", ""),
        (" && holds(p.eft, p.guards, r.sure, r.maybe)", ""),
        ("covers(r.org, p.org) && covers(r.owner, p.owner)", "covers(r.org, p.owner)"),
        ("g(r.role, p.role) &&", "g(r.role, p.role) ||"),
        ("covers(r.org, p.org)", "covers(r.org, r.owner)"),
        ("covers(r.org, p.org)", "keyMatch(r.org, secret)"),
        (" && !some(where (p.eft == deny))", ""),
        ("e = some", "e = priority(p.eft) || deny\nx = some"),
        ("[matchers]", "[machers]"),
        ("p = id, role,", "p = role,"),
        ("g = _, _", "g = _, _, _"),
    ],
)
def test_a_model_that_means_something_else_is_refused(files, find, replace_by):
    conf = (example_rules().parent / "model.conf").read_text(encoding="utf-8")
    assert find in conf
    with pytest.raises(ModelRefusedError):
        build(files, on=TODAY, conf=conf.replace(find, replace_by))


def test_a_word_that_no_line_names_is_covered_by_a_star_alone(snapshot):
    rules = snapshot.engine.owners["BA"]
    for column in ("org", "dataset", "category", "view", "action", "purpose"):
        stars = sum(1 << bit for bit, x in enumerate(rules.lines) if getattr(x, column) == ("*",))
        assert rules.accepting(column, "unheard-of") == stars
    assert rules.accepting("role", "unheard-of") == 0
