# SPDX-License-Identifier: EUPL-1.2
"""What a register answers, on PostgreSQL, MariaDB and SQLite alike."""

# ruff: noqa: RUF001 - the registers number their records with Cyrillic letters

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.sources import (
    TRAITS,
    ByReference,
    BySurrogate,
    Everything,
    Fetch,
    NamedPerson,
    SourceQuestionError,
    SourceUnavailableError,
    Traits,
)

ALL_TRAITS = frozenset(TRAITS)
REZA = NamedPerson("Ahmadi", "Reza", date(1990, 3, 5))


def asking(selector, dataset="persons", fields=(), traits=(), **more):
    options = {"today": date(2026, 11, 24), "limit": 50, **more}
    return Fetch(dataset, frozenset(fields), frozenset(traits), selector, **options)


def keys(page):
    return [record.record for record in page.records]


async def test_a_named_person_is_found_with_exactly_the_asked_fields(source):
    fields = ("direct_identifier.forenames", "biographic.sex", "biographic.date_of_birth")
    page = await source.fetch(asking(REZA, fields=fields))
    assert keys(page) == ["1"]
    values = page.records[0].values
    assert values.keys() == set(fields)
    assert values["biographic.sex"] == "M"
    assert values["biographic.date_of_birth"] == date(1990, 3, 5)
    assert page.records[0].surrogate == bytes(15) + b"\x01"
    assert page.records[0].person == "1"
    assert page.next is None


@pytest.mark.parametrize(
    "named",
    [
        NamedPerson("Đorđević", "Ана", date(2012, 7, 1)),
        NamedPerson("Ђорђевић", "Ana", date(2012, 7, 1)),
        NamedPerson("DJORDJEVIC", None, date(2012, 7, 1)),
        NamedPerson(None, "ána", date(2012, 7, 1)),
        NamedPerson(biometric_ref=" FP-2 "),
    ],
)
async def test_one_person_is_found_in_any_spelling(source, named):
    assert keys(await source.fetch(asking(named))) == ["2"]


async def test_a_document_number_finds_its_holder(source):
    assert keys(await source.fetch(asking(NamedPerson(doc_number="p1234567")))) == ["1"]
    assert keys(await source.fetch(asking(NamedPerson(doc_number="P 123 4567")))) == ["1"]


async def test_each_complete_criterion_adds_its_own_matches(source):
    both = NamedPerson("Ahmadi", "Reza", date(1990, 3, 5), doc_number="P7777777")
    assert keys(await source.fetch(asking(both))) == ["1", "6"]
    three = NamedPerson("Ahmadi", None, date(1990, 3, 5), "P7777777", "FP-2")
    assert keys(await source.fetch(asking(three))) == ["1", "2", "6"]


async def test_a_named_person_is_found_in_other_datasets_too(source):
    fields = ("record.reference_number", "record.person_category", "travel.origin_state")
    page = await source.fetch(asking(REZA, "registrations", fields, ALL_TRAITS))
    assert keys(page) == ["З-1", "З-5"]
    first, second = page.records
    assert first.values == {
        "record.reference_number": "З-1",
        "record.person_category": "IRR",
        "travel.origin_state": "RS",
    }
    assert first.person == "1"
    assert first.surrogate == bytes(15) + b"\x01"
    assert first.traits.provenance == "national"
    assert first.traits.notice_given is True
    assert second.traits.provenance == "abroad"
    assert second.traits.notice_given is False
    both = NamedPerson("Ahmadi", "Reza", date(1990, 3, 5), biometric_ref="FP-2")
    assert keys(await source.fetch(asking(both, "registrations"))) == ["З-1", "З-2", "З-5"]


async def test_moments_keep_their_time_and_days_do_not(source):
    fields = ("record.registered_at", "travel.event_date")
    page = await source.fetch(asking(ByReference("record", "З-1"), "registrations", fields))
    moment = page.records[0].values["record.registered_at"]
    assert moment.replace(tzinfo=None) == datetime(2026, 5, 4, 10, 30)  # noqa: DTZ001 - as stored
    assert page.records[0].values["travel.event_date"] == date(2026, 5, 3)


async def test_traits_are_read_in_the_common_form(source):
    page = await source.fetch(asking(NamedPerson(biometric_ref="FP-2"), traits=ALL_TRAITS))
    assert page.records[0].traits == Traits(
        date_of_birth=date(2012, 7, 1),
        dob_precision="day",
        nationalities=("PS", "SY") if source.country != "GR" else ("SY", "PS"),
        declared_persecutor=("SY",),
        deceased=False,
        blocked=True,
        unaccompanied=True,
        claim_pending=True,
        provenance="eurodac",
        retain_until=date(2026, 11, 24),
        compartment="A",
    )


