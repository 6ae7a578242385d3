# SPDX-License-Identifier: EUPL-1.2
"""What somebody who may write the log's database can do to the overlap ledger: stop it, no more."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from audit import Envelope, Kind, Operation, Pending, Status, encode_envelope, new_entry_id
from audit.concern import Ground
from audit.erasure import batches, erasure_entry
from audit.holds import Order
from audit.randomness import random_bytes
from audit.store import LOG_BITS
from tests.gateway import house as houses
from tests.gateway.test_statistics import LAYOUT, PEOPLE, count, part, people, populate

FILLED = 600  # more than the two tiles that a start compares with the tree


@pytest.fixture
def folder(house_folder):
    populate(house_folder / "region/registers/BA.sqlite", people(1, PEOPLE + 1))
    return house_folder


def rows(folder):
    """Row numbers of BA's ledger records, oldest first."""
    with closing(sqlite3.connect(folder / "log.sqlite")) as connection:
        found = connection.execute("SELECT pos, envelope FROM log_entry ORDER BY pos").fetchall()
    entries = [(pos, json.loads(envelope)) for pos, envelope in found]
    return [
        pos
        for pos, entry in entries
        if entry["kind"] == "statistics" and entry["owner"]["country"] == "BA"
    ]


def write(folder, sql, *values):
    with closing(sqlite3.connect(folder / "log.sqlite")) as connection:
        assert connection.execute(sql, values).rowcount == 1
        connection.commit()


async def answer(folder, *layouts):
    async with houses.running(folder) as house:
        for layout in layouts:
            await part(house, count(layout, published=True))


async def require_closed(house, layout="needs", **said):
    table = await part(house, count(layout, published=True))
    assert (table["status"], table["results"]) == ("unavailable", [])
    assert table["reason"] == "LedgerError"
    ready = await house.ready()
    assert ready["degraded"] == ["overlap ledger"]
    for name, words in said.items():
        assert words in ready["closed_ledgers"][name]
    return ready


async def require_open(house, layout="needs"):
    assert (await part(house, count(layout, published=True)))["status"] == "answered"
    ready = await house.ready()
    assert (ready["degraded"], ready["closed_ledgers"]) == ([], {})


async def test_a_deleted_record_stops_the_tables_of_its_owner_alone(folder):
    await answer(folder, "needs", LAYOUT)
    write(folder, "DELETE FROM log_detail WHERE pos = ?", rows(folder)[0])
    async with houses.running(folder) as house:
        await require_closed(house, BA="was deleted")
        await require_closed(house, LAYOUT)  # though its figures of today are known
        token = house.token("HR-SO", "statistician")
        told = await house.ask("count", count("needs", owners=["HR"]), token=token)
        assert told.json()["owners"][0]["status"] == "answered"


async def test_a_deleted_record_is_known_before_anybody_asks(folder):
    await answer(folder, "needs")
    write(folder, "DELETE FROM log_detail WHERE pos = ?", *rows(folder))
    async with houses.running(folder) as house:
        for _ in range(1000):
            if house.runtime.ledger.closed():
                break
            await asyncio.sleep(0.01)
        assert (await house.ready())["degraded"] == ["overlap ledger"]


async def test_a_record_under_another_records_entry_stops_the_tables(folder):
    await answer(folder, "needs", LAYOUT)
    first, second = rows(folder)
    write(
        folder,
        "UPDATE log_detail SET (blob, salt, header) ="
        " (SELECT blob, salt, header FROM log_detail WHERE pos = ?) WHERE pos = ?",
        second,
        first,
    )
    async with houses.running(folder) as house:
        await require_closed(house, BA="not the one that the entry commits to")


async def filled(house):
    """Entries after the record, so that no start compares it with the tree."""
    now = datetime.now(UTC)
    journal = house.runtime.log
    fillers = [
        Envelope(
            id=new_entry_id(now, random_bytes(10)),
            kind=Kind.KEY_CHANGE,
            t=now,
            log=journal.current("BA"),
            op=Operation.ADMINISTER,
            status=Status.DONE,
        )
        for _ in range(FILLED)
    ]
    await journal.append([Pending(encode_envelope(one)) for one in fillers])


async def test_an_edited_entry_stops_the_tables(folder):
    async with houses.running(folder) as house:
        await part(house, count("needs", published=True))
        await filled(house)
        origin = house.log().origin
    (pos,) = rows(folder)
    with closing(sqlite3.connect(folder / "log.sqlite")) as connection:
        found = connection.execute("SELECT envelope FROM log_entry WHERE pos = ?", (pos,))
        edited = found.fetchone()[0].replace(b'"statistics"', b'"key_change"')
    write(folder, "UPDATE log_entry SET envelope = ? WHERE pos = ?", edited, pos)
    assert not rows(folder)
    async with houses.running(folder) as house:
        await require_closed(house, **{origin: "not those that were signed"})


async def test_an_untouched_log_of_many_entries_stays_open(folder):
    async with houses.running(folder) as house:
        await part(house, count("needs", published=True))
        await filled(house)
    async with houses.running(folder) as house:
        await require_open(house)
        await require_open(house, LAYOUT)


async def test_a_record_that_an_entry_declares_erased_is_forgotten(folder):
    async with houses.running(folder) as house:
        await part(house, count("needs", published=True))
        (pos,) = rows(folder)
        journal, log = house.runtime.log, house.log()
        index = pos % (1 << LOG_BITS)
        (batch,) = batches(log.origin, Ground.INT_10, [index])
        order = Order(log=log.origin, country="BA", at=datetime.now(UTC))
        await journal.append([erasure_entry(order, batch)])
        assert await journal.erase_details(log.origin, [index]) == 1
        await require_open(house, LAYOUT)
    async with houses.running(folder) as house:
        await require_open(house)


@pytest.mark.parametrize(("days", "forgotten"), [(330, False), (400, True)])
async def test_a_record_is_forgotten_when_its_month_is_over(folder, days, forgotten):
    await answer(folder, "needs")
    write(folder, "DELETE FROM log_detail WHERE pos = ?", *rows(folder))
    async with houses.running(folder, lambda: datetime.now(UTC) + timedelta(days)) as house:
        await house.runtime.ledger.read_all()
        assert (not house.runtime.ledger.closed()) is forgotten
