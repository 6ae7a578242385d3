# SPDX-License-Identifier: EUPL-1.2
"""A journal that several processes share: this one leads while it holds the lease, or follows.

A part lasts until the lease or the connection to the leader is lost. Between two parts every append
fails at once: nobody waits for a leader that may not come. Processes without a part keep trying the
lease, so that the first to get it leads next. Whoever takes over first makes sure that the store
has everything that an earlier leader acknowledged to it.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn, Self

from audit.entry import Position, StoredEntry
from audit.errors import AuditError, LeaseHeldError, LogUnavailableError, Trouble
from audit.journal import QUEUE, Journal, utc_now
from audit.log import AuditLog
from audit.logkey import LogKey
from audit.relay.board import Board, Leader, board_for
from audit.relay.following import Following, read_states
from audit.relay.frames import SECRET_SIZE
from audit.relay.host import Host, serve
from audit.relay.link import Link
from audit.sequencer import Sequencer, load_states, require_continuation
from audit.state import Accepted, LogState
from audit.store import Cosigned, Head, Store, store_for
from audit.tiles import TileId

STEP = 0.1
REFRESH = 0.5
OPENING = 5.0
Refresh = Callable[[], Awaitable[None]]
_NO_PART = "the log has no leader at this moment; another process takes over: ask again shortly"
_log = logging.getLogger(__name__)


class _Apart:
    """Neither leading nor following: the logs can be read and take nothing."""

    depth = 0
    healthy = False
    trouble = Trouble.NO_LEADER

    def __init__(self, states: Mapping[str, LogState], fault: str) -> None:
        self.states, self.fault = states, fault

    def submit(
        self, accepted: Sequence[Accepted], births: Mapping[str, LogState] | None = None
    ) -> "asyncio.Future[list[Position]]":
        """Refuse."""
        del accepted, births
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise LogUnavailableError(self.fault)

    async def close(self) -> None:
        """Nothing is queued."""


class FollowedLog(AuditLog):
    """A log that looks again when it is asked for what it has not seen yet."""

    def __init__(
        self, origin: str, store: Store, state: Callable[[], LogState], refresh: Refresh
    ) -> None:
        super().__init__(origin, store, state)
        self._refresh = refresh

    async def _seen(self, size: int) -> None:
        if size > self.size:
            await self._refresh()

    async def checkpoint(self) -> str:
        """The newest checkpoint."""
        await self._refresh()
        return await super().checkpoint()

    async def receipt(self, index: int) -> str:
        """The .tlog-proof of entry `index`."""
        await self._seen(index + 1)
        return await super().receipt(index)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes that prove that size `new` continues size `old`."""
        await self._seen(new)
        return await super().consistency(old, new)

    async def read(self, start: int, stop: int) -> list[StoredEntry]:
        """Entries from `start` up to and without `stop`."""
        await self._seen(stop)
        return await super().read(start, stop)

    async def newest(self, before: int | None, limit: int) -> list[StoredEntry]:
        """The newest entries first."""
        await self._refresh()
        return await super().newest(before, limit)

    async def tile(self, tile: TileId, width: int) -> bytes | None:
        """The first hashes of a tile."""
        found = await super().tile(tile, width)
        if found is None:
            await self._refresh()
            found = await super().tile(tile, width)
        return found


