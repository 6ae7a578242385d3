# SPDX-License-Identifier: EUPL-1.2
"""Each register, read through its mapping, says what was generated: every value of every field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from anonymise.statistics import LAYOUTS, Answered, ProtectedTable, pattern_of, snapshot_of
from gateway.region import AS_OF
from gateway.region.columns import Form, Several
from gateway.region.datafiles import COUNTRIES, nations
from gateway.region.filling import fill_register
from gateway.region.native import read_register
from gateway.registers import known_fields
from gateway.sources import (
    NEVER,
    TRAITS,
    ByReference,
    Everything,
    Fetch,
    Limits,
    NamedPerson,
    load_mapping,
    open_source,
)
from policies import example_rules, load_rules

_PERSONAL = (
    *("persons", "registrations", "asylum", "stays", "protection", "family", "readmissions"),
)
_PLAIN = Form()
_ALPHA2 = {row.alpha3: row.code for row in nations()}
_OF_PERSON = (
    *("date_of_birth", "dob_precision", "nationalities", "habitual_residence"),
    *("declared_persecutor", "deceased", "blocked", "naturalised", "unaccompanied"),
    *("guardian_record", "best_interest"),
)
_EXAMPLES = {
    "persons": "direct_identifier biographic document biometric_reference security",
    "registrations": "record travel",
    "asylum": "asylum",
    "stays": "direct_identifier biographic accommodation protection",
    "protection": "protection",
    "family": "family",
    "readmissions": "direct_identifier biographic document travel record",
    "centres": "aggregate",
}
"""Categories that the worked examples of the rules ask for."""


@pytest.fixture(scope="module")
def fields():
    return known_fields(load_rules(example_rules(), on=AS_OF))


@pytest.fixture
async def source(region, fields, country):
    opened = open_source(
        country,
        f"sqlite:///{region.register(country)}",
        region.mapping(country),
        Limits(timeout_s=30),
        fields=fields,
    )
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def frames(region):
    parts = (region.plan, region.world, region.journeys, region.documents)
    return {country: fill_register(*parts, country) for country in COUNTRIES}


async def _all(source, dataset, traits=TRAITS):
    records, after = [], None
    fields = source.datasets[dataset]
    while True:
        page = await source.fetch(
            Fetch(dataset, fields, frozenset(traits), Everything(), AS_OF, 1000, after)
        )
        records.extend(page.records)
        after = page.next
        if after is None:
            return records


def _common(column, name):
    """A frame's column in the values that a source delivers."""
    if isinstance(column, Several):
        rows = [[] for _ in range(len(column))]
        places, codes = column.exploded()
        for row, word in zip(places.tolist(), codes.written(_PLAIN, 0, len(codes)), strict=True):
            rows[row].append(word)
        return [frozenset(row) for row in rows]
    values = column.written(_PLAIN, 0, len(column))
    return [_ALPHA2.get(value, value) for value in values] if name == "doc_issuer" else values


def _plain(value):
    """A delivered value in the form that `_common` has."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.replace(tzinfo=None).isoformat()
        case date():
            return value.isoformat()
        case tuple():
            return frozenset(value)
        case _:
            return value


def _keys(country, frame):
    """Native keys of a frame's rows, as the register writes them."""
    for table in read_register(country).tables:
        for column in table.columns:
            if table.frame == frame and column.name == table.key:
                values = column.sources[0]
                return column, values
    raise AssertionError(frame)


def _native_keys(country, dataset, frame):
    column, source = _keys(country, dataset)
    return [str(key) for key in frame[source].written(column.form, 0, len(frame[source]))]


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_packaged_mapping_loads_with_the_vocabulary(region, country, fields):
    mapping = load_mapping(region.mapping(country), fields)
    assert mapping.country == country
    assert {*mapping.datasets} == {*_PERSONAL, "centres"}


@pytest.mark.parametrize("country", COUNTRIES)
async def test_mapping_and_register_agree(source, country):
    assert await source.check() == []


@pytest.mark.parametrize("country", COUNTRIES)
async def test_every_field_reads_as_it_was_generated(source, frames, country):
    for dataset in (*_PERSONAL, "centres"):
        await _fields_agree(source, frames, country, dataset)


async def _fields_agree(source, frames, country, dataset):
    frame = frames[country][dataset]
    persons = frames[country]["persons"]
    records = await _all(source, dataset)
    place = {key: row for row, key in enumerate(_native_keys(country, dataset, frame))}
    compared = {}
    for field in source.datasets[dataset]:
        name = field.split(".")[1]
        if name == "operator_user_id":
            continue
        if name in frame:
            compared[field] = _common(frame[name], name)
        else:
            whole = _common(persons[name], name)
            owners = frame["person_key"].values.tolist()
            compared[field] = [whole[owner] for owner in owners]
    for record in records:
        row = place[record.record]
        for field, expected in compared.items():
            wanted, got = expected[row], _plain(record.values.get(field))
            if isinstance(wanted, int):
                wanted, got = str(wanted), str(got)
            if wanted == frozenset() or got == frozenset():
                wanted, got = wanted or None, got or None
            if isinstance(wanted, frozenset) and isinstance(got, str):
                wanted = ";".join(sorted(wanted))
            assert got == wanted, (country, field)


@pytest.mark.parametrize("country", COUNTRIES)
async def test_every_trait_reads_as_it_was_generated(source, frames, country):
    for dataset in _PERSONAL:
        await _traits_agree(source, frames, country, dataset)


