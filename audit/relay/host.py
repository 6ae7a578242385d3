# SPDX-License-Identifier: EUPL-1.2
"""The leader's end: listens for followers and does for them what it does for its own process.

Requests of one connection run side by side, so that the sequencer sees all that wait and commits
them together. A follower that does not read its answers is not read either; a stranger gets a hello
and nothing else.
"""

import asyncio
import contextlib
import hmac
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from audit.entry import Pending, Position
from audit.errors import AuditError, LogUnavailableError
from audit.relay import messages
from audit.relay.frames import (
    HELLO_SIZE,
    MAX_BODY,
    NONCE_SIZE,
    Direction,
    RelayError,
    directions,
    hello,
    parse_hello,
    read_frame,
)
from audit.relay.messages import LogHead, Op, Reader, Request
from audit.relay.place import TCP, UNIX, short_path

HANDSHAKE = 5.0
MAX_FOLLOWERS = 128
_log = logging.getLogger(__name__)


class Writer(Protocol):
    """What the holder of the lease offers, to its own process and to followers."""

    @property
    def healthy(self) -> bool:
        """Whether an append would be taken now."""

    @property
    def queue_depth(self) -> int:
        """Entries waiting or being flushed."""

    async def append(self, entries: Sequence[Pending]) -> list[Position]:
        """Durable, all or none; raises an AuditError otherwise."""

    async def erase_details(self, origin: str, indices: Sequence[int]) -> int:
        """Delete sealed details; how many there were."""

    async def save_cosigned(self, origin: str, size: int, note: str) -> None:
        """Keep the newest checkpoint with cosignatures."""

    async def rotate(self) -> list[str]:
        """Close and open what the half-year's turn demands; the origins opened."""

    async def heads(self) -> list[LogHead]:
        """The last committed head of every log."""


class Host:
    """A listening leader; `address` is what it publishes."""

    def __init__(self, writer: Writer, secret: bytes) -> None:
        self.address = ""
        self._writer, self._secret = writer, secret
        self._server: asyncio.Server | None = None
        self._socket_path: str | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, place: str) -> None:
        """Listen at `unix:PATH` or `tcp:HOST:PORT` (port 0: any free one).

        Raises:
            LogUnavailableError: the place cannot be listened at.
        """
        try:
            if place.startswith(UNIX):
                await self._listen_unix(place.removeprefix(UNIX))
            else:
                host, _, port = place.removeprefix(TCP).rpartition(":")
                self._server = await asyncio.start_server(
                    self._connected, host.strip("[]"), int(port), limit=1 << 20
                )
                self.address = f"{TCP}{host}:{self._server.sockets[0].getsockname()[1]}"
        except (OSError, ValueError) as error:
            raise LogUnavailableError(
                f"the log's leader cannot listen for other processes ({type(error).__name__});"
                " free the address, or set another"
            ) from None

    async def _listen_unix(self, path: str) -> None:
        """Only this user may connect: the mode is set before anybody can."""
        Path(path).unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_path(path) as name:
                listening.bind(name)
            os.chmod(path, 0o600)  # noqa: PTH101 - a socket has no descriptor that could be opened
            self._server = await asyncio.start_unix_server(
                self._connected, sock=listening, limit=1 << 20
            )
        except BaseException:
            listening.close()
            raise
        self.address, self._socket_path = f"{UNIX}{path}", path

    async def close(self) -> None:
        """Hang up on every follower; what they asked may stand all the same."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket_path is not None:
            Path(self._socket_path).unlink(missing_ok=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_FOLLOWERS:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE):
                incoming, outgoing = await self._greet(reader, writer)
            connection = _Connection(self._writer, reader, writer, (incoming, outgoing))
            await connection.run()
        except (RelayError, TimeoutError) as error:
            _log.info("a relay connection ended: %s", error or "no greeting in time")
        finally:
            with contextlib.suppress(OSError):
                writer.transport.abort()

    async def _greet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Direction, Direction]:
        nonce = secrets.token_bytes(NONCE_SIZE)
        writer.write(hello(nonce))
        try:
            theirs = parse_hello(await reader.readexactly(HELLO_SIZE))
        except (asyncio.IncompleteReadError, OSError):
            raise RelayError("no greeting") from None
        if hmac.compare_digest(theirs, nonce):
            raise RelayError("a greeting that was sent back")
        incoming, outgoing = directions(self._secret, nonce, theirs)
        await read_frame(reader, incoming, 0)
        writer.write(outgoing.seal(b""))
        return incoming, outgoing


class _Connection:
    """One follower that proved to know the secret."""

    def __init__(
        self,
        log: Writer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: tuple[Direction, Direction],
    ) -> None:
        self._log, self._reader, self._writer = log, reader, writer
        self._incoming, self._outgoing = both
        self._answers: list[bytes] = []  # sealed in order, sent together once the loop turns
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the connection ends; an entry that was asked for is committed all the same.

        Raises:
            RelayError: it ended, or broke the format.
        """
        loop = asyncio.get_running_loop()
        while True:
            body = await read_frame(self._reader, self._incoming, MAX_BODY)
            task = loop.create_task(self._answer(messages.parse_request(body)))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            try:
                await self._writer.drain()
            except OSError:
                raise RelayError("the relay's connection ended") from None

    async def _answer(self, request: Request) -> None:
        try:
            answer = messages.success(request.number, await _DEEDS[request.op](self._log, request.payload))
        except RelayError as error:
            _log.warning("a relay request was refused: %s", error)
            self._writer.transport.abort()
            return
        except AuditError as error:
            answer = messages.failure(request.number, error)
        except Exception as error:  # noqa: BLE001 - a defect must not leave a follower waiting
            answer = messages.failure(
                request.number,
                LogUnavailableError(f"the log's leader failed ({type(error).__name__})"),
            )
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._send)
        self._answers.append(self._outgoing.seal(answer))

    def _send(self) -> None:
        data = b"".join(self._answers)
        self._answers.clear()
        if not self._writer.transport.is_closing():
            self._writer.write(data)


async def _append(log: Writer, payload: Reader) -> bytes:
    return messages.write_positions(await log.append(messages.read_entries(payload)))


async def _erase(log: Writer, payload: Reader) -> bytes:
    return (await log.erase_details(*messages.read_erasure(payload))).to_bytes(8, "big")


async def _cosigned(log: Writer, payload: Reader) -> bytes:
    await log.save_cosigned(*messages.read_cosigned(payload))
    return b""


async def _rotate(log: Writer, payload: Reader) -> bytes:
    payload.end()
    return messages.write_names(await log.rotate())


async def _heads(log: Writer, payload: Reader) -> bytes:
    payload.end()
    return messages.write_heads(await log.heads())


async def _ping(log: Writer, payload: Reader) -> bytes:
    payload.end()
    if not log.healthy:
        raise LogUnavailableError("the log's leader is out of order; it goes on by itself")
    return b""


_DEEDS: Mapping[Op, Callable[[Writer, Reader], Awaitable[bytes]]] = {
    Op.APPEND: _append,
    Op.ERASE: _erase,
    Op.COSIGNED: _cosigned,
    Op.ROTATE: _rotate,
    Op.HEADS: _heads,
    Op.PING: _ping,
}


async def serve(writer: Writer, place: str, secret: bytes) -> Host:
    """A host that listens.

    Raises:
        LogUnavailableError: the place cannot be listened at.
    """
    host = Host(writer, secret)
    await host.listen(place)
    return host
