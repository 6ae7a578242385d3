# SPDX-License-Identifier: EUPL-1.2
"""Nothing acknowledged is ever lost: killed processes, stopped servers, files pulled away."""

import asyncio
import contextlib
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from audit import AuditError, Journal, LogCorruptError, LogUnavailableError
from audit.journal import utc_now
from audit.merkle import leaf_hash
from audit.sqlite_store import SqliteStore
from audit.store import require_durable, sqlite_path
from tests.audit.making import (
    KEY,
    NOON,
    fill,
    new_sealer,
    open_journal,
    opened,
    plain,
    sealed,
    until,
    verified,
)

PAUSES = random.SystemRandom()


async def require_all(url, acknowledged):
    """Every acknowledged entry is in its place, and the log needs no repair."""
    async with opened(url, clock=utc_now) as log:
        for start in range(0, log.size, 500):
            for entry in await log.read(start, min(start + 500, log.size)):
                if entry.index in acknowledged:
                    assert leaf_hash(entry.envelope) == acknowledged[entry.index]
        assert log.size > max(acknowledged, default=-1)
    assert (await verified(url)).ok


def kill_while_writing(url):
    """Let a process write, kill it at a random moment; what it acknowledged."""
    command = [sys.executable, "-m", "tests.audit.writing", url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent.parent
    ) as child:
        first = child.stdout.readline()
        time.sleep(PAUSES.uniform(0, 0.3))
        child.kill()
        lines = (first + child.stdout.read()).decode().rpartition("\n")[0].splitlines()
    return {int(index): bytes.fromhex(leaf) for index, leaf in map(str.split, lines)}


@pytest.mark.parametrize("times", [5])
async def test_no_acknowledged_entry_is_lost_when_the_process_is_killed(sqlite_place, times):
    acknowledged = {}
    for _ in range(times):
        acknowledged |= await asyncio.to_thread(kill_while_writing, sqlite_place.url)
        await require_all(sqlite_place.url, acknowledged)


async def test_no_acknowledged_entry_is_lost_when_postgres_is_stopped_at_once(
    postgres_place, durable_postgres
):
    acknowledged = {}
    async with opened(postgres_place.url, clock=utc_now) as log:

        async def ask_for_ever():
            while True:
                (position,) = await log.append([plain()])
                acknowledged[position.index] = position.leaf_hash

        async def ask():
            with pytest.raises(LogUnavailableError):
                await ask_for_ever()

        for _ in range(2):
            await until(lambda: log.healthy)
            asking = [asyncio.create_task(ask()) for _ in range(16)]
            await asyncio.sleep(PAUSES.uniform(0.05, 0.3))
            await asyncio.to_thread(durable_postgres.stop)
            await asyncio.gather(*asking)
            assert not log.healthy
            await asyncio.to_thread(durable_postgres.start)
        await until(lambda: log.healthy)
        (position,) = await log.append([plain()])
        acknowledged[position.index] = position.leaf_hash
    await require_all(postgres_place.url, acknowledged)


async def test_a_cut_connection_fails_the_appends_and_the_log_comes_back(
    postgres_place, durable_postgres
):
    async with opened(postgres_place.url) as log:
        await fill(log, 3)
        durable_postgres.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        with pytest.raises(LogUnavailableError, match="PostgreSQL"):
            await log.append([plain()])
        await until(lambda: log.healthy)
        await fill(log, 3)
    assert (await verified(postgres_place.url)).ok


async def test_a_server_at_rest_that_dies_is_noticed(postgres_place, durable_postgres, monkeypatch):
    monkeypatch.setattr("audit.sequencer.IDLE_CHECK", 0.05)
    async with opened(postgres_place.url) as log:
        durable_postgres.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        await until(lambda: not log.healthy)
        await until(lambda: log.healthy)


@pytest.mark.parametrize("setting", ["off", "local", "remote_write"])
async def test_a_server_that_confirms_before_it_is_sure_is_refused(postgres_place, setting):
    url = f"{postgres_place.url}&synchronous_commit={setting}"
    with pytest.raises(LogUnavailableError, match="synchronous_commit"):
        await open_journal(url)


