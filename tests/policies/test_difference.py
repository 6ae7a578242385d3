# SPDX-License-Identifier: EUPL-1.2
"""A difference names exactly the accesses that change; stock casbin is the judge."""

import random
from dataclasses import replace

import pytest

from policies.conditions import Access, Atom, accesses, least
from policies.difference import Kind, difference
from policies.facts import Known, derived
from policies.loader import build
from policies.matcher import stock_enforcer
from policies.sentences import groups, sentence
from policies.space import askers
from policies.zones import asker_name
from tests.policies.making import READ, TODAY

BA = "BA/rules.csv"
LINE = (
    "BA-N9,asylum_officer,states,BA,protection,*,generalised,consult,asylum_procedure,"
    "case_number + claim_here + hit_token,allow,notify_owner + onward_ban,EUR-01,unverified,-\n"
)
ASKING = "HR-Q20,asylum_officer,own,*,protection,*,*,consult,asylum_procedure,-,allow,-,EUR-01,"


def changed(files, snapshot, **texts):
    """The difference when some files get other bytes."""
    draft = build({**files, **texts}, on=TODAY)
    return draft, difference(snapshot, draft)


def edited(files, name, find, put):
    raw = files[name].decode()
    assert find in raw
    return {name: raw.replace(find, put).encode()}


def test_the_same_rules_differ_in_nothing(snapshot):
    found = difference(snapshot, snapshot)
    assert found.changes == found.fields == found.files == ()


def test_a_line_added_for_one_country_shows_exactly_its_accesses(files, snapshot):
    more = {
        BA: files[BA] + LINE.encode(),
        "HR/asking.csv": files["HR/asking.csv"] + f"{ASKING}unverified,-\n".encode(),
    }
    draft, found = changed(files, snapshot, **more)
    (change,) = found.changes
    assert change.kind is Kind.NEW
    assert change.atom == (
        *("BA", "HR-AS", "HR", "asylum_officer", "asylum_procedure"),
        *("protection", "protection", "generalised", "consult"),
    )
    assert change.lines == ("BA-N9", "HR-Q20")
    (group,) = groups(found, draft.vocabulary)
    assert sentence(group, draft.vocabulary) == (
        "Asylum officers of HR-AS newly see protection.protection of BA at generalised view by "
        "consult for asylum_procedure; when case_number + claim_here + hit_token; with "
        "notify_owner and onward_ban; by BA-N9 and HR-Q20. Fields: needs_codes, referral_kind."
    )
    back = difference(draft, snapshot)
    assert [c.kind for c in back.changes] == [Kind.GONE]
    assert "no longer see" in sentence(groups(back, draft.vocabulary)[0], draft.vocabulary)


def test_a_line_that_the_other_side_does_not_ask_for_changes_nothing(files, snapshot):
    _, found = changed(files, snapshot, **{BA: files[BA] + LINE.encode()})
    assert not found.changes
    assert found.files == (BA,)


def test_text_that_means_the_same_is_no_change(files, snapshot):
    rows = files[BA].decode().splitlines(keepends=True)
    split = next(row for row in rows if row.startswith("BA-O14,"))
    halves = [
        split.replace("direct_identifier + biographic", "direct_identifier"),
        split.replace("direct_identifier + biographic", "biographic").replace("O14", "O94"),
    ]
    other = "".join([rows[0], *reversed(rows[1:]), *halves]).replace(split, "")
    _, found = changed(files, snapshot, **{BA: other.encode()})
    assert found.files == (BA,)
    assert not found.changes


@pytest.mark.parametrize(
    ("find", "put", "kind", "words"),
    [
        (
            "asylum_procedure,case_number + claim_here + hit_token,allow,notify_owner",
            "asylum_procedure,case_number + hit_token,allow,notify_owner",
            Kind.WIDER,
            "no longer only when claim_here",
        ),
        (
            "asylum_procedure,case_number,allow,human_decides",
            "asylum_procedure,case_number + supervisor_ok,allow,human_decides",
            Kind.NARROWER,
            "now only when supervisor_ok",
        ),
        (
            "case_party,allow,written_record + onward_ban",
            "case_party,allow,written_record + dpo_review + onward_ban",
            Kind.DUTIES,
            "now with dpo_review",
        ),
    ],
)
def test_what_is_needed_and_what_comes_with_it_is_told(files, snapshot, find, put, kind, words):
    draft, found = changed(files, snapshot, **edited(files, BA, find, put))
    assert {change.kind for change in found.changes} == {kind}
    assert {change.atom.owner for change in found.changes} == {"BA"}
    (told,) = [sentence(group, draft.vocabulary) for group in groups(found, draft.vocabulary)]
    assert words in told


def test_a_denial_that_goes_is_told_for_all_it_held_back(files, snapshot):
    rows = files["floor.csv"].decode().splitlines(keepends=True)
    less = "".join(row for row in rows if not row.startswith("F20,"))
    draft, found = changed(files, snapshot, **{"floor.csv": less.encode()})
    assert {change.kind for change in found.changes} == {Kind.WIDER}
    told = groups(found, draft.vocabulary)
    assert sum(group.count for group in told) == len(found.changes) > 1000
    assert len(told) < len(found.changes) / 10
    assert all("not origin_state" in " ".join(group.conditions) for group in told)


