# SPDX-License-Identifier: EUPL-1.2
"""The follower's end: hands requests to the leader and waits for its answers.

INVARIANT: an append returns positions only out of an authentic answer to that very request. A
connection that ends, or that stops answering, fails everything that waits on it: those entries may
stand or not, so nothing may be released for them.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from typing import Self

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
from audit.relay.messages import LogHead, Op, Reader
from audit.relay.place import TCP, UNIX, short_path

CONNECT = 5.0
PING_EVERY = 1.0
ANSWER_WITHIN = 10.0
_GONE = "the log's leader went away; the entries may stand all the same: ask again shortly"


class Link:
    """One connection to the leader; used by one task group, closed for good once it ends."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: tuple[Direction, Direction],
        queue: int,
    ) -> None:
        self.queue_depth = 0  # entries handed over and not yet answered
        self._reader, self._writer, self._limit = reader, writer, queue
        self._outgoing, self._incoming = both
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Reader]] = {}
        self._requests: list[bytes] = []  # sealed in order, sent together once the loop turns
        self._fault: str | None = None  # what the leader said at the last ping
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._tasks = [
            loop.create_task(self._read(), name="audit-relay-read"),
            loop.create_task(self._ping(), name="audit-relay-ping"),
        ]

    @classmethod
    async def connect(cls, address: str, secret: bytes, *, queue: int) -> Self:
        """Connect, and let both sides prove that they know the lease's secret.

        Raises:
            LogUnavailableError: nobody listens there, or it is not the leader.
        """
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(CONNECT):
                reader, writer = await _dial(address)
                both = await _greet(reader, writer, secret)
        except (OSError, TimeoutError, ValueError) as error:
            _hang_up(writer)
            raise LogUnavailableError(
                f"the log's leader does not answer ({type(error).__name__}); ask again shortly"
            ) from None
        except BaseException:
            _hang_up(writer)
            raise
        return cls(reader, writer, both, queue)

    @property
    def healthy(self) -> bool:
        """Whether the leader is there and says that it takes entries."""
        return not self.ended.done() and self._fault is None

    async def append(self, entries: Sequence[Pending]) -> list[Position]:
        """As the leader's own append.

        Raises:
            LogUnavailableError: nothing may be released; perhaps the entries stand all the same.
            EnvelopeError: the leader refused them.
        """
        count = len(entries)
        if self.queue_depth + count > self._limit:
            raise LogUnavailableError(
                f"the queue of {self._limit} entries to the log's leader is full; try again shortly"
            )
        answer = self._ask(Op.APPEND, messages.write_entries(entries))
        self.queue_depth += count
        answer.add_done_callback(lambda _: self._answered(count))
        # Cancelling the wait does not take the entries back.
        positions = messages.read_positions(await asyncio.shield(answer))
        if len(positions) != count:
            self._end()
            raise RelayError("the log's leader answered for other entries than were asked for")
        return positions

    def _answered(self, count: int) -> None:
        self.queue_depth -= count

    async def erase_details(self, origin: str, indices: Sequence[int]) -> int:
        """As the leader's own."""
        answer = await self._ask(Op.ERASE, messages.write_erasure(origin, indices))
        return answer.number(8)

    async def save_cosigned(self, origin: str, size: int, note: str) -> None:
        """As the leader's own."""
        await self._ask(Op.COSIGNED, messages.write_cosigned(origin, size, note))

    async def rotate(self) -> list[str]:
        """As the leader's own."""
        return messages.read_names(await self._ask(Op.ROTATE))

    async def heads(self) -> list[LogHead]:
        """Every log's head as the leader knows it."""
        return messages.read_heads(await self._ask(Op.HEADS))

    def _ask(self, op: Op, payload: bytes = b"") -> "asyncio.Future[Reader]":
        if self.ended.done():
            raise LogUnavailableError(_GONE)
        self._number += 1
        body = messages.request(self._number, op, payload)
        answer: asyncio.Future[Reader] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = answer
        if not self._requests:
            asyncio.get_running_loop().call_soon(self._send)
        self._requests.append(self._outgoing.seal(body))
        return answer

    def _send(self) -> None:
        data = b"".join(self._requests)
        self._requests.clear()
        if not self._writer.transport.is_closing():
            self._writer.write(data)

    async def _read(self) -> None:
        with contextlib.suppress(RelayError):
            while True:
                body = await read_frame(self._reader, self._incoming, MAX_BODY)
                number, told = messages.parse_answer(body)
                answer = self._waiting.pop(number, None)
                if answer is None:
                    break  # an answer to nothing
                if answer.done():
                    continue
                if isinstance(told, AuditError):
                    answer.set_exception(told)
                else:
                    answer.set_result(told)
        self._end()

    async def _ping(self) -> None:
        """Health at rest; and the end of a connection whose leader hangs."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    await self._ask(Op.PING)
                self._fault = None
            except TimeoutError:
                break
            except AuditError as error:
                self._fault = str(error)
            await asyncio.sleep(PING_EVERY)
        self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(LogUnavailableError(_GONE))
                answer.exception()  # whoever gave up waiting does not leave a warning
        _hang_up(self._writer)

    async def close(self) -> None:
        """Wait for the answers that are due, then hang up."""
        if self._waiting and not self.ended.done():
            await asyncio.wait([*self._waiting.values(), self.ended], timeout=ANSWER_WITHIN)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._end()


async def _dial(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith(UNIX):
        with short_path(address.removeprefix(UNIX)) as name:
            return await asyncio.open_unix_connection(name, limit=1 << 20)
    host, _, port = address.removeprefix(TCP).rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port), limit=1 << 20)


async def _greet(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes
) -> tuple[Direction, Direction]:
    nonce = secrets.token_bytes(NONCE_SIZE)
    writer.write(hello(nonce))
    try:
        theirs = parse_hello(await reader.readexactly(HELLO_SIZE))
    except asyncio.IncompleteReadError:
        raise RelayError("the log's leader hung up; ask again shortly") from None
    outgoing, incoming = directions(secret, theirs, nonce)
    writer.write(outgoing.seal(b""))
    await read_frame(reader, incoming, 0)
    return outgoing, incoming


def _hang_up(writer: asyncio.StreamWriter | None) -> None:
    if writer is not None:
        writer.transport.abort()