@contextlib.contextmanager
def told(server, setting, value):
    """The server's configuration changed under whoever is connected."""
    server.run(f"ALTER SYSTEM SET {setting} = {value}")
    server.run("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        server.run(f"ALTER SYSTEM RESET {setting}")
        server.run("SELECT pg_reload_conf()")


async def test_no_reload_makes_the_writing_session_confirm_early(postgres_place, durable_postgres):
    async with opened(postgres_place.url) as log:
        with told(durable_postgres, "synchronous_commit", "off"):
            await fill(log, 3)
            writing = log._store._writing()
            assert await writing.fetchval("SHOW synchronous_commit") == "on"


async def until_refused(log):
    """The signal to read the configuration anew is on its way to the session."""
    with contextlib.suppress(LogUnavailableError):
        for _ in range(1000):
            await log.append([plain()])
    with pytest.raises(LogUnavailableError, match="set fsync=on"):
        await log.append([plain()])


async def test_nothing_is_acknowledged_once_a_running_server_stops_flushing(
    postgres_place, durable_postgres
):
    async with opened(postgres_place.url) as log:
        with told(durable_postgres, "fsync", "off"):
            await until_refused(log)
            with pytest.raises(LogUnavailableError, match="set fsync=on"):
                await require_durable(postgres_place.url)
            assert not log.healthy
        await until(lambda: log.healthy)
        await fill(log, 3)
    assert (await verified(postgres_place.url)).ok


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE log_entry SET UNLOGGED",
        (
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            " CREATE TRIGGER lose BEFORE INSERT ON log_entry FOR EACH ROW EXECUTE FUNCTION lose()"
        ),
        "CREATE RULE lose AS ON INSERT TO log_detail DO ALSO NOTHING",
    ],
)
async def test_nothing_is_acknowledged_that_the_tables_would_not_keep(postgres_place, change):
    async with opened(postgres_place.url) as log:
        await fill(log, 3)
        con = await asyncpg.connect(postgres_place.url)
        await con.execute(change)
        await con.close()
        with pytest.raises(LogUnavailableError, match="PostgreSQL"):
            await log.append([sealed(new_sealer())])


async def test_a_server_that_does_not_flush_is_refused(postgres):
    url = postgres.url(postgres.new_database("log"), driver="")
    Journal.create(url, keys={"BA": KEY}, now=NOON)
    with pytest.raises(LogUnavailableError, match="fsync"):
        await open_journal(url)


async def test_sqlite_flushes_at_every_commit(sqlite_place):
    async with opened(sqlite_place.url) as log:
        con = log._store._writing()
        assert con.execute("PRAGMA synchronous").fetchone() == (2,)
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def move(*names):
    """Rename files and folders, the first to the second, the third to the fourth."""
    for old, new in zip(names[::2], names[1::2], strict=True):
        old.rename(new)


def link(name, other):
    """A second name of the same file."""
    other.hardlink_to(name)


def remove(*paths):
    for path in paths:
        path.unlink(missing_ok=True)


async def lose(log, acknowledged):
    """An append that must fail, and leave the log out of order."""
    with pytest.raises(LogUnavailableError):
        await log.append([plain()])
    assert not log.healthy
    with pytest.raises(LogUnavailableError):
        await log.append([plain()])
    assert log.size == acknowledged


async def come_back(log, url, acknowledged):
    """The log takes entries again, and all that was acknowledged is in it."""
    await until(lambda: log.healthy)
    known = {entry.index: leaf_hash(entry.envelope) for entry in await log.read(0, acknowledged)}
    (position,) = await log.append([plain()])
    assert position.index >= acknowledged
    await log.journal.close()
    await require_all(url, known)


async def test_a_deleted_file_is_noticed_before_anything_is_acknowledged(sqlite_place):
    path = Path(sqlite_path(sqlite_place.url))
    async with opened(sqlite_place.url) as log:
        await fill(log, 30)
        spare = path.with_name("spare.db")
        link(path, spare)
        remove(path)
        await lose(log, 30)
        link(spare, path)
        await come_back(log, sqlite_place.url, 30)


