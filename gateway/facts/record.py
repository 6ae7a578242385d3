# SPDX-License-Identifier: EUPL-1.2
"""Facts about one record: what its owner's register says of it, joined with what is attested.

Access matrix 1.5, rows marked r. A trait that the register does not know is "possible",
whichever way the fact cuts; a statement of the fact register can only make it stricter.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from gateway.facts.age import age_range
from gateway.facts.register import FactRegister, Scope, strictest
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


@dataclass(frozen=True, slots=True)
class _Rule:
    traits: tuple[str, ...]
    of: Callable[[Traits, RecordContext], Truth]


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
TRAITS_OF: Final[Mapping[str, tuple[str, ...]]] = {name: r.traits for name, r in _RULES.items()}


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
        self._guards = tuple(guards)
        self.names = tuple(name for name, _ in self._guards)
        self._context = context
        self._register = register
        self._scope = scope

    @property
    def traits(self) -> frozenset[str]:
        """The traits that the owner's register must deliver."""
        return frozenset(trait for name in self.names for trait in TRAITS_OF.get(name, ()))

    def of(self, record: Record, now: datetime) -> tuple[Truth, ...]:
        """The truth of each fact in `names`, in that order."""
        scope = replace(self._scope, person=record.person or "")
        return tuple(
            [self._one(name, record.traits, scope, now, harmful) for name, harmful in self._guards]
        )

    def _one(
        self,
        name: str,
        traits: Traits,
        scope: Scope,
        now: datetime,
        harmful: bool,  # noqa: FBT001
    ) -> Truth:
        rule = _RULES.get(name)
        if rule is None:
            return self._register.truth(name, scope, now, harmful=harmful)
        own = rule.of(traits, self._context)
        attested = self._register.matching(name, scope, now)
        if attested:
            own = strictest((own, *(a.truth for a in attested)), harmful=harmful)
        return own
