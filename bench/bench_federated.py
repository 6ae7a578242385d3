# SPDX-License-Identifier: EUPL-1.2
"""One question to nine registers: find at the hit view, all healthy and with one that hangs.

The sleeper's SQLite file is locked by another connection, so that its statements hang until they
are interrupted, as a register that takes two seconds does for everybody whose limit is shorter.
"First" are the questions until the breaker opens, "later" those while it is open, the probes in
between included. Time limits and breaker stand at their defaults. The bar of the first questions is
the time limit itself: a register gets nine tenths of it, the rest is for the entries. Austria asks
and its own rules know no hit view at home, so eight registers are fetched.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import orjson
import uvloop

from bench.figure import Figure, at_most
from bench.gateways import Gateway, change_settings, fill, json_body, opened, person, prepared
from tests.gateway.small import COUNTRIES

NAME = "federated"
PERSONS = 1_000
HEALTHY = 300
FIRST = 5  # failures in a row that open the breaker
LATER = 400
LIMIT_S = 0.3
SLEEPER = "ME"
OUT = Path(__file__).parent / "out"
OK = 200
QUESTION: dict[str, Any] = {
    "dataset": "registrations",
    "owners": list(COUNTRIES),
    "categories": ["record"],
    "view": "hit",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": "Bench: a reason of more than thirty characters",
}


async def _ask(gateway: Gateway, token: str, number: int) -> tuple[float, dict[str, str]]:
    """Milliseconds of one question, and each owner's status."""
    body = json_body({**QUESTION, "subject": {"doc_number": person(number % PERSONS)}})
    asked = perf_counter()
    answer = await gateway.ask("find", body, token)
    took = (perf_counter() - asked) * 1e3
    assert answer.status == OK, answer.body
    parts = orjson.loads(answer.body)["owners"]
    return took, {part["owner"]: part["status"] for part in parts}


async def _run(
    gateway: Gateway, token: str, questions: int
) -> tuple[list[float], list[dict[str, str]]]:
    found = [await _ask(gateway, token, number) for number in range(questions)]
    return [took for took, _ in found], [states for _, states in found]


@contextmanager
def _asleep(path: Path) -> Iterator[None]:
    """Nobody can read the file meanwhile."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


async def _measure(folder: Path) -> list[Figure]:
    async with opened(folder) as gateway:
        await gateway.attest("presence", "transfer_basis", org="AT-BP")
        token = gateway.token("AT-BP", "border_officer")
        _, states = await _run(gateway, token, 20)
        answering = sum(state == "answered" for state in states[-1].values())
        assert states[-1][SLEEPER] == "answered", states[-1]
        healthy, _ = await _run(gateway, token, HEALTHY)
        with _asleep(folder / f"region/registers/{SLEEPER}.sqlite"):
            first, slept = await _run(gateway, token, FIRST)
            later, open_states = await _run(gateway, token, LATER)
        assert {one[SLEEPER] for one in slept} == {"unavailable"}
        others = {s for one in open_states for owner, s in one.items() if owner != SLEEPER}
        assert "unavailable" not in others, others
        base = median(healthy)
        return [
            Figure("registers asked", float(len(states[-1])), "registers"),
            Figure("  that answer", float(answering), "registers"),
            Figure("all healthy, p50", base, "ms"),
            Figure("  p99", quantiles(healthy, n=100)[98], "ms"),
            Figure("  beyond the time limit", median(first) - LIMIT_S * 1e3, "ms"),
            at_most("one asleep, first questions, p50", median(first), "ms", LIMIT_S * 1e3),
            at_most("one asleep, breaker open, p50", median(later) / base, "x healthy", 3.0),
            Figure("  in milliseconds", median(later), "ms"),
            Figure("  p99", quantiles(later, n=100)[98], "ms"),
        ]


def run() -> list[Figure]:
    """Nine registers of 1,000 persons each, on the disk of bench/out."""
    with TemporaryDirectory(dir=OUT) as place:
        folder = prepared(Path(place) / "house")
        for country in COUNTRIES:
            fill(folder / f"region/registers/{country}.sqlite", PERSONS)
        change_settings(folder, "timeout_s = 5.0", f"timeout_s = {LIMIT_S}")
        return uvloop.run(_measure(folder))
