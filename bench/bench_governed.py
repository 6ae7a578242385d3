# SPDX-License-Identifier: EUPL-1.2
"""Governed against bare: what token, rules, treatment and the durable entry cost.

Both applications run in this process and are called over ASGI without a client in between, on the
same registers (20,000 persons; PostgreSQL over its socket, and a SQLite file). The gateway's log is
a SQLite file on the disk of bench/out and every answer waits for its entry's flush. Sides take
turns and each round starts with the other side; the figure is the median of the rounds' ratios,
because neighbours disturb both sides of a round alike and rounds unlike. The bare side is as quick
as it can be kept ordinary: see `bench.bare`. It runs the same SELECT; a narrower one, without the
columns that only the rules read, is shown beside it.
"""

import os
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import orjson
import uvloop

from bench import bare
from bench.figure import Figure, at_least, at_most
from bench.gateways import (
    Answer,
    App,
    Gateway,
    Turn,
    change_settings,
    copy_to_postgres,
    fill,
    json_body,
    opened,
    person,
    post,
    prepared,
    turn,
)
from bench.machine import flush_ms
from tests.gateway.small import vocabulary
from tests.servers.postgres import running_postgres

NAME = "governed"
PERSONS = 20_000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))
OUT = Path(__file__).parent / "out"
REASON = "Bench: a reason of more than thirty characters"
OK = 200
SIDES = ("bare", "governed", "narrow")
# What the rules of the asked question need of each record; the gateway reads it in one SELECT.
TRAITS_OF_RECORD = ("provenance", "retain_until")
TRAITS_OF_PERSON = (
    "nationalities",
    "habitual_residence",
    "declared_persecutor",
    "blocked",
    "naturalised",
)

READ: dict[str, Any] = {
    "dataset": "persons",
    "owners": ["BA"],
    "categories": ["direct_identifier", "biographic", "document"],
    "view": "full",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": REASON,
}
LIST: dict[str, Any] = {
    "dataset": "persons",
    "owners": ["BA"],
    "categories": ["direct_identifier", "biographic", "document"],
    "view": "full",
    "purpose": "asylum_procedure",
    "basis": "EUR-01",
    "case_no": "A-1",
    "reason": REASON,
    "limit": 50,
}


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked, how often in one turn, by how many at once, and the bar of the ratio."""

    label: str
    action: str
    requests: int
    workers: int
    bar: float | None


JOBS = (
    Job("one record, 16 at once", "read", 480, 16, 0.80),
    Job("page of 50, 16 at once", "list", 128, 16, 0.95),
    Job("one record, alone", "read", 60, 1, None),
    Job("page of 50, alone", "list", 40, 1, None),
)


@dataclass(slots=True)
class Stopwatch:
    """Around the log: how long each answer waited for its entry."""

    append: Callable[..., Awaitable[Any]]
    waited: list[float] = field(default_factory=list)

    async def __call__(self, entries: Any) -> Any:
        """As AuditLog.append."""
        asked = perf_counter()
        try:
            return await self.append(entries)
        finally:
            self.waited.append(perf_counter() - asked)


@dataclass(slots=True)
class Sides:
    """The two applications on one register."""

    gateway: Gateway
    bare: Mapping[str, App]
    stopwatch: Stopwatch

    async def take(self, job: Job, side: str) -> Turn:
        """One side's turn; tokens are fresh and caches warm."""
        draw = random.Random(7)  # noqa: S311  the same persons on both sides
        bodies = [_body(job.action, draw) for _ in range(job.requests)]
        role = "border_officer" if job.action == "read" else "asylum_officer"
        token = self.gateway.token("BA-BP" if job.action == "read" else "BA-AS", role)

        async def ask(body: bytes) -> Answer:
            if side == "governed":
                return await self.gateway.ask(job.action, body, token)
            return await post(self.bare[side], f"/{job.action}", body)

        async def send(number: int) -> None:
            answer = await ask(bodies[number])
            assert answer.status == OK, answer.body

        _check(job, side, await ask(bodies[0]))
        return await turn(send, job.requests, job.workers)


def _body(action: str, draw: random.Random) -> bytes:
    if action == "list":
        return json_body(LIST)
    reference = {"kind": "person", "ref": person(draw.randrange(PERSONS))}
    return json_body({**READ, "reference": reference})


def _check(job: Job, side: str, answer: Answer) -> None:
    """Both sides must answer the same rows."""
    assert answer.status == OK, answer.body
    found = orjson.loads(answer.body)
    rows = found["rows"] if side != "governed" else found["owners"][0]["results"][0]["rows"]
    assert len(rows) == (1 if job.action == "read" else LIST["limit"])


