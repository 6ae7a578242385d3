# SPDX-License-Identifier: EUPL-1.2
"""A log's place in each kind of store, and a way to tamper with it behind the log's back."""

import asyncio
import contextlib
import shutil
import sqlite3
import uuid
from pathlib import Path

import pytest

from tests.audit.making import create_empty, fill, new_sealer, opened, sealed
from tests.servers.used import used


class Place:
    """An address, and SQL run on it as a database administrator would."""

    def __init__(self, url, execute):
        self.url = url
        self.execute = execute

    def create(self):
        create_empty(self.url)
        return self


def _sqlite(folder):
    path = folder / "log.db"

    def execute(*statements):
        with contextlib.closing(sqlite3.connect(path)) as con:
            for statement in statements:
                con.execute(statement)
            con.commit()

    used("SQLite", sqlite3.sqlite_version)
    return Place(f"sqlite:///{path}", execute)


@pytest.fixture
def sqlite_place(tmp_path):
    """An empty log in a SQLite file."""
    return _sqlite(tmp_path).create()


@pytest.fixture(scope="session")
def log_database(durable_postgres):
    """One database for all logs of a run; each has a schema of its own."""
    return durable_postgres.new_database("logs")


def _postgres(server, database):
    schema = f"log_{uuid.uuid4().hex[:12]}"
    server.run(f"CREATE SCHEMA {schema}", database)

    def execute(*statements):
        server.run(";\n".join((f"SET search_path = {schema}", *statements)), database)

    return Place(f"{server.url(database, driver='')}&search_path={schema}", execute)


@pytest.fixture
def postgres_place(durable_postgres, log_database):
    """An empty log in a PostgreSQL schema of its own."""
    return _postgres(durable_postgres, log_database).create()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request):
    """An empty log in either store."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture(params=["sqlite", "postgres"])
def nowhere(request, tmp_path):
    """A place where no log was created."""
    if request.param == "sqlite":
        return _sqlite(tmp_path)
    server = request.getfixturevalue("durable_postgres")
    return _postgres(server, request.getfixturevalue("log_database"))


@pytest.fixture(scope="session")
def master(tmp_path_factory):
    """A log of 600 entries, the last with details, and its checkpoints on the way."""
    path = tmp_path_factory.mktemp("master") / "log.db"

    async def build():
        await asyncio.to_thread(create_empty, f"sqlite:///{path}")
        sealer = new_sealer()
        notes = []
        async with opened(f"sqlite:///{path}") as log:
            for count in (100, 200, 290):
                await fill(log, count)
                notes.append(await log.checkpoint())
            await log.append([sealed(sealer) for _ in range(10)])
            notes.append(await log.checkpoint())
        return notes

    return path, asyncio.run(build())


@pytest.fixture
def copy(master, tmp_path):
    """A copy to tamper with."""
    return Path(shutil.copy(master[0], tmp_path / "copy.db"))
