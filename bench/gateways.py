# SPDX-License-Identifier: EUPL-1.2
"""Whole gateways to measure: the tests' small house with larger registers, asked over bare ASGI.

Requests are handed to the ASGI application directly. A client's cost, which is the same on every
side and larger than the gateway's own, would hide what the benches are after.
"""

import asyncio
import io
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import asyncpg
import orjson

from gateway.app import create_app
from gateway.commands.token import STRONG
from gateway.facts import Attestation, Scope
from gateway.facts.attestation import attest
from gateway.identity import DevIssuer
from gateway.opening import open_gateway
from gateway.runtime import Runtime
from gateway.settings import load_settings
from gateway.store import Store
from policies import Truth
from tests.gateway.house import AUDIENCE, ISSUER, prepare
from tests.gateway.small import create_register, vocabulary

App = Callable[..., Awaitable[None]]
Send = Callable[[], Awaitable[None]]
_KEYS = ("id", "person")
_VARIED = (
    """UPDATE person SET t_date_of_birth =
    date('1955-01-01', '+' || (rowid * 7 % 18000) || ' days')""",
    """UPDATE persons SET biographic__date_of_birth =
    date('1955-01-01', '+' || (rowid * 7 % 18000) || ' days'),
    direct_identifier__surnames = 'Prezime ' || rowid,
    direct_identifier__forenames = 'Ime ' || (rowid % 977),
    document__doc_number = 'KN' || (rowid + 4000000),
    t_retain_until = date('2030-01-01', '+' || (rowid % 1500) || ' days')""",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's turn: requests, seconds of wall clock, seconds of this process's CPU."""

    requests: int
    wall: float
    cpu: float


async def post(app: App, path: str, body: bytes, token: str = "") -> Answer:
    """One POST of JSON, straight into the application."""
    headers = [
        (b"host", b"gateway.invalid"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if token:
        headers.append((b"authorization", b"Bearer " + token.encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 40000),
        "server": ("gateway.invalid", 80),
        "state": {},
    }
    status, parts = 0, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(status, b"".join(parts))


async def turn(send: Callable[[int], Awaitable[None]], requests: int, workers: int) -> Turn:
    """Let `workers` send requests one after another until there were `requests` of them."""
    numbers = iter(range(requests))

    async def work() -> None:
        for number in numbers:
            await send(number)

    wall, cpu = perf_counter(), process_time()
    await asyncio.gather(*(work() for _ in range(workers)))
    return Turn(requests, perf_counter() - wall, process_time() - cpu)


class Gateway:
    """An open gateway."""

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self.folder, self.runtime = folder, runtime
        self.app: App = create_app(runtime)
        self._issuer = DevIssuer(folder / "issuer", issuer=ISSUER, audience=AUDIENCE)

    def token(self, org: str, role: str) -> str:
        """A fresh access token, good for some minutes."""
        return self._issuer.issue(
            org=org,
            country=org.partition("-")[0],
            roles=(role,),
            officer="officer-1",
            acr=STRONG,
            auth_time=int(datetime.now(UTC).timestamp()),
        )

    async def attest(self, *facts: str, org: str) -> None:
        """Let facts about the question be true for an organisation."""
        now = datetime.now(UTC)
        start, end = now - timedelta(minutes=1), now + timedelta(hours=3)
        store = Store(f"sqlite:///{self.folder}/facts.sqlite", name="facts")
        scope = Scope(org=org)
        made = [Attestation(fact, Truth.TRUE, scope, start, end, "bench", "") for fact in facts]
        await attest(store, made)
        await store.close()
        await self.runtime.facts.refresh()

    async def ask(self, action: str, body: bytes, token: str) -> Answer:
        """One question."""
        return await post(self.app, f"/v1/{action}", body, token)


def prepared(folder: Path) -> Path:
    """A folder with all that a gateway keeps, and nine small registers."""
    prepare(folder, vocabulary().organisations)  # type: ignore[no-untyped-call]  # tests' own
    return folder


def change_settings(folder: Path, old: str, new: str) -> None:
    """Replace a text in the settings; it must be there."""
    path = folder / "cuvar.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new), encoding="utf-8")


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Gateway]:
    """The gateway of a prepared folder, running."""
    runtime = await open_gateway(load_settings(folder / "cuvar.toml"), io.BytesIO())
    async with runtime.running():
        yield Gateway(folder, runtime)


def person(number: int) -> str:
    """The reference of a person in a register made by `fill`."""
    return f"person-{number:09d}"


def fill(path: Path, persons: int) -> None:
    """A SQLite register of so many persons in the tests' plain schema, with the usual indexes.

    Names, dates and numbers differ, so that nothing can be remembered from one row to the next.
    """
    path.unlink(missing_ok=True)
    create_register(  # type: ignore[no-untyped-call]  # tests' own
        vocabulary(),  # type: ignore[no-untyped-call]  # tests' own
        path,
        [person(number) for number in range(persons)],
    )
    with closing(sqlite3.connect(path)) as connection:
        for line in (*_VARIED, *_indexes(connection)):
            connection.execute(line)
        connection.execute("ANALYZE")
        connection.commit()


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    names = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        for name in names
        if not name.startswith("sqlite_")
    }


def _indexes(connection: sqlite3.Connection) -> list[str]:
    made = []
    for name, columns in _tables(connection).items():
        for column in columns:
            if column in _KEYS or column.startswith("s_"):
                unique = "UNIQUE " if column == "id" else ""
                made.append(f"CREATE {unique}INDEX {name}_{column} ON {name} ({column})")
    return made


async def copy_to_postgres(path: Path, url: str) -> None:
    """The same tables, rows and indexes in an empty PostgreSQL database."""
    connection = await asyncpg.connect(url)
    try:
        with closing(sqlite3.connect(path)) as source:
            for name, columns in _tables(source).items():
                await connection.execute(
                    f"CREATE TABLE {name} ({', '.join(f'{c} text' for c in columns)})"
                )
                rows: Sequence[Any] = source.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608  our own names
                await connection.copy_records_to_table(name, records=rows, columns=columns)
            for line in _indexes(source):
                await connection.execute(line)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def json_body(question: dict[str, Any]) -> bytes:
    """A question as bytes."""
    return orjson.dumps(question)
