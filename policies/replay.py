# SPDX-License-Identifier: EUPL-1.2
"""Decides past questions again under a draft: which accesses would have come out otherwise.

A data-protection officer sees what a change would have done before it takes effect. Each past
question is decided under the rules in force and under the draft with the facts that its log entry
holds; equal questions are decided once. `cuvar policy replay` and its HTTP call rely on it; they
read the log, this module knows none. docs/policies/replay.md says what the numbers mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from policies.decision import Decision
from policies.errors import UnknownGuardError
from policies.question import Question, Truth
from policies.snapshot import Snapshot

Facts = frozenset[tuple[str, Truth]]
EXAMPLES = 5
RECORD_FACTS = "record facts"
"""Stands for the rules that only the facts of the records would name."""
_MEMORY = 65_536
_EVERY = 4_096


class Effect(Enum):
    """What a draft does to a past access, the gravest first."""

    REFUSED = "refused"
    ALLOWED = "allowed"
    VIEW = "view"
    DUTIES = "duties"


@dataclass(frozen=True, slots=True)
class Past:
    """One question as it was asked of one owner, once or many times.

    Attributes:
        facts: those about the question that were true or only possible. One that is missing was
            false if some fitting line of the rules in force names it; else nobody looked it up.
        records: the distinct sets of facts that records of the answer had, read the same way;
            () when the answer had none, or none is known: then facts about records count at best.
        count: how many accesses these are.
        elsewhere: how many of them were decided under other rules than those in force.
        entries: addresses of some of their log entries.
    """

    question: Question
    owner: str
    facts: Facts
    records: frozenset[Facts] = frozenset()
    count: int = 1
    elsewhere: int = 0
    entries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Past accesses of one asker, owner and purpose that a draft changes in one way.

    Attributes:
        rules: what decides them under the draft: the lines or checks that refuse, or the lines
            that allow.
        unsure: how many turn on a fact that nobody looked up.
        entries: addresses of the first log entries of them, at most five.
    """

    country: str
    org: str
    role: str
    purpose: str
    owner: str
    effect: Effect
    count: int
    unsure: int
    rules: tuple[str, ...]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a draft would have changed.

    Attributes:
        accesses: how many were decided again; `by_country` of which asker's country, `by_owner`
            of whose data.
        elsewhere: how many of them were decided under other rules than those in force.
        undecidable: how many more name a fact that one of the two rule sets does not know.
        unsure: how many turn on a fact that nobody looked up; the draft's answer to them, changed
            or not, takes the fact as only possible.
        changes: the gravest and most frequent first.
    """

    accesses: int
    by_country: Mapping[str, int]
    by_owner: Mapping[str, int]
    elsewhere: int
    undecidable: int
    unsure: int
    changes: tuple[Change, ...]

    def of(self, effect: Effect) -> int:
        """How many accesses would have changed in this way."""
        return sum(change.count for change in self.changes if change.effect is effect)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one rule set grants: per set of record facts, category to view."""

    grants: tuple[Mapping[str, str], ...]
    duties: frozenset[str]
    rules: tuple[str, ...]
    refusing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Difference:
    """What the draft changes; `unsure` when a fact that nobody looked up decides."""

    effect: Effect | None
    unsure: bool
    rules: tuple[str, ...]


@dataclass(slots=True)
class _Sum:
    count: int = 0
    unsure: int = 0
    rules: set[str] = field(default_factory=set)
    entries: list[str] = field(default_factory=list)

    def add(self, past: Past, found: _Difference) -> None:
        self.count += past.count
        self.unsure += past.count if found.unsure else 0
        self.rules.update(found.rules)
        if len(self.entries) < EXAMPLES:
            self.entries.extend(past.entries)


class _Judge:
    """Decides questions under both rule sets; remembers, within a bound."""

    def __init__(self, base: Snapshot, draft: Snapshot) -> None:
        self._base, self._draft = base, draft
        self.compare = lru_cache(maxsize=_MEMORY)(self._compare)

    def _compare(
        self, question: Question, owner: str, facts: Facts, records: frozenset[Facts]
    ) -> _Difference | None:
        """How the draft changes the answer; None when a rule set does not know a fact of it."""
        looked_up = self._base.relevant_guards(question, owner)
        known = _complete(facts, looked_up)
        sets: tuple[Mapping[str, Truth], ...] = tuple(
            _complete(one, looked_up) for one in sorted(records, key=_spelled)
        )
        try:
            before = _decide(self._base, question, owner, known, sets)
            after = _decide(self._draft, question, owner, known, sets)
        except UnknownGuardError:
            return None
        unsure = False
        unlooked = self._draft.relevant_guards(question, owner) - looked_up - dict(facts).keys()
        if unlooked:
            kindly = self._at_best(known, unlooked)
            sets = tuple(self._at_best(one, unlooked) for one in sets)
            unsure = _effect(after, _decide(self._draft, question, owner, kindly, sets)) is not None
        effect = _effect(before, after)
        return _Difference(effect, unsure, after.refusing if not any(after.grants) else after.rules)

    def _at_best(self, facts: Mapping[str, Truth], unlooked: frozenset[str]) -> Mapping[str, Truth]:
        """With what nobody looked up in favour of the asker."""
        guards = self._draft.vocabulary.guards
        best = {name: Truth.FALSE if guards[name].harmful else Truth.TRUE for name in unlooked}
        return {**best, **facts}


