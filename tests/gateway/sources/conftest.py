# SPDX-License-Identifier: EUPL-1.2
"""Three small registers on real servers: PostgreSQL, MariaDB, SQLite, each in its own language.

They hold the same six people, so one suite asks all three. Person 3's retention is over.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.sources import Limits, open_source
from tests.servers.used import used

_HERE = Path(__file__).parent / "registers"
PATIENT = Limits(timeout_s=20.0, tabulate_s=20.0)


@dataclass(frozen=True)
class Register:
    """One register: where it is, its mapping, and what its own language says."""

    country: str
    url: str
    mapping: Path
    run: Any
    """runs SQL against it"""

    def open(self, limits=PATIENT, **options):
        return open_source(self.country, self.url, self.mapping, limits, **options)


def _macedonia(server) -> Register:
    database = server.new_database("mk")
    server.run((_HERE / "macedonia.sql").read_text(), database)
    mapping = _HERE / "macedonia.yaml"
    return Register("MK", server.url(database), mapping, lambda sql: server.run(sql, database))


def _greece(server) -> Register:
    database = server.new_database("gr")
    server.run((_HERE / "greece.sql").read_text(), database)
    mapping = _HERE / "greece.yaml"
    return Register("GR", server.url(database), mapping, lambda sql: server.run(sql, database))


def _albania(folder: Path) -> Register:
    used("SQLite", sqlite3.sqlite_version)
    file = folder / "regjistri.db"

    def run(sql):
        connection = sqlite3.connect(file)
        connection.executescript(sql)
        connection.close()

    run((_HERE / "albania.sql").read_text())
    return Register("AL", f"sqlite:///{file}", _HERE / "albania.yaml", run)


@pytest.fixture(scope="session", params=["PostgreSQL", "MariaDB", "SQLite"])
def register(request):
    """Each of the three, not to be changed."""
    if request.param == "PostgreSQL":
        return _macedonia(request.getfixturevalue("postgres"))
    if request.param == "MariaDB":
        return _greece(request.getfixturevalue("mariadb"))
    return _albania(request.getfixturevalue("tmp_path_factory").mktemp("al"))


@pytest.fixture(params=["PostgreSQL", "MariaDB", "SQLite"])
def own_register(request, tmp_path):
    """Each of the three, new for this test, to break."""
    if request.param == "PostgreSQL":
        return _macedonia(request.getfixturevalue("postgres"))
    if request.param == "MariaDB":
        return _greece(request.getfixturevalue("mariadb"))
    return _albania(tmp_path)


@pytest.fixture
def make_macedonia():
    """Makes the register on a server of the test's own."""
    return _macedonia


@pytest.fixture
def make_greece():
    """Makes the register on a server of the test's own."""
    return _greece


@pytest.fixture
def macedonia(postgres):
    return _macedonia(postgres)


@pytest.fixture
def greece(mariadb):
    return _greece(mariadb)


@pytest.fixture
def albania(tmp_path):
    return _albania(tmp_path)


@pytest.fixture
async def source(register):
    opened = register.open()
    yield opened
    await opened.close()


@pytest.fixture
def today():
    return date(2026, 11, 24)