async def test_what_cannot_be_read_is_unknown_and_never_a_no(source):
    fields = ("biographic.sex", "biographic.date_of_birth", "biographic.nationalities")
    page = await source.fetch(asking(ByReference("record", "4"), "persons", fields, ALL_TRAITS))
    record = page.records[0]
    assert record.surrogate is None
    assert record.values["biographic.sex"] is None
    assert record.values["biographic.date_of_birth"] is None
    assert record.values["biographic.nationalities"] == ()
    assert record.traits == Traits(declared_persecutor=(), claim_pending=False)


async def test_only_asked_traits_are_read(source):
    page = await source.fetch(asking(REZA, traits=("blocked",)))
    assert page.records[0].traits == Traits(blocked=False)
    assert page.records[0].values == {}


async def test_a_join_s_own_condition_holds(source):
    fields = ("document.doc_number", "document.doc_type")
    page = await source.fetch(asking(Everything(persons=("1", "6", "5")), fields=fields))
    assert [r.values["document.doc_number"] for r in page.records] == ["P1234567", None, "P7777777"]
    if source.country == "AL":  # searched through the join; MK searches the whole child table
        assert keys(await source.fetch(asking(NamedPerson(doc_number="OLD1")))) == []
    if source.country == "MK":
        assert keys(await source.fetch(asking(NamedPerson(doc_number="OLD1")))) == ["1"]


async def test_existence_is_yes_only_where_its_conditions_hold(source):
    page = await source.fetch(asking(Everything(), traits=("claim_pending",)))
    pending = {record.record: record.traits.claim_pending for record in page.records}
    assert pending == {"1": False, "2": True, "4": False, "5": False, "6": False}


async def test_records_outside_the_dataset_s_condition_are_not_there(source):
    assert keys(await source.fetch(asking(Everything(), "stays"))) == ["10", "11", "12"]
    for selector in (
        ByReference("record", "13"),
        ByReference("person", "5"),
        NamedPerson(biometric_ref="FP-5"),
        Everything(centre="TAB", persons=("5",)),
    ):
        assert keys(await source.fetch(asking(selector, "stays"))) == []


async def test_many_valued_fields_come_as_tuples(source):
    fields = ("direct_identifier.aliases", "biographic.nationalities")
    page = await source.fetch(asking(NamedPerson(biometric_ref="FP-1"), fields=fields))
    assert page.records[0].values["biographic.nationalities"] == ("AF",)
    assert len(page.records[0].values["direct_identifier.aliases"]) == 2
    page = await source.fetch(
        asking(ByReference("person", "2"), "protection", ("protection.needs_codes",))
    )
    assert set(page.records[0].values["protection.needs_codes"]) == {"SM", "DS"}


async def test_expired_is_not_found_by_any_selector(source):
    for selector in (
        NamedPerson("O'Neil", "Sam", date(1980, 1, 2)),
        NamedPerson(biometric_ref="FP-3"),
        ByReference("record", "3"),
        ByReference("person", "3"),
        BySurrogate(bytes(15) + b"\x03"),
        Everything(persons=("3",)),
    ):
        assert keys(await source.fetch(asking(selector))) == []
    assert "3" not in keys(await source.fetch(asking(Everything())))
    assert keys(await source.fetch(asking(ByReference("person", "3"), "registrations"))) == []


async def test_the_last_day_of_retention_is_still_found_and_the_next_is_not(source):
    named = NamedPerson(biometric_ref="FP-2")
    assert keys(await source.fetch(asking(named))) == ["2"]
    assert keys(await source.fetch(asking(named, today=date(2026, 11, 25)))) == []


async def test_references_and_surrogates_find_one(source):
    assert keys(await source.fetch(asking(ByReference("record", "6")))) == ["6"]
    assert keys(await source.fetch(asking(BySurrogate(bytes(15) + b"\x06")))) == ["6"]
    found = await source.fetch(asking(BySurrogate(bytes(15) + b"\x01"), "registrations"))
    assert keys(found) == ["З-1", "З-5"]
    assert keys(await source.fetch(asking(ByReference("person", "2"), "asylum"))) == ["Б-2"]
    assert keys(await source.fetch(asking(ByReference("record", "11"), "stays"))) == ["11"]


@pytest.mark.parametrize(
    "ref", ["", " ", "1 OR 1=1", "1'--", "%", "_", "*", "1_0", "+1", "٣", "x\x00y", "9" * 40, "-"]
)
async def test_odd_references_find_nothing(source, ref):
    for dataset in ("persons", "registrations", "stays"):
        for kind in ("record", "person"):
            assert keys(await source.fetch(asking(ByReference(kind, ref), dataset))) == []