def test_a_field_that_is_treated_otherwise_is_told(files, snapshot):
    name = "vocabulary/fields.csv"
    put = edited(files, name, "sex,Q,keep,keep,sex_merged", "sex,Q,keep,drop,sex_merged")
    _, found = changed(files, snapshot, **put)
    assert "The field persons.biographic.sex at pseudonym view is now drop, and was keep." in [
        str(field) for field in found.fields
    ]


def test_ways_are_least_and_never_contradict():
    a, ab, b, both = map(frozenset, ("a", "ab", "b", ("c", "not c")))
    assert least([ab, a, b, both]) == {a, b}


# ── against stock casbin ──────────────────────────────────────────────────────────────────────────

_JUDGES = {}


def stock(snapshot, rules, asked):
    key = id(rules)
    if key not in _JUDGES:
        conf, groups_ = snapshot.book.conf, snapshot.vocabulary.groups
        _JUDGES[key] = (stock_enforcer(conf, rules.lines, groups_), rules)
    return _JUDGES[key][0].enforce(*asked)


def judged(snapshot, atom, facts):
    """Whether stock casbin grants an atom with these facts, on both sides."""
    words, engine = snapshot.vocabulary, snapshot.engine
    org = words.organisations[atom.org]
    sets = [engine.owners[atom.owner]]
    if org.country == "INT":
        sets.append(engine.asking[org.id])
    elif atom.country != atom.owner:
        sets.append(engine.asking[org.country])
    asked = (atom.role, asker_name(org, atom.country), atom.owner, atom.dataset, atom.category)
    asked = (*asked, atom.view, atom.action, atom.purpose, facts.sure, facts.maybe)
    return all(stock(snapshot, rules, asked) for rules in sets)


def facts_of(words, atom, sure, false):
    """What lines see when `sure` surely holds, `false` surely not, and the rest may."""
    question = replace(READ, org=atom.org, country=atom.country)
    implied = derived(words, question, atom.owner)
    base = {guard.id for guard in words.guards.values() if not guard.derived}
    maybe = base - false
    negative_maybe = {n for n, ps in words.negatives.items() if not sure & set(ps)}
    negative_sure = {n for n, ps in words.negatives.items() if not maybe & set(ps)}
    return Known(
        frozenset(sure | negative_sure) | implied, frozenset(maybe | negative_maybe) | implied
    )


def grants(words, access: Access | None, sure, false):
    known = sure | {f"not {fact}" for fact in false}
    return access is not None and any(way <= known for way in access.ways)


def test_each_condition_equals_stock_casbin_on_a_sample(files, snapshot):
    """Atoms that change and atoms that do not, before and after, under drawn facts."""
    put = {
        BA: files[BA] + LINE.encode(),
        "HR/asking.csv": files["HR/asking.csv"] + f"{ASKING}unverified,-\n".encode(),
    }
    put[BA] = put[BA].replace(
        b"law_enforcement,case_number + le_grounds,allow",
        b"law_enforcement,case_number + le_grounds + supervisor_ok,allow",
    )
    draft, found = changed(files, snapshot, **put)
    old, new = dict(accesses(snapshot.engine)), dict(accesses(draft.engine))
    changes = {change.atom: change for change in found.changes}
    assert changes
    draw = random.Random(20261124)  # noqa: S311  a sample, no secret
    sample = [*draw.sample(sorted(changes), min(12, len(changes))), *draw.sample(sorted(old), 25)]
    words = snapshot.vocabulary
    base = sorted(guard.id for guard in words.guards.values() if not guard.derived)
    seen = set()
    for atom in sample:
        one = new.get(atom) or old[atom]
        way = draw.choice(sorted(one.ways, key=sorted))
        sure = {fact for fact in way if not fact.startswith("not ")}
        false = {fact.removeprefix("not ") for fact in way} - sure
        dropped = draw.choice(sorted(way)).removeprefix("not ")
        for some, none in (
            (sure, false),
            (sure - {dropped}, false - {dropped}),
            (set(base), set()),
        ):
            facts = facts_of(words, atom, some, none)
            for side, known in ((snapshot, old), (draft, new)):
                verdict = judged(side, atom, facts)
                assert verdict is grants(words, known.get(atom), some, none), (atom, some, none)
                seen.add(verdict)
            differs = judged(snapshot, atom, facts) is not judged(draft, atom, facts)
            assert not differs or atom in changes
    assert seen == {True, False}


def test_no_atom_beyond_those_named_is_granted_otherwise(files, snapshot):
    """Every atom of one asker and owner, with all facts at their best, before and after."""
    more = {
        BA: files[BA] + LINE.encode(),
        "HR/asking.csv": files["HR/asking.csv"] + f"{ASKING}unverified,-\n".encode(),
    }
    draft, found = changed(files, snapshot, **more)
    words = snapshot.vocabulary
    org = next(org for org, _ in askers(words) if org.id == "HR-AS")
    harmful = {g.id for g in words.guards.values() if g.harmful and not g.derived}
    best = {g.id for g in words.guards.values() if not g.harmful}
    named = {change.atom for change in found.changes}
    cells = [cell for cell in sorted(words.cells) if cell.dataset in ("protection", "asylum")]
    for cell in cells:
        atom = Atom("BA", org.id, "HR", "asylum_officer", "asylum_procedure", *cell)
        facts = facts_of(words, atom, best, harmful)
        differs = judged(snapshot, atom, facts) is not judged(draft, atom, facts)
        assert differs is (atom in named)
