# SPDX-License-Identifier: EUPL-1.2
"""The one place where entries get their order: group commit without a timer.

Whatever queued while the last batch was being flushed is the next batch, for all logs of the store
in one transaction; a lone entry waits for nobody. An `append` is answered after the commit
returned, never before. A commit that fails, or whose outcome is unknown, fails every entry in it;
the sequencer then connects again, reads what truly stands in the store, insists that everything it
ever acknowledged is part of it, and only then takes entries again. architecture: nothing leaves
before its entry is durable.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from audit.entry import Position
from audit.errors import (
    AuditError,
    LeaseHeldError,
    LogCorruptError,
    LogUnavailableError,
    Trouble,
)
from audit.merkle import Span
from audit.note import NoteSigner
from audit.state import Accepted, Advance, LogState, advance, load_state, next_time
from audit.store import Head, Store
from audit.tiles import span_hash, tiles_for

RECOVERY_PAUSE = 0.25
IDLE_CHECK = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Entries of one append, which stand or fall together, and who waits for them.

    `births` are logs that these entries make.
    """

    accepted: Sequence[Accepted]
    answer: "asyncio.Future[list[Position]]" = field(repr=False)
    births: Mapping[str, LogState] = field(default_factory=dict)


class Line(Protocol):
    """Where entries queue: this process's sequencer, or the way to another's (`audit.relay`)."""

    @property
    def states(self) -> Mapping[str, LogState]:
        """Every log's state as of the last commit that is known here, by origin."""

    @property
    def depth(self) -> int:
        """Entries queued or being committed."""

    @property
    def healthy(self) -> bool:
        """Whether entries would be taken now."""

    @property
    def trouble(self) -> Trouble | None:
        """Why they would not, None where they would."""

    def submit(
        self, accepted: Sequence[Accepted], births: Mapping[str, LogState] | None = None
    ) -> "asyncio.Future[list[Position]]":
        """As `Sequencer.submit`."""

    async def close(self) -> None:
        """Wait for what is queued, then end."""


