# SPDX-License-Identifier: EUPL-1.2
"""One pure-ASGI wrapper around the whole application, so that nothing escapes it.

For each request, in this order: a server-made correlation id; 503 while draining; the body
limit, for a declared length and for chunks alike; the time limit; security headers; one log line
and one count, by route template. An exception that escapes the application ends here: it is told
by class and place, and the client gets `internal`.

One wrapper instead of six: each layer costs an object and a coroutine per message, and what a
request may do is readable in one place (ADR 0017).
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.correlation import CORRELATION_HEADER, SCOPE_KEY, new_correlation
from gateway.logs import Event, EventLog
from gateway.metrics import Metrics
from gateway.problems import Problem, problem_response
from gateway.web.drain import Drain
from gateway.web.routes import route_template

__all__ = ["Edge", "EdgeLimits"]

_RETRY_S = 5
_SERVER_ERROR = 500
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_CORRELATION = CORRELATION_HEADER.encode()


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What one request may take: bytes of body, seconds, and whether TLS stands in front."""

    max_body_bytes: int
    request_timeout_s: float
    https: bool


class _BodyTooLargeError(Exception):
    """Raised into the application when it reads past the limit; never leaves the edge."""


class Edge:
    """The application as the world sees it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: EdgeLimits,
        drain: Drain,
        log: EventLog,
        metrics: Metrics,
    ) -> None:
        self.app = app
        self._limits = limits
        self._drain = drain
        self._log = log
        self._metrics = metrics
        self._headers = (*_HEADERS, _HSTS) if limits.https else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection. Lifespan passes through; websockets are refused."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        correlation = new_correlation()
        scope[SCOPE_KEY] = correlation
        exchange = _Exchange(
            scope, receive, send, self._limits.max_body_bytes,
            (*self._headers, (_CORRELATION, correlation.encode())),
        )  # fmt: skip
        if not self._drain.enter():
            await exchange.answer(Problem.NOT_READY)
            self._told(scope, exchange, started, correlation)
            return
        try:
            await self._bounded(scope, exchange, correlation)
        finally:
            self._drain.leave()
            self._told(scope, exchange, started, correlation)

    async def _bounded(self, scope: Scope, exchange: "_Exchange", correlation: str) -> None:
        if exchange.declares_too_much():
            await exchange.answer(Problem.QUESTION_TOO_LARGE)
            return
        limit = asyncio.timeout(self._limits.request_timeout_s)
        try:
            async with limit:
                await self.app(scope, exchange.receive, exchange.send)
        except TimeoutError as error:
            if not limit.expired():
                await self._unexpected(exchange, error, correlation)
                return
            self._log.warning(Event.TIMED_OUT, correlation=correlation)
            await exchange.answer(Problem.TIMED_OUT)
        except Exception as error:  # noqa: BLE001 - the last border: nothing may pass it
            if exchange.too_large:
                await exchange.answer(Problem.QUESTION_TOO_LARGE)
            else:
                await self._unexpected(exchange, error, correlation)
        else:
            if exchange.too_large:
                await exchange.answer(Problem.QUESTION_TOO_LARGE)

    async def _unexpected(self, exchange: "_Exchange", error: Exception, correlation: str) -> None:
        self._log.error(Event.UNEXPECTED, correlation=correlation, error=error)
        await exchange.answer(Problem.INTERNAL)

    def _told(self, scope: Scope, exchange: "_Exchange", started: float, correlation: str) -> None:
        seconds = time.perf_counter() - started
        route = route_template(scope)
        method = scope["method"]
        status = exchange.status
        self._metrics.request(route, method, status, seconds)
        self._log.info(
            Event.REQUEST,
            correlation=correlation,
            route=route,
            method=method,
            status=status,
            duration_ms=seconds * 1_000,
        )


class _Exchange:
    """One request's receive and send, counted and completed."""

    __slots__ = (
        "_headers", "_limit", "_read", "_receive", "_scope", "_send",
        "_started", "status", "too_large",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limit: int,
        headers: tuple[tuple[bytes, bytes], ...],
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limit = limit
        self._headers = headers
        self._read = 0
        self._started = False
        self.too_large = False
        self.status = 0

    def declares_too_much(self) -> bool:
        """Whether Content-Length is over the limit, or no number (then it is not believed)."""
        for name, value in self._scope["headers"]:
            if name == b"content-length":
                return not value.isdigit() or int(value[:20]) > self._limit
        return False

    async def receive(self) -> Message:
        """The next part of the request, while the body stays within the limit."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._limit:
                self.too_large = True
                raise _BodyTooLargeError
        return message

    async def send(self, message: Message) -> None:
        """The next part of the answer, with the edge's headers; nothing after an overlong body."""
        if self.too_large and not self._started:
            return
        if message["type"] == "http.response.start":
            self._started = True
            self.status = message["status"]
            message = {**message, "headers": self._completed(message.get("headers", ()))}
        await self._send(message)

    async def answer(self, problem: Problem) -> None:
        """Answer for the application, unless it has begun to."""
        if self._started:
            return
        self.too_large = False
        headers = {"connection": "close"}
        if problem.value.status > _SERVER_ERROR:
            headers["retry-after"] = str(_RETRY_S)
        response = problem_response(problem, correlation=self._scope[SCOPE_KEY], headers=headers)
        await response(self._scope, self._receive, self.send)

    def _completed(self, headers: Any) -> list[tuple[bytes, bytes]]:
        own = [pair for pair in headers if pair[0] != b"server"]
        present = {name for name, _ in own}
        own += [pair for pair in self._headers if pair[0] not in present]
        return own
