# SPDX-License-Identifier: EUPL-1.2
"""Enumerates everything that the rules grant: the whole decision space, exactly (ADR 0003).

A walk over owners, askers, roles, purposes and cells that leaves a branch as soon as no allow line
is left in it. What is yielded was decided by the same masks that answer questions. `policies.proof`
and the tools that compare rule folders rely on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from policies.engine import Engine
from policies.facts import Known, implied_by
from policies.masks import RuleSet
from policies.question import Question
from policies.vocabulary import INTERNATIONAL, CellKey, Organisation, Vocabulary
from policies.zones import asker_name


class Grant(NamedTuple):
    """One cell that is granted to one asker in one role for one purpose.

    Attributes:
        org: the asker's organisation; `country` the place from which it asks.
        implied: the derived facts of this asker and owner.
        facts: what was taken as known.
        rules: the owner's rule set, the floor with it; `mask` are its matching lines.
    """

    owner: str
    org: str
    country: str
    role: str
    purpose: str
    cell: CellKey
    implied: frozenset[str]
    facts: Known
    rules: RuleSet
    mask: int

    def question(self, vocabulary: Vocabulary) -> Question:
        """A question that asks just this."""
        return Question(
            role=self.role,
            org=self.org,
            country=self.country,
            action=self.cell.action,
            dataset=self.cell.dataset,
            owners=(self.owner,),
            categories=(self.cell.category,),
            view=self.cell.view,
            purpose=self.purpose,
            basis=vocabulary.purposes[self.purpose].bases[0],
            named=True,
        )

    def __str__(self) -> str:
        cell = self.cell
        return (
            f"{self.role} of {self.org} in {self.country}, "
            f"{cell.action} {cell.dataset}.{cell.category}@{self.owner}, "
            f"{cell.view} for {self.purpose}"
        )


Facts = Callable[[frozenset[str]], Sequence[Known]]
"""What to take as known, by the derived facts of asker and owner; each is looked at."""


def granted(engine: Engine, facts: Facts) -> Iterator[Grant]:
    """Every cell that both rule sets grant, with each of the facts given."""
    words = engine.vocabulary
    roles = _acts(words)
    cells = {id(rules): _cells(rules, words) for rules in _sets(engine)}
    for owner, rules in engine.owners.items():
        for org, country in askers(words):
            asking = None
            if org.country == INTERNATIONAL or country != owner:
                asking = engine.asking[org.id if org.country == INTERNATIONAL else country]
            sides = [(r, cells[id(r)]) for r in (rules, asking) if r is not None]
            place = _Place(words, owner, org, country, sides)
            yield from place.grants(roles[org.id], facts)


def askers(words: Vocabulary) -> list[tuple[Organisation, str]]:
    """Every organisation, at every place where it may speak."""
    return [
        (org, place)
        for org in words.organisations.values()
        for place in (words.countries if org.stations else (org.country,))
        if place in (*words.countries, INTERNATIONAL)
    ]


_CellMasks = Sequence[tuple[int, Sequence[tuple[CellKey, int]]]]
_Acts = Sequence[tuple[str, Sequence[str]]]


class _Place(NamedTuple):
    """One owner seen from one asker."""

    words: Vocabulary
    owner: str
    org: Organisation
    country: str
    sides: list[tuple[RuleSet, _CellMasks]]

    def grants(self, acts: _Acts, facts: Facts) -> Iterator[Grant]:
        name = asker_name(self.org, self.country)
        fixed = [r.accepting("org", name) & r.accepting("owner", self.owner) for r, _ in self.sides]
        if not all(m & r.allows for m, (r, _) in zip(fixed, self.sides, strict=True)):
            return
        implied = implied_by(self.words, self.org, self.country, self.owner)
        for known in facts(implied):
            fires = [
                m & r.firing(known.sure, known.maybe)
                for m, (r, _) in zip(fixed, self.sides, strict=True)
            ]
            for role, purposes in acts:
                some = [
                    m & r.accepting("role", role)
                    for m, (r, _) in zip(fires, self.sides, strict=True)
                ]
                if not all(m & r.allows for m, (r, _) in zip(some, self.sides, strict=True)):
                    continue
                for purpose in purposes:
                    left = [
                        m & r.accepting("purpose", purpose)
                        for m, (r, _) in zip(some, self.sides, strict=True)
                    ]
                    for cell, mask in self._cells(left):
                        yield Grant(
                            self.owner,
                            self.org.id,
                            self.country,
                            role,
                            purpose,
                            cell,
                            implied,
                            known,
                            self.sides[0][0],
                            mask,
                        )

    def _cells(self, left: Sequence[int]) -> Iterator[tuple[CellKey, int]]:
        """The cells that every side grants, with the owner's matching lines."""
        (rules, shapes), *others = self.sides
        allows, denies = left[0] & rules.allows, left[0] & rules.denies
        if not allows:
            return
        second = [
            (m & r.allows, m & r.denies, s) for m, (r, s) in zip(left[1:], others, strict=True)
        ]
        for place, (group, cells) in enumerate(shapes):
            some = allows & group
            if not some:
                continue
            for number, (cell, mask) in enumerate(cells):
                if not some & mask or denies & mask:
                    continue
                if all(_passes(a, d, s[place][1][number][1]) for a, d, s in second):
                    yield cell, left[0] & mask


def _passes(allows: int, denies: int, mask: int) -> bool:
    return bool(allows & mask) and not denies & mask


def _cells(rules: RuleSet, words: Vocabulary) -> _CellMasks:
    """Per dataset and action, what may match at all, and the mask of each cell; sorted."""
    groups: dict[tuple[str, str], list[tuple[CellKey, int]]] = {}
    for cell in sorted(words.cells):
        mask = rules.accepting("category", cell.category) & rules.accepting("view", cell.view)
        group = rules.accepting("dataset", cell.dataset) & rules.accepting("action", cell.action)
        groups.setdefault((cell.dataset, cell.action), []).append((cell, mask & group))
    found = []
    for cells in groups.values():
        joined = 0
        for _, mask in cells:
            joined |= mask
        found.append((joined, cells))
    return found


def _acts(words: Vocabulary) -> dict[str, list[tuple[str, list[str]]]]:
    """Per organisation, the roles that it may hold and what each may state."""
    stated = {r: [p.id for p in words.purposes.values() if r in p.roles] for r in words.roles}
    return {
        org.id: [(r, found) for r, found in stated.items() if words.may_hold(org, r)]
        for org in words.organisations.values()
    }


def _sets(engine: Engine) -> Iterator[RuleSet]:
    yield from engine.owners.values()
    yield from engine.asking.values()
