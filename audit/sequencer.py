# SPDX-License-Identifier: EUPL-1.2
"""The one place where entries get their order: group commit without a timer.

Whatever queued while the last batch was being flushed is the next batch; a lone entry waits for
nobody. An `append` is answered after the commit returned, never before. A commit that fails, or
whose outcome is unknown, fails every entry in it; the sequencer then connects again, reads what
truly stands in the store, insists that everything it ever acknowledged is part of it, and only then
takes entries again. architecture: nothing leaves before its entry is durable.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.entry import Position
from audit.errors import AuditError, LogCorruptError, LogUnavailableError
from audit.merkle import Span
from audit.note import NoteSigner
from audit.state import Accepted, LogState, advance, load_state, next_time
from audit.store import Store
from audit.tiles import span_hash, tiles_for

RECOVERY_PAUSE = 0.25
IDLE_CHECK = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Entries of one append, which stand or fall together, and who waits for them."""

    accepted: Sequence[Accepted]
    answer: "asyncio.Future[list[Position]]" = field(repr=False)


class Sequencer:
    """Owns the log's state and its store's writing side; runs as one task."""

    def __init__(
        self,
        store: Store,
        state: LogState,
        signer: NoteSigner,
        *,
        queue: int,
        clock: Callable[[], datetime],
    ) -> None:
        self.state = state  # replaced whole, by the task alone, after a commit or a recovery
        self.depth = 0  # entries queued or being committed
        self._store, self._signer, self._clock = store, signer, clock
        self._limit = queue
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._fault: str | None = None
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="audit-sequencer")

    @property
    def healthy(self) -> bool:
        """Whether the last dealing with the store went well and the task runs."""
        return self._fault is None and not self._closing and not self._task.done()

    def submit(self, accepted: Sequence[Accepted]) -> "asyncio.Future[list[Position]]":
        """Queue entries; the future ends when they are durable or refused.

        Raises:
            LogUnavailableError: closing, out of order, or the queue is full.
        """
        if self._closing or self._task.done():
            raise LogUnavailableError("the log is closing; ask another gateway")
        if self._fault is not None:
            raise LogUnavailableError(self._fault)
        if self.depth + len(accepted) > self._limit:
            raise LogUnavailableError(
                f"the log's queue of {self._limit} entries is full; try again shortly"
            )
        answer: asyncio.Future[list[Position]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(accepted, answer))
        self.depth += len(accepted)
        self._wake.set()
        return answer

    async def close(self) -> None:
        """Commit what is queued, then end."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while True:
            batch = self._drain()
            if batch:
                await self._commit(batch)
            elif self._closing:
                return
            elif self._fault is not None:
                await self._recover()
            else:
                await self._idle()

    def _drain(self) -> list[_Waiting]:
        batch = list(self._queue)
        self._queue.clear()
        self._wake.clear()
        return batch

    async def _idle(self) -> None:
        """Wait for entries; look after the store now and then, so that health is true at rest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_CHECK):
                await self._wake.wait()
            return
        try:
            await self._store.check()
            next_time(self.state.micros, self._clock())
        except AuditError as error:
            self._fail(error)

    async def _commit(self, waiting: list[_Waiting]) -> None:
        """Commit a batch; every future of it is answered, whatever happens."""
        accepted = [entry for one in waiting for entry in one.accepted]
        try:
            state, batch, t = advance(self.state, accepted, self._clock(), self._signer)
            await self._store.commit(batch)
        except AuditError as error:
            self._fail(error)
            self._refuse(waiting)
        except BaseException as error:
            # A defect here must not leave anybody waiting for ever, nor be taken for success.
            self._fail(LogUnavailableError(f"the log's writer failed ({type(error).__name__})"))
            self._refuse(waiting)
            if not isinstance(error, Exception):
                raise
        else:
            self.state = state
            index = batch.old.size
            for one in waiting:
                rows = batch.rows[index - batch.old.size :][: len(one.accepted)]
                index += len(rows)
                if not one.answer.done():
                    head = state.head
                    one.answer.set_result(
                        [Position(row.index, row.leaf, head.size, head.root, t) for row in rows]
                    )
        finally:
            self.depth -= len(accepted)

    def _fail(self, error: AuditError) -> None:
        if self._fault is None:
            _log.error("audit log unavailable: %s", error)
        self._fault = str(error)

    def _refuse(self, waiting: list[_Waiting]) -> None:
        for one in waiting:
            if not one.answer.done():
                one.answer.set_exception(LogUnavailableError(self._fault or "the log failed"))

    async def _recover(self) -> None:
        """Connect again and go on from what stands in the store, or stay out of order."""
        try:
            next_fault = None
            await self._store.reopen()
            state = await load_state(self._store, self.state.head.origin, self._signer)
            await self._require_continuation(state)
            await self._store.rehearse()
            next_time(state.micros, self._clock())
        except AuditError as error:
            next_fault = str(error)
        except Exception as error:  # noqa: BLE001 - a defect must not end the task that recovers
            next_fault = f"the log cannot be opened again ({type(error).__name__})"
        if next_fault is None:
            self.state, self._fault = state, None
            _log.warning("audit log available again at %d entries", state.head.size)
            return
        self._fault = next_fault
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECOVERY_PAUSE):
                await self._wake.wait()

    async def _require_continuation(self, found: LogState) -> None:
        """Everything acknowledged must be in the store, in its place."""
        known = self.state.head
        if found.head.size < known.size:
            raise LogCorruptError(
                f"the store came back with {found.head.size} entries; {known.size} were"
                " acknowledged: restore the right file, or open a successor log"
            )
        span = [Span(0, known.size)]
        tiles = await self._store.tiles(tiles_for(span)) | found.edge.partial()
        if span_hash(span[0], tiles) != known.root:
            raise LogCorruptError(
                f"the store came back with other entries below {known.size} than were"
                " acknowledged: restore the right file, or open a successor log"
            )