@pytest.mark.parametrize(
    "name",
    ["Ahm%", "_hmadi", "*", "Ahmadi' OR '1'='1", 'Ahmadi" --', "Ahmadi\\", "$1", ":x", "%(x)s"],
)
async def test_neither_wildcards_nor_sql_mean_anything_in_a_name(source, name):
    born = date(1990, 3, 5)
    try:
        found = keys(await source.fetch(asking(NamedPerson(name, None, born))))
    except SourceQuestionError:
        found = []
    assert found == (["1"] if name in {'Ahmadi" --', "Ahmadi\\"} else [])
    for exact in (NamedPerson(doc_number=name), NamedPerson(biometric_ref=name)):
        assert keys(await source.fetch(asking(exact))) == []


@pytest.mark.parametrize(
    "named",
    [
        NamedPerson(),
        NamedPerson("Ahmadi", "Reza"),
        NamedPerson(date_of_birth=date(1990, 3, 5)),
        NamedPerson("", "", date(1990, 3, 5)),
        NamedPerson("%", "*", date(1990, 3, 5)),
        NamedPerson("محمد", "Reza", date(1990, 3, 5)),
        NamedPerson(doc_number=" "),
        NamedPerson(biometric_ref="\x00"),
        NamedPerson(doc_number="A" * 500),
    ],
)
async def test_an_incomplete_person_is_refused_not_searched(source, named):
    with pytest.raises(SourceQuestionError) as refused:
        await source.fetch(asking(named))
    assert "Ahmadi" not in str(refused.value)


async def test_pages_follow_one_another_without_gap_or_repeat(source):
    found, after = [], None
    for _ in range(9):
        page = await source.fetch(asking(Everything(), limit=2, after=after))
        assert len(page.records) <= 2
        found += keys(page)
        after = page.next
        if after is None:
            break
    assert found == ["1", "2", "4", "5", "6"]
    assert keys(await source.fetch(asking(Everything(), after="x'--"))) in ([], found)


async def test_a_list_is_limited_to_a_centre_or_to_persons(source):
    assert keys(await source.fetch(asking(Everything(centre="TAB"), "stays"))) == ["10", "12"]
    assert keys(await source.fetch(asking(Everything(centre="%"), "stays"))) == []
    chosen = Everything(persons=("6", "2", "x"))
    assert keys(await source.fetch(asking(chosen))) == ["2", "6"]
    both = Everything(centre="TAB", persons=("1", "2"))
    assert keys(await source.fetch(asking(both, "stays"))) == ["10"]


async def test_no_persons_is_nobody_and_too_many_are_refused(source):
    assert keys(await source.fetch(asking(Everything(persons=())))) == []
    many = tuple(str(number) for number in range(1000))
    assert len((await source.fetch(asking(Everything(persons=many)))).records) == 5
    with pytest.raises(SourceQuestionError):
        await source.fetch(asking(Everything(persons=many + ("x",) * 100)))


async def test_centres_have_no_persons_and_tell_their_state(source):
    fields = ("aggregate.centre_id", "aggregate.capacity", "aggregate.open", "aggregate.as_of")
    page = await source.fetch(asking(Everything(centre="VIZ"), "centres", fields, ALL_TRAITS))
    record = page.records[0]
    assert (record.person, record.surrogate, record.traits) == (None, None, Traits())
    as_of = record.values["aggregate.as_of"]
    assert as_of.replace(tzinfo=UTC) == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert record.values["aggregate.capacity"] == 150
    assert record.values["aggregate.open"] is False
    with pytest.raises(SourceQuestionError):
        await source.fetch(asking(REZA, "centres"))


async def test_an_unmapped_field_is_left_out_and_an_unmapped_dataset_is_unavailable(source):
    page = await source.fetch(asking(REZA, fields=("security.security_flag",)))
    assert page.records[0].values == {}
    with pytest.raises(SourceUnavailableError) as told:
        await source.fetch(asking(REZA, "family"))
    assert told.value.reason == "wrong"


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_page_has_a_sensible_size(source, limit):
    with pytest.raises(SourceQuestionError):
        await source.fetch(asking(Everything(), limit=limit))


async def test_nothing_prints_an_identity(source):
    page = await source.fetch(
        asking(REZA, fields=("direct_identifier.surnames",), traits=("date_of_birth",))
    )
    printed = repr(page) + repr(REZA) + repr(page.records[0].traits) + repr(asking(REZA))
    for secret in ("Ahmadi", "Ахмади", "Αχμάντι", "1990", "Reza"):
        assert secret not in printed
