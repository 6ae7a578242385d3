# SPDX-License-Identifier: EUPL-1.2
"""Compares a mapping with the live register, and names the line to mend.

Errors are names that are not there and keys that are empty; warnings are codes and dates in the
data that the mapping does not read (they count as unknown, which restricts). No value of the
register is ever part of a finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from gateway.sources.decoding import code_of
from gateway.sources.drivers import Driver
from gateway.sources.mapping import Column, Dataset, Person, RegisterMapping, Search, Spec
from gateway.sources.source import Finding
from gateway.sources.statements import compiled
from gateway.sources.tables import Live, SchemaError, Tables

__all__ = ["check_register"]

_SAMPLE = 2000
_SHOWN = 200


async def check_register(mapping: RegisterMapping, live: Live, driver: Driver) -> list[Finding]:
    """Every disagreement, in the order of the mapping's lines.

    Raises:
        SourceUnavailableError: the register does not answer.
    """
    check = _Check(mapping, live, driver)
    findings = [*check.names(), *[f async for f in check.values()]]
    unique = {(f.line, f.message): f for f in findings}
    return sorted(unique.values(), key=lambda f: (f.line, f.message))


class _Check:
    """One run."""

    def __init__(self, mapping: RegisterMapping, live: Live, driver: Driver) -> None:
        self._mapping, self._live, self._driver = mapping, live, driver

    def _finding(self, line: int, message: str, *, error: bool = True) -> Finding:
        return Finding(self._mapping.path, line, message, "error" if error else "warning")

    def names(self) -> Iterable[Finding]:
        """Tables and columns that the mapping names and the register lacks."""
        for table, line in self._mapping.tables():
            if table not in self._live:
                yield self._finding(line, f"the register has no table {table}")
        for section, dataset in self._sections():
            for name, line in self._own_columns(section):
                if section.table in self._live and name not in self._live[section.table]:
                    yield self._finding(line, f"table {section.table} has no column {name}")
            for spec in RegisterMapping.specs(section):
                yield from self._spec(spec, dataset)

    def _sections(self) -> Iterable[tuple[Person | Dataset, Dataset | None]]:
        if self._mapping.person is not None:
            yield self._mapping.person, None
        for dataset in self._mapping.datasets.values():
            yield dataset, dataset

    @staticmethod
    def _own_columns(section: Person | Dataset) -> Iterable[tuple[str, int]]:
        names = (
            (section.key, section.surrogate)
            if isinstance(section, Person)
            else (section.record, section.person)
        )
        return [(name, section.line) for name in names if name]

    def _spec(self, spec: Spec | Search, dataset: Dataset | None) -> Iterable[Finding]:
        if spec.child is not None:
            columns = self._live.get(spec.child.table, {})
            for name in (spec.child.key, spec.child.column):
                if columns and name and name not in columns:
                    yield self._finding(
                        spec.line, f"{spec.name}: table {spec.child.table} has no column {name}"
                    )
        elif spec.column is not None:
            try:
                self._tables(dataset).column(self._seen(spec, dataset))
            except SchemaError:
                where = spec.column.table or "its own table"
                yield self._finding(
                    spec.line, f"{spec.name}: {where} has no column {spec.column.name}"
                )

    def _seen(self, spec: Spec | Search, _dataset: Dataset | None) -> Column:
        return spec.column or Column("", "")

    def _tables(self, dataset: Dataset | None) -> Tables:
        return Tables(self._mapping, self._live, self._driver.dialect.name, dataset)

    async def values(self) -> Any:
        """Codes and dates that do not read; keys that are empty."""
        for section, dataset in self._sections():
            if section.table not in self._live:
                continue
            for name, line in self._own_columns(section):
                if name in self._live[section.table] and await self._has_empty(section, name):
                    yield self._finding(line, f"{section.table}.{name} is a key and has empty rows")
            for spec in RegisterMapping.specs(section):
                if isinstance(spec, Spec) and spec.column is not None:
                    async for finding in self._spec_values(spec, dataset):
                        yield finding

    async def _has_empty(self, section: Person | Dataset, name: str) -> bool:
        dataset = section if isinstance(section, Dataset) else None
        tables = self._tables(dataset)
        column = tables.base_column(name)
        query = sa.select(sa.literal(1)).select_from(tables.source()).where(column.is_(None))
        return bool(await self._rows(query.limit(1), tables))

    async def _spec_values(self, spec: Spec, dataset: Dataset | None) -> Any:
        if spec.codes is None and spec.date is None:
            return
        try:
            tables = self._tables(dataset)
            column = tables.column(spec.column or Column("", ""))
        except SchemaError:
            return
        inner = sa.select(column.label("v")).select_from(tables.source()).limit(_SAMPLE).subquery()
        query = sa.select(inner.c.v).distinct().limit(_SHOWN)
        rows = await self._rows(query, tables)
        found = [row[0] for row in rows if row[0] is not None]
        if spec.codes is not None:
            pieces = [p for v in found for p in _pieces(spec, v)]
            unread = sum(code_of(piece) not in spec.codes.native for piece in pieces)
            what = "codes that its list does not name"
        else:
            decode = spec.date.decode if spec.date is not None else None
            unread = sum(decode is not None and decode(value) is None for value in found)
            what = "values that are no date of its form"
        if unread:
            yield self._finding(
                spec.line, f"{spec.name}: {unread} {what}; they read as unknown", error=False
            )

    async def _rows(self, query: sa.Select[Any], tables: Tables) -> Any:
        sql, names = compiled(query, self._driver.dialect)
        constants = query.compile(dialect=self._driver.dialect).params
        values = {**constants, **tables.fixed}
        return await self._driver.rows(sql, [values[name] for name in names])


def _pieces(spec: Spec, value: Any) -> list[str]:
    if not spec.split:
        return [value]
    pieces = [piece.strip() for piece in str(value).split(spec.split)]
    if spec.part is not None:
        return pieces[spec.part : spec.part + 1]
    return [piece for piece in pieces if piece]
