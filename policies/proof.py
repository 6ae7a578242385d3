# SPDX-License-Identifier: EUPL-1.2
"""Enumerates what the rules grant and holds it against `invariants.csv` (access matrix §5).

Nothing is sampled: every point of a region is looked at. The floor is proved alone, against a
country that would allow everything, so that no national file can break an S row; the shipped rules
are proved with every fact at its best, because anything less grants no more. `cuvar doctor` and the
tests rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from policies.facts import Known, derived, known
from policies.invariants import Invariant
from policies.masks import RuleSet
from policies.question import Question, Truth
from policies.snapshot import Snapshot
from policies.vocabulary import INTERNATIONAL, Organisation, Vocabulary
from policies.zones import asker_name


@dataclass(frozen=True, slots=True)
class Breach:
    """One invariant that does not hold, with one counter-example in words of the vocabulary."""

    invariant: str
    file: str
    line: int
    example: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.invariant} does not hold: {self.example}"


@dataclass(frozen=True, slots=True)
class Grant:
    """One cell that the shipped rules grant when every fact is at its best, by one owner line.

    `duties` are those that come with it even when only that line's guards are sure.
    """

    question: Question
    owner: str
    category: str
    view: str
    implied: frozenset[str]
    duties: frozenset[str]


@dataclass(frozen=True, slots=True)
class FloorPoint:
    """One point of an S region, and the floor lines that refuse it."""

    invariant: Invariant
    words: str
    keepers: tuple[str, ...]


def breaches(snapshot: Snapshot) -> tuple[Breach, ...]:
    """Every invariant that does not hold, each with its first counter-example."""
    found: dict[str, Breach] = {}
    for point in floor_points(snapshot):
        if not point.keepers:
            found.setdefault(point.invariant.id, _breach(point.invariant, point.words))
    rows = [row for row in snapshot.book.invariants if not row.floor]
    for when in {_stated(snapshot.vocabulary, row) for row in rows}:
        same = [row for row in rows if _stated(snapshot.vocabulary, row) == when]
        for grant in grants(snapshot, when):
            for row in same:
                if _breaks(row, grant, snapshot.vocabulary):
                    found.setdefault(row.id, _breach(row, _words(grant)))
    return tuple(found[key] for key in sorted(found))


def floor_points(snapshot: Snapshot) -> Iterator[FloorPoint]:
    """Every point of every S region that differs for the floor, with what refuses it.

    Values that the floor cannot tell apart are looked at once.
    """
    book = snapshot.book
    floor = RuleSet(book.conf, book.floor, book.vocabulary.groups)
    for row in book.invariants:
        if not row.floor:
            continue
        facts = _known(snapshot.vocabulary, row.when, row.when & _derived(snapshot.vocabulary))
        firing = floor.firing(facts.sure, facts.maybe)
        roles = _distinct(floor, "role", row.roles)
        purposes = _distinct(floor, "purpose", row.purposes)
        for role, purpose, (cell, shape) in product(
            roles.items(), purposes.items(), _cells(floor, snapshot.vocabulary, row)
        ):
            mask = firing & role[0] & purpose[0] & shape
            words = f"{role[1]}, {', '.join(cell)}, {purpose[1]}"
            yield FloorPoint(row, words, tuple(line.id for line in floor.named(mask)))


def grants(snapshot: Snapshot, when: frozenset[str] = frozenset()) -> Iterator[Grant]:
    """Every cell that the shipped rules grant, with `when` only possible and the rest at best."""
    words = snapshot.vocabulary
    best = _Best(snapshot, when)
    acts = sorted({(cell.action, cell.dataset) for cell in words.cells})
    for owner, (org, country) in product(words.countries, _askers(words)):
        for role, purpose in product(words.roles, words.purposes.values()):
            if role not in purpose.roles or not words.may_hold(org, role):
                continue
            rules = snapshot.engine.owners[owner]
            asker = asker_name(org, country)
            reach = rules.accepting("role", role) & rules.accepting("org", asker)
            if not reach & rules.accepting("purpose", purpose.id) & rules.allows:
                continue
            for action, dataset in acts:
                question = Question(
                    role=role,
                    org=org.id,
                    country=country,
                    action=action,
                    dataset=dataset,
                    owners=(owner,),
                    categories=(),
                    view="full",
                    purpose=purpose.id,
                    basis=purpose.bases[0],
                    named=True,
                )
                yield from _grants(snapshot, question, owner, best)


def _grants(snapshot: Snapshot, question: Question, owner: str, best: _Best) -> Iterator[Grant]:
    implied = derived(snapshot.vocabulary, question, owner)
    for facts in best.facts(implied):
        for category, view, duties in snapshot.engine.granted(question, owner, facts):
            yield Grant(question, owner, category, view, implied, duties)


class _Best:
    """The most favourable facts, by what the question itself implies."""

    def __init__(self, snapshot: Snapshot, when: frozenset[str]) -> None:
        self._words = snapshot.vocabulary
        self._when = when
        self._edges = _double_edged(snapshot)
        self._found: dict[frozenset[str], tuple[Known, ...]] = {}

    def facts(self, implied: frozenset[str]) -> tuple[Known, ...]:
        """A positive fact may stand in a denial (AL-QN1), so "at best" is looked at both ways."""
        if implied not in self._found:
            best = _known(self._words, self._when, implied)
            calm = Known(best.sure - self._edges, best.maybe - self._edges)
            self._found[implied] = tuple(dict.fromkeys((best, calm)))
        return self._found[implied]


def _double_edged(snapshot: Snapshot) -> frozenset[str]:
    """Positive guards that some denial names as they stand."""
    guards = snapshot.vocabulary.guards
    book = snapshot.book
    lines = (*book.floor, *(x for f in (book.owners, book.asking) for s in f.values() for x in s))
    return frozenset(
        guard
        for line in lines
        if line.eft == "deny"
        for guard in line.guards
        if guard in guards and not guards[guard].harmful
    )


def _askers(words: Vocabulary) -> list[tuple[Organisation, str]]:
    """Every organisation, at every place where it may speak."""
    return [
        (org, place)
        for org in words.organisations.values()
        for place in (words.countries if org.stations else (org.country,))
        if place in (*words.countries, INTERNATIONAL)
    ]


def _known(words: Vocabulary, when: frozenset[str], implied: frozenset[str]) -> Known:
    """All facts at their best, but those of `when` only possible."""
    facts: dict[str, Truth] = {}
    for guard in words.guards.values():
        possible = guard.id in when or guard.negative in when
        if possible:
            facts[guard.id] = Truth.POSSIBLE
        else:
            facts[guard.id] = Truth.FALSE if guard.harmful else Truth.TRUE
    return known(words, facts, implied)


def _derived(words: Vocabulary) -> frozenset[str]:
    return frozenset(guard.id for guard in words.guards.values() if guard.derived)


def _stated(words: Vocabulary, row: Invariant) -> frozenset[str]:
    return row.when - _derived(words)


def _distinct(rules: RuleSet, dimension: str, values: frozenset[str]) -> dict[int, str]:
    """One value for each mask."""
    return {rules.accepting(dimension, value): value for value in sorted(values)}


def _cells(rules: RuleSet, words: Vocabulary, row: Invariant) -> list[tuple[tuple[str, ...], int]]:
    found: dict[int, tuple[str, ...]] = {}
    for cell in words.cells:
        if (
            cell.dataset in row.datasets
            and cell.category in row.categories
            and cell.view in row.views
            and cell.action in row.actions
        ):
            mask = -1
            for dimension, value in zip(cell._fields, cell, strict=True):
                mask &= rules.accepting(dimension, value)
            found.setdefault(mask, tuple(cell))
    return [(cell, mask) for mask, cell in found.items()]


def _breaks(row: Invariant, grant: Grant, words: Vocabulary) -> bool:
    asked = grant.question
    return (
        asked.role in row.roles
        and asked.org in row.orgs
        and grant.owner in row.owners
        and asked.dataset in row.datasets
        and grant.category in row.categories
        and grant.view in row.views
        and asked.action in row.actions
        and asked.purpose in row.purposes
        and row.when & _derived(words) <= grant.implied
        and (not row.carries or row.carries.isdisjoint(grant.duties))
    )


def _breach(row: Invariant, example: str) -> Breach:
    return Breach(row.id, row.file, row.line, example)


def _words(grant: Grant) -> str:
    asked = grant.question
    return ", ".join(
        (
            f"{asked.role} of {asked.org} in {asked.country}",
            f"{asked.action} {asked.dataset}.{grant.category}@{grant.owner}",
            f"{grant.view} for {asked.purpose}",
        )
    )
