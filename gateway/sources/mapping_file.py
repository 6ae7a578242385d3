# SPDX-License-Identifier: EUPL-1.2
"""Loads a mapping file, or refuses it with every broken line (docs/formats/mapping.md).

Fail closed: a field that the vocabulary does not know, a code outside a closed list, a retention
date whose order SQL cannot see - none of them is read around; the file is refused whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.sources.codes import BUILT_IN, COMMON, CodeList, common_name
from gateway.sources.common import PERSONAL, field_kind, trait_kind
from gateway.sources.errors import MappingError
from gateway.sources.mapping import Dataset, Join, Person, RegisterMapping, Search, Spec
from gateway.sources.reading import Reading, line_of
from gateway.sources.record import TRAITS
from gateway.sources.specs import SpecReader

if TYPE_CHECKING:
    import yaml

__all__ = ["SEARCHES", "load_mapping"]

SEARCHES = ("surnames", "forenames", "date_of_birth", "doc_number", "biometric_ref")
"""What a register may be searched by."""

_FORMAT = "1"
_NEITHER = frozenset({"statistics", "cases", "log"})
"""Datasets that no register holds: tables are computed, cases and log are the gateway's own."""

Allowed = Mapping[str, frozenset[str]]


def load_mapping(path: Path, fields: Allowed | None = None) -> RegisterMapping:
    """Reads a mapping file.

    Args:
        path: the YAML file.
        fields: the closed vocabulary, dataset to field ids ("category.field"). None trusts the
            file's names, for tools that have no rule set at hand; the gateway always passes it.

    Raises:
        MappingError: with every problem, in file order.
    """
    reading = Reading(path)
    root = reading.root()
    mapping = _Loader(reading, fields).load(root) if root is not None else None
    if reading.problems or mapping is None:
        raise MappingError(tuple(sorted(reading.problems, key=lambda p: (p.line, p.message))))
    return mapping


