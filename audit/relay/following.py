# SPDX-License-Identifier: EUPL-1.2
"""What a follower knows of the logs: read from the store, never taken on the leader's word.

A head is believed once its tree was computed from the store's tiles and last entries and fits its
signed checkpoint. Reading while the leader writes is safe: what a head of some size needs is never
changed by later commits, only added to.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from audit.checkpoint import open_checkpoint
from audit.entry import Pending, Position
from audit.errors import LogCorruptError, LogUnavailableError, NoteError, Trouble
from audit.merkle import HASH_SIZE, leaf_hash
from audit.note import NoteSigner
from audit.relay.link import Link
from audit.state import Accepted, LogState
from audit.store import Head, Store
from audit.tiles import TILE_WIDTH, Edge, TileId, partial_tiles

Signers = Callable[[str], NoteSigner]


async def read_state(store: Store, head: Head, signer: NoteSigner) -> LogState:
    """The state of a log at a head that may have been moved on since.

    Raises:
        LogCorruptError: entries and tiles do not lead to the head's root, or it is not signed.
        LogUnavailableError: the store does not answer.
    """
    wanted = [tile for tile in partial_tiles(head.size) if tile.level > 0]
    stored = await store.tiles(head, wanted)
    tiles: dict[TileId, bytes] = {}
    for tile in wanted:
        width = (head.size >> (8 * tile.level)) % TILE_WIDTH
        tiles[tile] = stored.get(tile, b"")[: width * HASH_SIZE]
    start = head.size - head.size % TILE_WIDTH
    entries = await store.entries(head, start, head.size)
    tiles[TileId(0, start // TILE_WIDTH)] = b"".join(leaf_hash(e.envelope) for e in entries)
    edge = Edge.restore(head.size, tiles)
    try:
        signed = open_checkpoint(head.note.encode(), signer.verifier, head.origin)
    except NoteError as error:
        raise LogCorruptError(f"the checkpoint of {head.origin}: {error}") from None
    if (signed.size, signed.root) != (head.size, head.root) or edge.root() != head.root:
        raise LogCorruptError(
            f"the entries and tiles of {head.origin} do not lead to its signed checkpoint; run"
            " `python -m audit verify` on a copy"
        )
    return LogState(head, edge, 0)


async def read_states(
    store: Store, signer: Signers, known: Mapping[str, LogState]
) -> dict[str, LogState]:
    """The states of all logs; those whose head did not move are taken from `known`.

    Raises:
        LogCorruptError: as `read_state`, or a log went back.
        LogUnavailableError: the store does not answer.
    """
    found = {}
    for head in await store.heads():
        old = known.get(head.origin)
        if old is not None and old.head.size > head.size:
            raise LogCorruptError(f"the log {head.origin} is shorter than it was before")
        same = old is not None and replace(old.head, note="") == replace(head, note="")
        found[head.origin] = (
            old if same and old else await read_state(store, head, signer(head.origin))
        )
    return found


class Following:
    """The way to the leader's sequencer, with this process's own view of the store.

    `acknowledged` is the largest size and its root that an answer named for each log: whoever leads
    next must have them.
    """

    def __init__(
        self, link: Link, store: Store, signer: Signers, states: Mapping[str, LogState]
    ) -> None:
        self.states = states  # replaced whole by `refresh`
        self.acknowledged: dict[str, tuple[int, bytes]] = {}
        self.link, self._store, self._signer = link, store, signer
        self._reading = asyncio.Lock()

    @property
    def depth(self) -> int:
        """Entries that wait for the leader's answer."""
        return self.link.queue_depth

    @property
    def healthy(self) -> bool:
        """Whether the leader is there and takes entries."""
        return self.link.healthy

    @property
    def trouble(self) -> Trouble | None:
        """The leader is gone or out of order, if anything."""
        return None if self.link.healthy else Trouble.NO_LEADER

    def submit(
        self, accepted: Sequence[Accepted], births: Mapping[str, LogState] | None = None
    ) -> "asyncio.Future[list[Position]]":
        """Hand entries to the leader.

        Raises:
            AuditError: too much for one append.
            LogUnavailableError: the leader is gone, the queue is full, or a log would be made.
        """
        if births:
            raise LogUnavailableError("only the process that leads opens logs; ask it to rotate")
        answer = self.link.submit([Pending(one.envelope, one.sealed) for one in accepted])
        answer.add_done_callback(self._note)
        return answer

    def _note(self, answer: "asyncio.Future[list[Position]]") -> None:
        if answer.cancelled() or answer.exception() is not None:
            return
        for position in answer.result():
            known = self.acknowledged.get(position.log)
            if known is None or known[0] < position.size:
                self.acknowledged[position.log] = position.size, position.root

    async def refresh(self) -> None:
        """Read the heads anew.

        Raises:
            LogCorruptError: the store does not hold what it should.
            LogUnavailableError: it does not answer.
        """
        async with self._reading:
            self.states = await read_states(self._store, self._signer, self.states)

    async def close(self) -> None:
        """Wait for the answers that are due, then hang up."""
        await self.link.close()
