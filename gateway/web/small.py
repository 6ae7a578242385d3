# SPDX-License-Identifier: EUPL-1.2
"""What the small services beside the gateway share: a body that ends, an answer, start and stop.

A witness and a key holder answer two addresses each; they are plain ASGI applications, without a
framework's errors, pages and middleware to answer for.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class TooLargeError(Exception):
    """The body is larger than the service takes; answer 413."""


class TooSlowError(Exception):
    """The body did not arrive in time, or its sender went away; answer 408."""


async def read_body(scope: Scope, receive: Receive, largest: int, seconds: float) -> bytes:
    """A request's body of at most so many bytes, within so many seconds.

    Raises:
        TooLargeError: it is larger, by its length or by what arrived.
        TooSlowError: it did not arrive.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value[:20]) > largest):
            raise TooLargeError
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise TooSlowError
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > largest:
                    raise TooLargeError
    except TimeoutError:
        raise TooSlowError from None
    return bytes(body)


async def live(receive: Receive, send: Send) -> None:
    """Start and stop, with nothing to do at either."""
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def respond(
    send: Send,
    scope: Scope,
    status: int,
    content_type: str,
    body: bytes,
    more: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """One whole answer, which nobody keeps and whose type nobody guesses.

    Args:
        send: of the connection.
        scope: of the connection; a HEAD gets no body.
        status: of HTTP.
        content_type: of the body.
        body: all of it.
        more: further headers.
    """
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    told = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": told})
