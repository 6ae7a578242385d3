# SPDX-License-Identifier: EUPL-1.2
"""The witness as an ASGI application: three addresses and nothing else.

    POST <prefix>/add-checkpoint                       C2SP tlog-witness v1.0.0
    GET  <prefix>/<hex SHA-256 of origin>/checkpoint   what was cosigned last
    GET  <prefix>/health                               name, keys, counts; nothing about anybody

Bodies are bounded in bytes and seconds. No framework: this runs at an authority, and what it does
should be readable on one page. `gateway.commands.witness` serves it.
"""

import asyncio
import json
import re
from collections.abc import Callable

from audit import WitnessError
from audit.witness import Answer, Book, TrustedFile, Witness
from audit.witness.submission import LARGEST
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

BODY_S = 10.0
_CHECKPOINT = re.compile(r"/([0-9a-f]{64})/checkpoint")
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"
_RETRY_S = b"5"


class _RefusedError(Exception):
    """A request that ends before the witness sees it; never leaves this module."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


class WitnessApp:
    """The application.

    Args:
        witness: what answers.
        book: its memory, for the health page.
        trusted: the list of logs, for the health page.
        prefix: path before every address, without a slash at its end.
        tell: takes a line for the operator.
        body_s: seconds that a body may take.
    """

    def __init__(
        self,
        witness: Witness,
        book: Book,
        trusted: TrustedFile,
        *,
        prefix: str = "",
        tell: Callable[[str], None],
        body_s: float = BODY_S,
    ) -> None:
        self._witness, self._book, self._trusted = witness, book, trusted
        self._prefix, self._tell, self._body_s = prefix, tell, body_s

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
            answer = await self._route(scope, receive)
        except _RefusedError as refused:
            answer = refused.answer
        except WitnessError as error:
            self._tell(str(error))
            answer = Answer(503, "the witness can't use its memory now; try again later\n")
        if answer.alarm is not None:
            self._tell(answer.alarm)
        return answer

    async def _route(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if not path.startswith(f"{self._prefix}/"):
            return _NOT_FOUND
        path = path[len(self._prefix) :]
        if path == "/add-checkpoint":
            _allow(method, "POST")
            body = await self._body(scope, receive)
            return await asyncio.to_thread(self._witness.add_checkpoint, body)
        _allow(method, "GET", "HEAD")
        if path == "/health":
            return await asyncio.to_thread(self._health)
        named = _CHECKPOINT.fullmatch(path)
        if named is None:
            return _NOT_FOUND
        note = await asyncio.to_thread(self._witness.cosigned, named[1])
        return Answer(200, note) if note is not None else _NOT_FOUND

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        try:
            return await read_body(scope, receive, LARGEST, self._body_s)
        except TooLargeError:
            raise _RefusedError(_TOO_LARGE) from None
        except TooSlowError:
            raise _RefusedError(_TOO_SLOW) from None

    def _health(self) -> Answer:
        self._trusted.current()
        refused = {kind.value: count for kind, count in self._book.counts().items()}
        told = {
            "status": "degraded" if self._trusted.problem else "ok",
            "name": self._witness.cosigner.name,
            "vkeys": [verifier.vkey for verifier in self._witness.cosigner.verifiers],
            "logs": len(self._book.origins()),
            "refused": refused,
            "trusted": self._trusted.problem or "ok",
        }
        return Answer(200, json.dumps(told) + "\n", _JSON)


_NOT_FOUND = Answer(404, "there is nothing at this address\n")
_TOO_LARGE = Answer(413, f"a submission has at most {LARGEST} bytes\n")
_TOO_SLOW = Answer(408, "the submission did not arrive in time\n")


def _allow(method: str, *methods: str) -> None:
    if method not in methods:
        raise _RefusedError(Answer(405, f"use {methods[0]} here\n"))


async def _respond(send: Send, scope: Scope, answer: Answer) -> None:
    more = []
    if answer.status == 503:  # noqa: PLR2004 - the status says its name
        more.append((b"retry-after", _RETRY_S))
    if answer.status in (408, 413):
        more.append((b"connection", b"close"))
    await respond(send, scope, answer.status, answer.content_type, answer.body.encode(), more)
