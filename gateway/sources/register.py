# SPDX-License-Identifier: EUPL-1.2
"""A national register over any SQLAlchemy address: the one implementation of `Source`.

Reads only what it is asked for and decodes it into the common form. The live schema is read
once, on first need, and again after the register answered in a shape that the mapping does not
describe. `gateway.sources.guarded` puts the limits around it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import repeat
from typing import Any, TypeVar

from gateway.sources.checking import check_register
from gateway.sources.decoding import Decoder, key_text, surrogate_bytes, text_of
from gateway.sources.drivers import Driver, Failure
from gateway.sources.errors import SourceQuestionError, SourceUnavailableError
from gateway.sources.mapping import Dataset, RegisterMapping
from gateway.sources.native import UnfittingError
from gateway.sources.question import Fetch
from gateway.sources.record import TRAITS, Page, Record, Traits, Value
from gateway.sources.selection import Selections
from gateway.sources.source import Finding
from gateway.sources.statements import Plan, Statements
from gateway.sources.tables import Live, SchemaError
from gateway.sources.tabulation import membership, tabulated

__all__ = ["DatabaseRegister"]

_PLANS = 1024
_MOST = 1000
_SCHEMA_S = 10.0
_NOTHING_KNOWN = Traits()
_Table = TypeVar("_Table")
Count = Callable[[RegisterMapping, Live, Driver, str, date], Awaitable[_Table]]


class DatabaseRegister:
    """One owner's register, without limits around it. Owned by one event loop."""

    def __init__(self, mapping: RegisterMapping, driver: Driver) -> None:
        """Nothing is opened before the first question."""
        self._mapping, self._driver = mapping, driver
        self._statements: Statements | None = None
        self._selections: Selections | None = None
        self._reading: asyncio.Task[None] | None = None
        self._plans: dict[Any, Plan] = {}
        self._days: dict[tuple[str, date], Any] = {}
        self._datasets = {name: frozenset(d.fields) for name, d in mapping.datasets.items()}

    @property
    def country(self) -> str:
        """The owner's id."""
        return self._mapping.country

    @property
    def datasets(self) -> Mapping[str, frozenset[str]]:
        """The mapped datasets, each with its field ids."""
        return self._datasets

    @property
    def state(self) -> str:
        """Without limits there is nothing to tell."""
        return "up"

    async def fetch(self, wanted: Fetch) -> Page:
        """One page.

        Raises:
            SourceUnavailableError: down, or wrong.
            SourceQuestionError: the question names nothing that could be looked up.
        """
        dataset = self._mapping.datasets.get(wanted.dataset)
        if dataset is None:
            raise SourceUnavailableError("wrong", self.country, fault=False)
        if not 1 <= wanted.limit <= _MOST:
            raise SourceQuestionError(f"a page has 1 to {_MOST} records")
        fresh = self._statements is None
        try:
            try:
                return await self._fetch(wanted, dataset)
            except SchemaError:
                if fresh:
                    raise
                self.forget()  # the schema may have been mended since it was read
                return await self._fetch(wanted, dataset)
        except (SchemaError, Failure) as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: SchemaError | Failure) -> SourceUnavailableError:
        reason = error.reason if isinstance(error, Failure) else "wrong"
        if reason == "wrong":
            self.forget()
        return SourceUnavailableError(reason, self.country)

    async def _fetch(self, wanted: Fetch, dataset: Dataset) -> Page:
        if self._statements is None:
            await self._read_schema()
        statements, selections = self._statements, self._selections
        if statements is None or selections is None:
            raise SourceUnavailableError("down", self.country)
        selection = selections.read(dataset, wanted.selector)
        if selection is None:
            return Page(())
        values = dict(selection.values)
        values["limit"] = wanted.limit + 1
        if wanted.after is not None:
            try:
                values["after"] = selections.fit_key(dataset, wanted.after)
            except UnfittingError:
                return Page(())
        values["today"] = self._today(statements, dataset, wanted.today)
        plan = self._plan(statements, wanted, selection)
        rows = await self._driver.rows(plan.sql, plan.bound(values))
        return _page(rows, plan, wanted.limit)

    def _plan(self, statements: Statements, wanted: Fetch, selection: Any) -> Plan:
        key = (
            wanted.dataset,
            wanted.fields,
            wanted.traits,
            selection.shape,
            selection.branches,
            wanted.after is None,
        )
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            plan = self._plans[key] = statements.plan(wanted, selection)
        return plan

    def _today(self, statements: Statements, dataset: Dataset, today: date) -> Any:
        key = (dataset.name, today)
        if key not in self._days:
            if len(self._days) >= _PLANS:
                self._days.clear()
            self._days[key] = statements.today(dataset, today)
        return self._days[key]

    async def _read_schema(self) -> None:
        """Reads the schema once for all who wait; goes on when one of them gives up."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._take_schema())
            self._reading.add_done_callback(_heard)
        await asyncio.shield(self._reading)

    async def _take_schema(self) -> None:
        async with asyncio.timeout(_SCHEMA_S):
            live = await self.live()
        self._selections = Selections(self._mapping, live, self._driver.dialect.name)
        self._statements = Statements(self._mapping, live, self._driver.dialect)

    async def live(self) -> Live:
        """The live schema of every mapped table."""
        tables = frozenset(name for name, _ in self._mapping.tables())
        return await self._driver.schema(tables, self._mapping.schema or None)

    def forget(self) -> None:
        """Read the schema again before the next question."""
        self._statements = self._selections = None
        self._plans.clear()
        self._days.clear()

    async def tabulate(self, layout: str, today: date) -> Mapping[tuple[str, ...], int]:
        """Exact counts of a layout.

        Raises:
            SourceUnavailableError: as `fetch`.
            SourceQuestionError: no such layout, or the register does not hold it.
        """
        return await self._counted(tabulated, layout, today)

    async def members(self, layout: str, today: date) -> Mapping[tuple[str, ...], frozenset[str]]:
        """Whom each cell of a layout counts.

        Raises:
            SourceUnavailableError: as `fetch`.
            SourceQuestionError: no such layout, or the register does not hold it.
        """
        return await self._counted(membership, layout, today)

    async def _counted(self, count: Count[_Table], layout: str, today: date) -> _Table:
        try:
            if self._statements is None:
                await self._read_schema()
            if self._statements is None:
                raise SourceUnavailableError("down", self.country)
            live = self._statements.live
            return await count(self._mapping, live, self._driver, layout, today)
        except (SchemaError, Failure) as error:
            raise self._unavailable(error) from None

    async def check(self) -> list[Finding]:
        """Where mapping and live register disagree."""
        try:
            return await check_register(self._mapping, await self.live(), self._driver)
        except Failure as error:
            raise self._unavailable(error) from None

    async def close(self) -> None:
        """Let go of every connection."""
        if self._reading is not None:
            self._reading.cancel()
        await self._driver.close()


def _heard(task: asyncio.Task[None]) -> None:
    """Takes the outcome of a reading that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _page(rows: Any, plan: Plan, limit: int) -> Page:
    """Rows as records; raises Failure when they are not one row for each record."""
    try:
        records = _records(rows, plan)
    except (ValueError, TypeError, OverflowError):
        raise Failure("wrong") from None
    if len({record.record for record in records}) != len(records):
        records = _one_each(records, limit)
    if len(records) > limit:
        return Page(tuple(records[:limit]), records[limit - 1].record)
    return Page(tuple(records))


