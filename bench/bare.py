# SPDX-License-Identifier: EUPL-1.2
"""What a team would write without governance: FastAPI, SQLAlchemy Core, one SELECT, JSON out.

Made as quick as it can be kept ordinary (performance reference, section 1): Core instead of the
ORM, AUTOCOMMIT, async asyncpg for PostgreSQL and FastAPI's threads for SQLite, orjson bytes in a
plain Response, telemetry off. Twice: once with the SELECT that the governed view runs, and once
("narrow") without the columns that only the rules need, which no answer shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.responses import Response

from gateway.tracing import NATIVE_TELEMETRY_OFF


class Reference(BaseModel):
    """One record."""

    kind: str
    ref: str


class Question(BaseModel):
    """The same members as a governed question."""

    dataset: str
    owners: list[str]
    categories: list[str] = []
    view: str
    purpose: str
    basis: str
    case_no: str | None = None
    reason: str | None = None
    reference: Reference | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read of the record's table and of the person's, which is joined."""

    record: Sequence[str]
    person: Sequence[str]


def _statements(columns: Columns) -> tuple[sa.Select[Any], sa.Select[Any]]:
    names = ["id", "person", *columns.record]
    record = sa.table("persons", *(sa.column(name, sa.Text) for name in names))
    person = sa.table("person", *(sa.column(name, sa.Text) for name in ("id", *columns.person)))
    both = record.outerjoin(person, person.c.id == record.c.person)
    own = [person.c[name] for name in columns.person]
    base = sa.select(*record.c, *own).select_from(both).order_by(record.c.id)
    one = base.where(record.c.person == sa.bindparam("ref")).limit(31)
    return one, base.limit(sa.bindparam("limit", type_=sa.Integer))


def _app() -> FastAPI:
    return FastAPI(telemetry=NATIVE_TELEMETRY_OFF, openapi_url=None)


def _answer(rows: Sequence[Any]) -> Response:
    body = orjson.dumps({"rows": [dict(row) for row in rows]})
    return Response(body, media_type="application/json")


def on_postgres(url: str, columns: Columns) -> tuple[FastAPI, AsyncEngine]:
    """The bare application on PostgreSQL; `url` is SQLAlchemy's with +asyncpg."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", pool_size=16)
    one, page = _statements(columns)
    app = _app()

    async def read(asked: Question) -> Response:
        assert asked.reference is not None
        async with engine.connect() as connection:
            found = await connection.execute(one, {"ref": asked.reference.ref})
            return _answer(found.mappings().all())

    async def listed(asked: Question) -> Response:
        async with engine.connect() as connection:
            found = await connection.execute(page, {"limit": asked.limit})
            return _answer(found.mappings().all())

    app.add_api_route("/read", read, methods=["POST"], response_model=None)
    app.add_api_route("/list", listed, methods=["POST"], response_model=None)
    return app, engine


def on_sqlite(path: str, columns: Columns) -> tuple[FastAPI, sa.Engine]:
    """The bare application on a SQLite file."""
    engine = sa.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", pool_size=16)
    one, page = _statements(columns)
    app = _app()

    def read(asked: Question) -> Response:
        assert asked.reference is not None
        with engine.connect() as connection:
            found = connection.execute(one, {"ref": asked.reference.ref})
            return _answer(found.mappings().all())

    def listed(asked: Question) -> Response:
        with engine.connect() as connection:
            found = connection.execute(page, {"limit": asked.limit})
            return _answer(found.mappings().all())

    app.add_api_route("/read", read, methods=["POST"], response_model=None)
    app.add_api_route("/list", listed, methods=["POST"], response_model=None)
    return app, engine
