# SPDX-License-Identifier: EUPL-1.2
"""Facts about one record: what its owner's register says of it, joined with what is attested.

Access matrix 1.5, rows marked r. A trait that the register does not know is "possible",
whichever way the fact cuts; a statement of the fact register can only make it stricter.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Final

from gateway.facts.age import age_range
from gateway.facts.attestation import Scope
from gateway.facts.register import FactRegister, strictest
from gateway.sources import Record, Traits
from policies import Truth

_ADULT: Final = 18
_AGE: Final = ("date_of_birth", "dob_precision")


@dataclass(frozen=True, slots=True)
class RecordContext:
    """What the facts of a record depend on besides the record."""

    asker_country: str
    abroad: bool
    postings: frozenset[str]
    today: date


def _known(value: bool | None) -> Truth:  # noqa: FBT001  three-valued, not a flag
    if value is None:
        return Truth.POSSIBLE
    return Truth.TRUE if value else Truth.FALSE


def _retention_over(traits: Traits, context: RecordContext) -> Truth:
    until = traits.retain_until
    return _known(None if until is None else until < context.today)


def _under(limit: int) -> Callable[[Traits, RecordContext], Truth]:
    def fact(traits: Traits, context: RecordContext) -> Truth:
        return age_range(traits.date_of_birth, traits.dob_precision, context.today).under(limit)

    return fact


_minor: Final = _under(_ADULT)


def _minor_alone(traits: Traits, context: RecordContext) -> Truth:
    minor = _minor(traits, context)
    if minor is Truth.FALSE or traits.unaccompanied is False:
        return Truth.FALSE
    sure = minor is Truth.TRUE and traits.unaccompanied is True
    return Truth.TRUE if sure else Truth.POSSIBLE


def _reflection(traits: Traits, context: RecordContext) -> Truth:
    until = traits.reflection_until
    if until is not None:
        return _known(until >= context.today)
    # No date is no period for somebody who is surely no victim, and doubt for everybody else.
    return Truth.FALSE if traits.trafficking is False else Truth.POSSIBLE


def _origin_state(traits: Traits, context: RecordContext) -> Truth:
    if not context.abroad:
        return Truth.FALSE
    parts = (traits.nationalities, traits.habitual_residence, traits.declared_persecutor)
    if any(context.asker_country in part for part in parts if part is not None):
        return Truth.TRUE
    unknown = any(part is None for part in parts) or not traits.nationalities
    return Truth.POSSIBLE if unknown else Truth.FALSE


def _provenance(kind: str) -> Callable[[Traits, RecordContext], Truth]:
    def fact(traits: Traits, _context: RecordContext) -> Truth:
        return _known(None if traits.provenance is None else traits.provenance == kind)

    return fact


def _notice_missing(traits: Traits, _context: RecordContext) -> Truth:
    return _known(None if traits.notice_given is None else not traits.notice_given)


def _own_centre(traits: Traits, context: RecordContext) -> Truth:
    return _known(None if traits.centre is None else traits.centre in context.postings)


def _plain(name: str) -> Callable[[Traits, RecordContext], Truth]:
    def fact(traits: Traits, _context: RecordContext) -> Truth:
        return _known(getattr(traits, name))

    return fact


_Fact = Callable[[Traits, RecordContext], Truth]
_MOST_SEEN: Final = 4096


@dataclass(frozen=True, slots=True)
class _Rule:
    traits: tuple[str, ...]
    of: _Fact


_RULES: Final[Mapping[str, _Rule]] = {
    "retention_over": _Rule(("retain_until",), _retention_over),
    "blocked": _Rule(("blocked",), _plain("blocked")),
    "naturalised": _Rule(("naturalised",), _plain("naturalised")),
    "deceased": _Rule(("deceased",), _plain("deceased")),
    "claim_pending": _Rule(("claim_pending",), _plain("claim_pending")),
    "protection_marked": _Rule(("protection_marked",), _plain("protection_marked")),
    "reflection_period": _Rule(("reflection_until", "trafficking"), _reflection),
    "minor_alone": _Rule((*_AGE, "unaccompanied"), _minor_alone),
    "guardian_record": _Rule(("guardian_record",), _plain("guardian_record")),
    "under_12": _Rule(_AGE, _under(12)),
    "under_14": _Rule(_AGE, _under(14)),
    "best_interest": _Rule(("best_interest",), _plain("best_interest")),
    "trafficking": _Rule(("trafficking",), _plain("trafficking")),
    "humanitarian_source": _Rule(("provenance",), _provenance("aid_body")),
    "notice_missing": _Rule(("notice_given",), _notice_missing),
    "origin_state": _Rule(
        ("nationalities", "habitual_residence", "declared_persecutor"), _origin_state
    ),
    "eurodac_derived": _Rule(("provenance",), _provenance("eurodac")),
    "received_from_abroad": _Rule(("provenance",), _provenance("abroad")),
    "own_centre": _Rule(("centre",), _own_centre),
}
_DAYS: Final = frozenset({"date_of_birth", "retain_until", "reflection_until"})
TRAITS_OF: Final[Mapping[str, tuple[str, ...]]] = {name: r.traits for name, r in _RULES.items()}


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a set of facts is worked out for one kind of asker; shared between questions.

    Facts that rest on codes and flags (`coded`) are the same for most records and remembered in
    `seen` by those traits; those that rest on a day (`dated`) differ from record to record.
    """

    guards: tuple[tuple[str, bool], ...]
    names: tuple[str, ...]
    traits: frozenset[str]
    coded: tuple[tuple[int, _Fact], ...]
    dated: tuple[tuple[int, _Fact], ...]
    key: Callable[[Traits], object] | None
    seen: dict[object, list[Truth | None]]


