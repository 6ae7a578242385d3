# SPDX-License-Identifier: EUPL-1.2
"""From what is known to what lines see: two sets of guard names (access matrix §1.5).

`sure` holds what is known to be true, `maybe` what is not known to be false. Three facts follow
from the question itself (abroad, outside_union, third_transfer); each negative follows from its
positives. A fact that nobody states is possible. `policies.engine` relies on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from policies.errors import UnknownGuardError
from policies.question import Question, Truth
from policies.vocabulary import Guard, Organisation, Vocabulary

ABROAD = "abroad"
OUTSIDE_UNION = "outside_union"
THIRD_TRANSFER = "third_transfer"
_EU_AGENCY = "eu_agency"


@dataclass(frozen=True, slots=True)
class Known:
    """Guard names that are surely true, and those that are not surely false."""

    sure: frozenset[str]
    maybe: frozenset[str]


def derived(vocabulary: Vocabulary, question: Question, owner: str) -> frozenset[str]:
    """The facts that the asker and the owner make true; both must be of the vocabulary."""
    org = vocabulary.organisations[question.org]
    return implied_by(vocabulary, org, question.country, owner)


def implied_by(vocabulary: Vocabulary, org: Organisation, place: str, owner: str) -> frozenset[str]:
    """The same for an organisation that asks from a place."""
    country = vocabulary.countries.get(place)
    member_asker = country is not None and country.member
    found = set()
    if place != owner:
        found.add(ABROAD)
    authority = vocabulary.kinds[org.kind].authority and not org.stations
    if org.kind != _EU_AGENCY and not (member_asker and authority):
        found.add(OUTSIDE_UNION)
    third = org.stations or (country is not None and not country.member)
    if vocabulary.countries[owner].member and third:
        found.add(THIRD_TRANSFER)
    return frozenset(found)


def check_names(vocabulary: Vocabulary, facts: Mapping[str, Truth]) -> None:
    """Raises UnknownGuardError unless every fact is a base guard with a three-valued truth."""
    for name, truth in facts.items():
        guard = vocabulary.guards.get(name)
        if guard is None or guard.derived:
            raise UnknownGuardError(f"{name} is not a fact that may be stated; see guards.csv")
        if not isinstance(truth, Truth):
            raise UnknownGuardError(f"the fact {name} must be true, possible or false")


def at_best(vocabulary: Vocabulary, facts: Mapping[str, Truth]) -> dict[str, Truth]:
    """Facts about the question as given, facts about the record as if nothing stood against."""
    found = {n: t for n, t in facts.items() if vocabulary.guards[n].about == "question"}
    for guard in vocabulary.guards.values():
        if guard.about == "record":
            found[guard.id] = Truth.FALSE if guard.harmful else Truth.TRUE
    return found


def known(vocabulary: Vocabulary, facts: Mapping[str, Truth], implied: frozenset[str]) -> Known:
    """The two sets; `implied` are the derived facts of the question."""
    sure, maybe = set(implied), set(implied)
    for guard in vocabulary.guards.values():
        truth = Truth.FALSE if guard.derived else _truth(guard, facts)
        if truth is Truth.TRUE:
            sure.add(guard.id)
        if truth is not Truth.FALSE:
            maybe.add(guard.id)
    stated_sure, stated_maybe = frozenset(sure), frozenset(maybe)
    for negative, positives in vocabulary.negatives.items():
        if stated_sure.isdisjoint(positives):
            maybe.add(negative)
        if stated_maybe.isdisjoint(positives):
            sure.add(negative)
    return Known(frozenset(sure), frozenset(maybe))


def _truth(guard: Guard, facts: Mapping[str, Truth]) -> Truth:
    return facts.get(guard.id, Truth.POSSIBLE)
