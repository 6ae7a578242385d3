# SPDX-License-Identifier: EUPL-1.2
"""Writes the one SELECT behind a question: permitted columns, permitted rows, nothing else.

SQLAlchemy Core is the only author of SQL here. The SELECT list holds the keys and the columns of
the asked fields and traits; the WHERE clause holds the selector, the dataset's own condition and
the retention limit (GDP-03: expired is not found); order and LIMIT make a keyset page. A plan is
compiled once for each kind of question and then only bound (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from gateway.sources.decoding import Decoder, decoder
from gateway.sources.mapping import Column, Dataset, RegisterMapping, Spec
from gateway.sources.native import fit_day
from gateway.sources.question import Fetch
from gateway.sources.record import TRAITS
from gateway.sources.selection import SPAN, Branch, Selection
from gateway.sources.tables import Live, SchemaError, Tables

__all__ = ["Columns", "Plan", "Statements", "Wanted", "compiled"]

Wanted = tuple[str, frozenset[str], frozenset[str], tuple[tuple[str, int], ...], tuple[Branch, ...]]
"""What a plan is compiled for: dataset, fields, traits, and the selector's shape and branches."""

_EXPANDED = {"postgresql": "array_agg", "sqlite": "json_group_array"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled SELECT. Row layout: record key, person key, surrogate, then the asked values.

    `names` are the parameters in the order of their places; `fixed` those the mapping itself sets.
    """

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    personal: bool
    fields: tuple[tuple[str, int, Decoder], ...]
    traits: tuple[tuple[int, int, Decoder], ...]
    """place in `Traits`, place in the row, how it is read"""

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """The parameters in order."""
        fixed = self.fixed
        return [values[name] if name in values else fixed[name] for name in self.names]


def compiled(statement: sa.Select[Any], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """The statement as this driver's SQL, and its parameters in the order of their places."""
    done = statement.compile(dialect=dialect)
    return str(done), tuple(done.positiontup or ())


@dataclass(frozen=True, slots=True)
class Statements:
    """Writes plans for one register as it stands now."""

    mapping: RegisterMapping
    live: Live
    dialect: Dialect

    def plan(self, wanted: Fetch, selection: Selection) -> Plan:
        """The plan for this kind of question; raises SchemaError when a mapped name is missing."""
        dataset = self.mapping.datasets[wanted.dataset]
        tables = Tables(self.mapping, self.live, self.dialect.name, dataset)
        columns = Columns(tables, self.dialect.name)
        personal = columns.keys(self.mapping)
        fields = tuple(
            (name, columns.place(dataset.fields[name]), decoder(dataset.fields[name], trait=False))
            for name in sorted(wanted.fields & dataset.fields.keys())
        )
        traits = tuple(
            (TRAITS.index(name), columns.place(spec), decoder(spec, trait=True))
            for name, spec in self._traits(dataset, wanted.traits)
        )
        where = [*tables.own_conditions(), *self.kept(dataset, tables)]
        named, condition = self._selected(selection, tables)
        where.extend(condition)
        if wanted.after is not None:
            where.append(tables.record_key() > _param("after", tables.record_key()))
        source = tables.source()
        if named is not None:
            key = tables.person_key()
            source = source.join(named, named.c.k == key)
        statement = (
            sa.select(*columns.listed())
            .select_from(source)
            .where(*where)
            .order_by(tables.record_key())
            .limit(sa.bindparam("limit", type_=sa.Integer()))
        )
        sql, names = compiled(statement, self.dialect)
        # SQLAlchemy binds constants of its own here and there, such as SQLite's OFFSET 0.
        constants = statement.compile(dialect=self.dialect).params
        return Plan(sql, names, {**constants, **tables.fixed}, personal, fields, traits)

    def today(self, dataset: Dataset, today: date) -> Any:
        """The retention limit's parameter, as the register writes a day; None without one."""
        spec = self._retention(dataset)
        if spec is None or spec.column is None or spec.date is None:
            return None
        column = Tables(self.mapping, self.live, self.dialect.name, dataset).column(spec.column)
        return fit_day(today, spec.date, column.type, self.dialect.name)

    def _traits(self, dataset: Dataset, asked: frozenset[str]) -> Iterable[tuple[str, Spec]]:
        for name in TRAITS:
            spec = self.mapping.trait(dataset, name) if name in asked else None
            if spec is not None:
                yield name, spec

    def _retention(self, dataset: Dataset) -> Spec | None:
        return self.mapping.trait(dataset, "retain_until")

    def kept(self, dataset: Dataset, tables: Tables) -> list[sa.ColumnElement[bool]]:
        """Rows whose retention is not over; one without a date is kept and its trait unknown."""
        spec = self._retention(dataset)
        if spec is None or spec.column is None:
            return []
        column = tables.column(spec.column)
        return [sa.or_(column.is_(None), column >= _param("today", column))]

    def _selected(
        self, selection: Selection, tables: Tables
    ) -> tuple[Any, list[sa.ColumnElement[bool]]]:
        """The named persons' keys as a table to join (or None), and conditions on the rows."""
        branches = selection.branches
        if len(branches) == 1 and not any(self._child(name) for name, _ in branches[0]):
            return None, self._inline(branches[0], tables)
        if branches:
            return self._named(branches, tables), []
        if selection.shape and selection.shape[0][0] == "surrogate":
            return self._surrogates(selection.shape[0][1], tables), []
        return None, [
            part for kind, size in selection.shape for part in self._limit(kind, size, tables)
        ]

    def _limit(self, kind: str, size: int, tables: Tables) -> list[sa.ColumnElement[bool]]:
        """One part of a selector's shape; an unknown kind selects nothing."""
        match kind:
            case "all":
                return []
            case "record":
                return [tables.record_key() == _param("key", tables.record_key())]
            case "centre":
                return [_among(tables.centre(), "centre", size)]
        key = tables.person_key()
        if key is not None and kind == "persons":
            return [_among(key, "persons", size)]
        return [key == _param("key", key)] if key is not None and kind == "person" else [sa.false()]

    def _inline(self, branch: Branch, tables: Tables) -> list[sa.ColumnElement[bool]]:
        return [
            _fits(tables.person_column(self._search_column(name)), f"b0_{name}", size)
            for name, size in branch
        ]

    def _surrogates(self, size: int, outer: Tables) -> Any:
        """Person keys by surrogate, from that column's index.

        As a condition on the joined rows it left some databases to read every row in key order.
        """
        if self.mapping.person is None:
            raise SchemaError
        tables = Tables(self.mapping, self.live, self.dialect.name, None, "s")
        column = tables.column(Column("", self.mapping.person.surrogate))
        found = (
            sa.select(tables.record_key().label("k"))
            .select_from(tables.source(inner=True))
            .where(_among(column, "surrogate", size))
        )
        outer.fixed.update(tables.fixed)
        return found.subquery("n")

    def _named(self, branches: tuple[Branch, ...], outer: Tables) -> Any:
        """One SELECT of person keys for each criterion, each on its own index, united."""
        selects = []
        for number, branch in enumerate(branches):
            tables = Tables(self.mapping, self.live, self.dialect.name, None, f"b{number}")
            key = tables.record_key()
            where = []
            for name, size in branch:
                label = f"b{number}_{name}"
                child = self._child(name)
                if child is None:
                    column = tables.column(self._search_column(name))
                    where.append(_fits(column, label, size))
                    continue
                table, tie = tables.child(child, f"c{name}")
                found = _fits(tables.of_table(table, child.column), label, size)
                where.append(sa.exists().select_from(table).where(tie, found))
            selects.append(
                sa.select(key.label("k")).select_from(tables.source(inner=True)).where(*where)
            )
            outer.fixed.update(tables.fixed)
        united = sa.union(*selects) if len(selects) > 1 else selects[0]
        return united.subquery("n")

    def _child(self, name: str) -> Any:
        search = self.mapping.person.search[name] if self.mapping.person is not None else None
        return search.child if search is not None else None

    def _search_column(self, name: str) -> Column:
        column = self.mapping.person.search[name].column if self.mapping.person else None
        if column is None:
            raise SchemaError
        return column


class Columns:
    """The SELECT list, each column once."""

    def __init__(self, tables: Tables, dialect: str) -> None:
        self._tables = tables
        self._aggregate = _EXPANDED.get(dialect, "json_arrayagg")
        self._listed: list[sa.ColumnElement[Any]] = []
        self._places: dict[Any, int] = {}

    def keys(self, mapping: RegisterMapping) -> bool:
        """Record key, person key and surrogate, NULL where there is none; whether persons are."""
        person = self._tables.person_key()
        surrogate: sa.ColumnElement[Any] = sa.null()
        if person is not None and mapping.person is not None and mapping.person.surrogate:
            surrogate = self._tables.person_column(Column("", mapping.person.surrogate))
        self._listed = [
            self._tables.record_key(),
            person if person is not None else sa.null(),
            surrogate,
        ]
        return person is not None

    def listed(self) -> list[sa.Label[Any]]:
        """The columns under short labels."""
        return [column.label(f"c{place}") for place, column in enumerate(self._listed)]

    def place(self, spec: Spec) -> int:
        """Where the row holds what `spec` reads."""
        known = spec.column or spec.child or spec.value
        if known not in self._places:
            self._places[known] = len(self._listed)
            self._listed.append(self._expression(spec))
        return self._places[known]

    def _expression(self, spec: Spec) -> sa.ColumnElement[Any]:
        if spec.column is not None:
            return self._tables.column(spec.column)
        if spec.child is None:
            return sa.null()
        table, tie = self._tables.child(spec.child, f"t{len(self._listed)}")
        if not spec.child.column:
            return sa.exists().select_from(table).where(tie)
        column = self._tables.of_table(table, spec.child.column)
        gathered = getattr(sa.func, self._aggregate)(column)
        return sa.select(gathered).select_from(table).where(tie).scalar_subquery()


def _param(name: str, like: sa.ColumnElement[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=like.type)


def _among(column: sa.ColumnElement[Any], label: str, size: int) -> sa.ColumnElement[bool]:
    """Equal to one of the parameters `label_0` ... `label_{size-1}`."""
    names = [_param(f"{label}_{index}", column) for index in range(size)]
    return column == names[0] if size == 1 else column.in_(names)


def _fits(column: sa.ColumnElement[Any], label: str, size: int) -> sa.ColumnElement[bool]:
    if size == SPAN:
        return sa.and_(
            column >= _param(f"{label}_0", column), column < _param(f"{label}_1", column)
        )
    return _among(column, label, size)