class _Loader:
    """One file's sections, in order: codes, person, datasets."""

    def __init__(self, reading: Reading, fields: Allowed | None) -> None:
        self.reading = reading
        self.fields = fields
        self.codes: dict[str, CodeList] = {}

    def load(self, root: yaml.Node) -> RegisterMapping:
        keys = self.reading.keyed(
            root,
            "the file",
            need="format country register datasets",
            may="schema codes person",
        )
        version = self.reading.text(keys.get("format"), "format")
        if version not in {None, _FORMAT}:
            self.reading.refuse(keys["format"], f"format {version} is unknown; this is {_FORMAT}")
        country = self.reading.text(keys.get("country"), "country") or ""
        if country and not re.fullmatch(r"[A-Z]{2}", country):
            self.reading.refuse(keys["country"], "country is two capital letters, such as BA")
        self.codes = self._codes(keys.get("codes"))
        person = self._person(keys["person"]) if "person" in keys else None
        return RegisterMapping(
            path=self.reading.file,
            country=country,
            register=self.reading.text(keys.get("register"), "register") or "",
            schema=self.reading.text(keys.get("schema"), "schema") or "",
            person=person,
            datasets=self._datasets(keys.get("datasets"), person),
        )

    def _codes(self, node: yaml.Node | None) -> dict[str, CodeList]:
        lists: dict[str, CodeList] = {}
        for name, value in self.reading.entries(node, "codes"):
            common, native = common_name(name), {}
            for code, target in self.reading.entries(value, f"the code list {name}"):
                meaning = self.reading.text(target, f"{name} {code}")
                if meaning is None:
                    continue
                if common and meaning not in COMMON[common]:
                    known = "two capital letters" if common == "country" else _listed(common)
                    self.reading.refuse(target, f"{common} knows no {meaning}; known: {known}")
                native[code] = meaning
            if name in BUILT_IN and name not in COMMON:
                self.reading.refuse(value, f"{name} is built in; give the list another name")
            lists[name] = CodeList(name, common, line_of(value), native)
        return lists

    def _person(self, node: yaml.Node) -> Person | None:
        keys = self.reading.keyed(
            node, "person", need="table key search", may="surrogate joins facts"
        )
        specs = SpecReader(self.reading, self.codes, set(), "person")
        joins = self._joins(specs, keys.get("joins"))
        search: dict[str, Search] = {}
        for name, value in self.reading.keyed(
            keys.get("search"), "search", may=" ".join(SEARCHES)
        ).items():
            found = specs.search(name, value)
            if found is not None:
                search[name] = found
        self._searchable(keys.get("search"))
        table = self.reading.text(keys.get("table"), "table")
        key = self.reading.text(keys.get("key"), "key")
        if table is None or key is None:
            return None
        surrogate = self.reading.text(keys.get("surrogate"), "surrogate") or ""
        facts = self._facts(specs, keys.get("facts"), {})
        return Person(line_of(node), table, key, surrogate, joins, search, facts)

    def _searchable(self, node: yaml.Node | None) -> None:
        """A person must be findable by a document, a biometric reference, or name and birth."""
        if node is None:
            return
        names = {key.value for key, _ in node.value} if hasattr(node, "value") else set()
        named = "date_of_birth" in names and {"surnames", "forenames"} & names
        if not named and not {"doc_number", "biometric_ref"} & names:
            self.reading.refuse(
                node, "search needs doc_number, biometric_ref, or a name with date_of_birth"
            )

    def _datasets(self, node: yaml.Node | None, person: Person | None) -> dict[str, Dataset]:
        datasets: dict[str, Dataset] = {}
        for name, value in self.reading.entries(node, "datasets"):
            known = {*PERSONAL, "centres"} if self.fields is None else {*self.fields} - _NEITHER
            if name not in known:
                self.reading.refuse(value, f"unknown dataset {name}; known: {_joined(known)}")
                continue
            found = self._dataset(name, value, person)
            if found is not None:
                datasets[name] = found
        return datasets

    def _dataset(self, name: str, node: yaml.Node, person: Person | None) -> Dataset | None:
        keys = self.reading.keyed(
            node, name, need="record fields", may="table person joins where facts"
        )
        personal = name in PERSONAL
        if personal and person is None:
            self.reading.refuse(node, f"{name} holds persons; describe the person table first")
            return None
        table = self.reading.text(keys.get("table"), "table")
        own = person is not None and personal and table in {None, person.table}
        column = self.reading.text(keys.get("person"), "person") or ""
        self._person_column(name, node, own=own and not column, given=bool(column))
        specs = self._spec_reader(name, person)
        joins = self._joins(specs, keys.get("joins"))
        record = self.reading.text(keys.get("record"), "record")
        if table is None and own and person is not None:
            table = person.table
        if table is None:
            self.reading.refuse(node, f"{name} lacks table")
        if table is None or record is None:
            return None
        return Dataset(
            line=line_of(node),
            name=name,
            table=table,
            record=record,
            person=column,
            joins=joins,
            where=specs.conditions(keys.get("where")),
            facts=self._facts(specs, keys.get("facts"), person.facts if person else {}),
            fields=self._fields(name, specs, keys.get("fields")),
        )

    def _person_column(self, name: str, node: yaml.Node, *, own: bool, given: bool) -> None:
        if name not in PERSONAL:
            if given:
                self.reading.refuse(node, f"{name} holds no persons; remove person")
        elif not given and not own:
            self.reading.refuse(node, f"{name} needs person: the column with the person's key")

    def _spec_reader(self, name: str, person: Person | None) -> SpecReader:
        aliases: set[str] = set()
        if name in PERSONAL and person is not None:
            aliases = {"person", *(f"person.{join.alias}" for join in person.joins)}
        return SpecReader(self.reading, self.codes, aliases, "record", personal=name in PERSONAL)

    def _joins(self, specs: SpecReader, node: yaml.Node | None) -> tuple[Join, ...]:
        joins = [specs.join(item) for item in self.reading.items(node, "joins")]
        return tuple(join for join in joins if join is not None)

    def _facts(
        self, specs: SpecReader, node: yaml.Node | None, taken: Mapping[str, Spec]
    ) -> dict[str, Spec]:
        """Traits; one that the person table already answers cannot be answered twice."""
        facts: dict[str, Spec] = {}
        for name, value in self.reading.keyed(node, "facts", may=" ".join(TRAITS)).items():
            if specs.personal and name in taken:
                self.reading.refuse(value, f"{name} stands in person.facts too; keep one")
            spec = specs.spec(name, value, trait_kind(name))
            if spec is None:
                continue
            if name == "retain_until" and (
                spec.column is None or spec.date is None or not spec.date.sortable or spec.split
            ):
                self.reading.refuse(
                    value,
                    "retain_until must be a column whose order is that of time: date native, "
                    "iso, yyyymmdd, epoch_days or epoch_seconds; add such a column",
                )
            facts[name] = spec
        return facts

    def _fields(self, dataset: str, specs: SpecReader, node: yaml.Node | None) -> dict[str, Spec]:
        fields: dict[str, Spec] = {}
        allowed = None if self.fields is None else self.fields[dataset]
        for name, value in self.reading.entries(node, "fields"):
            if allowed is not None and name not in allowed:
                self.reading.refuse(value, f"{dataset} has no field {name}; see the vocabulary")
                continue
            if name.count(".") != 1:
                self.reading.refuse(value, f"a field is named category.field, not {name}")
                continue
            spec = specs.spec(name, value, field_kind(dataset, name))
            if spec is not None:
                fields[name] = spec
        return fields


def _listed(common: str) -> str:
    return _joined(COMMON[common])


def _joined(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names))
