# SPDX-License-Identifier: EUPL-1.2
"""The log as its users see it: create, open, append, prove, read.

The gateway's pipeline awaits `append` before it sends an answer. Proofs are made against the last
commit, out of stored tiles; reading never holds up writing.
"""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Self

from audit.entry import Pending, Position, StoredEntry
from audit.envelope import EncodedEnvelope, encoded_form, is_origin
from audit.errors import AuditError, EnvelopeError, NoteError, ProofError
from audit.merkle import Span, consistency_spans, inclusion_spans
from audit.note import NoteSigner
from audit.receipt import make_receipt
from audit.sequencer import Sequencer
from audit.state import Accepted, LogState, first_head, load_state
from audit.store import Query, Store, create_store, store_for
from audit.tiles import span_hash, tiles_for

MAX_READ = 1000
QUEUE = 4096


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


def _check_origin(origin: str, signer: NoteSigner) -> None:
    if not is_origin(origin) or signer.name != origin:
        raise NoteError(
            "a log's origin is of letters, digits, . _ / - and is the name of its signing key"
        )


class AuditLog:
    """One log: a growing list of entries under one origin and one signing key."""

    def __init__(self, store: Store, sequencer: Sequencer, origin: str) -> None:
        self._store, self._sequencer, self.origin = store, sequencer, origin

    @staticmethod
    def create(url: str, *, origin: str, signer: NoteSigner) -> None:
        """Make an empty log: schema, head and first signed checkpoint in one transaction.

        May be called with or without a running event loop.

        Raises:
            LogExistsError: there is one already.
            LogUnavailableError: the place cannot be written.
            NoteError: the origin is not the signer's name, or not a name.
        """
        _check_origin(origin, signer)
        head = first_head(origin, signer)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, create_store(url, head)).result()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        origin: str,
        signer: NoteSigner,
        queue: int = QUEUE,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Open an existing log for writing, after checking its right edge and last checkpoint.

        Args:
            url: `sqlite:///PATH` or `postgresql://...`.
            origin: the log's name.
            signer: its key, of the same name.
            queue: entries that may wait; beyond it `append` refuses.
            clock: aware UTC time for the entries.

        Raises:
            LogCorruptError: it does not fit its signed head; it is not written to.
            LogUnavailableError: it is missing, does not answer, or another process writes to it.
        """
        _check_origin(origin, signer)
        store = store_for(url)
        try:
            await store.reopen()
            state = await load_state(store, origin, signer)
        except BaseException:
            await store.close()
            raise
        return cls(store, Sequencer(store, state, signer, queue=queue, clock=clock), origin)

    @property
    def size(self) -> int:
        """Entries in the log as of the last commit."""
        return self._state.head.size

    @property
    def root(self) -> bytes:
        """32-byte root as of the last commit."""
        return self._state.head.root

    @property
    def healthy(self) -> bool:
        """Whether an append would be taken now; true again once the store is back."""
        return self._sequencer.healthy

    @property
    def queue_depth(self) -> int:
        """Entries waiting or being flushed."""
        return self._sequencer.depth

    @property
    def _state(self) -> LogState:
        return self._sequencer.state

    async def append(self, entries: Sequence[Pending]) -> list[Position]:
        """Write entries, side by side and all or none; returns when they are on disk.

        Cancelling the wait does not take the entries back.

        Raises:
            EnvelopeError: an envelope breaks the format, is of another log, or does not commit to
                the detail beside it.
            LogUnavailableError: nothing may be released; perhaps the entries stand all the same.
        """
        accepted = [self._accept(entry) for entry in entries]
        if not accepted:
            return []
        return await self._sequencer.submit(accepted)

    def _accept(self, entry: Pending) -> Accepted:
        envelope: EncodedEnvelope = encoded_form(entry.envelope)
        if envelope.log != self.origin:
            raise EnvelopeError(f"the envelope is for another log than {self.origin}")
        committed = entry.sealed.commitment.hex() if entry.sealed else ""
        if not hmac.compare_digest(committed, envelope.detail or ""):
            raise EnvelopeError("the envelope does not commit to the detail that comes with it")
        return Accepted(envelope, entry.sealed)

    async def checkpoint(self) -> str:
        """The signed checkpoint of the last commit."""
        return self._state.head.note

    async def receipt(self, index: int) -> str:
        """The .tlog-proof that entry `index` stands under the last checkpoint.

        Raises:
            ProofError: there is no such entry.
            LogUnavailableError: the store does not answer.
            LogCorruptError: a tile is missing.
        """
        state = self._state
        path = await self._hashes(state, inclusion_spans(index, state.head.size))
        return make_receipt(index, path, state.head.note)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes that prove that size `new` continues size `old`.

        Raises:
            ProofError: not 0 <= old <= new <= size.
            LogUnavailableError: the store does not answer.
            LogCorruptError: a tile is missing.
        """
        state = self._state
        if new > state.head.size:
            raise ProofError(f"the log has {state.head.size} entries, fewer than {new}")
        return await self._hashes(state, consistency_spans(old, new))

    async def _hashes(self, state: LogState, spans: Sequence[Span]) -> list[bytes]:
        """Tree hashes out of the edge in memory and full tiles in the store."""
        tiles = state.edge.partial()
        tiles |= await self._store.tiles(tiles_for(spans) - tiles.keys())
        return [span_hash(span, tiles) for span in spans]

    async def read(self, start: int, stop: int) -> list[StoredEntry]:
        """Entries from `start` up to and without `stop`, at most 1,000, in order.

        Raises:
            ProofError: the range lies outside the log or is too long.
            LogUnavailableError: the store does not answer.
        """
        if not 0 <= start <= stop <= self.size or stop - start > MAX_READ:
            raise ProofError(f"a range of at most {MAX_READ} entries within the log's {self.size}")
        return await self._store.entries(start, stop)

    async def search(
        self,
        *,
        owner: str | None = None,
        requester: str | None = None,
        kind: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[StoredEntry]:
        """Entries of an owner country, a requester country, a kind; newest first.

        Args:
            owner: country whose data an entry is about.
            requester: country that asked.
            kind: a word of `audit.vocabulary.Kind`.
            before: only entries with a smaller number; None starts at the newest.
            limit: at most so many, up to 1,000.

        Raises:
            AuditError: the limit is outside 1 to 1,000.
            LogUnavailableError: the store does not answer.
        """
        if not 1 <= limit <= MAX_READ:
            raise AuditError(f"a search gives 1 to {MAX_READ} entries")
        last = self.size
        start = last if before is None else min(before, last)
        return await self._store.search(Query(owner, requester, kind, start, limit))

    async def erase_details(self, indices: Sequence[int]) -> int:
        """Delete the sealed details of these entries; how many there were.

        Envelopes, proofs and receipts stay valid. The caller first appends the entry of kind
        `erasure` that says which and on what ground.

        Raises:
            LogUnavailableError: the store does not answer.
        """
        return await self._store.erase(indices)

    async def close(self) -> None:
        """Commit what is queued and let go of the store."""
        await self._sequencer.close()
        await self._store.close()
