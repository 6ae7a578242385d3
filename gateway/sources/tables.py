# SPDX-License-Identifier: EUPL-1.2
"""The tables behind one dataset, joined only as far as the asked columns need.

Names come from the mapping and are quoted always; types come from the live schema. A name that the
live schema lacks raises `SchemaError`: the register is not what its mapping describes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from gateway.sources.common import PERSONAL
from gateway.sources.mapping import Child, Column, Condition, Dataset, Join, Person, RegisterMapping
from gateway.sources.native import UnfittingError, fit

__all__ = ["Live", "SchemaError", "Tables"]

Live = Mapping[str, Mapping[str, sa.types.TypeEngine[Any]]]
"""The live schema: table, column, type; mapped tables only."""


class SchemaError(Exception):
    """The live schema lacks a mapped name. Stays inside the room."""


class Tables:
    """One statement's tables. `column` notes what is joined; `source` gives the FROM clause.

    `fixed` collects the bound values of the mapping's own conditions, by parameter name;
    `prefix` keeps the names of two instances in one statement apart. `dataset=None` stands for the
    person table alone.
    """

    def __init__(
        self,
        mapping: RegisterMapping,
        live: Live,
        dialect: str,
        dataset: Dataset | None,
        prefix: str = "",
    ) -> None:
        self._prefix = prefix
        self._mapping = mapping
        self._live = live
        self._dialect = dialect
        self._schema = mapping.schema or None
        self._person: Person | None = mapping.person
        self._dataset = dataset
        self._aliases: dict[str, Any] = {}
        self._joins = self._known_joins()
        self._needed: dict[str, None] = {}
        self.fixed: dict[str, Any] = {}
        section = dataset or mapping.person
        if section is None:
            raise SchemaError
        self._base = self.table(section.table, "r")

    @property
    def own(self) -> bool:
        """Whether the base table is the person table itself."""
        return self._dataset is None or not self._dataset.person

    def column(self, ref: Column) -> sa.ColumnElement[Any]:
        """The column, its table joined."""
        return self.of_table(self._alias(ref.table), ref.name)

    def person_column(self, ref: Column) -> sa.ColumnElement[Any]:
        """A column that the person section names, seen from here."""
        return self.column(ref if self._dataset is None else self._prefixed(ref, "person."))

    def type_of(self, ref: Column) -> sa.types.TypeEngine[Any]:
        """The live type of a column."""
        return self.column(ref).type

    def person_key(self) -> sa.ColumnElement[Any] | None:
        """The person's key: in the dataset's own table, without joining the person table."""
        if self._dataset is not None and self._dataset.person:
            return self.of_table(self._base, self._dataset.person)
        if self._person is None or (
            self._dataset is not None and self._dataset.name not in PERSONAL
        ):
            return None
        return self.of_table(self._base, self._person.key)

    def record_key(self) -> sa.ColumnElement[Any]:
        """The record's key."""
        if self._dataset is not None:
            return self.of_table(self._base, self._dataset.record)
        return self.of_table(self._base, self._person.key if self._person else "")

    def child(self, child: Child, label: str) -> tuple[Any, sa.ColumnElement[bool]]:
        """A child table under an alias of its own, and the condition that ties it to its key."""
        table = self.table(child.table, label)
        key = self.person_key() if child.of == "person" else self.record_key()
        tie = self.of_table(table, child.key) == key
        return table, sa.and_(tie, *self.conditions(child.where, table, label))

    def conditions(
        self, where: tuple[Condition, ...], table: Any, label: str
    ) -> list[sa.ColumnElement[bool]]:
        """The mapping's own conditions on a table, as bound parameters."""
        found: list[sa.ColumnElement[bool]] = []
        for position, condition in enumerate(where):
            column = self.of_table(table, condition.column)
            if condition.empty is not None:
                found.append(column.is_(None) if condition.empty else column.is_not(None))
                continue
            names = []
            for index, value in enumerate(condition.values):
                name = f"{self._prefix}{label}_{position}_{index}"
                try:
                    self.fixed[name] = fit(value, column.type, self._dialect)
                except UnfittingError:
                    raise SchemaError from None
                names.append(sa.bindparam(name, type_=column.type))
            found.append(column == names[0] if len(names) == 1 else column.in_(names))
        return found

    def centre(self) -> sa.ColumnElement[Any]:
        """The column that says which centre a record belongs to."""
        spec = self._mapping.centre(self._dataset) if self._dataset is not None else None
        if spec is None or spec.column is None:
            raise SchemaError
        return self.column(spec.column)

    def own_conditions(self) -> list[sa.ColumnElement[bool]]:
        """The dataset's `where`."""
        where = self._dataset.where if self._dataset is not None else ()
        return self.conditions(where, self._base, "w")

    def base_column(self, name: str) -> sa.ColumnElement[Any]:
        """A column of the base table."""
        return self.of_table(self._base, name)

    def table(self, name: str, alias: str) -> Any:
        """A live table under an alias."""
        if name not in self._live:
            raise SchemaError
        columns = [sa.column(quoted_name(c, quote=True), t) for c, t in self._live[name].items()]
        bare = sa.table(
            quoted_name(name, quote=True),
            *columns,
            schema=quoted_name(self._schema, quote=True) if self._schema else None,
        )
        return bare.alias(alias)

    def source(self, *, inner: bool = False) -> Any:
        """The FROM clause for everything asked so far; `inner` drops rows without a joined row."""
        source = self._base
        for alias in self._needed:
            table = self._aliases[alias]
            join = self._joins[alias]
            if join is None:
                key = self._person.key if self._person is not None else ""
                tie = self.of_table(table, key) == self.person_key()
                source = source.join(table, tie) if inner else source.outerjoin(table, tie)
                continue
            label = str(table.name)
            parts = [self.of_table(table, own) == self.column(ref) for own, ref in join.on]
            tie = sa.and_(*parts, *self.conditions(join.where, table, label))
            source = source.join(table, tie) if inner else source.outerjoin(table, tie)
        return source

    def _known_joins(self) -> dict[str, Join | None]:
        """Every alias that a column may name; None stands for the person table itself."""
        joins: dict[str, Join | None] = {}
        prefix = "" if self._dataset is None else "person."
        if self._dataset is not None:
            joins.update({join.alias: join for join in self._dataset.joins})
            if self._dataset.person:
                joins["person"] = None
        if self._person is not None:
            for join in self._person.joins:
                on = tuple((own, self._prefixed(ref, prefix)) for own, ref in join.on)
                joins[prefix + join.alias] = Join(join.line, join.table, join.alias, on, join.where)
        return joins

    @staticmethod
    def _prefixed(ref: Column, prefix: str) -> Column:
        """A person join's column as seen from a dataset."""
        return Column((prefix + ref.table).rstrip("."), ref.name) if prefix else ref

    def _alias(self, name: str) -> Any:
        if not name or (name == "person" and self.own):
            return self._base
        if name in self._aliases:
            return self._aliases[name]
        if name not in self._joins:
            raise SchemaError
        join = self._joins[name]
        for _, ref in join.on if join is not None else ():
            self._alias(ref.table)
        if join is None:
            table = self.table(self._person.table if self._person else "", "p")
        else:
            table = self.table(join.table, f"j{len(self._aliases)}")
        self._aliases[name] = table
        self._needed[name] = None
        return table

    @staticmethod
    def of_table(table: Any, name: str) -> sa.ColumnElement[Any]:
        """A column of a table that `table` or `child` gave."""
        found: sa.ColumnElement[Any] | None = table.c.get(name)
        if found is None:
            raise SchemaError
        return found
