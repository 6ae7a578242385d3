# SPDX-License-Identifier: EUPL-1.2
"""The real servers as session fixtures, and at the end of a run the list of those used."""

from __future__ import annotations

from tests.servers import used
from tests.servers.mariadb import mariadb
from tests.servers.postgres import durable_postgres, postgres

__all__ = ["durable_postgres", "mariadb", "postgres", "pytest_terminal_summary"]


def pytest_terminal_summary(terminalreporter):
    """One line for each real server that a test of this run talked to."""
    for line in used.lines():
        terminalreporter.write_line(line)
