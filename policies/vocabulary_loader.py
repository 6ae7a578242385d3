# SPDX-License-Identifier: EUPL-1.2
"""Reads `vocabulary/*.csv` into a `Vocabulary`: docs/formats/rules.md, section "Vocabulary".

Every reference from one list to another is checked here, so that the rule loader and the engine may
trust them. Nothing is defaulted: a value that is not one of those named is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from policies.errors import Problems
from policies.table import BUT, EVERY, NONE, Row, read_table, split_items
from policies.vocabulary import (
    INTERNATIONAL,
    Action,
    Category,
    CellKey,
    Country,
    Dataset,
    Field,
    Guard,
    Kind,
    Law,
    Organisation,
    PseudonymDomain,
    Purpose,
    Role,
    View,
    Vocabulary,
)
from policies.zones import CASE_BOUND, ORG_ZONES, PERSONAL

T = TypeVar("T")
FOLDER = "vocabulary/"
HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(columns.split(","))
        for name, columns in {
            "countries": "id,member,name",
            "kinds": "id,authority,meaning",
            "organisations": "id,kind,country,stations,name",
            "roles": "id,held_by,meaning",
            "groups": "id,members,meaning",
            "views": "id,ladder,meaning",
            "actions": "id,named,meaning",
            "purposes": "id,needs,bases,stated_by,meaning",
            "datasets": "id,personal,meaning",
            "cells": "dataset,category,view,action",
            "fields": "dataset,category,field,tier,full,pseudonym,generalised,hit,count",
            "treatments": "id,meaning",
            "guards": "id,about,nature,negative,answered_by,law,meaning",
            "duties": "id,meaning",
            "law": "id,status,source,meaning",
            "domains": "id,recipients,purposes,withheld_from,law,meaning",
        }.items()
    }
)
FILES = tuple(f"{FOLDER}{name}.csv" for name in HEADERS)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")
_RANK = re.compile(r"[0-9]{1,3}\Z")
_TIERS = frozenset("IQSO")


def load_vocabulary(files: Mapping[str, bytes], problems: Problems) -> Vocabulary:
    """The closed lists of a rule folder; what is wrong goes into `problems`."""
    return _Reader(files, problems).read()


class _Reader:
    """One pass over the vocabulary files; `problems` is owned by the caller."""

    def __init__(self, files: Mapping[str, bytes], problems: Problems) -> None:
        self._files = files
        self._problems = problems

    def read(self) -> Vocabulary:
        countries = self._list(
            "countries", lambda r: Country(r["id"], self._yes(r, "member"), r["name"])
        )
        kinds = self._list(
            "kinds", lambda r: Kind(r["id"], self._yes(r, "authority"), r["meaning"])
        )
        places = {*countries, INTERNATIONAL}
        organisations = self._list("organisations", lambda r: self._organisation(r, kinds, places))
        holders = {*kinds, *organisations}
        roles = self._list(
            "roles",
            lambda r: Role(r["id"], frozenset(self._known(r, "held_by", holders)), r["meaning"]),
        )
        groups = self._list("groups", lambda r: self._members(r, frozenset(roles)))
        views = self._list("views", self._view)
        actions = self._list(
            "actions", lambda r: Action(r["id"], self._yes(r, "named"), r["meaning"])
        )
        law = self._list(
            "law",
            lambda r: Law(
                r["id"],
                self._one_of(r, "status", ("verified", "unverified")) == "verified",
                r["source"],
                r["meaning"],
            ),
        )
        guards = self._list("guards", lambda r: self._guard(r, law))
        negatives = self._negatives(guards)
        purposes = self._list("purposes", lambda r: self._purpose(r, guards, law, roles))
        treatments = self._list("treatments", lambda r: r["meaning"])
        datasets = self._datasets(treatments)
        domains = self._list(
            "domains",
            lambda r: PseudonymDomain(
                id=r["id"],
                recipients=frozenset(self._known(r, "recipients", holders)),
                purposes=frozenset(self._known(r, "purposes", purposes)),
                withheld_from=self._roles(r, groups, roles),
                law=self._known(r, "law", law)[0] if r["law"] != NONE else NONE,
                meaning=r["meaning"],
            ),
        )
        self._check_domains(domains, organisations)
        for word in set(kinds) & set(organisations):
            self._problems.add(f"{FOLDER}kinds.csv", 0, f"{word} is also an organisation")
        for word in set(groups) & set(roles):
            self._problems.add(f"{FOLDER}groups.csv", 0, f"{word} is also a role")
        self._clashes("organisations", set(organisations) & {*countries, *ORG_ZONES})
        self._clashes("countries", set(countries) & {INTERNATIONAL})
        self._clashes("datasets", set(datasets) & {PERSONAL})
        self._clashes("purposes", set(purposes) & {CASE_BOUND})
        return Vocabulary(
            countries=countries,
            kinds=kinds,
            organisations=organisations,
            roles=roles,
            groups=groups,
            views=views,
            actions=actions,
            purposes=purposes,
            datasets=datasets,
            cells=self._cells(datasets, views, actions),
            guards=guards,
            negatives=negatives,
            duties=self._list("duties", lambda r: r["meaning"]),
            treatments=treatments,
            law=law,
            domains=domains,
        )

    def _clashes(self, name: str, words: set[str]) -> None:
        """A word with two meanings would give a line, or a whole folder, to somebody else."""
        for word in words:
            self._problems.add(f"{FOLDER}{name}.csv", 0, f"{word} has another meaning already")

    def _rows(self, name: str) -> list[Row]:
        return read_table(self._files, f"{FOLDER}{name}.csv", HEADERS[name], self._problems)

    def _refuse(self, row: Row, message: str) -> None:
        self._problems.add(row.file, row.line, message)

    def _list(self, name: str, parse: Callable[[Row], T]) -> Mapping[str, T]:
        found: dict[str, T] = {}
        for row in self._rows(name):
            word = row["id"]
            if not _ID.match(word):
                self._refuse(row, f"{word} is no id; use letters, digits, - and _")
            elif word in found:
                self._refuse(row, f"the id {word} is used twice")
            else:
                found[word] = parse(row)
        return MappingProxyType(found)

    def _yes(self, row: Row, column: str) -> bool:
        return self._one_of(row, column, ("yes", "no")) == "yes"

    def _one_of(self, row: Row, column: str, allowed: tuple[str, ...]) -> str:
        if row[column] not in allowed:
            self._refuse(row, f"{column} must be one of {', '.join(allowed)}")
        return row[column]

    def _known(self, row: Row, column: str, words: object) -> tuple[str, ...]:
        """The items of a cell that must all be in `words`."""
        known = frozenset(words)  # type: ignore[call-overload]  # any iterable of ids
        items = row.items(column)
        for item in items:
            if item not in known:
                self._refuse(row, f"{column} names {item}, which is not in the vocabulary")
        if len(set(items)) != len(items):
            self._refuse(row, f"{column} names something twice")
        return items

    def _organisation(self, row: Row, kinds: Mapping[str, Kind], places: set[str]) -> Organisation:
        self._known(row, "kind", kinds)
        self._known(row, "country", places)
        stations = self._yes(row, "stations")
        if stations and row["country"] != INTERNATIONAL:
            self._refuse(row, "only an international organisation has stations")
        return Organisation(row["id"], row["kind"], row["country"], stations, row["name"])

    def _members(self, row: Row, roles: frozenset[str]) -> frozenset[str]:
        base, _, without = row["members"].partition(BUT)
        named = split_items(without) if without else split_items(base)
        for role in named if base != EVERY or without else ():
            if role not in roles:
                self._refuse(row, f"members names {role}, which is not a role")
        if base == EVERY:
            return roles - frozenset(split_items(without) if without else ())
        if without:
            self._refuse(row, f"only {EVERY}{BUT}a + b may leave roles out")
        return frozenset(named) & roles

    def _view(self, row: Row) -> View:
        rank = None
        if row["ladder"] != NONE:
            if _RANK.match(row["ladder"]):
                rank = int(row["ladder"])
            else:
                self._refuse(row, "ladder must be a number or -")
        return View(row["id"], rank, row["meaning"])

    def _guard(self, row: Row, law: Mapping[str, Law]) -> Guard:
        about = self._one_of(row, "about", ("question", "record"))
        nature = self._one_of(row, "nature", ("positive", "harmful", "derived"))
        self._known(row, "law", law)
        negative = None if row["negative"] == NONE else row["negative"]
        if negative is not None and (nature != "positive" or not _ID.match(negative)):
            self._refuse(row, "only a positive guard has a negative, and it must be an id")
        return Guard(
            id=row["id"],
            about=about,
            harmful=nature != "positive",
            derived=nature == "derived",
            negative=negative,
            answered_by=row["answered_by"],
            law=row["law"],
            meaning=row["meaning"],
        )

    def _negatives(self, guards: Mapping[str, Guard]) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for guard in guards.values():
            if guard.negative is None:
                continue
            if guard.negative in guards:
                self._problems.add(
                    f"{FOLDER}guards.csv", 0, f"{guard.negative} is a guard and a negative"
                )
            found[guard.negative] = (*found.get(guard.negative, ()), guard.id)
        return MappingProxyType(found)

    def _purpose(
        self,
        row: Row,
        guards: Mapping[str, Guard],
        law: Mapping[str, Law],
        roles: Mapping[str, Role],
    ) -> Purpose:
        bases = self._known(row, "bases", law)
        stated_by = self._known(row, "stated_by", roles)
        if not bases or not stated_by:
            self._refuse(row, "a purpose needs at least one legal basis and one role")
        needs = self._known(row, "needs", guards)
        return Purpose(row["id"], needs, bases, frozenset(stated_by), row["meaning"])

    def _roles(
        self, row: Row, groups: Mapping[str, frozenset[str]], roles: Mapping[str, Role]
    ) -> frozenset[str]:
        """The roles that a cell of groups and roles names; nothing for "-"."""
        named = self._known(row, "withheld_from", {*groups, *roles})
        return frozenset().union(*(groups.get(word, {word}) for word in named))

    def _check_domains(
        self, domains: Mapping[str, PseudonymDomain], organisations: Mapping[str, Organisation]
    ) -> None:
        """Each pair of recipient and purpose lies in one domain at most, and none is empty."""
        taken: dict[tuple[str, str], str] = {}
        for domain in domains.values():
            if not domain.recipients or not domain.purposes or domain.law == NONE:
                where = f"{domain.id} needs recipients, purposes and a legal source"
                self._problems.add(f"{FOLDER}domains.csv", 0, where)
            for org in organisations.values():
                for purpose in sorted(domain.purposes):
                    covered = not domain.recipients.isdisjoint((org.id, org.kind))
                    if covered and taken.setdefault((org.id, purpose), domain.id) != domain.id:
                        both = f"{org.id} for {purpose} is in {taken[org.id, purpose]} too"
                        self._problems.add(f"{FOLDER}domains.csv", 0, f"{domain.id}: {both}")

    def _datasets(self, treatments: Mapping[str, str]) -> Mapping[str, Dataset]:
        personal = self._list("datasets", lambda r: self._yes(r, "personal"))
        trees: dict[str, dict[str, dict[str, Field]]] = {name: {} for name in personal}
        for row in self._rows("fields"):
            self._known(row, "dataset", personal)
            self._known(row, "tier", _TIERS)
            for view in ("full", "pseudonym", "generalised", "hit", "count"):
                if row[view] not in treatments:
                    self._refuse(row, f"{row[view]} is not a treatment")
            if not (_ID.match(row["category"]) and _ID.match(row["field"])):
                self._refuse(row, "category and field must be ids")
                continue
            category = trees.setdefault(row["dataset"], {}).setdefault(row["category"], {})
            if row["field"] in category:
                self._refuse(row, f"the field {row['field']} is named twice in its category")
            category[row["field"]] = _field(row)
        for name in personal:
            if not trees[name]:
                self._problems.add(f"{FOLDER}fields.csv", 0, f"{name} has no field")
        return MappingProxyType(
            {name: Dataset(name, flag, _categories(trees[name])) for name, flag in personal.items()}
        )

    def _cells(
        self,
        datasets: Mapping[str, Dataset],
        views: Mapping[str, View],
        actions: Mapping[str, Action],
    ) -> frozenset[CellKey]:
        found: set[CellKey] = set()
        for row in self._rows("cells"):
            self._known(row, "dataset", datasets)
            known = datasets.get(row["dataset"])
            names = known.categories if known else {}
            every = row["category"] == EVERY
            categories = tuple(names) if every else self._known(row, "category", names)
            for category in categories:
                for view in self._known(row, "view", views):
                    for action in self._known(row, "action", actions):
                        found.add(CellKey(row["dataset"], category, view, action))
        return frozenset(found)


def _field(row: Row) -> Field:
    return Field(
        category=row["category"],
        name=row["field"],
        tier=row.items("tier"),
        full=row["full"],
        pseudonym=row["pseudonym"],
        generalised=row["generalised"],
        hit=row["hit"],
        count=row["count"],
    )


def _categories(tree: Mapping[str, Mapping[str, Field]]) -> Mapping[str, Category]:
    return MappingProxyType(
        {name: Category(name, MappingProxyType(dict(found))) for name, found in tree.items()}
    )
