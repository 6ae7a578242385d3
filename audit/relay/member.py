# SPDX-License-Identifier: EUPL-1.2
"""One process's part in a log that several share: it leads while it holds the lease, or follows.

A part lasts until the lease or the connection is lost. Between two parts every append fails at
once: nobody waits for a leader that may not come. Processes that follow keep trying the lease, so
that the first to get it leads next.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from audit.entry import Pending, Position
from audit.errors import AuditError, LeaseHeldError, LogUnavailableError
from audit.relay.board import Board, Leader
from audit.relay.frames import SECRET_SIZE
from audit.relay.host import Host, Writer, serve
from audit.relay.link import Link
from audit.relay.messages import LogHead

STEP = 0.1
_NO_PART = "the log has no leader at this moment; another process takes over: ask again shortly"
_log = logging.getLogger(__name__)


class Leading(Writer, Protocol):
    """A writer that holds the lease."""

    @property
    def lost(self) -> "asyncio.Future[None]":
        """Done once another process holds the lease."""

    async def close(self) -> None:
        """Commit what is queued and give the lease up."""


class Member:
    """Leads or follows; offers the leader's operations either way.

    Args:
        lead: takes the lease without waiting for it and gives the writer.
            It raises LeaseHeldError if another process has it.
        board: where leaders publish themselves.
        queue: entries that may wait for the leader's answer.
    """

    def __init__(
        self, lead: Callable[[], Awaitable[Leading]], board: Board, *, queue: int = 4096
    ) -> None:
        self._lead, self._board, self._queue = lead, board, queue
        # Only the task replaces these; a part that ended is never used again.
        self._writer: Leading | None = None
        self._link: Link | None = None
        self._fault = _NO_PART
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take part, and go on doing so.

        Raises:
            LogCorruptError: the log must not be written to.
            LogUnavailableError: neither the lease nor its holder can be had.
        """
        host = await self._take_part()
        self._task = asyncio.create_task(self._run(host), name="audit-relay-member")

    @property
    def leads(self) -> bool:
        """Whether this process writes itself."""
        return self._writer is not None

    @property
    def _part(self) -> Writer:
        part = self._writer or self._link
        if part is None or self._closing.is_set():
            raise LogUnavailableError(self._fault)
        return part

    @property
    def healthy(self) -> bool:
        """Whether an append would be taken now."""
        part = self._writer or self._link
        return part is not None and not self._closing.is_set() and part.healthy

    @property
    def queue_depth(self) -> int:
        """Entries of this process waiting or being flushed; of all processes in the leader's."""
        part = self._writer or self._link
        return part.queue_depth if part is not None else 0

    async def append(self, entries: Sequence[Pending]) -> list[Position]:
        """Write entries, all or none; returns when they are durable.

        Raises:
            EnvelopeError: an entry breaks the format.
            LogUnavailableError: nothing may be released; perhaps the entries stand all the same.
        """
        return await self._part.append(entries)

    async def erase_details(self, origin: str, indices: Sequence[int]) -> int:
        """Delete sealed details; how many there were."""
        return await self._part.erase_details(origin, indices)

    async def save_cosigned(self, origin: str, size: int, note: str) -> None:
        """Keep the newest checkpoint with cosignatures."""
        await self._part.save_cosigned(origin, size, note)

    async def rotate(self) -> list[str]:
        """Close and open what the half-year's turn demands."""
        return await self._part.rotate()

    async def heads(self) -> list[LogHead]:
        """The last committed head of every log."""
        return await self._part.heads()

    async def close(self) -> None:
        """Finish what is queued, give up the part."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _take_part(self) -> Host | None:
        """Lead if the lease is free, follow its holder if not.

        Raises:
            LogCorruptError: the log must not be written to.
            LogUnavailableError: neither is possible now.
        """
        try:
            writer = await self._lead()
        except LeaseHeldError:
            leader = await self._board.read()
            if leader is None:
                raise
            self._link = await Link.connect(leader.address, leader.secret, queue=self._queue)
            _log.info("following the log's leader at %s", leader.address)
            return None
        try:
            secret = secrets.token_bytes(SECRET_SIZE)
            host = await serve(writer, self._board.place, secret)
            await self._board.publish(Leader(host.address, secret, int(time.time())))
        except BaseException:
            await writer.close()
            raise
        self._writer = writer
        _log.info("leading the log's writers at %s", host.address)
        return host

    async def _run(self, host: Host | None) -> None:
        while True:
            await self._hold(host)
            if self._closing.is_set():
                return
            host = await self._find_part()

    async def _hold(self, host: Host | None) -> None:
        """Keep the part until it ends or the process closes, then give it up."""
        writer, link = self._writer, self._link
        closing = asyncio.ensure_future(self._closing.wait())
        ended = [part for part in (writer and writer.lost, link and link.ended) if part]
        await asyncio.wait([closing, *ended], return_when=asyncio.FIRST_COMPLETED)
        closing.cancel()
        self._fault = _NO_PART
        self._writer = self._link = None
        if host is not None:
            await host.close()
        for part in (writer, link):
            if part is not None:
                with contextlib.suppress(AuditError):
                    await part.close()

    async def _find_part(self) -> Host | None:
        while not self._closing.is_set():
            try:
                return await self._take_part()
            except AuditError as error:
                self._fault = str(error)
            except Exception as error:  # noqa: BLE001 - a defect must not end the search
                self._fault = f"the log cannot be opened ({type(error).__name__})"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), STEP)
        return None
