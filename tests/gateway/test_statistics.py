# SPDX-License-Identifier: EUPL-1.2
"""Statistics over HTTP: what an analyst gets, what she is refused, and what stands in the log."""

import asyncio
import csv
import io
import sqlite3
from contextlib import closing
from itertools import cycle
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from audit.reconcile import reconcile
from gateway.commands.init import create_missing
from gateway.identity import DevIssuer
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway.small import create_register, vocabulary
from tests.gateway.test_turning import Clock

PERSONS = ("needs", "flows", "arrivals", "occupancy", "age_sex_nationality")
LAYOUT = "age_sex_nationality"
PEOPLE = 240


def count(layout=LAYOUT, **changes):
    return {
        "dataset": "statistics",
        "owners": ["BA"],
        "categories": ["aggregate"],
        "purpose": "statistics",
        "basis": "GDP-36",
        "layout": layout,
        **changes,
    }


def populate(path, persons):
    """A register of these persons: two sexes, three nationalities, several ages."""
    path.unlink()
    create_register(vocabulary(), path, persons)
    with closing(sqlite3.connect(path)) as connection:
        for ref in persons:
            number = int(ref.partition("-")[2])
            nationality = ("AF", "AF", "AF", "SY", "SY", "PK")[number % 6]
            connection.execute(
                "UPDATE person SET t_date_of_birth = ?, t_nationalities = ? WHERE id = ?",
                (f"{1960 + number % 60}-04-03", nationality, ref),
            )
            connection.execute(
                "UPDATE persons SET biographic__sex = ? WHERE person = ?",
                ("F" if number % 4 == 0 else "M", ref),
            )
        connection.commit()


def people(first, last):
    return [f"p-{number}" for number in range(first, last)]


def limit(folder, epsilon):
    text = (folder / "cuvar.toml").read_text(encoding="utf-8")
    limits = f"[statistics]\nepsilon_per_month = {epsilon}\nepsilon_per_table = 0.1\n[limits]"
    (folder / "cuvar.toml").write_text(text.replace("[limits]", limits), encoding="utf-8")


def replace_keyset(folder):
    (folder / "keyset.json").unlink()
    create_missing(load_settings(folder / "cuvar.toml"))


@pytest.fixture
def folder(house_folder):
    populate(house_folder / "region/registers/BA.sqlite", people(1, PEOPLE + 1))
    return house_folder


@pytest.fixture
async def house(folder):
    async with houses.running(folder) as found:
        yield found


async def asked(house, question, org="UNHCR"):
    token = house.token(org, "humanitarian_analyst", country="BA")
    return await house.ask("count", question, token=token)


async def part(house, question, org="UNHCR"):
    answer = await asked(house, question, org)
    assert answer.status_code == 200, answer.text
    return answer.json()["owners"][0]


def figures(table):
    return {
        tuple(value for name, value in row.items() if name != "count"): row["count"]
        for row in table["results"][0]["rows"]
    }


def rules(answer):
    assert answer.status_code == 403, answer.text
    return [cell["rules"] for cell in answer.json()["owners"][0]["withheld"]]


async def test_a_table_comes_with_margins_in_multiples_of_five(house):
    table = await part(house, count())
    found = figures(table)
    assert found["all", "all", "all"] == pytest.approx(PEOPLE, abs=12)
    assert all(figure >= 10 and figure % 5 == 0 for figure in found.values())
    assert "multiples of 5" in table["note"]


async def test_the_same_people_give_the_same_figures_to_everybody_however_often(house):
    first = await part(house, count())
    assert (await part(house, count()))["results"] == first["results"]
    assert (await part(house, count(), "IOM"))["results"] == first["results"]


async def test_a_table_of_nearly_the_same_people_is_refused(house):
    await part(house, count())
    populate(house.register("BA"), people(1, PEOPLE + 4))
    assert rules(await asked(house, count())) == [["Q-OVERLAP"]]
    populate(house.register("BA"), people(1, PEOPLE + 41))
    assert figures(await part(house, count()))


def forget_registrations(path, *persons):
    with closing(sqlite3.connect(path)) as connection:
        for person in persons:
            connection.execute("DELETE FROM registrations WHERE person = ?", (person,))
        connection.commit()