async def _measured(label: str, sides: Sides) -> list[Figure]:
    figures = []
    for job in JOBS:
        ratios, flushes = [], []
        turns: dict[str, list[Turn]] = {side: [] for side in SIDES}
        sides.stopwatch.waited.clear()
        order = list(SIDES)
        for _ in range(ROUNDS):
            taken = {}
            for side in order:
                taken[side] = await sides.take(job, side)
                turns[side].append(taken[side])
            order.append(order.pop(0))
            ratios.append(taken["bare"].wall / taken["governed"].wall)
            if job.workers == 1:
                flushes.append(flush_ms(OUT))
        figures += _told(f"{label}, {job.label}", job, turns, ratios)
        if job.workers == 1:
            waited, flush = median(sides.stopwatch.waited) * 1e3, median(flushes)
            figures += [
                Figure("  flush, between the rounds", flush, "ms"),
                at_most("  the log's added latency", waited / flush, "flushes", 2.0),
            ]
    return figures


def _told(label: str, job: Job, turns: dict[str, list[Turn]], ratios: list[float]) -> list[Figure]:
    ratio = median(ratios)
    first = f"{label}: governed/bare throughput"
    figures = [
        Figure(first, ratio, "x") if job.bar is None else at_least(first, ratio, "x", job.bar)
    ]
    cpu = [b.cpu / g.cpu for g, b in zip(turns["governed"], turns["bare"], strict=True)]
    figures.append(Figure("  the same by CPU", median(cpu), "x"))
    narrow = [b.wall / g.wall for g, b in zip(turns["governed"], turns["narrow"], strict=True)]
    figures.append(Figure("  governed/narrow throughput", median(narrow), "x"))
    for side in SIDES:
        each = [one.cpu / one.requests * 1e6 for one in turns[side]]
        figures.append(Figure(f"  {side}, CPU", median(each), "us/request"))
        rate = [one.requests / one.wall for one in turns[side]]
        figures.append(Figure(f"  {side}", median(rate), "/s"))
    return figures


async def _sides(stack: AsyncExitStack, folder: Path, apps: Mapping[str, App]) -> Sides:
    gateway = await stack.enter_async_context(opened(folder))
    await gateway.attest("presence", org="BA-BP")
    await gateway.attest("case_number", org="BA-AS")
    watch = Stopwatch(gateway.runtime.log.append)
    gateway.runtime.log.append = watch  # type: ignore[method-assign]  # a stopwatch around it
    return Sides(gateway, apps, watch)


def _columns() -> dict[str, bare.Columns]:
    """What the two bare sides read: with and without what only the rules need."""
    categories = vocabulary().datasets["persons"].categories  # type: ignore[no-untyped-call]
    shown = [
        one.id.replace(".", "__")
        for category in READ["categories"]
        for one in categories[category].fields.values()
    ]
    record = [f"t_{name}" for name in TRAITS_OF_RECORD]
    person = ["surrogate", *(f"t_{name}" for name in TRAITS_OF_PERSON)]
    return {"bare": bare.Columns([*shown, *record], person), "narrow": bare.Columns(shown, ())}


async def _on_sqlite(folder: Path) -> list[Figure]:
    path = folder / "region/registers/BA.sqlite"
    async with AsyncExitStack() as stack:
        apps = {}
        for side, columns in _columns().items():
            apps[side], engine = bare.on_sqlite(str(path), columns)
            stack.callback(engine.dispose)
        return await _measured("SQLite", await _sides(stack, folder, apps))


async def _on_postgres(folder: Path, url: str) -> list[Figure]:
    path = folder / "region/registers/BA.sqlite"
    await copy_to_postgres(path, url.replace("+asyncpg", ""))
    change_settings(folder, "sqlite:///region/registers/BA.sqlite", url)
    async with AsyncExitStack() as stack:
        apps = {}
        for side, columns in _columns().items():
            apps[side], engine = bare.on_postgres(url, columns)
            stack.push_async_callback(engine.dispose)
        return await _measured("PostgreSQL", await _sides(stack, folder, apps))


def run() -> list[Figure]:
    """Measure on the disk that holds bench/out."""
    with TemporaryDirectory(dir=OUT) as place:
        folder = prepared(Path(place) / "house")
        fill(folder / "region/registers/BA.sqlite", PERSONS)
        figures = uvloop.run(_on_sqlite(folder))
        with running_postgres(durable=True) as server:
            url = server.url(server.new_database("bench"))
            figures += uvloop.run(_on_postgres(folder, url))
        return figures
