# SPDX-License-Identifier: EUPL-1.2
"""The leader's end: listens for followers and does for them what it does for its own process.

Requests of one connection run side by side, so that the sequencer sees all that wait and commits
them together. A follower that does not read its answers is not read either; a stranger gets a hello
and nothing else.
"""

import asyncio
import hmac
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from audit.errors import AuditError, LogUnavailableError
from audit.journal import Journal
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
from audit.relay.messages import Op, Reader, Request
from audit.relay.place import TCP, UNIX, short_path

HANDSHAKE = 5.0
MAX_FOLLOWERS = 128
_BUFFER = 1 << 20
_FINISH = 1.0
_log = logging.getLogger(__name__)


class Host:
    """A listening leader; `address` is what it publishes."""

    def __init__(self, journal: Journal, secret: bytes) -> None:
        self.address = ""
        self._journal, self._secret = journal, secret
        self._server: asyncio.Server | None = None
        self._file: tuple[str, int | None] | None = None  # a socket's path and inode
        self._connections: set[asyncio.Task[None]] = set()
        self._followers: set[_Connection] = set()

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
                    self._connected, host.strip("[]"), int(port), limit=_BUFFER
                )
                self.address = f"{TCP}{host}:{self._server.sockets[0].getsockname()[1]}"
        except (OSError, ValueError) as error:
            raise LogUnavailableError(
                f"the log's leader cannot listen for other processes ({type(error).__name__});"
                " free the address, or set another"
            ) from None

    async def _listen_unix(self, path: str) -> None:
        listening = _bound(path)
        try:
            self._server = await asyncio.start_unix_server(
                self._connected, sock=listening, limit=_BUFFER
            )
        except BaseException:
            listening.close()
            raise
        self.address, self._file = f"{UNIX}{path}", (path, _inode(path))

    def stop_listening(self) -> None:
        """Take no more followers; the address is free for the next leader."""
        if self._server is not None:
            self._server.close()
        if self._file is not None:
            path, inode = self._file
            if _inode(path) == inode:
                Path(path).unlink(missing_ok=True)
            self._file = None

    async def close(self) -> None:
        """Send the answers that are there, then hang up on every follower."""
        self.stop_listening()
        for connection in list(self._followers):
            await connection.finish()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_FOLLOWERS:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # even if it never began

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE):
                incoming, outgoing = await self._greet(reader, writer)
            connection = _Connection(self._journal, reader, writer, (incoming, outgoing))
            self._followers.add(connection)
            try:
                await connection.run()
            finally:
                self._followers.discard(connection)
        except RelayError as error:
            _log.info("a relay connection ended: %s", error)
        except TimeoutError:
            _log.info("a relay connection ended: no greeting in time")

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


def _bound(path: str) -> socket.socket:
    """A socket at this path that only this user may use; nobody can connect before it listens."""
    Path(path).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(path) as name:
            listening.bind(name)
            Path(name).chmod(0o600)
    except BaseException:
        listening.close()
        raise
    return listening


def _inode(path: str) -> int | None:
    try:
        return Path(path).stat().st_ino
    except OSError:
        return None


class _Connection:
    """One follower that proved to know the secret."""

    def __init__(
        self,
        log: Journal,
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
            answer = messages.success(
                request.number, await _DEEDS[request.op](self._log, request.payload)
            )
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

    async def finish(self) -> None:
        """Give what was asked before a moment to be answered."""
        if self._running:
            await asyncio.wait(self._running, timeout=_FINISH)
        await asyncio.sleep(0)

    def _send(self) -> None:
        data = b"".join(self._answers)
        self._answers.clear()
        if not self._writer.transport.is_closing():
            self._writer.write(data)


async def _append(log: Journal, payload: Reader) -> bytes:
    return messages.write_positions(await log.append(messages.read_entries(payload)))


async def _erase(log: Journal, payload: Reader) -> bytes:
    return messages.write_count(await log.erase_details(*messages.read_erasure(payload)))


async def _cosigned(log: Journal, payload: Reader) -> bytes:
    await log.save_cosigned(*messages.read_cosigned(payload))
    return b""


async def _rotate(log: Journal, payload: Reader) -> bytes:
    payload.end()
    return messages.write_names(await log.rotate())


async def _ping(log: Journal, payload: Reader) -> bytes:
    payload.end()
    if not log.healthy:
        raise LogUnavailableError("the log's leader is out of order; it goes on by itself")
    return b""


_DEEDS: Mapping[Op, Callable[[Journal, Reader], Awaitable[bytes]]] = {
    Op.APPEND: _append,
    Op.ERASE: _erase,
    Op.COSIGNED: _cosigned,
    Op.ROTATE: _rotate,
    Op.PING: _ping,
}


async def serve(journal: Journal, place: str, secret: bytes) -> Host:
    """A host that listens.

    Raises:
        LogUnavailableError: the place cannot be listened at.
    """
    host = Host(journal, secret)
    await host.listen(place)
    return host
