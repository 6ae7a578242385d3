# SPDX-License-Identifier: EUPL-1.2
"""A log's place in each kind of store, and a way to tamper with it behind the log's back."""

import contextlib
import sqlite3

import pytest

from audit import AuditLog
from tests.audit.making import ORIGIN, SIGNER
from tests.servers.used import used


class Place:
    """An address, and SQL run on it as a database administrator would."""

    def __init__(self, url, execute):
        self.url = url
        self.execute = execute

    def create(self):
        AuditLog.create(self.url, origin=ORIGIN, signer=SIGNER)
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


@pytest.fixture
def postgres_place(durable_postgres):
    """An empty log in a PostgreSQL database of its own."""
    database = durable_postgres.new_database("log")
    return Place(
        durable_postgres.url(database, driver=""),
        lambda *statements: durable_postgres.run(";\n".join(statements), database),
    ).create()


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
    return Place(server.url(server.new_database("log"), driver=""), None)
