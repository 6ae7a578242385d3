# SPDX-License-Identifier: EUPL-1.2
"""Generalised answers of a whole gateway: the crowd is all that the recipient may see."""

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.crowds import MOST, everybody
from gateway.facts import Attestation, Scope
from gateway.facts.attestation import attest
from gateway.sources import Everything, Fetch, Page, Record
from gateway.sources.record import Traits
from gateway.store import Store
from policies import Truth
from tests.gateway import house as houses
from tests.gateway.small import change, create_register, vocabulary

COMMON, RARE = 20, 4
CASES = tuple(f"p-{number}" for number in range(1, COMMON + RARE + 1))
STRANGERS = tuple(f"s-{number}" for number in range(30))
QUESTION = {
    "dataset": "stays",
    "owners": ["RS"],
    "categories": ["accommodation"],
    "view": "generalised",
    "purpose": "humanitarian_assistance",
    "basis": "HUM-03",
    "case_no": "C-1",
}


@asynccontextmanager
async def caseload(folder, settings=""):
    """An aid body of Serbia with twenty cases in one region and four elsewhere."""
    register = folder / "region/registers/RS.sqlite"
    register.unlink()
    create_register(vocabulary(), register, (*CASES, *STRANGERS))
    for person in CASES[COMMON:]:
        change(register, "stays", person, accommodation__centre_id="elsewhere")
    with (folder / "cuvar.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    now = datetime.now(UTC)
    start, end = now - timedelta(minutes=1), now + timedelta(hours=1)
    scope = {"org": "RS-NGO", "owner": "RS"}
    facts = [("case_number", ""), ("consent_given", "")]
    facts += [("assigned_case", person) for person in CASES]
    store = Store(f"sqlite:///{folder}/facts.sqlite", name="facts")
    await attest(
        store,
        [
            Attestation(fact, Truth.TRUE, Scope(**scope, person=person), start, end, "test", "")
            for fact, person in facts
        ],
    )
    await store.close()
    async with houses.running(folder) as house:
        await house.runtime.facts.refresh()
        yield house, house.token("RS-NGO", "caseworker")


async def pages(house, token, **more):
    after = None
    while True:
        question = QUESTION | more | ({} if after is None else {"after": after})
        answer = await house.ask("list", question, token=token)
        assert answer.status_code == 200, answer.text
        [part] = answer.json()["owners"]
        [result] = part["results"]
        yield result
        after = part["next"]
        if after is None:
            return


@pytest.mark.parametrize("limit", [7, 100])
async def test_rows_too_rare_in_the_whole_list_are_held_back_and_counted(house_folder, limit):
    async with caseload(house_folder) as (house, token):
        results = [result async for result in pages(house, token, limit=limit)]
    rows = [row for result in results for row in result["rows"]]
    assert {result["view"] for result in results} == {"generalised"}
    assert len(rows) == COMMON
    assert {row["accommodation.region"] for row in rows} == {"Bihać"}
    assert sum(result["held_back"] for result in results) == RARE


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("accommodation.centre_id", "accommodation.region"),
        ("accommodation.arrived_on", "accommodation.arrived_period"),
    ],
)
async def test_asking_fewer_columns_gives_the_same_rows_with_fewer_columns(
    house_folder, field, column
):
    # All share a month, so that a view made anew for this column alone would tell everybody.
    async with caseload(house_folder) as (house, token):
        [result] = [found async for found in pages(house, token, limit=100, fields=[field])]
        envelope, _ = await house.newest("RS")
    assert {tuple(row) for row in result["rows"]} == {(column,)}
    assert len(result["rows"]) == COMMON
    assert result["held_back"] == RARE
    assert column in str(envelope)


async def test_who_was_held_back_does_not_stand_in_the_entry_as_released(house_folder):
    async with caseload(house_folder) as (house, token):
        assert [result async for result in pages(house, token, limit=100)]
        envelope, detail = await house.newest("RS")
    assert str(COMMON) in str(envelope)
    assert sorted(detail["persons"]) == sorted(CASES[:COMMON])


async def test_a_recipient_held_to_more_is_told_less(house_folder):
    settings = f"\n[views.recipients.RS-NGO]\nk = {COMMON + 1}\n"
    async with caseload(house_folder, settings) as (house, token):
        [result] = [result async for result in pages(house, token, limit=100)]
    assert {row["accommodation.region"] for row in result["rows"]} <= {"any"}
    assert len(result["rows"]) + result["held_back"] == COMMON + RARE


@pytest.mark.parametrize(("person", "region"), [(CASES[0], "Bihać"), (CASES[-1], "any")])
async def test_of_a_named_person_no_more_is_told_than_enough_in_the_register_share(
    house_folder, person, region
):
    async with caseload(house_folder) as (house, token):
        reference = {"kind": "person", "ref": person}
        answer = await house.ask("read", QUESTION | {"reference": reference}, token=token)
    [result] = answer.json()["owners"][0]["results"]
    [row] = result["rows"]
    assert row["accommodation.region"] == region
    assert result["held_back"] == 0


async def test_a_list_whose_rows_do_not_tell_the_centre_is_not_filtered_by_it(house_folder):
    async with caseload(house_folder) as (house, token):
        answer = await house.ask("list", QUESTION | {"centre": "lipa"}, token=token)
    assert answer.status_code == 422
    assert "leave the field centre out" in answer.text


class Rows:
    """A register of numbered rows."""

    country = "RS"

    def __init__(self, rows):
        self.rows, self.read = rows, 0

    async def fetch(self, wanted):
        first = int(wanted.after or 0)
        last = min(first + wanted.limit, self.rows)
        self.read += last - first
        found = (Record(f"p{n}", f"r{n}", None, {}, Traits()) for n in range(first, last))
        return Page(tuple(found), None if last == self.rows else str(last))


def wanted(**more):
    return Fetch("stays", frozenset(), frozenset(), Everything(), date(2026, 11, 24), **more)


@pytest.mark.parametrize("after", [None, "20"])
async def test_the_crowd_of_a_page_is_the_list_from_its_start_to_its_end(after):
    source = Rows(1200)
    question = wanted(limit=10, after=after)
    found = await everybody(question, await source.fetch(question), source)
    assert [record.record for record in found] == [f"r{number}" for number in range(1200)]


async def test_a_list_of_one_page_is_read_once():
    source = Rows(30)
    question = wanted(limit=50)
    assert len(await everybody(question, await source.fetch(question), source)) == 30
    assert source.read == 30


async def test_of_a_very_long_list_only_a_part_is_the_crowd():
    source = Rows(MOST * 3)
    question = wanted(limit=10)
    assert len(await everybody(question, await source.fetch(question), source)) == MOST
    assert source.read == MOST + 10
