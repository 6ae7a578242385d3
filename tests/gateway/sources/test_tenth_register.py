# SPDX-License-Identifier: EUPL-1.2
"""Registers unlike the others: a schema of their own, enums, arrays, views, names as written."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.sources import (
    TRAITS,
    BySurrogate,
    Everything,
    Fetch,
    Limits,
    NamedPerson,
    SourceUnavailableError,
    Traits,
    load_mapping,
    open_source,
)

TODAY = date(2026, 11, 24)
PATIENT = Limits(timeout_s=20.0)

SQL = """
CREATE SCHEMA "Ausländer";
CREATE TYPE "Ausländer".geschlecht AS ENUM ('männlich', 'weiblich', 'divers');
CREATE TABLE "Ausländer"."Person" (
  "Kennung" uuid PRIMARY KEY, "Zufall" char(32), "Familienname" text, "Vorname" text,
  "geboren" timestamp, "Geschlecht" "Ausländer".geschlecht, "Staaten" text[],
  "frei_bis" timestamptz, "Nummer" numeric(12), "tot" smallint);
CREATE VIEW "Ausländer"."Akte" AS SELECT "Kennung", "frei_bis" FROM "Ausländer"."Person";
INSERT INTO "Ausländer"."Person" VALUES
 ('6f1b4a52-6b1e-4f0e-9a58-5d1d7f8d0001', '000102030405060708090a0b0c0d0e0f', 'Müller', 'Änne',
  '1990-03-05 12:00', 'weiblich', '{AUT,XXA}', '2030-01-01 00:00+00', 77, 0),
 ('6f1b4a52-6b1e-4f0e-9a58-5d1d7f8d0002', NULL, 'MUELLER', 'ANNE', '1990-03-05', 'divers', '{}',
  NULL, 78, NULL),
 ('6f1b4a52-6b1e-4f0e-9a58-5d1d7f8d0003', NULL, 'Müller', 'Änne', '1990-03-06', NULL, NULL,
  '2026-11-23 23:59+00', 79, 1);
"""
MAPPING = """
format: 1
country: AT
register: Fremdenregister
schema: Ausländer
codes:
  sex: {männlich: M, weiblich: F, divers: X}
person:
  table: Person
  key: Kennung
  surrogate: Zufall
  joins: [{table: Akte, as: akte, on: {Kennung: Kennung}}]
  search:
    surnames: {column: Familienname, form: written}
    forenames: {column: Vorname, form: written}
    date_of_birth: {column: geboren}
    doc_number: {column: Nummer}
  facts:
    date_of_birth: {column: geboren}
    nationalities: {column: Staaten, codes: country/alpha3}
    deceased: {column: tot}
    retain_until: {column: akte.frei_bis}
    provenance: {value: national}
    notice_given: {value: "yes"}
datasets:
  persons:
    record: Kennung
    fields:
      direct_identifier.surnames: {column: Familienname}
      biographic.sex: {column: Geschlecht, codes: sex}
      biographic.nationalities: {column: Staaten, codes: country/alpha3}
"""
FIRST = "6f1b4a52-6b1e-4f0e-9a58-5d1d7f8d0001"
SECOND = "6f1b4a52-6b1e-4f0e-9a58-5d1d7f8d0002"


@pytest.fixture
async def austria(postgres, tmp_path):
    database = postgres.new_database("at")
    postgres.run(SQL, database)
    mapping = tmp_path / "at.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    source = open_source("AT", postgres.url(database), mapping, PATIENT)
    yield source
    await source.close()


def asking(selector, fields=(), traits=TRAITS):
    return Fetch("persons", frozenset(fields), frozenset(traits), selector, TODAY, 10)


async def test_a_schema_with_enums_arrays_views_and_uuids_answers(austria):
    fields = ("biographic.sex", "biographic.nationalities", "direct_identifier.surnames")
    named = NamedPerson("müller", "ÄNNE", date(1990, 3, 5))
    page = await austria.fetch(asking(named, fields))
    assert [record.record for record in page.records] == [FIRST, SECOND]
    first, second = page.records
    assert first.values == {
        "biographic.sex": "F",
        "biographic.nationalities": ("AT", "XX"),
        "direct_identifier.surnames": "Müller",
    }
    assert first.traits == Traits(
        date_of_birth=date(1990, 3, 5),
        nationalities=("AT", "XX"),
        deceased=False,
        retain_until=date(2030, 1, 1),
        provenance="national",
        notice_given=True,
    )
    assert second.values["biographic.sex"] == "X"
    assert second.traits.nationalities is None
    assert second.traits.deceased is None
    assert second.traits.retain_until is None


async def test_a_fixed_width_surrogate_and_a_number_are_found(austria):
    page = await austria.fetch(asking(BySurrogate(bytes(range(16)))))
    assert [record.record for record in page.records] == [FIRST]
    assert page.records[0].surrogate == bytes(range(16))
    assert (await austria.fetch(asking(NamedPerson(doc_number="78")))).records[0].record == SECOND
    assert (await austria.fetch(asking(NamedPerson(doc_number="x78")))).records == ()


async def test_pages_over_uuid_keys_and_the_checks_work(austria):
    page = await austria.fetch(
        Fetch("persons", frozenset(), frozenset(), Everything(), TODAY, 1, after=None)
    )
    assert page.next == FIRST
    rest = await austria.fetch(
        Fetch("persons", frozenset(), frozenset(), Everything(), TODAY, 1, after=FIRST)
    )
    assert [record.record for record in rest.records] == [SECOND]
    assert rest.next is None
    assert [str(f) for f in await austria.check() if f.severity == "error"] == []


async def test_a_register_without_a_search_column_says_so_and_not_no_hit(austria):
    with pytest.raises(SourceUnavailableError) as told:
        await austria.fetch(asking(NamedPerson(biometric_ref="FP-1")))
    assert told.value.reason == "wrong"
    assert not told.value.fault
    with pytest.raises(SourceUnavailableError):
        await austria.fetch(asking(Everything(centre="TAB")))


async def test_a_register_without_surrogates_has_none_and_cannot_be_asked_by_one(
    postgres, tmp_path
):
    database = postgres.new_database("at")
    postgres.run(SQL, database)
    mapping = tmp_path / "at.yaml"
    mapping.write_text(MAPPING.replace("  surrogate: Zufall\n", ""), encoding="utf-8")
    assert load_mapping(mapping).person.surrogate == ""
    source = open_source("AT", postgres.url(database), mapping, PATIENT)
    try:
        page = await source.fetch(asking(Everything()))
        assert {record.surrogate for record in page.records} == {None}
        with pytest.raises(SourceUnavailableError):
            await source.fetch(asking(BySurrogate(bytes(range(16)))))
    finally:
        await source.close()
