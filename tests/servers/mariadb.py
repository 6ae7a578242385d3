# SPDX-License-Identifier: EUPL-1.2
"""A real MariaDB, Debian's, on a data directory, socket and loopback port of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.account import as_server, server_directory
from tests.servers.used import used

INSTALL_LINE = (
    "MariaDB for the tests is missing: apt-get install --no-install-recommends mariadb-server"
)
_WAIT_S = 60


@dataclass
class MariadbServer:
    """A running server, reached by socket (the client) and by loopback port (the gateway)."""

    program: str
    home: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.home / "m.sock"

    def url(self, database: str, driver: str = "+asyncmy") -> str:
        """A SQLAlchemy URL over the loopback port."""
        return f"mariadb{driver}://cuvar:cuvar@127.0.0.1:{self.port}/{database}?charset=utf8mb4"

    def new_database(self, label: str = "db") -> str:
        """Creates an empty database with a fresh name and gives its name."""
        name = f"{label}_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        return name

    def run(self, sql: str, database: str = "") -> str:
        """Runs SQL text through the client; raises on the first error."""
        client = shutil.which("mariadb") or "mysql"
        command = [client, f"--socket={self.socket}", "-uroot", "-N", "-B"]
        done = subprocess.run(
            [*command, "--default-character-set=utf8mb4", *([database] if database else [])],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        command = [
            self.program,
            "--no-defaults",
            f"--datadir={self.home / 'data'}",
            f"--socket={self.socket}",
            f"--port={self.port}",
            f"--pid-file={self.home / 'pid'}",
            f"--log-error={self.home / 'log'}",
            *("--bind-address=127.0.0.1", "--skip-log-bin", "--skip-name-resolve"),
            *("--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M"),
            *("--character-set-server=utf8mb4", "--performance-schema=OFF"),
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_server()
        )
        deadline = time.monotonic() + _WAIT_S
        while not self._answers():
            log = self.home / "log"
            told = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            assert self._process.poll() is None, f"MariaDB did not start: {told}"
            assert time.monotonic() < deadline, f"MariaDB did not answer in {_WAIT_S} s: {told}"
            time.sleep(0.05)

    def stop(self) -> None:
        """Kills the server, as a pulled plug would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        client = shutil.which("mariadb-admin") or "mysqladmin"
        done = subprocess.run(
            [client, f"--socket={self.socket}", "-uroot", "--connect-timeout=1", "ping"],
            check=False,
            capture_output=True,
        )
        return done.returncode == 0


def server_program() -> str | None:
    """The server's program; None when MariaDB is not installed."""
    for name in ("mariadbd", "mysqld"):
        found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if found:
            return found
    return None


@contextmanager
def running_mariadb() -> Iterator[MariadbServer]:
    """A new data directory, started, with an account `cuvar`; removed at the end."""
    program = server_program()
    assert program is not None, INSTALL_LINE
    home = server_directory("my")
    try:
        _create(home)
        server = MariadbServer(program, home, _free_port())
        server.start()
        try:
            server.run(
                "CREATE USER cuvar@'127.0.0.1' IDENTIFIED BY 'cuvar';"
                "GRANT ALL ON *.* TO cuvar@'127.0.0.1'; FLUSH PRIVILEGES;"
            )
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _create(home: Path) -> None:
    creator = shutil.which("mariadb-install-db") or shutil.which("mysql_install_db")
    assert creator is not None, INSTALL_LINE
    done = subprocess.run(
        [
            creator,
            "--no-defaults",
            f"--datadir={home / 'data'}",
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ],
        check=False,
        capture_output=True,
        text=True,
        **as_server(),
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """One MariaDB for the whole run; take a database of your own with `new_database`."""
    with running_mariadb() as server:
        used("MariaDB", server.run("SELECT version()"))
        yield server