def replay(
    pasts: Iterable[Past],
    base: Snapshot,
    draft: Snapshot,
    on_progress: Callable[[int], None] | None = None,
) -> Replayed:
    """Decide past questions under the rules in force and under a draft, and compare.

    `on_progress` is told now and then how many accesses are done; what it raises ends the work.
    """
    judge = _Judge(base, draft)
    sums: dict[tuple[str, str, str, str, str, Effect], _Sum] = {}
    countries: Counter[str] = Counter()
    owners: Counter[str] = Counter()
    total, elsewhere, undecidable, unsure = 0, 0, 0, 0
    for turn, past in enumerate(pasts):
        total += past.count
        if on_progress is not None and turn % _EVERY == 0:
            on_progress(total)
        asked = past.question
        found = judge.compare(asked, past.owner, past.facts, past.records)
        if found is None:
            undecidable += past.count
            continue
        countries[asked.country] += past.count
        owners[past.owner] += past.count
        elsewhere += past.elsewhere
        unsure += past.count if found.unsure else 0
        if found.effect is not None:
            who = (asked.country, asked.org, asked.role, asked.purpose, past.owner, found.effect)
            sums.setdefault(who, _Sum()).add(past, found)
    if on_progress is not None:
        on_progress(total)
    return Replayed(
        accesses=total - undecidable,
        by_country=MappingProxyType(dict(sorted(countries.items()))),
        by_owner=MappingProxyType(dict(sorted(owners.items()))),
        elsewhere=elsewhere,
        undecidable=undecidable,
        unsure=unsure,
        changes=_changes(sums),
    )


def _changes(sums: Mapping[tuple[str, str, str, str, str, Effect], _Sum]) -> tuple[Change, ...]:
    order = {effect: place for place, effect in enumerate(Effect)}
    found = [
        Change(
            *who,
            count=one.count,
            unsure=one.unsure,
            rules=tuple(sorted(one.rules)),
            entries=tuple(one.entries[:EXAMPLES]),
        )
        for who, one in sums.items()
    ]
    return tuple(sorted(found, key=lambda c: (order[c.effect], -c.count, c.country, c.org)))


def _complete(facts: Facts, looked_up: frozenset[str]) -> dict[str, Truth]:
    """What was looked up and is not listed was false; the rest is missing and so possible."""
    return {**dict.fromkeys(looked_up, Truth.FALSE), **dict(facts)}


def _decide(
    rules: Snapshot,
    question: Question,
    owner: str,
    facts: Mapping[str, Truth],
    records: tuple[Mapping[str, Truth], ...],
) -> _Verdict:
    """Both passes, as the gateway makes them: the second only narrows (docs/adr/0019)."""
    guards = rules.vocabulary.guards
    stated = {
        name: truth
        for name, truth in _sayable(rules, facts).items()
        if name not in guards or guards[name].about == "question"
    }
    first = rules.decide(question, {owner: stated})[owner]
    grants = [
        _still(first, rules.decide_record(question, owner, {**_sayable(rules, one), **stated}))
        for one in records
    ]
    refusing = {rule for cell in first.cells.values() for rule in cell.refused}
    return _Verdict(
        grants=tuple(grants) if records else (_views(first),),
        duties=first.duties,
        rules=first.rules,
        refusing=tuple(sorted(refusing)) if not first.allowed else (RECORD_FACTS,),
    )


def _sayable(rules: Snapshot, facts: Mapping[str, Truth]) -> dict[str, Truth]:
    """A false fact that these rules do not know turns nothing; any other stops the decision."""
    guards = rules.vocabulary.guards
    return {n: t for n, t in facts.items() if n in guards or t is not Truth.FALSE}


def _views(decision: Decision) -> dict[str, str]:
    return {name: cell.view for name, cell in decision.granted.items() if cell.view is not None}


def _still(first: Decision, again: Decision) -> dict[str, str]:
    before, now = _views(first), _views(again)
    return {name: view for name, view in now.items() if before.get(name) == view}


def _effect(before: _Verdict, after: _Verdict) -> Effect | None:
    had, has = any(before.grants), any(after.grants)
    if had != has:
        return Effect.REFUSED if had else Effect.ALLOWED
    if before.grants != after.grants:
        return Effect.VIEW
    return Effect.DUTIES if has and before.duties != after.duties else None


def _spelled(facts: Facts) -> list[tuple[str, str]]:
    return sorted((name, truth.value) for name, truth in facts)