class SharedJournal(Journal):
    """As `Journal`, in each of several processes.

    `_sequencer` is the present part: a Sequencer, a Following or neither; after `open` only the
    task changes it.
    """

    def __init__(
        self, store: Store, keys: Mapping[str, LogKey], clock: Callable[[], datetime]
    ) -> None:
        """For `open`."""
        super().__init__(store, keys, clock)
        self._sequencer = _Apart({}, _NO_PART)
        self._board: Board
        self._limit = QUEUE
        self._host: Host | None = None
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # The largest size and its root that was ever acknowledged to this process, by origin.
        self._known: dict[str, tuple[int, bytes]] = {}

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        keys: Mapping[str, LogKey],
        queue: int = QUEUE,
        clock: Callable[[], datetime] = utc_now,
        listen: str | None = None,
    ) -> Self:
        """Lead if the lease is free, follow its holder if not.

        Args:
            url: as `Journal.open`.
            keys: the signing key of each country.
            queue: entries that may wait.
            clock: aware UTC time for the entries that this process orders.
            listen: where to listen when leading, see `audit.relay.board.board_for`.

        Raises:
            LogCorruptError: a log does not fit its signed head.
            LogUnavailableError: the store does not answer, or its writer does not.
            NoteError: a log's name or key is not what it should be.
        """
        shared = cls(store_for(url), keys, clock)
        shared._board, shared._limit = board_for(url, listen), queue
        try:
            await shared._take_first_part()
        except BaseException:
            await shared._store.close()
            raise
        shared._task = asyncio.create_task(shared._run(), name="audit-relay")
        return shared

    @property
    def leads(self) -> bool:
        """Whether this process orders the entries."""
        return isinstance(self._sequencer, Sequencer)

    def log(self, origin: str) -> AuditLog:
        """One log, to read and to prove from; as new as what it is asked for."""
        super().log(origin)  # it is kept here
        return FollowedLog(
            origin, self._store, lambda: self._sequencer.states[origin], self._refresh
        )

    async def _refresh(self) -> None:
        part = self._sequencer
        if isinstance(part, Following):
            await part.refresh()

    def _leader(self) -> Link | None:
        """The link to the leader; None if this process writes to the store itself.

        Raises:
            LogUnavailableError: neither.
        """
        part = self._sequencer
        if isinstance(part, _Apart):
            raise LogUnavailableError(part.fault)
        return part.link if isinstance(part, Following) else None

    async def rotate(self) -> list[str]:
        """As `Journal.rotate`, done by the leader."""
        link = self._leader()
        return await (link.rotate() if link else super().rotate())

    async def erase_details(self, origin: str, indices: Sequence[int]) -> int:
        """As `Journal.erase_details`, done by the leader."""
        link = self._leader()
        done = link.erase_details if link else super().erase_details
        return await done(origin, indices)

    async def save_cosigned(self, origin: str, cosigned: Cosigned) -> None:
        """As `Journal.save_cosigned`, done by the leader."""
        link = self._leader()
        done = link.save_cosigned if link else super().save_cosigned
        await done(origin, cosigned)

    async def close(self) -> None:
        """Finish what is queued, give up the part."""
        self._closing.set()
        if self._task is not None:
            await self._task
        await self._store.close()

    async def _take_first_part(self) -> None:
        """As `_take_part`; waits for one that has the lease and does not listen yet."""
        for _ in range(round(OPENING / STEP)):
            try:
                return await self._take_part()
            except LeaseHeldError:
                await asyncio.sleep(STEP)
        return await self._take_part()

    async def _take_part(self) -> None:
        try:
            await self._store.reopen(wait=False)
        except LeaseHeldError:
            await self._follow()
            return
        try:
            await self._lead()
        except BaseException:
            with contextlib.suppress(AuditError):
                await self._store.look()  # the lease is another's to try
            raise

    async def _follow(self) -> None:
        leader = await self._board.read()
        if leader is None:
            raise LeaseHeldError("another process writes to the log and takes nothing from others")
        await self._store.look()
        states = await read_states(self._store, self.signer, {})
        try:
            link = await Link.connect(leader.address, leader.secret, queue=self._limit)
        except LogUnavailableError as error:
            raise LeaseHeldError(str(error)) from None  # by one that just took it, or is ending
        self._sequencer = Following(link, self._store, self.signer, states)
        _log.info("following the log's leader at %s", leader.address)

    async def _lead(self) -> None:
        states = await load_states(self._store, self.signer)
        for origin, (size, root) in self._known.items():
            await require_continuation(self._store, Head(origin, size, root, ""), states)
        self._sequencer = Sequencer(
            self._store, states, self.signer, queue=self._limit, clock=self._clock
        )
        try:
            await self._finish()
            for country in self.countries:
                self.current(country)
            await super().rotate()
            secret = secrets.token_bytes(SECRET_SIZE)
            self._host = await serve(self, self._board.place, secret)
            await self._board.publish(Leader(self._host.address, secret, int(time.time())))
        except BaseException:
            await self._leave(_NO_PART)
            raise
        _log.info("leading the log's writers at %s", self._host.address)

    async def _run(self) -> None:
        while True:
            await self._hold()
            await self._leave(_NO_PART)
            await self._find_part()
            if self._closing.is_set():
                await self._leave("the log is closing; ask another gateway")
                return

    async def _hold(self) -> None:
        """Keep the part until it ends or the process closes."""
        part = self._sequencer
        closing: asyncio.Future[Any] = asyncio.ensure_future(self._closing.wait())
        try:
            if isinstance(part, Sequencer):
                ends: list[asyncio.Future[Any]] = [closing, part.lost]
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            elif isinstance(part, Following):
                await self._keep_up(part, closing)
        finally:
            closing.cancel()

    @staticmethod
    async def _keep_up(part: Following, closing: "asyncio.Future[Any]") -> None:
        """Read the heads now and then until the part ends, or the store shows other entries."""
        ends: list[asyncio.Future[Any]] = [closing, part.link.ended]
        while not any(end.done() for end in ends):
            await asyncio.wait(ends, timeout=REFRESH, return_when=asyncio.FIRST_COMPLETED)
            try:
                await part.refresh()
            except LogUnavailableError:
                continue
            except AuditError as error:
                _log.error("audit log unavailable: %s", error)
                return

    async def _leave(self, fault: str) -> None:
        """Refuse at once, finish what is queued, then tell the followers."""
        part, host = self._sequencer, self._host
        self._sequencer, self._host = _Apart(part.states, fault), None
        if host is not None:
            host.stop_listening()
        await part.close()
        if isinstance(part, Following):
            self._known |= part.acknowledged
        elif isinstance(part, Sequencer):
            self._known |= {s.head.origin: (s.head.size, s.head.root) for s in part.states.values()}
        if host is not None:
            await host.close()

    async def _find_part(self) -> None:
        while not self._closing.is_set():
            pause = STEP
            try:
                return await self._take_part()
            except LogUnavailableError as error:
                fault = str(error)
            except AuditError as error:
                fault, pause = str(error), REFRESH
            except Exception as error:  # noqa: BLE001 - a defect must not end the search
                fault, pause = f"the log cannot be opened ({type(error).__name__})", REFRESH
            self._sequencer = _Apart(self._sequencer.states, fault)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause)
        return None
