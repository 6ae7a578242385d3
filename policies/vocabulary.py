# SPDX-License-Identifier: EUPL-1.2
"""The closed lists of words that rules, questions and fields may use: docs/formats/rules.md.

A word that is not here cannot be written in a rule, asked, mapped or released. Sources, views, the
gateway's schema and the engine all rely on these lists; `policies.vocabulary_loader` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

INTERNATIONAL = "INT"
"""The country of an organisation that belongs to no state."""


@dataclass(frozen=True, slots=True)
class Country:
    """A state that keeps a register; `member` of the European Union or not."""

    id: str
    member: bool
    name: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of organisation; `authority` says that it is a public authority of its state."""

    id: str
    authority: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation; with `stations` its officers ask from an office in one of the states."""

    id: str
    kind: str
    country: str
    stations: bool
    name: str


@dataclass(frozen=True, slots=True)
class Role:
    """A role and who may hold it: kinds of organisation or single organisations."""

    id: str
    held_by: frozenset[str]
    meaning: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why something is asked: the facts it needs, the legal bases it may name, who may state it."""

    id: str
    needs: tuple[str, ...]
    bases: tuple[str, ...]
    roles: frozenset[str]
    meaning: str


@dataclass(frozen=True, slots=True)
class Guard:
    """A base fact that lines may depend on.

    `harmful` facts count as possible unless surely false; `derived` ones are worked out here from
    the question and may not be stated by a caller. `negative` names the opposite, for deny lines.
    """

    id: str
    about: str
    harmful: bool
    derived: bool
    negative: str | None
    answered_by: str
    law: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something done with data; `named` ones must name exactly one person."""

    id: str
    named: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class View:
    """A form of answer; `rank` is its place on the ladder from strong to weak, or None."""

    id: str
    rank: int | None
    meaning: str


@dataclass(frozen=True, slots=True)
class PseudonymDomain:
    """Where pseudonyms are used, and from whom attribution is withheld (GDP-30).

    Attributes:
        recipients: kinds of organisation or single organisations.
        purposes: for which they may receive coded rows.
        withheld_from: roles at the recipient that can't tell who somebody is; none where the view
            limits what is told and not of whom.
    """

    id: str
    recipients: frozenset[str]
    purposes: frozenset[str]
    withheld_from: frozenset[str]
    law: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Law:
    """A legal source that lines may cite; `verified` against a published text or not."""

    id: str
    verified: bool
    source: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a category: its tiers (I, Q, S, O) and its treatment in each view."""

    category: str
    name: str
    tier: tuple[str, ...]
    full: str
    pseudonym: str
    generalised: str
    hit: str
    count: str

    @property
    def id(self) -> str:
        """The name by which sources and views call it: "category.field"."""
        return f"{self.category}.{self.name}"

    def treatment(self, view: str) -> str:
        """The treatment in one view; "drop" for a view that is not known."""
        match view:
            case "full":
                return self.full
            case "pseudonym":
                return self.pseudonym
            case "generalised":
                return self.generalised
            case "hit":
                return self.hit
            case "count":
                return self.count
            case _:
                return "drop"


@dataclass(frozen=True, slots=True)
class Category:
    """A group of fields with one sensitivity."""

    name: str
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset; `personal` ones hold records about people."""

    name: str
    personal: bool
    categories: Mapping[str, Category]


class CellKey(NamedTuple):
    """What can be asked at all; any other combination is refused before a line is looked at."""

    dataset: str
    category: str
    view: str
    action: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every closed list, by id."""

    countries: Mapping[str, Country]
    kinds: Mapping[str, Kind]
    organisations: Mapping[str, Organisation]
    roles: Mapping[str, Role]
    groups: Mapping[str, frozenset[str]]
    views: Mapping[str, View]
    actions: Mapping[str, Action]
    purposes: Mapping[str, Purpose]
    datasets: Mapping[str, Dataset]
    cells: frozenset[CellKey]
    guards: Mapping[str, Guard]
    negatives: Mapping[str, tuple[str, ...]]
    duties: Mapping[str, str]
    treatments: Mapping[str, str]
    law: Mapping[str, Law]
    domains: Mapping[str, PseudonymDomain]

    def may_hold(self, org: Organisation, role: str) -> bool:
        """Whether this organisation may have officers in this role (check Q-KIND)."""
        known = self.roles.get(role)
        return known is not None and not known.held_by.isdisjoint((org.id, org.kind))

    def domain_of(self, org: str, purpose: str) -> PseudonymDomain | None:
        """The stated pseudonym domain of a recipient and a purpose; None refuses coded rows."""
        known = self.organisations.get(org)
        if known is None:
            return None
        for domain in self.domains.values():
            if purpose in domain.purposes and not domain.recipients.isdisjoint((org, known.kind)):
                return domain
        return None

    def ladder(self, wanted: str) -> tuple[str, ...]:
        """The views to try for a wanted one, strongest first; hit and count stand alone."""
        view = self.views.get(wanted)
        if view is None:
            return ()
        if view.rank is None:
            return (wanted,)
        ranked = sorted((v.rank, v.id) for v in self.views.values() if v.rank is not None)
        return tuple(name for rank, name in ranked if rank >= view.rank)
