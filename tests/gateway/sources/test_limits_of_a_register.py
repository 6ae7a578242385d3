# SPDX-License-Identifier: EUPL-1.2
"""Slow, down, wrong and half-answering registers, on real servers; the breaker's clock is ours."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from gateway.errors import GatewayError
from gateway.sources import (
    Everything,
    Fetch,
    Limits,
    NamedPerson,
    SourceUnavailableError,
    open_source,
)
from tests.servers.mariadb import running_mariadb
from tests.servers.postgres import running_postgres

TODAY = date(2026, 11, 24)
PATIENT = Limits(timeout_s=20.0, breaker_failures=3)
HASTY = Limits(timeout_s=0.4, concurrency=2, breaker_failures=3, breaker_open_s=2.0)


def everything(**more):
    options = {"fields": frozenset(), "traits": frozenset(), "selector": Everything(), **more}
    return Fetch("persons", today=TODAY, limit=10, **options)


async def reason(source, wanted=None):
    """The reason of one question's failure; `ok` when it is answered."""
    try:
        page = await source.fetch(wanted or everything())
    except SourceUnavailableError as error:
        return error.reason
    assert page.records
    return "ok"


async def warm(source):
    """The first answer, however long the schema takes to be read on a busy machine."""
    for _ in range(100):
        if await reason(source) == "ok":
            return
        await asyncio.sleep(0.1)
    pytest.fail("the register never answered")


def content(register):
    return Path(register.url.removeprefix("sqlite:///")).read_bytes()


def _away(file):
    Path(file).rename(file + ".away")


def _back(file):
    Path(file + ".away").rename(file)


