# SPDX-License-Identifier: EUPL-1.2
"""The rules in force, frozen: what the gateway asks, before a fetch and after it (architecture §3).

A snapshot never changes; new rules are a new snapshot. Whole decisions are remembered by question
and facts, within a bound, because the same unit asks the same thing all day. Both passes of a
decision, the facts worth finding out, and the agreements are answered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from policies import checks
from policies.agreements import Agreements
from policies.decision import Cell, Decision
from policies.engine import Engine
from policies.examples import Example
from policies.explain import Explanation, explain
from policies.facts import Known, at_best, check_names, derived, known
from policies.invariants import Invariant
from policies.line import Line
from policies.question import Question, Truth
from policies.shadow import Shadow
from policies.terms import Term
from policies.vocabulary import Vocabulary

_DECISIONS = 8_192
_QUESTIONS = 8_192
_VARIANTS = 64
_NOTHING_KNOWN: Mapping[str, Truth] = MappingProxyType({})
_Facts = frozenset[tuple[str, Truth]]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything that the loader read and checked, by what it is for.

    Attributes:
        digest: SHA-256, hex, over names and exact bytes of all files.
        files: the exact bytes of every file by name; a draft is these with some replaced.
        on: the day for which it was loaded.
        floor: the common deny lines.
        owners: the lines of each country; `asking` of each country or international organisation.
        terms: how long allow lines are in force, by rule id; most have none.
        titles: national job title to common role, by country.
    """

    digest: str
    files: Mapping[str, bytes] = field(repr=False)
    on: date
    conf: str
    vocabulary: Vocabulary
    agreements: Agreements
    terms: Mapping[str, Term]
    floor: tuple[Line, ...]
    owners: Mapping[str, tuple[Line, ...]]
    asking: Mapping[str, tuple[Line, ...]]
    titles: Mapping[str, Mapping[str, Mapping[str, str]]]
    examples: tuple[Example, ...]
    invariants: tuple[Invariant, ...]

    def guards_of(self, rule: str) -> tuple[str, ...]:
        """The guards of an owner's or asking line, () for any other id."""
        country = rule.partition("-")[0]
        for lines in (self.owners.get(country, ()), self.asking.get(country, ())):
            for line in lines:
                if line.id == rule:
                    return line.guards
        return ()


