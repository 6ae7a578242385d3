# SPDX-License-Identifier: EUPL-1.2
"""Compares a mapping with the live register, and names the line to mend (`cuvar doctor`).

Errors are names that are not there and keys that are empty or not unique; warnings are values in
the data that the mapping does not read (they count as unknown, which restricts). No value of the
register is ever part of a finding.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from gateway.sources.decoding import code_of
from gateway.sources.drivers import Driver
from gateway.sources.drivers.driver import Row
from gateway.sources.mapping import Dataset, Join, Person, RegisterMapping, Search, Spec
from gateway.sources.source import Finding
from gateway.sources.statements import compiled
from gateway.sources.tables import Live, SchemaError, Tables

__all__ = ["check_register"]

_SAMPLE = 2000
_SHOWN = 200
Section = Person | Dataset


async def check_register(mapping: RegisterMapping, live: Live, driver: Driver) -> list[Finding]:
    """Every disagreement, in the order of the mapping's lines.

    Raises:
        Failure: the register does not answer.
    """
    found = [*_Names(mapping, live).findings()]
    found += [finding async for finding in _Values(mapping, live, driver).findings()]
    unique = {(finding.line, finding.message): finding for finding in found}
    return sorted(unique.values(), key=lambda finding: (finding.line, finding.message))


class _Names:
    """Tables and columns that the mapping names and the register lacks."""

    def __init__(self, mapping: RegisterMapping, live: Live) -> None:
        self._mapping, self._live = mapping, live

    def findings(self) -> Iterable[Finding]:
        for table, line in self._mapping.tables():
            if table not in self._live:
                yield self._error(line, f"the register has no table {table}")
        for section in _sections(self._mapping):
            own = dict.fromkeys(_keys(section), section.line)
            if isinstance(section, Dataset):
                own |= {condition.column: condition.line for condition in section.where}
            for name, line in own.items():
                yield from self._column(section.table, name, line)
            tables = self._seen_from(section)
            for join in section.joins:
                yield from self._join(join, tables)
            for spec in RegisterMapping.specs(section):
                yield from self._spec(spec, tables)

    def _join(self, join: Join, tables: dict[str, str]) -> Iterable[Finding]:
        for own, ref in join.on:
            yield from self._column(join.table, own, join.line)
            yield from self._column(tables[ref.table], ref.name, join.line)
        for condition in join.where:
            yield from self._column(join.table, condition.column, condition.line)

    def _spec(self, spec: Spec | Search, tables: dict[str, str]) -> Iterable[Finding]:
        if spec.column is not None:
            yield from self._column(tables[spec.column.table], spec.column.name, spec.line)
        if spec.child is not None:
            for name in filter(None, (spec.child.key, spec.child.column)):
                yield from self._column(spec.child.table, name, spec.line)
            for condition in spec.child.where:
                yield from self._column(spec.child.table, condition.column, condition.line)

    def _column(self, table: str, column: str, line: int) -> Iterable[Finding]:
        if table in self._live and column not in self._live[table]:
            yield self._error(line, f"table {table} has no column {column}")

    def _seen_from(self, section: Section) -> dict[str, str]:
        """The table behind each name that a column of this section may start with."""
        tables = {"": section.table, **{join.alias: join.table for join in section.joins}}
        person = self._mapping.person
        if isinstance(section, Dataset) and person is not None:
            tables["person"] = person.table
            tables |= {f"person.{join.alias}": join.table for join in person.joins}
        return tables

    def _error(self, line: int, message: str) -> Finding:
        return Finding(self._mapping.path, line, message)


class _Values:
    """Keys, codes and dates in the data that are not as the mapping says."""

    def __init__(self, mapping: RegisterMapping, live: Live, driver: Driver) -> None:
        self._mapping, self._live, self._driver = mapping, live, driver

    async def findings(self) -> AsyncIterator[Finding]:
        for section in _sections(self._mapping):
            for part in (self._keys(section), self._joins(section), self._specs(section)):
                try:
                    async for finding in part:
                        yield finding
                except SchemaError:
                    continue  # a missing name, which `_Names` has told

    async def _keys(self, section: Section) -> AsyncIterator[Finding]:
        key = section.key if isinstance(section, Person) else section.record
        tables = self._tables(section)
        column = tables.base_column(key)
        if await self._any(tables, column.is_(None)):
            yield self._told(section.line, f"{section.table}.{key} is a key and is empty in a row")
        if await self._repeated(tables.base_column(key).table, [column], []):
            yield self._told(section.line, f"{section.table}.{key} is a key and not unique")
        other = section.surrogate if isinstance(section, Person) else section.person
        if other and await self._any(tables, tables.base_column(other).is_(None)):
            message = f"{section.table}.{other} is empty in a row; nobody is named by that row"
            yield self._told(section.line, message, error=False)

    async def _joins(self, section: Section) -> AsyncIterator[Finding]:
        for join in section.joins:
            tables = self._tables(section)
            table = tables.table(join.table, "j")
            columns = [tables.of_table(table, own) for own, _ in join.on]
            where = tables.conditions(join.where, table, "j")
            where += [column.is_not(None) for column in columns]
            if await self._repeated(table, columns, where, tables.fixed):
                message = f"{join.alias} finds several rows; what they disagree on reads as unknown"
                yield self._told(join.line, message, error=False)

    async def _specs(self, section: Section) -> AsyncIterator[Finding]:
        for spec in RegisterMapping.specs(section):
            if isinstance(spec, Spec) and (spec.codes is not None or spec.date is not None):
                unread, what = await self._unread(section, spec)
                if unread:
                    message = f"{spec.name}: {unread} {what}; they read as unknown"
                    yield self._told(spec.line, message, error=False)

    async def _unread(self, section: Section, spec: Spec) -> tuple[int, str]:
        """How many distinct values of a sample the spec does not read, and what they are."""
        tables = self._tables(section)
        if spec.child is not None and spec.child.column:
            source = tables.table(spec.child.table, "c")
            column = tables.of_table(source, spec.child.column)
        elif spec.column is not None:
            column, source = tables.column(spec.column), tables.source()
        else:
            return 0, ""
        inner = sa.select(column.label("v")).select_from(source).limit(_SAMPLE).subquery()
        query: sa.Select[Any] = sa.select(inner.c.v).distinct().limit(_SHOWN)
        found = [row[0] for row in await self._rows(query, tables.fixed)]
        pieces = [piece for value in found if value is not None for piece in _pieces(spec, value)]
        if spec.date is not None:
            return sum(
                spec.date.decode(p) is None for p in pieces
            ), "values are no date of its form"
        known = spec.codes.native if spec.codes is not None else {}
        return sum(code_of(p) not in known for p in pieces), "codes are not in its list"

    async def _any(self, tables: Tables, condition: sa.ColumnElement[bool]) -> bool:
        query: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).select_from(tables.source()).where(condition)
        )
        return bool(await self._rows(query.limit(sa.literal_column("1")), tables.fixed))

    async def _repeated(
        self,
        table: Any,
        columns: Sequence[sa.ColumnElement[Any]],
        where: Sequence[sa.ColumnElement[bool]],
        fixed: dict[str, Any] | None = None,
    ) -> bool:
        query: sa.Select[Any] = (
            sa.select(*columns).select_from(table).where(*where).group_by(*columns)
        )
        many = query.having(sa.func.count() > sa.literal_column("1"))
        return bool(await self._rows(many.limit(sa.literal_column("1")), fixed or {}))

    async def _rows(self, query: sa.Select[Any], fixed: dict[str, Any]) -> Sequence[Row]:
        sql, names = compiled(query, self._driver.dialect)
        constants = query.compile(dialect=self._driver.dialect).params
        values = {**constants, **fixed}
        return await self._driver.rows(sql, [values[name] for name in names])

    def _tables(self, section: Section) -> Tables:
        dataset = section if isinstance(section, Dataset) else None
        return Tables(self._mapping, self._live, self._driver.dialect.name, dataset)

    def _told(self, line: int, message: str, *, error: bool = True) -> Finding:
        return Finding(self._mapping.path, line, message, "error" if error else "warning")


def _sections(mapping: RegisterMapping) -> Iterable[Section]:
    if mapping.person is not None:
        yield mapping.person
    yield from mapping.datasets.values()


def _keys(section: Section) -> list[str]:
    """The columns of its own table that the section itself names."""
    if isinstance(section, Person):
        return [name for name in (section.key, section.surrogate) if name]
    return [name for name in (section.record, section.person) if name]


def _pieces(spec: Spec, value: Any) -> list[Any]:
    if not spec.split:
        return [value]
    pieces = [piece.strip() for piece in str(value).split(spec.split)]
    if spec.part is not None:
        return pieces[spec.part : spec.part + 1]
    return [piece for piece in pieces if piece]
