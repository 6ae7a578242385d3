# SPDX-License-Identifier: EUPL-1.2
"""The key holder as an ASGI application: two addresses and nothing else.

    POST <prefix>/v1/evaluate/<epoch>   blinded elements in, evaluated ones out (RFC 9497)
    GET  <prefix>/health                open quarters, how many nations; nothing about anybody

A nation shows its token; its elements are counted against its hour before any is evaluated. What is
sent is never written anywhere. docs/formats/keyholder.md. `gateway.commands.keyholder` serves it.
"""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from anonymise import AnonymiseError
from anonymise.errors import ElementError
from anonymise.linkage.oprf import AT_ONCE, ELEMENT_BYTES, evaluate
from gateway.keyholder.errors import KeyHolderError
from gateway.keyholder.folder import KeyHolderFolder
from gateway.keyholder.memory import Memory
from gateway.web.small import (
    Receive,
    Scope,
    Send,
    TooLargeError,
    TooSlowError,
    live,
    read_body,
    respond,
)

BODY_S: Final = 10.0
MOST_ELEMENTS: Final = 1_024
PER_HOUR: Final = 200_000
_EVALUATE: Final = re.compile(r"/v1/evaluate/([0-9]{4}q[1-4])")
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_JSON: Final = "application/json"
_BUSY_S: Final = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body."""

    status: int
    body: bytes
    content_type: str = _TEXT
    retry_s: int = 0


class _RefusedError(Exception):
    """A request that is not evaluated; never leaves this module."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class KeyHolderApp:
    """The application.

    Args:
        folder: Keys, read at each request: a quarter that was closed answers no more.
        memory: Nations and what they spent.
        now: POSIX seconds.
        per_hour: Elements that a nation may have blinded in an hour.
        prefix: Path before every address, without a slash at its end.
        tell: Takes a line for the operator.
    """

    def __init__(
        self,
        folder: KeyHolderFolder,
        memory: Memory,
        now: Callable[[], float],
        *,
        per_hour: int = PER_HOUR,
        prefix: str = "",
        tell: Callable[[str], None],
    ) -> None:
        self._folder, self._memory, self._now = folder, memory, now
        self._per_hour, self._prefix, self._tell = per_hour, prefix, tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "lifespan":
            await live(receive, send)
        elif scope["type"] == "http":
            await _respond(send, scope, await self._answer(scope, receive))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._route(scope, receive)
        except _RefusedError as refused:
            return refused.answer
        except (KeyHolderError, AnonymiseError) as error:
            self._tell(str(error))
            return Answer(
                503, b"the key holder can't answer now; try again later\n", retry_s=_BUSY_S
            )

    async def _route(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if not path.startswith(f"{self._prefix}/"):
            return _NOT_FOUND
        path = path[len(self._prefix) :]
        if path == "/health":
            _allow(method, "GET", "HEAD")
            return await asyncio.to_thread(self._health)
        named = _EVALUATE.fullmatch(path)
        if named is None:
            return _NOT_FOUND
        _allow(method, "POST")
        nation = await asyncio.to_thread(self._nation, scope)
        elements = _elements(await _body(scope, receive))
        return await asyncio.to_thread(self._evaluated, nation, named[1], elements)

    def _nation(self, scope: Scope) -> str:
        """Who asks, before anything of the body is read."""
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        kind, _, text = shown[0].partition(b" ") if len(shown) == 1 else (b"", b"", b"")
        try:
            token = base64.b64decode(text, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            token = b""
        nation = self._memory.who(token) if kind.lower() == b"bearer" else None
        if nation is None:
            raise _RefusedError(_UNKNOWN)
        return nation

    def _evaluated(self, nation: str, epoch: str, elements: list[bytes]) -> Answer:
        key = self._folder.key(epoch)
        if key is None:
            return Answer(404, b"this quarter is not open here; see /health\n")
        wait = self._memory.spend(nation, len(elements), self._per_hour, int(self._now()))
        if wait:
            return Answer(429, b"this hour's elements are spent; wait\n", retry_s=wait)
        try:
            done = [evaluate(key, element) for element in elements]
        except ElementError:
            return Answer(400, b"an element is none of ristretto255; blind again\n")
        return Answer(200, b"".join(done), _BYTES)

    def _health(self) -> Answer:
        told = {
            "status": "ok",
            "epochs": self._folder.epochs(),
            "nations": len(self._memory.nations()),
            "most_elements": MOST_ELEMENTS,
            "per_hour": self._per_hour,
        }
        return Answer(200, json.dumps(told).encode() + b"\n", _JSON)


_NOT_FOUND: Final = Answer(404, b"there is nothing at this address\n")
_UNKNOWN: Final = Answer(401, b"show the token of a nation that is admitted here\n")
_TOO_LARGE: Final = Answer(413, b"a request has at most 1024 elements of 32 bytes\n")
_TOO_SLOW: Final = Answer(408, b"the request did not arrive in time\n")
_UNEVEN: Final = Answer(400, b"a request has a multiple of 16 elements of 32 bytes, at least 16\n")


def _allow(method: str, *methods: str) -> None:
    if method not in methods:
        raise _RefusedError(Answer(405, f"use {methods[0]} here\n".encode()))


def _elements(body: bytes) -> list[bytes]:
    if not body or len(body) % (ELEMENT_BYTES * AT_ONCE):
        raise _RefusedError(_UNEVEN)
    return [body[at : at + ELEMENT_BYTES] for at in range(0, len(body), ELEMENT_BYTES)]


async def _body(scope: Scope, receive: Receive) -> bytes:
    try:
        return await read_body(scope, receive, MOST_ELEMENTS * ELEMENT_BYTES, BODY_S)
    except TooLargeError:
        raise _RefusedError(_TOO_LARGE) from None
    except TooSlowError:
        raise _RefusedError(_TOO_SLOW) from None


async def _respond(send: Send, scope: Scope, answer: Answer) -> None:
    more = []
    if answer.retry_s:
        more.append((b"retry-after", str(answer.retry_s).encode()))
    if answer.status == _UNKNOWN.status:
        more.append((b"www-authenticate", b"Bearer"))
    if answer.status in (401, 405, 408, 413):
        more.append((b"connection", b"close"))
    await respond(send, scope, answer.status, answer.content_type, answer.body, more)