async def test_a_file_put_in_the_place_of_the_log_is_noticed(sqlite_place, tmp_path):
    path = Path(sqlite_path(sqlite_place.url))
    async with opened(sqlite_place.url) as log:
        await fill(log, 10)
    copy = shutil.copy(path, tmp_path / "old.db")
    async with opened(sqlite_place.url) as log:
        await fill(log, 20)
        wal = path.with_name("log.db-wal")
        kept = tmp_path / "right.db", tmp_path / "right.db-wal"
        move(path, kept[0], wal, kept[1])
        shutil.copy(copy, path)
        await lose(log, 30)
        for _ in range(10):
            await asyncio.sleep(0.05)
            with pytest.raises(LogUnavailableError) as refused:
                await log.append([plain()])
            assert not log.healthy
        assert "30 were acknowledged: restore the right file" in str(refused.value)
        remove(path, wal, path.with_name("log.db-shm"))
        move(kept[0], path, kept[1], wal)
        await come_back(log, sqlite_place.url, 30)


async def test_a_fork_put_in_the_place_of_the_log_is_noticed(sqlite_place, tmp_path):
    """Signed with the same key, longer, whole in itself: yet not what was acknowledged."""
    path = Path(sqlite_path(sqlite_place.url))
    fork = shutil.copy(path, tmp_path / "fork.db")
    async with opened(f"sqlite:///{fork}") as log:
        await fill(log, 40)
    async with opened(sqlite_place.url) as log:
        await fill(log, 30)
        wal = path.with_name("log.db-wal")
        kept = tmp_path / "right.db", tmp_path / "right.db-wal"
        move(path, kept[0], wal, kept[1])
        shutil.copy(fork, path)
        await lose(log, 30)
        for _ in range(10):
            await asyncio.sleep(0.05)
            with pytest.raises(LogUnavailableError) as refused:
                await log.append([plain()])
        assert "below 30 than were acknowledged" in str(refused.value)
        remove(path, wal, path.with_name("log.db-shm"))
        move(kept[0], path, kept[1], wal)
        await come_back(log, sqlite_place.url, 30)


async def test_an_old_copy_beside_the_right_write_ahead_log_is_whole_or_refused(
    sqlite_place, tmp_path
):
    path = Path(sqlite_path(sqlite_place.url))
    async with opened(sqlite_place.url) as log:
        await fill(log, 10)
    copy = shutil.copy(path, tmp_path / "old.db")
    async with opened(sqlite_place.url) as log:
        await fill(log, 20)
        move(path, tmp_path / "right.db")
        shutil.copy(copy, path)
        await lose(log, 30)
        await come_back(log, sqlite_place.url, 30)


async def test_a_deleted_write_ahead_log_is_noticed_and_nothing_is_lost(sqlite_place):
    path = Path(sqlite_path(sqlite_place.url))
    async with opened(sqlite_place.url) as log:
        await fill(log, 30)
        remove(path.with_name("log.db-wal"))
        await lose(log, 30)
        await come_back(log, sqlite_place.url, 30)


async def test_a_removed_folder_is_noticed_and_its_return_too(tmp_path):
    folder = tmp_path / "mounted"
    folder.mkdir()
    url = f"sqlite:///{folder / 'log.db'}"
    Journal.create(url, keys={"BA": KEY}, now=NOON)
    async with opened(url) as log:
        await fill(log, 5)
        move(folder, tmp_path / "unmounted")
        await lose(log, 6)
        move(tmp_path / "unmounted", folder)
        await come_back(log, url, 6)


async def test_a_locked_file_fails_the_appends_until_it_is_free(sqlite_place, monkeypatch):
    monkeypatch.setattr("audit.sqlite_store._BUSY_MS", 50)
    other = sqlite3.connect(sqlite_path(sqlite_place.url), isolation_level=None)
    async with opened(sqlite_place.url) as log:
        await fill(log, 5)
        other.execute("BEGIN IMMEDIATE")
        await lose(log, 5)
        await asyncio.sleep(0.5)
        assert not log.healthy
        other.execute("ROLLBACK")
        other.close()
        await come_back(log, sqlite_place.url, 5)