async def _traits_agree(source, frames, country, dataset):
    frame, persons = frames[country][dataset], frames[country]["persons"]
    records = await _all(source, dataset)
    place = {key: row for row, key in enumerate(_native_keys(country, dataset, frame))}
    owners = frame["person_key"].values.tolist()
    whole = {name: _common(persons[name], name) for name in _OF_PERSON}
    own = {
        name: _common(frame[name], name)
        for name in ("provenance", "received_from", "retain_until", "notice_given")
    }
    for record in records:
        row = place[record.record]
        for name, expected in whole.items():
            got, wanted = _plain(getattr(record.traits, name)), expected[owners[row]]
            if isinstance(got, frozenset) and not isinstance(wanted, frozenset):
                wanted = frozenset() if wanted is None else frozenset({wanted})
            assert got == wanted, (country, name)
        for name, expected in own.items():
            assert _plain(getattr(record.traits, name)) == expected[row], (country, name)


@pytest.mark.parametrize("country", COUNTRIES)
async def test_what_other_tables_say_of_a_person_is_known_and_never_unsure(source, frames, country):
    held = frames[country]
    notes, files = held["protection"], held["asylum"]
    marks = _common(notes["trafficking_mark"], "")
    victims = {
        person
        for person, mark in zip(notes["person_key"].values.tolist(), marks, strict=True)
        if mark == "yes"
    }
    states = _common(files["claim_state"], "")
    claimants = {
        person
        for person, state in zip(files["person_key"].values.tolist(), states, strict=True)
        if state == "open"
    }
    keys = _native_keys(country, "persons", held["persons"])
    for record in await _all(source, "persons"):
        person = keys.index(record.record)
        assert record.traits.trafficking == (person in victims)
        assert record.traits.claim_pending == (person in claimants)
        assert record.traits.protection_marked is not None
        assert (record.traits.reflection_until == NEVER) == (person not in victims)


@pytest.mark.parametrize("country", COUNTRIES)
async def test_expired_records_are_not_there(source, frames, country):
    until = _common(frames[country]["registrations"]["retain_until"], "")
    records = await _all(source, "registrations")
    assert len(records) == sum(day >= AS_OF.isoformat() for day in until)
    assert len(records) < len(until) or len(until) < 200


@pytest.mark.parametrize("country", COUNTRIES)
async def test_the_categories_of_the_worked_examples_are_mapped(source, country):
    for dataset, categories in _EXAMPLES.items():
        mapped = {field.split(".")[0] for field in source.datasets[dataset]}
        assert mapped == {*categories.split()}


@pytest.mark.parametrize("country", COUNTRIES)
async def test_a_person_is_found_by_name_and_birth_document_and_finger(source, frames, country):
    persons = frames[country]["persons"]
    keys = _native_keys(country, "persons", persons)
    births = persons["date_of_birth"].written(_PLAIN, 0, len(keys))
    until = persons["retain_until"].written(_PLAIN, 0, len(keys))
    row = next(
        row
        for row in range(len(keys))
        if persons["forenames"].values[row]
        and births[row]
        and persons["doc_number"].values[row]
        and persons["fingerprint_ref"].values[row]
        and until[row] >= AS_OF.isoformat()
    )
    by_name = NamedPerson(
        surnames=persons["surnames"].values[row],
        forenames=persons["forenames"].values[row],
        date_of_birth=date.fromisoformat(births[row]),
    )
    by_document = NamedPerson(doc_number=persons["doc_number"].values[row])
    by_finger = NamedPerson(biometric_ref=persons["fingerprint_ref"].values[row])
    for named in (by_name, by_document, by_finger):
        page = await source.fetch(Fetch("persons", frozenset(), frozenset(), named, AS_OF, 50))
        assert keys[row] in {record.record for record in page.records}
    page = await source.fetch(
        Fetch("registrations", frozenset(), frozenset(), ByReference("person", keys[row]), AS_OF, 9)
    )
    assert page.records


@pytest.mark.parametrize("country", COUNTRIES)
async def test_a_stay_knows_its_centre_and_beds_are_counted_from_stays(source, country):
    centres = {
        record.values["aggregate.centre_id"]: record.values["aggregate.occupied"]
        for record in await _all(source, "centres", ())
    }
    stays = await _all(source, "stays")
    assert {record.traits.centre for record in stays} <= {*centres}
    assert sum(centres.values()) > 0


@pytest.mark.parametrize("country", COUNTRIES)
async def test_statistics_can_be_counted(source, country):
    for layout in ("arrivals", "age_sex_nationality", "needs", "occupancy", "claims"):
        assert sum((await source.tabulate(layout, AS_OF)).values()) > 0


@pytest.mark.parametrize("country", COUNTRIES)
async def test_all_tables_of_a_whole_register_are_answered_to_one_recipient(source, country):
    tables = {
        layout: await source.members(layout.name, AS_OF)
        for layout in LAYOUTS.values()
        if layout.people
    }
    snapshot, answered = snapshot_of(tables, minimum=10, key=bytes(32)), Answered()
    pattern = pattern_of(snapshot, answered, bytes(32))
    for layout in tables:
        table = pattern.table(layout, answered, bytes(32))
        assert isinstance(table, ProtectedTable)
        assert answered.fold(replace(table.answer, at=datetime.now(UTC))) is None
