# SPDX-License-Identifier: EUPL-1.2
"""A draft against past questions: what it would have changed, no more and no less."""

import random
from dataclasses import replace

import pytest

from policies import Truth
from policies.checks import refusal, views
from policies.facts import at_best, derived, known
from policies.loader import build
from policies.matcher import stock_enforcer
from policies.question import Question
from policies.replay import EXAMPLES, RECORD_FACTS, Effect, Past, replay
from policies.zones import asker_name
from tests.policies.making import TODAY

HIT = Question(
    role="asylum_officer",
    org="HR-AS",
    country="HR",
    action="find",
    dataset="registrations",
    owners=("BA",),
    categories=("record",),
    view="hit",
    purpose="asylum_procedure",
    basis="EUR-01",
    named=True,
)
HELD = frozenset({("case_number", Truth.TRUE), ("claim_here", Truth.TRUE)})
STATUTE = (
    "BA-X99,asylum_officer,HR-AS,BA,registrations,record,hit,find,asylum_procedure,"
    "{guards},{eft},{duties},EUR-16,unverified,-\n"
)


def draft_of(files, *, without=(), line=None):
    text = files["BA/rules.csv"].decode().splitlines(keepends=True)
    kept = [row for row in text if row.partition(",")[0] not in without]
    return build({**files, "BA/rules.csv": "".join([*kept, line or ""]).encode()}, on=TODAY)


def written(*, guards="-", eft="deny", duties="-"):
    return STATUTE.format(guards=guards, eft=eft, duties=duties)


def past(**changes):
    return Past(**{"question": HIT, "owner": "BA", "facts": HELD, **changes})


def test_the_same_rules_change_nothing(snapshot):
    done = replay([past(count=7)], snapshot, snapshot)
    assert (done.accesses, done.changes) == (7, ())
    assert done.by_country == {"HR": 7}
    assert done.by_owner == {"BA": 7}


def test_an_access_that_no_line_allows_any_more_is_newly_refused(snapshot, files):
    draft = draft_of(files, without={"BA-A02"})
    done = replay([past(count=3, entries=("log/4", "log/9")), past(count=2)], snapshot, draft)
    (change,) = done.changes
    assert (change.effect, change.count) == (Effect.REFUSED, 5)
    assert (change.country, change.org, change.purpose) == ("HR", "HR-AS", "asylum_procedure")
    assert (change.owner, change.rules, change.entries) == (
        "BA",
        ("no owner line",),
        ("log/4", "log/9"),
    )
    assert done.of(Effect.REFUSED) == 5


def test_a_new_denial_is_named(snapshot, files):
    (change,) = replay([past()], snapshot, draft_of(files, line=written())).changes
    assert (change.effect, change.rules) == (Effect.REFUSED, ("BA-X99",))


def test_the_other_way_round_it_is_newly_allowed(snapshot, files):
    (change,) = replay([past()], draft_of(files, without={"BA-A02"}), snapshot).changes
    assert (change.effect, change.rules) == (Effect.ALLOWED, ("BA-A02", "HR-Q03"))


def test_another_duty_is_told_apart_from_another_view(snapshot, files):
    line = written(eft="allow", duties="written_record")
    (change,) = replay([past()], snapshot, draft_of(files, line=line)).changes
    assert change.effect is Effect.DUTIES
    weaker = past(question=replace(HIT, categories=()))
    assert replay([weaker], snapshot, snapshot).changes == ()


def test_a_fact_that_was_looked_up_and_not_listed_was_false(snapshot, files):
    line = written(guards="unverified")
    assert "verified" not in snapshot.relevant_guards(HIT, "BA")
    (change,) = replay([past()], snapshot, draft_of(files, line=line)).changes
    assert (change.effect, change.unsure) == (Effect.REFUSED, 1)
    assert "suspended" in snapshot.relevant_guards(HIT, "BA")
    line = written(guards="suspended")
    done = replay([past()], snapshot, draft_of(files, line=line))
    assert (done.changes, done.unsure) == ((), 0)


def test_a_fact_that_nobody_looked_up_is_only_possible_and_said_so(snapshot, files):
    files = {**files, "BA/rules.csv": b"".join(_without(files, "BA-A02"))}
    base = build(files, on=TODAY)
    line = written(guards="supervisor_ok", eft="allow", duties="cap_5")
    done = replay([past(count=4)], base, draft_of(files, line=line))
    assert (done.changes, done.unsure) == ((), 4)


def _without(files, rule):
    return [
        row
        for row in files["BA/rules.csv"].splitlines(keepends=True)
        if not row.startswith(f"{rule},".encode())
    ]


def test_a_fact_that_a_rule_set_does_not_know_is_counted_and_decides_nothing(snapshot):
    done = replay([past(facts=HELD | {("seen_at_night", Truth.TRUE)})], snapshot, snapshot)
    assert (done.accesses, done.undecidable, done.changes) == (0, 1, ())