async def test_a_full_disk_fails_the_appends_until_there_is_room(sqlite_place):
    async with opened(sqlite_place.url) as log:
        await fill(log, 5)
        log._store._writing().execute("PRAGMA max_page_count = 1")
        with pytest.raises(LogUnavailableError, match="SQLITE_FULL"):
            await log.append([plain() for _ in range(100)])
        await come_back(log, sqlite_place.url, 5)


async def test_a_file_system_gone_read_only_fails_the_appends(sqlite_place):
    async with opened(sqlite_place.url) as log:
        await fill(log, 5)
        log._store._writing().execute("PRAGMA query_only = ON")
        with pytest.raises(LogUnavailableError, match="SQLITE_READONLY"):
            await log.append([plain()])
        await come_back(log, sqlite_place.url, 5)


async def test_a_file_removed_at_rest_is_noticed(sqlite_place, monkeypatch, tmp_path):
    monkeypatch.setattr("audit.sequencer.IDLE_CHECK", 0.02)
    path = Path(sqlite_path(sqlite_place.url))
    async with opened(sqlite_place.url) as log:
        move(path, tmp_path / "aside")
        await until(lambda: not log.healthy)
        move(tmp_path / "aside", path)
        await until(lambda: log.healthy)


async def test_a_defect_in_the_store_is_no_acknowledgement_and_no_hang(sqlite_place, monkeypatch):
    async with opened(sqlite_place.url) as log:
        with monkeypatch.context() as broken:
            broken.setattr("audit.sqlite_store._write", lambda _con, _batch: 1 / 0)
            with pytest.raises(LogUnavailableError, match="ZeroDivisionError"):
                await log.append([plain()])
        await come_back(log, sqlite_place.url, 0)


async def test_a_commit_of_unknown_outcome_is_read_back(sqlite_place, monkeypatch):
    """The flush succeeded and the answer got lost: refused, yet nothing is written twice."""
    async with opened(sqlite_place.url) as log:
        true = SqliteStore._commit

        def lost(store, batch):
            true(store, batch)
            monkeypatch.setattr(SqliteStore, "_commit", true)
            raise LogUnavailableError("the answer got lost")

        monkeypatch.setattr(SqliteStore, "_commit", lost)
        with pytest.raises(LogUnavailableError):
            await log.append([plain()])
        await until(lambda: log.healthy)
        assert log.size == 1
        await come_back(log, sqlite_place.url, 1)


def test_creating_leaves_a_whole_log_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "log.db"
    with monkeypatch.context() as broken:
        broken.setattr("audit.sqlite_store.SCHEMA", "CREATE TABLE a (b);\nno SQL at all")
        with pytest.raises(LogUnavailableError):
            Journal.create(f"sqlite:///{path}", keys={"BA": KEY}, now=NOON)
    assert list(tmp_path.iterdir()) == []
    Journal.create(f"sqlite:///{path}", keys={"BA": KEY}, now=NOON)
    assert [file.name for file in tmp_path.iterdir()] == ["log.db"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    with pytest.raises(LogUnavailableError, match="absent"):
        Journal.create(f"sqlite:///{tmp_path}/absent/log.db", keys={"BA": KEY}, now=NOON)
    assert list(tmp_path.iterdir()) == []


async def test_a_mistyped_path_makes_no_log(tmp_path):
    with pytest.raises(LogUnavailableError, match="there is no log at"):
        await open_journal(f"sqlite:///{tmp_path}/lgo.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_no_log_is_refused(tmp_path):
    path = tmp_path / "log.db"
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(AuditError):
        await open_journal(f"sqlite:///{path}")
    path.unlink()
    con = sqlite3.connect(path)
    con.execute("CREATE TABLE a (b)")
    con.close()
    with pytest.raises(LogCorruptError, match="is not a log"):
        await open_journal(f"sqlite:///{path}")
