# SPDX-License-Identifier: EUPL-1.2
"""The follower's end: hands requests to the leader and waits for its answers.

INVARIANT: an append returns positions only out of an authentic answer to that very request. A
connection that ends, or that stops answering, fails everything that waits on it: those entries may
stand or not, so nothing may be released for them.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

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
from audit.relay.messages import Op, Reader
from audit.relay.place import TCP, UNIX, short_path
from audit.store import Cosigned

CONNECT = 5.0
PING_EVERY = 1.0
ANSWER_WITHIN = 10.0
GONE = "the log's leader went away; the entries may stand all the same: ask again shortly"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request under way: who waits, and how its answer is read."""

    answer: "asyncio.Future[Any]"
    read: Callable[[Reader], Any]

    def end(self, told: Reader | AuditError) -> None:
        """Give the answer on; one that nobody waits for any more is read all the same.

        Raises:
            RelayError: the answer is malformed; whoever waits was told that the leader is gone.
        """
        if isinstance(told, AuditError):
            self._fail(told)
            return
        try:
            value = self.read(told)
        except RelayError:
            self._fail(LogUnavailableError(GONE))
            raise
        if not self.answer.done():
            self.answer.set_result(value)

    def _fail(self, error: AuditError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # read, so that giving up leaves no warning behind


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
        self._waiting: dict[int, _Waiting] = {}
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

    def submit(self, entries: Sequence[Pending]) -> "asyncio.Future[list[Position]]":
        """Hand entries to the leader; the future ends with its answer.

        Cancelling the wait does not take the entries back.

        Raises:
            AuditError: too much for one append.
            LogUnavailableError: the leader is gone, or too many entries wait for it already.
        """
        count = len(entries)
        if self.queue_depth + count > self._limit:
            raise LogUnavailableError(
                f"the queue of {self._limit} entries to the log's leader is full; try again shortly"
            )

        def read(reader: Reader) -> list[Position]:
            positions = messages.read_positions(reader)
            if len(positions) != count:
                raise RelayError("the log's leader answered for other entries than were asked for")
            return positions

        answer = self._ask(Op.APPEND, messages.write_entries(entries), read)
        self.queue_depth += count
        answer.add_done_callback(lambda _: self._answered(count))
        return answer

    def _answered(self, count: int) -> None:
        self.queue_depth -= count

    async def erase_details(self, origin: str, indices: Sequence[int]) -> int:
        """As the leader's own."""
        payload = messages.write_erasure(origin, indices)
        return await self._ask(Op.ERASE, payload, messages.read_count)

    async def save_cosigned(self, origin: str, cosigned: Cosigned) -> None:
        """As the leader's own."""
        payload = messages.write_cosigned(origin, cosigned)
        await self._ask(Op.COSIGNED, payload, messages.read_nothing)

    async def rotate(self) -> list[str]:
        """As the leader's own."""
        return await self._ask(Op.ROTATE, b"", messages.read_names)

    def _ask(self, op: Op, payload: bytes, read: Callable[[Reader], _T]) -> "asyncio.Future[_T]":
        if self.ended.done():
            raise LogUnavailableError(GONE)
        body = messages.request(self._number + 1, op, payload)
        self._number += 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        self._waiting[self._number] = _Waiting(answer, read)
        if not self._requests:
            loop.call_soon(self._send)
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
                number, told = messages.parse_answer(
                    await read_frame(self._reader, self._incoming, MAX_BODY)
                )
                waiting = self._waiting.pop(number, None)
                if waiting is None:
                    break  # an answer to nothing
                waiting.end(told)
        self._end()

    async def _ping(self) -> None:
        """Health at rest; and the end of a connection whose leader hangs."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    await self._ask(Op.PING, b"", messages.read_nothing)
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
        left, self._waiting = self._waiting, {}
        for waiting in left.values():
            waiting.end(LogUnavailableError(GONE))
        _hang_up(self._writer)

    async def close(self) -> None:
        """Wait for the answers that are due, then hang up."""
        due = [self.ended, *(waiting.answer for waiting in self._waiting.values())]
        if len(due) > 1 and not self.ended.done():
            await asyncio.wait(due[1:], timeout=ANSWER_WITHIN)
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
