# SPDX-License-Identifier: EUPL-1.2
"""What is sent to a register: permitted columns, bound values, and few different statements.

Every statement is seen as it leaves for the driver; SQLite's own trace confirms the seam.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import date

import pytest

from gateway.sources import (
    TRAITS,
    ByReference,
    BySurrogate,
    Everything,
    Fetch,
    NamedPerson,
    load_mapping,
)
from gateway.sources.mapping import RegisterMapping
from gateway.sources.selection import Selection

TODAY = date(2026, 11, 24)
REZA = NamedPerson("Ahmadi", "Reza", date(1990, 3, 5))
SELECTORS = [
    REZA,
    NamedPerson("Ahmadi", None, date(1990, 3, 5), "P1234567", "FP-9"),
    ByReference("person", "1"),
    ByReference("record", "1"),
    BySurrogate(bytes(16)),
    Everything(),
    Everything(persons=("1", "2", "3")),
]


@pytest.fixture
def sent(source):
    """Every statement's text, in order."""
    seen = []
    source._register._driver.watch = seen.append
    return seen


def named_columns(register, section):
    """Native column to the field ids and traits that it serves, for one dataset and its person."""
    mapping = load_mapping(register.mapping)
    dataset = mapping.datasets[section]
    serves = {}
    for part in (mapping.person, dataset):
        specs = dict(part.facts) | (dict(part.fields) if part is dataset else {})
        for name, spec in specs.items():
            for column in filter(None, (spec.column, spec.child)):
                native = column.name if spec.column else column.column
                serves.setdefault(native, set()).add(name)
    return serves


@pytest.mark.parametrize("selector", SELECTORS, ids=repr)
async def test_no_column_that_nobody_asked_for_is_ever_named(source, sent, register, selector):
    """Also not in a join or a condition: an unasked sensitive column is not touched at all."""
    serves = named_columns(register, "persons")
    fields = frozenset({"direct_identifier.surnames", "biographic.sex"})
    traits = frozenset({"blocked", "retain_until"})
    await source.fetch(Fetch("persons", fields, traits, selector, TODAY, 5))
    searched = {
        place.name if search.column else place.column
        for search in load_mapping(register.mapping).person.search.values()
        for place in [search.column or search.child]
    }
    named = set(re.findall(r'["`]([^"`]+)["`]', sent[-1]))
    for column in named & serves.keys() - searched:
        assert serves[column] & (fields | traits), column
    for column, names in serves.items():
        if names & (fields | traits):
            assert column in named


async def test_nothing_but_keys_is_selected_when_nothing_is_asked(source, sent):
    await source.fetch(Fetch("persons", frozenset(), frozenset(), Everything(), TODAY, 5))
    listed = sent[-1].partition("FROM")[0]
    assert len(re.findall(r"\bAS c\d", listed)) == 3
    assert "JOIN" not in sent[-1].replace('LEFT OUTER JOIN "лице_чување"', "")


@pytest.mark.parametrize("dataset", ["persons", "registrations", "asylum", "stays", "centres"])
async def test_each_field_and_trait_selects_its_own_column_and_no_other(
    source, sent, register, dataset
):
    mapping = load_mapping(register.mapping)
    section = mapping.datasets[dataset]
    specs = {(name, ""): spec for name, spec in section.fields.items()}
    specs |= {("", name): s for name in TRAITS if (s := mapping.trait(section, name)) is not None}
    for (field, trait), spec in specs.items():
        fields, traits = frozenset({field} - {""}), frozenset({trait} - {""})
        page = await source.fetch(Fetch(dataset, fields, traits, Everything(), TODAY, 5))
        assert page.records
        for record in page.records:
            assert record.values.keys() == fields
        assert sent[-1].count(" AS c") == 4, sent[-1]
        native = spec.column.name if spec.column else spec.child.column or spec.child.table
        assert native in sent[-1]
    fields = frozenset(section.fields)
    await source.fetch(Fetch(dataset, fields, frozenset(TRAITS), Everything(), TODAY, 5))
    places = {spec.column or spec.child for spec in specs.values()}
    assert sent[-1].count(" AS c") == 3 + len(places)


async def test_no_value_is_ever_part_of_a_statement(source, sent):
    canary = NamedPerson("Canarysurname", "Canaryforename", date(1907, 7, 17), "CANARY77", "CAN-8")
    for dataset in ("persons", "registrations"):
        await source.fetch(Fetch(dataset, frozenset(), frozenset(TRAITS), canary, TODAY, 5))
    await source.fetch(
        Fetch("persons", frozenset(), frozenset(), ByReference("record", "77007"), TODAY, 5)
    )
    text = " ".join(sent).lower()
    for secret in ("canary", "1907", "can-8", "77007"):
        assert secret not in text


async def test_every_statement_holds_the_retention_limit_and_a_row_limit(source, sent):
    for selector in SELECTORS:
        await source.fetch(Fetch("persons", frozenset(), frozenset(), selector, TODAY, 5))
    assert sent
    for sql in sent:
        assert " IS NULL OR " in sql
        assert " >= " in sql
        assert "LIMIT" in sql
        assert "ORDER BY" in sql
        assert "LIKE" not in sql.upper()


async def test_many_questions_need_few_statements(source, sent):
    for number in range(40):
        named = NamedPerson(f"Name{number}", "Đ" * (number % 3 + 1), date(1990, 1, 1))
        await source.fetch(Fetch("persons", frozenset(), frozenset(), named, TODAY, 5))
        listed = Everything(persons=tuple(str(n) for n in range(number + 1)))
        await source.fetch(Fetch("persons", frozenset(), frozenset(), listed, TODAY, 5))
    assert len(set(sent)) < 12


async def test_sqlite_itself_sees_the_same_statements(albania):
    source = albania.open()
    try:
        wanted = Fetch("persons", frozenset({"biographic.sex"}), frozenset(), REZA, TODAY, 5)
        await source.fetch(wanted)
        seen, driver = [], source._register._driver
        driver.watch = seen.append
        traced = []
        for connection in driver._opened:
            assert isinstance(connection, sqlite3.Connection)
            connection.set_trace_callback(traced.append)
        for _ in range(8):
            await source.fetch(wanted)
        assert seen
        for sql in traced:
            assert re.sub(r"\s+", " ", seen[0].partition("WHERE")[0]) in re.sub(r"\s+", " ", sql)
    finally:
        await source.close()


def test_a_mapping_s_tables_name_every_table(register):
    mapping = load_mapping(register.mapping)
    assert isinstance(mapping, RegisterMapping)
    text = register.mapping.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:table|exists): (\w+)", text))
    assert {table for table, _ in mapping.tables()} == named


async def test_a_selector_of_unknown_shape_selects_nothing(source, sent):
    """No code makes one; if some ever does, it must not read as "everything"."""
    await source.fetch(Fetch("persons", frozenset(), frozenset(), Everything(), TODAY, 5))
    register = source._register
    wanted = Fetch("persons", frozenset(), frozenset(), Everything(), TODAY, 5)
    unknown = Selection((("anything", 1),), (), {"limit": 5, "today": None})
    plan = register._statements.plan(wanted, unknown)
    today = register._statements.today(register._mapping.datasets["persons"], TODAY)
    rows = await register._driver.rows(plan.sql, plan.bound({"limit": 5, "today": today}))
    assert list(rows) == []
