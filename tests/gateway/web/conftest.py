# SPDX-License-Identifier: EUPL-1.2
"""A small application behind the real edge on a real port, for the tests of this folder."""

import asyncio
import io
import json
from contextlib import asynccontextmanager

import pytest
import structlog
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from gateway.correlation import correlation_of
from gateway.logs import open_log
from gateway.metrics import Metrics
from gateway.problem_handlers import install_problem_handlers
from gateway.signals import SignalFields, Words
from gateway.tracing import NATIVE_TELEMETRY_OFF
from gateway.web.drain import Drain
from gateway.web.edge import Edge, EdgeLimits
from gateway.web.routes import route_templates

LIMIT = 2_000


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    surnames: str
    count: int = 0


class House:
    """A small application behind the edge, its log and metrics, on a real port."""

    def __init__(self, timeout_s=30.0, *, https=True):
        self.release, self.running = asyncio.Event(), asyncio.Event()
        self.seen = []
        self.app = self._application()
        self.stream = io.BytesIO()
        fields = SignalFields(Words(routes=route_templates(self.app)))
        self.metrics = Metrics(fields)
        self.drain = Drain()
        self.log = open_log(self.stream, fields, level="debug", on_drop=self.metrics.dropped)
        self.edge = Edge(
            self.app,
            limits=EdgeLimits(LIMIT, timeout_s, https),
            drain=self.drain,
            log=self.log,
            metrics=self.metrics,
        )

    def _application(self):
        app = FastAPI(telemetry=NATIVE_TELEMETRY_OFF, redirect_slashes=False)
        install_problem_handlers(app, {})

        @app.post("/echo")
        async def echo(request: Request) -> Response:
            self.seen.append(await request.body())
            return Response(
                correlation_of(request.scope),
                headers={"server": "secret/1", "cache-control": "private"},
            )

        @app.post("/wait")
        async def wait() -> Response:
            self.running.set()
            await self.release.wait()
            return Response(b"done")

        @app.post("/find")
        async def find(question: Question) -> Response:
            if question.count < 0:
                raise ValueError(question.surnames)
            return Response(b"{}", media_type="application/json")

        @app.post("/fail")
        async def fail() -> Response:
            raise ValueError("canary")

        @app.post("/slow-inside")
        async def slow_inside() -> Response:
            raise TimeoutError("canary")

        return app

    @asynccontextmanager
    async def served(self):
        config = uvicorn.Config(
            self.edge, port=0, log_config=None, access_log=False, server_header=False, ws="none"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has a flag and no event
            await asyncio.sleep(0.005)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.release.set()
            server.should_exit = True
            await task

    async def send(self, *parts):
        """One connection: the raw bytes in parts, then status, headers and body of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        writer.close()
        await writer.wait_closed()
        return int(head[0].split()[1]), headers, body

    async def post(self, path, body=b"", *headers):
        head = [f"POST {path} HTTP/1.1", "host: gateway", f"content-length: {len(body)}", *headers]
        return await self.send("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def make_house():
    yield House
    structlog.reset_defaults()


@pytest.fixture
async def house(make_house):
    async with make_house().served() as house:
        yield house