class Snapshot:
    """One rule book and its engine; safe to share between threads."""

    def __init__(self, book: RuleBook, engine: Engine, shadow: Shadow | None = None) -> None:
        """Made by `policies.load_rules`; caches live and die with the snapshot."""
        self.book = book
        self.engine = engine
        self._shadow = shadow
        self._without = lru_cache(maxsize=_VARIANTS)(self._make_without)
        self._first = lru_cache(maxsize=_DECISIONS)(self._decide_first)
        self._second = lru_cache(maxsize=_DECISIONS)(self._decide_second)
        self._guards = lru_cache(maxsize=_QUESTIONS)(self._find_guards)

    @property
    def digest(self) -> str:
        """SHA-256, hex, over names and exact bytes of all rule files and the model."""
        return self.book.digest

    @property
    def vocabulary(self) -> Vocabulary:
        """The closed lists."""
        return self.book.vocabulary

    @property
    def agreements(self) -> Agreements:
        """The rows of agreements.csv."""
        return self.book.agreements

    @property
    def examples(self) -> tuple[Example, ...]:
        """Every worked example of the folder; `policies.examples.failures` runs them."""
        return self.book.examples

    def decide(
        self, question: Question, facts: Mapping[str, Mapping[str, Truth]]
    ) -> Mapping[str, Decision]:
        """Pass 1, before any fetch: per owner, with every fact about the record at its best.

        Facts about the question count as given; one that is missing is possible. An owner that is
        refused here is refused by rules alone, whether or not a record exists.

        Raises:
            UnknownGuardError: a stated fact is no base guard.
        """
        found = {}
        for owner in question.owners:
            stated = frozenset(facts.get(owner, _NOTHING_KNOWN).items())
            decision = self._first(question, owner, stated)
            if self._shadow is not None:
                decision = self._watched(self._shadow, decision, question, stated, first=True)
            found[owner] = decision
        return found

    def decide_record(self, question: Question, owner: str, facts: Mapping[str, Truth]) -> Decision:
        """Pass 2, for one record: all facts as given; one that is missing is possible.

        Raises:
            UnknownGuardError: a stated fact is no base guard.
        """
        stated = frozenset(facts.items())
        decision = self._second(question, owner, stated)
        if self._shadow is not None:
            decision = self._watched(self._shadow, decision, question, stated, first=False)
        return decision

    def explain(
        self, question: Question, owner: str, facts: Mapping[str, Truth], *, best: bool = False
    ) -> Explanation:
        """The reasons of `decide_record`; with `best`, of the first pass of `decide`.

        Raises:
            UnknownGuardError: a stated fact is no base guard.
        """
        stated = frozenset(facts.items())
        decision = (self._first if best else self._second)(question, owner, stated)
        known_now = None
        if checks.refusal(self.vocabulary, question, owner) is None:
            known_now = self._known(question, owner, stated, best=best)
        return explain(self.engine, question, owner, known_now, decision)

    def without(self, ids: frozenset[str]) -> Snapshot:
        """The same rules with some allow lines out of force: those whose term has ended.

        Its digest is the same, because what was signed is.
        """
        return self._without(ids) if ids else self

    def shadowed(self, one_in: int, tell: Callable[[], None]) -> Snapshot:
        """The same rules, with one decision in `one_in` made again by stock casbin.

        `tell` is called when the two differ; the stricter answer is used.
        """
        return Snapshot(self.book, self.engine, Shadow(self.book.conf, one_in, tell))

    def relevant_guards(self, question: Question, owner: str) -> frozenset[str]:
        """The base guards that any fitting line of both rule sets names: what to find out.

        A negative counts as its positives; derived facts are left out, as nobody states them.
        """
        return self._guards(question, owner)

    def rests_on(self, question: Question, owner: str, rules: Iterable[str]) -> frozenset[str]:
        """The base guards without which an answer by these lines could have been refused.

        Those that the lines name, and those whose negative any fitting denial names.
        """
        named = self.engine.guards(question, owner)
        negatives = self.vocabulary.negatives
        found = {guard for rule in rules for guard in self.book.guards_of(rule)}
        return frozenset(found.union(*(negatives.get(name, ()) for name in named)))

    def agreement(self, kind: str, a: str, b: str, on: date, asked: Question) -> Truth:
        """Whether two parties have an agreement of a kind in force on a day for what is asked.

        Raises:
            PolicyError: there is no such kind of agreement.
        """
        return self.book.agreements.truth(kind, a, b, on, asked)

    def job_titles(self, org: str) -> Mapping[str, str]:
        """National job title to common role for one organisation; empty for an unknown one."""
        known_org = self.vocabulary.organisations.get(org)
        country = known_org.country if known_org is not None else ""
        return self.book.titles.get(country, {}).get(org, MappingProxyType({}))

    def _decide_first(self, question: Question, owner: str, facts: _Facts) -> Decision:
        check_names(self.vocabulary, dict(facts))
        reason = checks.refusal(self.vocabulary, question, owner)
        if reason is not None:
            return self.engine.refuse(question, owner, reason)
        known_now = self._known(question, owner, facts, best=True)
        return self.engine.decide(question, owner, known_now)

    def _decide_second(self, question: Question, owner: str, facts: _Facts) -> Decision:
        check_names(self.vocabulary, dict(facts))
        reason = checks.refusal(self.vocabulary, question, owner)
        if reason is not None:
            return self.engine.refuse(question, owner, reason)
        known_now = self._known(question, owner, facts, best=False)
        decision = self.engine.decide(question, owner, known_now)
        first = self._first(question, owner, facts)
        cells = {n: _told(cell, first.cells[n]) for n, cell in decision.cells.items()}
        return Decision(owner, MappingProxyType(cells))

    def _known(self, question: Question, owner: str, facts: _Facts, *, best: bool) -> Known:
        """What lines see; with `best`, every fact about the record as if nothing stood against."""
        stated = dict(facts)
        given = at_best(self.vocabulary, stated) if best else stated
        return known(self.vocabulary, given, derived(self.vocabulary, question, owner))

    def _watched(
        self,
        shadow: Shadow,
        decision: Decision,
        question: Question,
        facts: _Facts,
        *,
        first: bool,
    ) -> Decision:
        if checks.refusal(self.vocabulary, question, decision.owner) is not None:
            return decision  # refused before any line, of which casbin knows nothing
        known_now = self._known(question, decision.owner, facts, best=first)
        return shadow.watch(self.engine, question, decision.owner, known_now, decision)

    def _make_without(self, ids: frozenset[str]) -> Snapshot:
        return Snapshot(self.book, self.engine.without(ids), self._shadow)

    def _find_guards(self, question: Question, owner: str) -> frozenset[str]:
        if checks.refusal(self.vocabulary, question, owner) is not None:
            return frozenset()
        words = self.vocabulary
        bases: set[str] = set()
        for name in self.engine.guards(question, owner):
            bases.update(words.negatives.get(name, (name,)))
        return frozenset(name for name in bases if not words.guards[name].derived)


def _told(cell: Cell, first: Cell) -> Cell:
    """Only reasons that already held before the fetch may be told (access matrix, "Two passes")."""
    return replace(cell, nameable=tuple(r for r in cell.refused if r in first.refused))
