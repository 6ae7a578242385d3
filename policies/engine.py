# SPDX-License-Identifier: EUPL-1.2
"""Decides one owner's answer: two rule sets, both needed, each category on its own (ADR 0004).

The first set is the floor with the owner's lines, the second the asker's own asking lines when the
asker is abroad or an international organisation. A view is granted when each set has a matching
allow line and none has a matching deny line. `policies.snapshot` relies on it and caches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies import checks
from policies.decision import NO_ASKING_LINE, NO_OWNER_LINE, Cell, Decision
from policies.facts import Known
from policies.line import Line
from policies.masks import RuleSet
from policies.question import Question
from policies.vocabulary import INTERNATIONAL, Vocabulary
from policies.zones import asker_name

WHOLE = "*"
"""Stands for the categories of a question whose dataset is unknown."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The rule sets by owner, and by asking country or international organisation."""

    vocabulary: Vocabulary
    owners: Mapping[str, RuleSet]
    asking: Mapping[str, RuleSet]

    def without(self, ids: frozenset[str]) -> Engine:
        """The same rules with some allow lines out of force."""
        return Engine(
            self.vocabulary,
            MappingProxyType({name: rules.without(ids) for name, rules in self.owners.items()}),
            MappingProxyType({name: rules.without(ids) for name, rules in self.asking.items()}),
        )

    def refuse(self, question: Question, owner: str, reason: str) -> Decision:
        """The same refusal in every category."""
        names = checks.categories(self.vocabulary, question) or (WHOLE,)
        return Decision(owner, MappingProxyType({n: _refused(n, (reason,)) for n in names}))

    def decide(self, question: Question, owner: str, known: Known) -> Decision:
        """One owner's decision on a question whose whole passed `checks.refusal`."""
        sides = self.sides(question, owner)
        cells = {
            name: self._cell(question, name, sides, known)
            for name in checks.categories(self.vocabulary, question)
        }
        return Decision(owner, MappingProxyType(cells))

    def guards(self, question: Question, owner: str) -> frozenset[str]:
        """Names of guards, as written, of every line that fits the question but for its facts."""
        found: set[str] = set()
        names = checks.categories(self.vocabulary, question)
        for part in self.sides(question, owner):
            reach = 0
            for name in names:
                seen = checks.views(self.vocabulary, question, name)
                shapes = [part.rules.accepting("view", view) for view in seen]
                reach |= part.rules.accepting("category", name) & _any(shapes)
            for line in part.rules.named(part.fitting & reach):
                found.update(line.guards)
        return frozenset(found)

    def sides(self, question: Question, owner: str) -> tuple[Side, ...]:
        """The rule sets that must each allow, with the lines that fit all but category and view."""
        org = self.vocabulary.organisations[question.org]
        asker = asker_name(org, question.country)
        international = org.country == INTERNATIONAL
        chosen = [(self.owners[owner], NO_OWNER_LINE)]
        if international or question.country != owner:
            chosen.append((self.asking[org.id if international else org.country], NO_ASKING_LINE))
        return tuple(
            Side(rules, missing, asker, _fitting(rules, question, owner, asker))
            for rules, missing in chosen
        )

    def _cell(
        self, question: Question, category: str, sides: tuple[Side, ...], known: Known
    ) -> Cell:
        views = checks.views(self.vocabulary, question, category)
        if not views:
            return _refused(category, (checks.CELL,))
        unnamed = checks.named_refusal(self.vocabulary, question)
        if unnamed is not None:
            return _refused(category, (unnamed,))
        wanted = None
        for view in views:
            found = tuple(part.matching(category, view, known) for part in sides)
            reasons = _reasons(sides, found)
            wanted = reasons if wanted is None else wanted
            if not reasons:
                lines = _lines(sides, found)
                rules = tuple(line.id for line in lines)
                return Cell(category, view, rules, wanted, _duties(lines), wanted)
        return _refused(category, wanted or (NO_OWNER_LINE,))


@dataclass(frozen=True, slots=True)
class Side:
    """One rule set on one question: `fitting` are the lines whose other columns accept it.

    `asker` is the asker's name in the org column, `missing` what a refusal says without a line.
    """

    rules: RuleSet
    missing: str
    asker: str
    fitting: int

    def matching(self, category: str, view: str, known: Known) -> int:
        """The lines that match for one category in one view."""
        return (
            self.fitting
            & self.rules.accepting("category", category)
            & self.rules.accepting("view", view)
            & self.rules.firing(known.sure, known.maybe)
        )


def _fitting(rules: RuleSet, question: Question, owner: str, asker: str) -> int:
    return (
        rules.accepting("role", question.role)
        & rules.accepting("org", asker)
        & rules.accepting("owner", owner)
        & rules.accepting("dataset", question.dataset)
        & rules.accepting("action", question.action)
        & rules.accepting("purpose", question.purpose)
    )


def _reasons(sides: tuple[Side, ...], found: tuple[int, ...]) -> tuple[str, ...]:
    """Why these matches do not allow: every deny line, else each set without an allow line."""
    denied = tuple(_denials(sides, found))
    if denied:
        return denied
    return tuple(
        part.missing
        for part, mask in zip(sides, found, strict=True)
        if not mask & part.rules.allows
    )


def _lines(sides: tuple[Side, ...], found: tuple[int, ...]) -> tuple[Line, ...]:
    """Every matching line of all sets, in their order."""
    return tuple(
        line for part, mask in zip(sides, found, strict=True) for line in part.rules.named(mask)
    )


def _duties(lines: tuple[Line, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(line.duties for line in lines))


def _denials(sides: tuple[Side, ...], found: tuple[int, ...]) -> Iterator[str]:
    for part, mask in zip(sides, found, strict=True):
        for line in part.rules.named(mask & part.rules.denies):
            yield line.id


def _refused(category: str, reasons: tuple[str, ...]) -> Cell:
    return Cell(category, None, (), reasons, frozenset(), reasons)


def _any(masks: list[int]) -> int:
    joined = 0
    for mask in masks:
        joined |= mask
    return joined