def _one_each(records: list[Record], limit: int) -> list[Record]:
    """Records whose join found several rows, as one: what the rows disagree on is unknown."""
    if len(records) > limit and records[-1].record == records[-2].record:
        raise Failure("wrong")  # the page may end inside a record; nobody knows what follows
    merged: dict[str, Record] = {}
    for record in records:
        known = merged.get(record.record)
        merged[record.record] = record if known is None else _agreed(known, record)
    return list(merged.values())


def _agreed(one: Record, other: Record) -> Record:
    if (one.person, one.surrogate) != (other.person, other.surrogate):
        raise Failure("wrong")
    values = {
        name: value if value == other.values[name] else None for name, value in one.values.items()
    }
    traits = Traits(
        *(
            value if value == getattr(other.traits, name) else None
            for name in TRAITS
            for value in (getattr(one.traits, name),)
        )
    )
    return replace(one, values=values, traits=traits)


def _records(rows: Sequence[Any], plan: Plan) -> list[Record]:
    """Rows as records, read column by column: a page costs one loop in C for each column."""
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    keys, persons = columns[0], columns[1]
    if None in keys:
        raise ValueError
    names = [name for name, _, _ in plan.fields]
    cells = [_column(columns[column], decode) for _, column, decode in plan.fields]
    values = zip(*cells, strict=True) if cells else repeat((), len(rows))
    return [
        Record(
            person=key_text(person) if plan.personal and person is not None else None,
            record=key_text(key),
            surrogate=surrogate_bytes(surrogate),
            values=dict(zip(names, own, strict=True)),
            traits=traits,
        )
        for key, person, surrogate, own, traits in zip(
            keys, persons, columns[2], values, _traits(columns, plan, len(rows)), strict=True
        )
    ]


def _column(raws: tuple[Any, ...], decode: Decoder) -> list[Value]:
    if decode is text_of:  # most columns are plain text; a call for each value was half of a page
        return [(raw.rstrip() or None) if type(raw) is str else text_of(raw) for raw in raws]
    return list(map(decode, raws))


def _traits(columns: list[tuple[Any, ...]], plan: Plan, rows: int) -> Iterable[Traits]:
    if not plan.traits:
        return repeat(_NOTHING_KNOWN, rows)
    known: list[Iterable[Any]] = [repeat(None, rows) for _ in TRAITS]
    for place, column, decode in plan.traits:
        known[place] = map(decode, columns[column])
    return map(Traits, *known)