class Clock:
    """Seconds that pass only when a test says so."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def opened(clock):
    """Opens a register that never times out by accident, unless told, and closes it again."""
    sources = []

    def open_register(register, limits=PATIENT, url=None):
        source = open_source(
            register.country, url or register.url, register.mapping, limits, clock=clock
        )
        sources.append(source)
        return source

    yield open_register
    for source in sources:
        await source.close()


async def test_a_locked_postgresql_table_is_a_timeout_until_unlocked(opened, macedonia):
    source = opened(macedonia, HASTY)
    await warm(source)
    keeper = await asyncpg.connect(macedonia.url.replace("+asyncpg", ""))
    try:
        await keeper.execute('BEGIN; LOCK TABLE "лице" IN ACCESS EXCLUSIVE MODE')
        assert await reason(source) == "timeout"
        await keeper.execute("ROLLBACK")
        await warm(source)
    finally:
        await keeper.close()


async def test_a_locked_mariadb_table_is_a_timeout_until_unlocked(opened, greece, mariadb):
    source = opened(greece, HASTY)
    await warm(source)
    database = greece.url.rpartition("/")[2].partition("?")[0]
    locked = asyncio.get_running_loop().run_in_executor(
        None, mariadb.run, "LOCK TABLES `άτομο` WRITE; SELECT SLEEP(3); UNLOCK TABLES;", database
    )
    for _ in range(50):
        if (told := await reason(source)) != "ok":
            break
        await asyncio.sleep(0.05)
    assert told == "timeout"
    await locked
    await warm(source)


async def test_a_locked_sqlite_file_is_a_timeout_until_unlocked(opened, albania):
    source = opened(albania, HASTY)
    await warm(source)
    keeper = sqlite3.connect(albania.url.removeprefix("sqlite:///"), isolation_level=None)
    keeper.execute("BEGIN EXCLUSIVE")
    assert await reason(source) == "timeout"
    keeper.execute("ROLLBACK")
    keeper.close()
    await warm(source)


async def test_a_hung_register_takes_no_place_of_another(
    opened, albania, tmp_path_factory, register
):
    other = opened(register)
    source = opened(albania, HASTY)
    await warm(source)
    keeper = sqlite3.connect(albania.url.removeprefix("sqlite:///"), isolation_level=None)
    keeper.execute("BEGIN EXCLUSIVE")
    told = await asyncio.gather(
        *(reason(source) for _ in range(20)), *(reason(other) for _ in range(20))
    )
    keeper.close()
    assert set(told[20:]) == {"ok"}
    assert set(told[:20]) <= {"timeout", "busy", "open"}
    assert "busy" in told[:20]


async def test_a_dropped_column_is_wrong_and_a_mended_one_is_answered_again(opened, own_register):
    source = opened(own_register)
    field = {"fields": frozenset({"biographic.sex"})}
    assert await reason(source, everything(**field)) == "ok"
    table, column = {
        "MK": ('"лице"', '"пол"'),
        "GR": ("`άτομο`", "`φύλο`"),
        "AL": ("shtetas", "gjinia"),
    }[own_register.country]
    own_register.run(f"ALTER TABLE {table} RENAME COLUMN {column} TO elsewhere")
    assert await reason(source, everything(**field)) == "wrong"
    assert source.state == "wrong"
    assert await reason(source) == "ok"
    assert [f.line for f in await source.check() if f.severity == "error"]
    own_register.run(f"ALTER TABLE {table} RENAME COLUMN elsewhere TO {column}")
    assert await reason(source, everything(**field)) == "ok"


async def test_a_missing_table_is_wrong(opened, own_register):
    source = opened(own_register)
    table = {"MK": '"запис"', "GR": "`καταγραφή`", "AL": "regjistrim"}[own_register.country]
    own_register.run(f"DROP TABLE {table}")
    wanted = Fetch("registrations", frozenset(), frozenset(), Everything(), TODAY, 5)
    assert await reason(source, wanted) == "wrong"
    assert await reason(source) == "ok"


async def test_two_rows_where_one_was_promised_make_only_the_disputed_unknown(opened, macedonia):
    source = opened(macedonia)
    macedonia.run("INSERT INTO \"исправа\" VALUES (1,'P7654321','пасош',1)")
    fields = frozenset({"document.doc_number", "document.doc_type", "biographic.sex"})
    page = await source.fetch(everything(fields=fields))
    assert [record.record for record in page.records] == ["1", "2", "4", "5", "6"]
    assert page.records[0].values == {
        "document.doc_number": None,
        "document.doc_type": "пасош",
        "biographic.sex": "M",
    }
    messages = [finding.message for finding in await source.check()]
    assert any("finds several rows" in message for message in messages)


async def test_a_page_that_ends_inside_a_disputed_record_is_wrong(opened, macedonia):
    source = opened(macedonia)
    macedonia.run("INSERT INTO \"исправа\" SELECT 1, 'P' || n, 'x', 1 FROM generate_series(1,9) n")
    fields = frozenset({"document.doc_number"})
    wanted = Fetch("persons", fields, frozenset(), Everything(), TODAY, limit=3)
    assert await reason(source, wanted) == "wrong"


async def test_a_stopped_postgresql_is_down_and_answers_when_it_is_back(opened, make_macedonia):
    with running_postgres() as server:
        source = opened(make_macedonia(server))
        assert await reason(source) == "ok"
        server.stop()
        assert await reason(source) == "down"
        server.start()
        assert await reason(source) == "ok"


async def test_a_stopped_mariadb_is_down_and_answers_when_it_is_back(opened, make_greece):
    with running_mariadb() as server:
        source = opened(make_greece(server))
        assert await reason(source) == "ok"
        server.stop()
        assert await reason(source) == "down"
        server.start()
        assert await reason(source) == "ok"


async def test_a_missing_sqlite_file_is_down_and_never_created(opened, albania, tmp_path):
    file = tmp_path / "absent.db"
    source = opened(albania, url=f"sqlite:///{file}")
    assert await reason(source) == "down"
    assert not file.exists()


async def test_a_deleted_sqlite_file_stops_answering_and_a_new_one_answers(opened, albania):
    source = opened(albania)
    assert await reason(source) == "ok"
    file = albania.url.removeprefix("sqlite:///")
    _away(file)
    assert await reason(source) == "down"
    _back(file)
    assert await reason(source) == "ok"


async def test_a_file_that_is_no_database_is_wrong(opened, albania, tmp_path):
    file = tmp_path / "text.db"
    file.write_text("not a database, but long enough to look at " * 100)
    source = opened(albania, url=f"sqlite:///{file}")
    assert await reason(source) == "wrong"


async def test_a_sqlite_register_cannot_be_written_through_the_gateway(opened, albania):
    source = opened(albania)
    assert await reason(source) == "ok"
    before = content(albania)
    with pytest.raises(Exception, match="wrong"):
        await source._register._driver.rows("DELETE FROM shtetas RETURNING nr", ())
    assert content(albania) == before


async def test_sessions_on_servers_are_read_only(opened, own_register):
    source = opened(own_register)
    assert await reason(source) == "ok"
    delete = {
        "MK": 'DELETE FROM "лице"',
        "GR": "DELETE FROM `άτομο`",
        "AL": "DELETE FROM shtetas",
    }[own_register.country]
    with pytest.raises(Exception, match="wrong"):
        await source._register._driver.rows(delete, ())
    assert await reason(source) == "ok"


async def test_the_breaker_opens_after_failures_in_a_row_and_a_probe_closes_it(
    opened, albania, clock
):
    source = opened(albania)
    assert await reason(source) == "ok"
    file = albania.url.removeprefix("sqlite:///")
    _away(file)
    assert [await reason(source) for _ in range(5)] == ["down", "down", "down", "open", "open"]
    clock.now = 1.9
    assert await reason(source) == "open"
    clock.now = 2.0
    assert await reason(source) == "down"
    assert await reason(source) == "open"
    _back(file)
    clock.now = 3.9
    assert await reason(source) == "open"
    clock.now = 4.0
    told = await asyncio.gather(*(reason(source) for _ in range(4)))
    assert sorted(told) == ["ok", "open", "open", "open"]
    assert source.state in {"up", "open"}
    assert [await reason(source) for _ in range(3)] == ["ok", "ok", "ok"]
    assert source.state == "up"


async def test_a_success_between_failures_keeps_the_breaker_closed(opened, albania):
    source = opened(albania)
    file = albania.url.removeprefix("sqlite:///")
    for _ in range(3):
        assert await reason(source) == "ok"
        _away(file)
        assert [await reason(source) for _ in range(2)] == ["down", "down"]
        _back(file)
    assert await reason(source) == "ok"


async def test_a_question_that_the_register_cannot_hold_says_nothing_of_its_health(opened, albania):
    source = opened(albania)
    unmapped = Fetch("family", frozenset(), frozenset(), Everything(), TODAY, 5)
    assert {await reason(source, unmapped) for _ in range(9)} == {"wrong"}
    for _ in range(9):
        with pytest.raises(GatewayError):
            await source.fetch(everything(selector=NamedPerson("%")))
    assert await reason(source) == "ok"
    assert source.state == "up"


async def test_a_cancelled_probe_lets_another_one_try(opened, albania, clock):
    source = opened(albania)
    assert await reason(source) == "ok"
    file = albania.url.removeprefix("sqlite:///")
    _away(file)
    assert [await reason(source) for _ in range(3)] == ["down"] * 3
    _back(file)
    clock.now = 2.0
    probe = asyncio.ensure_future(source.fetch(everything()))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await reason(source) == "ok"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://officer:hunter2@127.0.0.1:1/db",
        "mariadb+asyncmy://officer:hunter2@127.0.0.1:1/db",
    ],
)
async def test_an_unreachable_server_is_down_and_no_password_leaves(opened, url, macedonia):
    source = opened(macedonia, url=url)
    with pytest.raises(SourceUnavailableError) as told:
        await source.fetch(everything())
    assert told.value.reason == "down"
    shown = f"{told.value!r} {told.value} {told.value.__cause__!r}"
    assert told.value.__suppress_context__
    assert "hunter2" not in shown
    assert "127.0.0.1" not in shown


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite://", "oracle+nothing://u:hunter2@h/db", "postgresql://[u:hunter2"]
)
def test_an_unusable_url_is_refused_without_being_repeated(url, albania):
    with pytest.raises(GatewayError) as refused:
        open_source("AL", url, albania.mapping)
    assert "hunter2" not in str(refused.value)


async def test_the_mapping_of_another_country_is_refused(albania):
    with pytest.raises(GatewayError, match="mapping of AL"):
        open_source("BA", albania.url, albania.mapping)
