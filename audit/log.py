# SPDX-License-Identifier: EUPL-1.2
"""One log of a journal, to read and to prove from.

Proofs are made against the last commit, out of stored tiles; reading never holds up writing.
"""

from collections.abc import Callable, Sequence

from audit.entry import StoredEntry
from audit.errors import ProofError
from audit.merkle import HASH_SIZE, Span, consistency_spans, inclusion_spans
from audit.receipt import make_receipt
from audit.state import LogState
from audit.store import Head, Store
from audit.tiles import TileId, span_hash, tiles_for

MAX_READ = 1000


class AuditLog:
    """A growing list of entries under one origin and one signing key."""

    def __init__(self, origin: str, store: Store, state: Callable[[], LogState]) -> None:
        """For `Journal.log`; `state` gives the state as of the last commit."""
        self.origin = origin
        self._store, self._state = store, state

    @property
    def head(self) -> Head:
        """Size, root and signed checkpoint as of the last commit."""
        return self._state().head

    @property
    def size(self) -> int:
        """Entries in the log as of the last commit."""
        return self.head.size

    @property
    def root(self) -> bytes:
        """32-byte root as of the last commit."""
        return self.head.root

    @property
    def closed(self) -> bool:
        """Whether it takes no more entries."""
        return self.head.closed

    async def checkpoint(self) -> str:
        """The newest checkpoint of the last commit, signed by the log alone."""
        return self.head.note

    async def receipt(self, index: int) -> str:
        """The .tlog-proof of entry `index`: cosigned if witnesses saw it, else log-signed.

        Raises:
            ProofError: there is no such entry.
            LogUnavailableError: the store does not answer.
            LogCorruptError: a tile is missing.
        """
        state = self._state()
        cosigned = await self._store.cosigned(state.head)
        size, note = state.head.size, state.head.note
        if cosigned is not None and index < cosigned.size <= size:
            size, note = cosigned.size, cosigned.note
        path = await self._hashes(state, inclusion_spans(index, size))
        return make_receipt(index, path, note)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes that prove that size `new` continues size `old`.

        Raises:
            ProofError: not 0 <= old <= new <= size.
            LogUnavailableError: the store does not answer.
            LogCorruptError: a tile is missing.
        """
        state = self._state()
        if new > state.head.size:
            raise ProofError(f"the log has {state.head.size} entries, fewer than {new}")
        return await self._hashes(state, consistency_spans(old, new))

    async def _hashes(self, state: LogState, spans: Sequence[Span]) -> list[bytes]:
        """Tree hashes out of the edge in memory and full tiles in the store."""
        tiles = state.edge.partial()
        wanted = tiles_for(spans) - tiles.keys()
        tiles |= await self._store.tiles(state.head, wanted)
        return [span_hash(span, tiles) for span in spans]

    async def tile(self, tile: TileId, width: int) -> bytes | None:
        """The first `width` hashes of a tile, None if it does not have so many.

        Raises:
            LogUnavailableError: the store does not answer.
        """
        state = self._state()
        found = state.edge.partial().get(tile)
        if found is None:
            found = (await self._store.tiles(state.head, [tile])).get(tile, b"")
        wanted = width * HASH_SIZE
        return found[:wanted] if len(found) >= wanted else None

    async def read(self, start: int, stop: int) -> list[StoredEntry]:
        """Entries from `start` up to and without `stop`, at most 1,000, in order.

        Raises:
            ProofError: the range lies outside the log or is too long.
            LogUnavailableError: the store does not answer.
        """
        head = self.head
        if not 0 <= start <= stop <= head.size or stop - start > MAX_READ:
            raise ProofError(f"a range of at most {MAX_READ} entries within the log's {head.size}")
        return await self._store.entries(head, start, stop)

    async def newest(self, before: int | None, limit: int) -> list[StoredEntry]:
        """At most `limit` (1 to 1,000) entries with a number below `before`, newest first.

        Raises:
            ProofError: the limit is outside 1 to 1,000.
            LogUnavailableError: the store does not answer.
        """
        if not 1 <= limit <= MAX_READ:
            raise ProofError(f"a look gives 1 to {MAX_READ} entries")
        size = self.size
        stop = size if before is None else max(0, min(before, size))
        return (await self.read(max(0, stop - limit), stop))[::-1]