@pytest.mark.parametrize("turn", [1, -1])
async def test_every_layout_of_one_moment_is_answered_whatever_is_asked_first(folder, turn):
    """Three people have no registration: two tables that are nearly of the same people."""
    forget_registrations(folder / "region/registers/BA.sqlite", "p-1", "p-2", "p-3")
    async with houses.running(folder) as house:
        told = {name: figures(await part(house, count(name))) for name in PERSONS[::turn]}
    async with houses.running(folder) as again:
        assert told == {name: figures(await part(again, count(name))) for name in PERSONS}
        await part(again, count("claims"), "IOM")
        populate(again.register("BA"), people(1, PEOPLE + 4))
        assert rules(await asked(again, count("arrivals"))) == [["Q-OVERLAP"]]
    assert ("all", "all", "all") in told[LAYOUT]
    assert not told["arrivals"]  # all of one week: the total less that would be the three


async def test_two_gateways_answer_two_layouts_of_one_moment_at_once(folder):
    forget_registrations(folder / "region/registers/BA.sqlite", "p-1", "p-2", "p-3")
    async with houses.running(folder) as one, houses.running(folder) as other:
        first, second = await asyncio.gather(asked(one, count()), asked(other, count("arrivals")))
    assert (first.status_code, second.status_code) == (200, 200)


async def test_who_was_answered_nothing_yet_is_not_refused(house):
    await part(house, count())
    populate(house.register("BA"), people(1, PEOPLE + 4))
    assert figures(await part(house, count(), "IOM"))


async def test_every_answered_table_has_its_ledger_record_before_it_in_the_log(house):
    await part(house, count())
    kinds = [entry["kind"] for entry in await house.entries()]
    assert kinds[-2:] == ["statistics", "access"]
    entry = (await house.stored())[-2]
    record = house.opened(entry, "BA")
    assert (record["recipient"], record["layout"], record["minimum"]) == ("UNHCR", LAYOUT, 10)
    assert not any(f"p-{number}" in str(record) for number in (1, PEOPLE))
    await part(house, count())
    assert [entry["kind"] for entry in await house.entries()].count("statistics") == 1


async def test_a_gateway_that_starts_again_remembers_from_the_log(folder):
    async with houses.running(folder) as before:
        await part(before, count())
    populate(folder / "region/registers/BA.sqlite", people(1, PEOPLE + 4))
    async with houses.running(folder) as after:
        assert rules(await asked(after, count())) == [["Q-OVERLAP"]]


async def test_the_ledger_goes_on_over_the_turn_of_a_half_year(folder, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("time.time", clock.seconds)  # logins are as late
    async with houses.running(folder, clock) as house:
        house.issuer = DevIssuer(
            folder / "issuer",
            issuer=houses.ISSUER,
            audience=houses.AUDIENCE,
            clock=clock.seconds,
        )
        await part(house, count())
        old = house.log().origin
        clock.strike()
        await house.runtime.log.rotate()
        assert house.log().origin != old
        await part(house, count("needs"))
        populate(folder / "region/registers/BA.sqlite", people(1, PEOPLE + 4))
        assert rules(await asked(house, count())) == [["Q-OVERLAP"]]
    async with houses.running(folder, clock) as again:
        ledger = again.runtime.pipeline._parts.desk._desk.tables._ledger
        async with ledger.turn("BA"):
            answered = await ledger.answered("BA", "UNHCR")
        assert answered.state("needs", ("SM",)).published
        assert answered.state(LAYOUT, ("all", "all", "all")).published


async def test_two_gateways_on_one_log_refuse_together_what_one_alone_would(folder):
    async with houses.running(folder) as one, houses.running(folder) as other:
        await part(one, count())
        populate(folder / "region/registers/BA.sqlite", people(1, PEOPLE + 4))
        assert rules(await asked(other, count())) == [["Q-OVERLAP"]]


async def test_figures_to_be_published_spend_a_budget_until_the_month_ends(folder):
    limit(folder, 0.2)
    async with houses.running(folder) as house:
        first = await part(house, count(published=True))
        assert "epsilon 0.1" in first["note"]
        again = await part(house, count(published=True))
        assert again["results"] == first["results"]  # the same day: the same figures, free
        await part(house, count("needs", published=True))
        assert rules(await asked(house, count("occupancy", published=True))) == [["Q-BUDGET"]]
        assert figures(await part(house, count("occupancy", published=True), "IOM"))


async def test_two_gateways_asked_at_once_spend_one_budget(folder):
    limit(folder, 0.3)
    questions = [count(layout, published=True) for layout in PERSONS]
    async with houses.running(folder) as one, houses.running(folder) as other:
        asking = [
            asked(house, question)
            for question, house in zip(questions, cycle((one, other)), strict=False)
        ]
        answers = await asyncio.gather(*asking)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 403, 403]


