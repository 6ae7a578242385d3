# SPDX-License-Identifier: EUPL-1.2
"""SQLite's driver: each of its two locks against writing, and threads that come free again."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from gateway.sources.drivers import Failure
from gateway.sources.drivers.sqlite import SqliteDriver

_FOREVER = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "register.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    connection.close()
    return path


@pytest.fixture
async def driver(file):
    made = SqliteDriver(file, threads=2)
    yield made
    await made.close()


async def test_a_connection_refuses_to_write_by_itself(driver):
    assert await driver.rows("PRAGMA query_only", ()) == [(1,)]
    with pytest.raises(Failure, match="wrong"):
        await driver.rows("DELETE FROM t", ())


async def test_the_file_is_opened_for_reading_even_if_the_connection_would_write(file):
    driver = SqliteDriver(file, threads=1)
    try:
        await driver.rows("PRAGMA query_only = 0", ())
        with pytest.raises(Failure, match="wrong"):
            await driver.rows("DELETE FROM t", ())
        assert await driver.rows("SELECT a FROM t", ()) == [(1,)]
    finally:
        await driver.close()


async def test_a_given_up_statement_gives_its_thread_back(driver):
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await driver.rows(_FOREVER, ())
    async with asyncio.timeout(20):
        assert await driver.rows("SELECT a FROM t", ()) == [(1,)]


async def test_a_given_up_wait_for_a_lock_gives_its_thread_back(driver, file):
    await driver.rows("SELECT a FROM t", ())
    keeper = sqlite3.connect(file, isolation_level=None)
    keeper.execute("BEGIN EXCLUSIVE")
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await driver.rows("SELECT a FROM t", ())
    async with asyncio.timeout(20):
        assert await driver.rows("SELECT 1", ()) == [(1,)]
    keeper.execute("ROLLBACK")
    keeper.close()
    assert await driver.rows("SELECT a FROM t", ()) == [(1,)]


async def test_a_lock_that_goes_away_in_time_only_costs_time(driver, file):
    await driver.rows("SELECT a FROM t", ())
    keeper = sqlite3.connect(file, isolation_level=None)
    keeper.execute("BEGIN EXCLUSIVE")
    waiting = asyncio.ensure_future(driver.rows("SELECT a FROM t", ()))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    keeper.execute("ROLLBACK")
    keeper.close()
    assert await waiting == [(1,)]


async def test_closing_does_not_wait_for_a_statement_that_never_ends(file):
    driver = SqliteDriver(file, threads=1)
    waiting = asyncio.ensure_future(driver.rows(_FOREVER, ()))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(20):
        await driver.close()
    with pytest.raises(Failure, match="timeout"):
        await waiting