@lru_cache(maxsize=1024)
def _layout(guards: tuple[tuple[str, bool], ...], _context: RecordContext) -> _Layout:
    """The layout for these facts and this asker; what it remembers holds for both only."""
    names = tuple(name for name, _ in guards)
    ruled = [(place, rule) for place, n in enumerate(names) if (rule := _RULES.get(n)) is not None]
    coded = [(place, rule) for place, rule in ruled if _DAYS.isdisjoint(rule.traits)]
    keys = sorted({trait for _, rule in coded for trait in rule.traits})
    return _Layout(
        guards=guards,
        names=names,
        traits=frozenset(trait for _, rule in ruled for trait in rule.traits),
        coded=tuple((place, rule.of) for place, rule in coded),
        dated=tuple((p, rule.of) for p, rule in ruled if not _DAYS.isdisjoint(rule.traits)),
        key=attrgetter(*keys) if keys else None,
        seen={},
    )


class RecordFacts:
    """The facts of each record of one owner's answer to one question.

    Only the facts that some rule could turn on are worked out, so only their traits are read.
    """

    def __init__(
        self,
        guards: Iterable[tuple[str, bool]],
        context: RecordContext,
        register: FactRegister,
        scope: Scope,
    ) -> None:
        """Prepare for one owner.

        Args:
            guards: name and harmfulness of each relevant fact about the record.
            context: the asker's side.
            register: attested facts.
            scope: whom the question is about but for the person.
        """
        self._layout = _layout(tuple(guards), context)
        self._context = context
        self._register = register
        self._scope = scope
        self._attested: tuple[tuple[int, str, bool], ...] | None = None
        self._silent: tuple[tuple[int, Truth], ...] = ()  # of which nothing was ever attested

    @property
    def names(self) -> tuple[str, ...]:
        """The facts, in the order of their truths."""
        return self._layout.names

    @property
    def traits(self) -> frozenset[str]:
        """The traits that the owner's register must deliver."""
        return self._layout.traits

    def of(self, record: Record, now: datetime) -> tuple[Truth, ...]:
        """The truth of each fact in `names`, in that order."""
        if self._attested is None:
            self._attested = self._prepare(now)
        truths = self._own(record.traits)
        if self._attested:
            scope = replace(self._scope, person=record.person or "")
            for place, name, harmful in self._attested:
                truths[place] = self._joined(truths[place], name, scope, now, harmful)
        return tuple([Truth.POSSIBLE if truth is None else truth for truth in truths])

    def _own(self, traits: Traits) -> list[Truth | None]:
        """What the owner's register says; None where only the fact register can say anything."""
        layout, context = self._layout, self._context
        key = None if layout.key is None else layout.key(traits)
        known = layout.seen.get(key)
        if known is None:
            known = [None] * len(layout.names)
            for place, rule in layout.coded:
                known[place] = rule(traits, context)
            if len(layout.seen) >= _MOST_SEEN:
                layout.seen.clear()
            layout.seen[key] = known
        truths = known.copy()
        for place, rule in layout.dated:
            truths[place] = rule(traits, context)
        for place, truth in self._silent:
            truths[place] = truth
        return truths

    def _prepare(self, now: datetime) -> tuple[tuple[int, str, bool], ...]:
        """The facts of which the fact register may know something; the rest of its own at once.

        Looked up with the first record; all records of a page are decided without a pause, so the
        mirror does not change between them.
        """
        guards = self._layout.guards
        held = self._register.attested(self.names)
        self._silent = tuple(
            (place, self._register.truth(name, self._scope, now, harmful=harmful))
            for place, (name, harmful) in enumerate(guards)
            if name not in held and name not in _RULES
        )
        if not held:
            return ()
        return tuple(
            (place, name, harmful) for place, (name, harmful) in enumerate(guards) if name in held
        )

    def _joined(
        self,
        own: Truth | None,
        name: str,
        scope: Scope,
        now: datetime,
        harmful: bool,  # noqa: FBT001
    ) -> Truth:
        if own is None:
            return self._register.truth(name, scope, now, harmful=harmful)
        attested = self._register.matching(name, scope, now)
        if attested:
            return strictest((own, *(a.truth for a in attested)), harmful=harmful)
        return own
