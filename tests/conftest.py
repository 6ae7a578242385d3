# SPDX-License-Identifier: EUPL-1.2
"""The real servers as session fixtures; at the end of a run those used, and the seed of the dice.

Tests may run in several processes (`make test`). Each tells the first one which servers it used.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from tests.policies.seeds import NAME, seed
from tests.servers import used
from tests.servers.mariadb import mariadb
from tests.servers.postgres import durable_postgres, postgres

__all__ = [
    "durable_postgres",
    "mariadb",
    "postgres",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

_TOLD = "real servers"
_LONG = 1000
# Processes share the cores with real servers: how long an input takes to make says nothing.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


def pytest_configure():
    """The seed is thrown before any process of a parallel run starts."""
    seed()


@pytest.hookimpl(optionalhook=True)  # a hook of pytest-xdist, which need not be there
def pytest_testnodedown(node):
    """A process of a parallel run has ended: the servers that its tests talked to."""
    for name, version in getattr(node, "workeroutput", {}).get(_TOLD, {}).items():
        used.used(name, version)


def pytest_collection_modifyitems(config, items):
    """A parallel run begins with the files that take longest; within a file any order stays."""
    if not hasattr(config, "workerinput"):
        return
    weight = Counter()
    for item in items:
        weight[item.path] += _LONG if item.get_closest_marker("long") else 1
    items.sort(key=lambda item: -weight[item.path])


def pytest_sessionfinish(session):
    """A process of a parallel run tells the first one what it used."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_TOLD] = used.versions()


def pytest_terminal_summary(terminalreporter):
    """One line for each real server that a test of this run talked to, and the seed."""
    for line in used.lines():
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"dice of the equality tests and the fuzzing: {NAME}={seed()}")