def test_what_other_rules_decided_is_decided_again_and_counted_apart(snapshot, files):
    draft = draft_of(files, without={"BA-A02"})
    done = replay([past(count=5, elsewhere=5), past(count=1)], snapshot, draft)
    assert (done.elsewhere, done.of(Effect.REFUSED)) == (5, 6)


def test_without_the_facts_of_the_records_they_count_at_their_best(snapshot, files):
    draft = draft_of(files, line=written(guards="under_14"))
    assert replay([past()], snapshot, draft).changes == ()
    child = frozenset({frozenset({("under_14", Truth.TRUE)})})
    (change,) = replay([past(records=child)], snapshot, draft).changes
    assert (change.effect, change.rules) == (Effect.REFUSED, (RECORD_FACTS,))


def test_of_several_records_one_that_is_lost_is_another_view(snapshot, files):
    draft = draft_of(files, line=written(guards="under_14"))
    two = frozenset({frozenset({("under_14", Truth.TRUE)}), frozenset()})
    base = draft_of(files, line=written(guards="under_14 + deceased"))
    (change,) = replay([past(records=two)], base, draft).changes
    assert change.effect is Effect.VIEW


def test_examples_are_few(snapshot, files):
    draft = draft_of(files, without={"BA-A02"})
    many = [past(entries=(f"log/{n}", f"log/{n + 1}")) for n in range(100)]
    (change,) = replay(many, snapshot, draft).changes
    assert (change.count, len(change.entries)) == (100, EXAMPLES)


def test_progress_can_end_the_work(snapshot):
    def stop(_done):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        replay([past()], snapshot, snapshot, stop)


def test_a_changed_line_changes_exactly_what_stock_casbin_says(snapshot, files):
    """Every access of a sample, decided by stock enforcers under both rule sets."""
    draft = draft_of(files, without={"BA-A02", "BA-O05", "BA-X03"}, line=written(guards="abroad"))
    dice = random.Random(7)  # noqa: S311 - the same sample each time
    sample = list(_sample(snapshot, dice, 400))
    expected = {}
    for place, one in enumerate(sample):
        before, after = (_stock(rules, one) for rules in (snapshot, draft))
        if before != after:
            expected[place] = "refused" if before else "allowed"
    found = {}
    for place, one in enumerate(sample):
        for change in replay([one], snapshot, draft).changes:
            if change.effect in (Effect.REFUSED, Effect.ALLOWED):
                found[place] = change.effect.value
    assert found == expected
    assert "refused" in expected.values()


def _sample(snapshot, dice, count):
    """Questions that lines about BA speak of, each with one category in one view."""
    words = snapshot.vocabulary
    lines = [line for line in snapshot.book.owners["BA"] if line.eft == "allow"]
    cells = sorted(words.cells)
    while count:
        line = dice.choice(lines)
        role, asker, purpose = map(dice.choice, (line.role, line.org, line.purpose))
        org, _, place = asker.partition("/")
        if role not in words.purposes[purpose].roles:
            continue
        fit = [c for c in cells if c.dataset in line.dataset and c.action in line.action]
        fit = [c for c in fit if c.view in ("hit", "count") and c.category != "*"] or fit
        cell = dice.choice(fit)
        question = Question(
            role=role,
            org=org,
            country=place or words.organisations[org].country,
            action=cell.action,
            dataset=cell.dataset,
            owners=("BA",),
            categories=(cell.category,),
            view=cell.view,
            purpose=purpose,
            basis=words.purposes[purpose].bases[0],
            named=True,
        )
        names = [n for n, g in words.guards.items() if g.about == "question" and not g.harmful]
        facts = frozenset((n, Truth.TRUE) for n in names if dice.randrange(20))
        count -= 1
        yield Past(question, "BA", facts)


def _stock(rules, one):
    """Whether a stock enforcer of each side allows the wanted view or a weaker one."""
    words, question = rules.vocabulary, one.question
    if refusal(words, question, "BA") is not None:
        return False
    facts = {g.id: Truth.FALSE for g in words.guards.values() if not g.derived}
    facts |= dict(one.facts)
    best = known(words, at_best(words, facts), derived(words, question, "BA"))
    org = words.organisations[question.org]
    sides = [rules.engine.owners["BA"]]
    if org.country == "INT" or question.country != "BA":
        sides.append(rules.engine.asking[org.id if org.country == "INT" else org.country])
    asker = asker_name(org, question.country)
    return any(
        all(
            _judge(rules, side).enforce(
                question.role, asker, "BA", question.dataset, question.categories[0], view,
                question.action, question.purpose, best.sure, best.maybe,
            )
            for side in sides
        )
        for view in views(words, question, question.categories[0])
    )  # fmt: skip


_JUDGES: dict[int, object] = {}


def _judge(rules, side):
    if id(side) not in _JUDGES:
        _JUDGES[id(side)] = stock_enforcer(rules.book.conf, side.lines, rules.vocabulary.groups)
    return _JUDGES[id(side)]