async def test_a_ledger_record_that_cannot_be_opened_stops_the_tables_of_its_owner(folder):
    async with houses.running(folder) as before:
        await part(before, count())
    await asyncio.to_thread(replace_keyset, folder)
    async with houses.running(folder) as after:
        table = await part(after, count(owners=["BA"]))
        assert (table["status"], table["results"]) == ("unavailable", [])
        assert table["reason"] == "LedgerError"
        token = after.token("HR-SO", "statistician")
        told = await after.ask("count", count("needs", owners=["HR"]), token=token)
        assert told.json()["owners"][0]["status"] == "answered"


async def test_published_figures_of_a_layout_without_a_closed_list_are_malformed(house):
    answer = await asked(house, count("claims", published=True))
    assert answer.status_code == 422
    assert "no closed list" in answer.text


async def test_a_table_comes_as_a_sheet(house):
    answer = await asked(house, count(format="csv"))
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines[0] == ["age_band", "sex", "nationality", "count"]
    assert len(lines) > 10
    assert len({len(line) for line in lines}) == 1


async def test_a_table_comes_as_a_chart(house):
    answer = await asked(house, count(format="svg"))
    assert answer.headers["content-type"] == "image/svg+xml"
    drawn = ET.fromstring(answer.text)  # noqa: S314 - our own drawing
    words = "".join(drawn.itertext())
    assert "18-59, M" in words
    assert "left out" in words


async def test_needs_come_in_the_codes_of_the_field_with_their_meaning(house):
    rows = (await part(house, count("needs")))["results"][0]["rows"]
    assert [(row["need"], row["meaning"]) for row in rows] == [("SM", "serious medical condition")]


async def test_capacity_and_free_beds_are_told_exactly(house):
    question = count(None, dataset="centres", purpose="reception", basis="NAT-11", view="count")
    token = house.token("UNHCR", "caseworker", country="BA")
    answer = await house.ask("count", question, token=token)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["owners"][0]["results"][0]["rows"]
    assert (rows[0]["aggregate.capacity"], rows[0]["aggregate.free_beds"]) == (7, 7)


PAGES = [Path("docs/formats/statistics.md"), Path("docs/anonymisation/statistics.md")]
QUESTIONS = [
    line
    for page in PAGES
    for line in page.read_text(encoding="utf-8").splitlines()
    if line.startswith('{"dataset"')
]


async def test_the_questions_of_the_pages_are_answered(house):
    assert len(QUESTIONS) == len(PAGES)
    for question in QUESTIONS:
        answer = await asked(house, question.encode())
        assert answer.status_code == 200, answer.text


async def test_a_table_asked_from_abroad_stands_alike_in_both_logs(house):
    token = house.token("HR-SO", "statistician")
    answer = await house.ask("count", count(), token=token)
    assert figures(answer.json()["owners"][0])
    assert (await house.entries())[-2]["requester"] is None
    copies = {}
    for country in ("BA", "HR"):
        log = house.log(country)
        copies[log.origin] = Copied([(e.index, e.envelope) for e in await house.stored(country)])
    found = reconcile(copies)
    assert (found.ok, found.pairs) == (True, 1)


class Copied:
    """The entries of one log, as `audit.reconcile` reads a copy."""

    def __init__(self, entries):
        self._entries = entries

    def count(self):
        return len(self._entries)

    def envelopes(self, start, stop):
        return self._entries[start:stop]
