# SPDX-License-Identifier: EUPL-1.2
"""Exact counts for the fixed statistics layouts, grouped by the register itself.

The register groups by the mapped columns, and dates are banded on the way. `tabulated` takes only
groups and their counts out of SQL; `membership` also whom each counts, since noise and overlap are
judged by the people behind a figure (`anonymise.statistics`), who go no further than that.
Records whose retention is over are not counted (GDP-03).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from gateway.sources.decoding import Decoder, decoder, key_text
from gateway.sources.drivers import Driver
from gateway.sources.errors import SourceQuestionError
from gateway.sources.mapping import Dataset, RegisterMapping, Spec
from gateway.sources.record import Value
from gateway.sources.statements import Columns, Statements, compiled
from gateway.sources.tables import Live, Tables

__all__ = ["LAYOUTS", "membership", "tabulated"]

UNKNOWN = "unknown"
_BANDS = ((4, "0-4"), (11, "5-11"), (17, "12-17"), (59, "18-59"), (200, "60+"))
Key = tuple[str, ...]
Keys = Callable[[list[Value], date, str], list[Key]]


@dataclass(frozen=True, slots=True)
class Layout:
    """A dataset, the fields and traits to group by (first choice first), and the keys they make.

    Names with a dot are fields; others are traits.
    """

    dataset: str
    columns: tuple[tuple[str, ...], ...]
    keys: Keys


def _word(value: Value) -> str:
    if isinstance(value, tuple):
        return str(value[0]) if value else UNKNOWN
    return UNKNOWN if value is None else str(value)


def _day(value: Value) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _week(value: Value) -> str:
    day = _day(value)
    if day is None:
        return UNKNOWN
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def _band(value: Value, today: date) -> str:
    born = _day(value)
    if born is None or born > today:
        return UNKNOWN
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next((name for limit, name in _BANDS if years <= limit), UNKNOWN)


def _needs(values: list[Value], _today: date, _owner: str) -> list[Key]:
    found = values[0]
    return [(str(code),) for code in found] if isinstance(found, tuple) else []


def _occupancy(values: list[Value], today: date, _owner: str) -> list[Key]:
    centre, born, sex, leaves = values
    left = _day(leaves)
    if left is not None and left < today:
        return []
    return [(_word(centre), _band(born, today), _word(sex))]


LAYOUTS: Mapping[str, Layout] = {
    "arrivals": Layout(
        "registrations",
        (("travel.event_date", "record.registered_at"),),
        lambda values, _today, _owner: [(_week(values[0]),)],
    ),
    "age_sex_nationality": Layout(
        "persons",
        (("date_of_birth",), ("biographic.sex",), ("nationalities",)),
        lambda values, today, _owner: [
            (_band(values[0], today), _word(values[1]), _word(values[2]))
        ],
    ),
    "needs": Layout("protection", (("protection.needs_codes",),), _needs),
    "occupancy": Layout(
        "stays",
        (
            ("accommodation.centre_id", "centre"),
            ("date_of_birth",),
            ("biographic.sex",),
            ("accommodation.leaves_on",),
        ),
        _occupancy,
    ),
    "flows": Layout(
        "registrations",
        (("travel.origin_state",),),
        lambda values, _today, owner: [(_word(values[0]), owner)],
    ),
    "readmissions": Layout(
        "readmissions",
        (("record.state",),),
        lambda values, _today, _owner: [(_word(values[0]),)],
    ),
    "claims": Layout(
        "asylum",
        (("asylum.claim_state",),),
        lambda values, _today, _owner: [(_word(values[0]),)],
    ),
}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A layout against one live register: what to select, and how to read it."""

    plan: Layout
    inner: sa.Subquery
    labels: list[sa.ColumnElement[Any]]
    values: Mapping[str, Any]
    places: list[int | None]
    reads: list[Decoder | None]
    dialect: sa.Dialect
    owner: str

    async def rows(self, driver: Driver, query: sa.Select[Any]) -> Sequence[Any]:
        sql, names = compiled(query, self.dialect)
        return await driver.rows(sql, [self.values[name] for name in names])

    def keys(self, row: Sequence[Any], today: date) -> list[Key]:
        """The cells that a row of these labels falls into."""
        read = [
            None if place is None or decode is None else decode(row[place])
            for place, decode in zip(self.places, self.reads, strict=True)
        ]
        return self.plan.keys(read, today, self.owner)


async def tabulated(
    mapping: RegisterMapping, live: Live, driver: Driver, layout: str, today: date
) -> Mapping[Key, int]:
    """Persons per key of a layout.

    Raises:
        SourceQuestionError: no such layout, or the register does not hold its dataset.
        SchemaError: a mapped name is not there.
        SourceUnavailableError: the register does not answer.
    """
    ready = _prepared(mapping, live, driver, layout, today)
    counted = sa.func.count(sa.distinct(ready.inner.c.who))
    query = sa.select(*ready.labels, counted).group_by(*ready.labels)
    cells: Counter[Key] = Counter()
    for row in await ready.rows(driver, query):
        for key in ready.keys(row, today):
            cells[key] += row[-1]
    return cells


async def membership(
    mapping: RegisterMapping, live: Live, driver: Driver, layout: str, today: date
) -> Mapping[Key, frozenset[str]]:
    """References of the persons of each key, of records where the dataset has no persons.

    Raises:
        SourceQuestionError, SchemaError, SourceUnavailableError: as `tabulated`.
    """
    ready = _prepared(mapping, live, driver, layout, today)
    query = sa.select(*ready.labels, ready.inner.c.who).distinct()
    cells: dict[Key, set[str]] = {}
    for row in await ready.rows(driver, query):
        if row[-1] is not None:
            who = key_text(row[-1])
            for key in ready.keys(row, today):
                cells.setdefault(key, set()).add(who)
    return {key: frozenset(whom) for key, whom in cells.items()}


def _prepared(
    mapping: RegisterMapping, live: Live, driver: Driver, layout: str, today: date
) -> _Prepared:
    plan = LAYOUTS.get(layout)
    if plan is None:
        raise SourceQuestionError(f"no register tabulates that; one of {', '.join(LAYOUTS)}")
    dataset = mapping.datasets.get(plan.dataset)
    if dataset is None:
        raise SourceQuestionError(f"the register maps no {plan.dataset}")
    statements = Statements(mapping, live, driver.dialect)
    tables = Tables(mapping, live, driver.dialect.name, dataset)
    columns = Columns(tables, driver.dialect.name)
    specs = [_spec(mapping, dataset, names) for names in plan.columns]
    places = [None if spec is None else columns.place(spec) for spec in specs]
    grouped = columns.listed()
    where = [*tables.own_conditions(), *statements.kept(dataset, tables)]
    person = tables.person_key()
    who = person if person is not None else tables.record_key()
    inner = (
        sa.select(*grouped, who.label("who"))
        .select_from(tables.source())
        .where(*where)
        .subquery("g")
    )
    return _Prepared(
        plan=plan,
        inner=inner,
        labels=[inner.c[column.name] for column in grouped],
        values={**tables.fixed, "today": statements.today(dataset, today)},
        places=places,
        reads=[
            None if spec is None else decoder(spec, trait="." not in spec.name) for spec in specs
        ],
        dialect=driver.dialect,
        owner=mapping.country,
    )


def _spec(mapping: RegisterMapping, dataset: Dataset, names: tuple[str, ...]) -> Spec | None:
    for name in names:
        spec = dataset.fields.get(name) if "." in name else mapping.trait(dataset, name)
        if spec is not None:
            return spec
    return None
