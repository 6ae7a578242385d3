# SPDX-License-Identifier: EUPL-1.2
"""A country's mapping, parsed: from its own schema to the common model.

docs/formats/mapping.md is the format; `load_mapping` (gateway.sources.mapping_file) reads it.
Every part knows its line, so that a disagreement with the live schema names the place to mend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from gateway.sources.codes import CodeList
from gateway.sources.common import PERSONAL, Kind
from gateway.sources.dates import DateForm

__all__ = [
    "Child",
    "Column",
    "Condition",
    "Dataset",
    "Join",
    "Person",
    "RegisterMapping",
    "Search",
    "Spec",
]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `table` is "" (the section's own), an alias, `person` or `person.ALIAS`."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A fixed condition on one column: one of `values`, or empty, or present."""

    line: int
    column: str
    values: tuple[str, ...] = ()
    empty: bool | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """A table that holds at most one fitting row for each row of its section; LEFT JOINed."""

    line: int
    table: str
    alias: str
    on: tuple[tuple[str, Column], ...]
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Child:
    """A table with any number of rows; `key` holds the record's key, or the person's (`of`)."""

    table: str
    key: str
    column: str
    """the wanted column, "" when only existence is asked"""
    of: Literal["record", "person"]
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """Where one value comes from and how it is read: exactly one of column, child and value."""

    line: int
    name: str
    kind: Kind
    column: Column | None = None
    child: Child | None = None
    value: str | None = None
    date: DateForm | None = None
    codes: CodeList | None = None
    split: str = ""
    part: int | None = None
    """which piece of a split value, from 0; None keeps all"""
    many: bool = False
    empty: Literal["unknown", "none"] = "unknown"


@dataclass(frozen=True, slots=True)
class Search:
    """A column by which a person is found."""

    line: int
    name: str
    column: Column | None
    child: Child | None
    form: Literal["mrz", "written", "exact"]
    date: DateForm | None


@dataclass(frozen=True, slots=True)
class Person:
    """The table that every personal dataset refers to."""

    line: int
    table: str
    key: str
    surrogate: str
    """the column of the 128-bit surrogate, "" when the register has none"""
    joins: tuple[Join, ...] = ()
    search: Mapping[str, Search] = field(default_factory=dict)
    facts: Mapping[str, Spec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset of the common model. `person` is the column that holds the person's key."""

    line: int
    name: str
    table: str
    record: str
    person: str
    """"" for a dataset without persons, and when the dataset's table is the person table"""
    joins: tuple[Join, ...] = ()
    where: tuple[Condition, ...] = ()
    facts: Mapping[str, Spec] = field(default_factory=dict)
    fields: Mapping[str, Spec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegisterMapping:
    """A whole mapping file."""

    path: Path
    country: str
    register: str
    schema: str
    person: Person | None
    datasets: Mapping[str, Dataset]

    def personal(self, dataset: Dataset) -> bool:
        """Whether the dataset's records belong to persons."""
        return self.person is not None and dataset.name in PERSONAL

    def trait(self, dataset: Dataset, name: str) -> Spec | None:
        """Where a trait of this dataset's records comes from, its columns as the dataset's own."""
        if name in dataset.facts:
            return dataset.facts[name]
        if self.person is None or not self.personal(dataset):
            return None
        spec = self.person.facts.get(name)
        if spec is None or spec.column is None:
            return spec
        table = f"person.{spec.column.table}".rstrip(".")
        return replace(spec, column=Column(table, spec.column.name))

    def centre(self, dataset: Dataset) -> Spec | None:
        """What says to which centre a record belongs: the trait, or the centre's own id."""
        fields = dataset.fields
        return (
            self.trait(dataset, "centre")
            or fields.get("aggregate.centre_id")
            or fields.get("accommodation.centre_id")
        )

    def tables(self) -> Iterator[tuple[str, int]]:
        """Every table that the mapping names, with a line that names it; some repeat."""
        sections: list[Person | Dataset] = list(self.datasets.values())
        if self.person is not None:
            sections.insert(0, self.person)
        for section in sections:
            yield section.table, section.line
            for join in section.joins:
                yield join.table, join.line
            for spec in self.specs(section):
                if spec.child is not None:
                    yield spec.child.table, spec.line

    @staticmethod
    def specs(section: Person | Dataset) -> Iterator[Spec | Search]:
        """Every value and search column of a section."""
        yield from section.facts.values()
        if isinstance(section, Person):
            yield from section.search.values()
        else:
            yield from section.fields.values()