class Sequencer:
    """Owns the logs' states and their store's writing side; runs as one task.

    Args:
        store: opened, its lease held.
        states: of every log that takes entries, by origin.
        signer: gives the signer of a log.
        queue: entries that may wait.
        clock: aware UTC time.
    """

    def __init__(
        self,
        store: Store,
        states: Mapping[str, LogState],
        signer: Callable[[str], NoteSigner],
        *,
        queue: int,
        clock: Callable[[], datetime],
    ) -> None:
        # Replaced whole, by the task alone, after a commit or a recovery.
        self.states: Mapping[str, LogState] = dict(states)
        self.depth = 0  # entries queued or being committed
        self._store, self._signer, self._clock = store, signer, clock
        self._limit = queue
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._fault: str | None = None
        self._trouble = Trouble.OTHER  # of the last fault
        # Done once the lease turned out to be another process's: this one may follow it.
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="audit-sequencer")

    @property
    def healthy(self) -> bool:
        """Whether the last dealing with the store went well and the task runs."""
        return self._fault is None and not self._closing and not self._task.done()

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is taken now, as a word; None if all is well."""
        return None if self.healthy else self._trouble

    @property
    def fault(self) -> str | None:
        """Why nothing is taken now, None if all is well."""
        return self._fault

    def submit(
        self, accepted: Sequence[Accepted], births: Mapping[str, LogState] | None = None
    ) -> "asyncio.Future[list[Position]]":
        """Queue entries; the future ends when they are durable or refused.

        Raises:
            LogUnavailableError: closing, out of order, the queue is full, or a log was closed.
        """
        if self._closing or self._task.done():
            raise LogUnavailableError("the log is closing; ask another gateway")
        if self._fault is not None:
            raise LogUnavailableError(self._fault)
        if self.depth + len(accepted) > self._limit:
            raise LogUnavailableError(
                f"the log's queue of {self._limit} entries is full; try again shortly"
            )
        waiting = _Waiting(accepted, asyncio.get_running_loop().create_future(), dict(births or {}))
        self._require_open(waiting)
        self._queue.append(waiting)
        self.depth += len(accepted)
        self._wake.set()
        return waiting.answer

    def _require_open(self, waiting: _Waiting) -> None:
        for entry in waiting.accepted:
            log = entry.envelope.log
            state = self.states.get(log) or waiting.births.get(log)
            if state is None or state.head.closed:
                raise LogUnavailableError(f"the log {log} takes no entries any more; ask again")

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
        """What is committed together: up to and with the first that opens or closes logs."""
        batch: list[_Waiting] = []
        while self._queue:
            batch.append(self._queue.popleft())
            if batch[-1].births:
                break
        if not self._queue:
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
            last = max((state.micros for state in self.states.values()), default=0)
            next_time(last, self._clock())
        except AuditError as error:
            self._fail(error)

    async def _commit(self, waiting: list[_Waiting]) -> None:
        """Commit a batch; every future of it is answered, whatever happens."""
        waiting = [one for one in waiting if self._still_open(one)]
        accepted = [entry for one in waiting for entry in one.accepted]
        if not accepted:
            return
        try:
            states = dict(self.states)
            for one in waiting:
                states.update(one.births)
            signers = {entry.envelope.log: self._signer(entry.envelope.log) for entry in accepted}
            made = advance(states, accepted, self._clock(), signers)
            await self._store.commit(made.batches)
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
            self.states = {**states, **made.states}
            _answer(waiting, made)
        finally:
            self.depth -= len(accepted)

    def _still_open(self, one: _Waiting) -> bool:
        """Whether its logs were not closed since it was queued; tells it if they were."""
        try:
            self._require_open(one)
        except LogUnavailableError as error:
            self.depth -= len(one.accepted)
            if not one.answer.done():
                one.answer.set_exception(error)
            return False
        return True

    def _fail(self, error: AuditError) -> None:
        if self._fault is None:
            _log.error("audit log unavailable: %s", error)
        self._fault, self._trouble = str(error), error.trouble

    def _refuse(self, waiting: list[_Waiting]) -> None:
        for one in waiting:
            if not one.answer.done():
                one.answer.set_exception(LogUnavailableError(self._fault or "the log failed"))

    async def _recover(self) -> None:
        """Connect again and go on from what stands in the store, or stay out of order."""
        try:
            next_fault = None
            await self._store.reopen()
            states = await load_states(self._store, self._signer)
            for known in self.states.values():
                await require_continuation(self._store, known.head, states)
            await self._store.rehearse()
            next_time(max((s.micros for s in states.values()), default=0), self._clock())
        except AuditError as error:
            next_fault, self._trouble = str(error), error.trouble
            if isinstance(error, LeaseHeldError) and not self.lost.done():
                self.lost.set_result(None)
        except Exception as error:  # noqa: BLE001 - a defect must not end the task that recovers
            next_fault = f"the log cannot be opened again ({type(error).__name__})"
            self._trouble = Trouble.OTHER
        if next_fault is None:
            self.states, self._fault = states, None
            _log.warning("audit log available again")
            return
        self._fault = next_fault
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECOVERY_PAUSE):
                await self._wake.wait()


def _answer(waiting: Sequence[_Waiting], made: Advance) -> None:
    """Tell everybody where their entries stand."""
    rows = {batch.new.origin: (batch.new, iter(batch.rows)) for batch in made.batches}
    for one in waiting:
        positions = []
        for entry in one.accepted:
            head, left = rows[entry.envelope.log]
            row = next(left)
            positions.append(
                Position(head.origin, row.index, row.leaf, head.size, head.root, made.t)
            )
        if not one.answer.done():
            one.answer.set_result(positions)


async def load_states(store: Store, signer: Callable[[str], NoteSigner]) -> dict[str, LogState]:
    """The state of every log of a store, checked; of closed ones only what `load_state` reads.

    Raises:
        LogCorruptError: a log does not fit its signed head.
        LogUnavailableError: the store does not answer.
    """
    return {
        head.origin: await load_state(store, head, signer(head.origin))
        for head in await store.heads()
    }


async def require_continuation(store: Store, known: Head, states: Mapping[str, LogState]) -> None:
    """Everything acknowledged must be in the store, in its place.

    Raises:
        LogCorruptError: it is not.
        LogUnavailableError: the store does not answer.
    """
    found = states.get(known.origin)
    size = found.head.size if found else 0
    if found is None or size < known.size:
        raise LogCorruptError(
            f"the store came back with {size} entries of {known.origin}; {known.size} were"
            " acknowledged: restore the right file, or open a successor log"
        )
    span = [Span(0, known.size)]
    tiles = await store.tiles(found.head, tiles_for(span)) | found.edge.partial()
    if span_hash(span[0], tiles) != known.root:
        raise LogCorruptError(
            f"the store came back with other entries of {known.origin} below {known.size} than"
            " were acknowledged: restore the right file, or open a successor log"
        )
