# SPDX-License-Identifier: EUPL-1.2
"""Which grants to turn a number back were spent, as the house log says it.

Before a number is turned back, an entry of kind `grant-spent` is made, and the log is read up to
it. The first entry of a grant spends it; whoever finds an earlier one than his own gets nothing.
So a grant is spent once, whatever became of the state database, and of several gateways, each
with a state database of its own, the log's order tells who was first. The entry names the grant
by a keyed digest: who reads the log can neither guess it nor join it with the fact register. Rows
that somebody edited in the database are found by the log's tree, and then no grant is spent.
docs/formats/pseudonym.md section 7.
"""

import asyncio
import hmac
from collections.abc import Callable
from datetime import datetime
from os import urandom
from typing import Final

from audit import (
    AuditLog,
    Envelope,
    Journal,
    Kind,
    Operation,
    Pending,
    Position,
    Status,
    encode_envelope,
    new_entry_id,
    parse_envelope,
)
from audit.errors import LogCorruptError
from audit.merkle import leaf_hash
from audit.shards import HOUSE, parse_origin
from audit.store import Head
from audit.tiles import Edge

LABEL: Final = "grants"
_OURS: Final = f'"kind":"{Kind.GRANT_SPENT}"'.encode()
_CHUNK: Final = 1000
_HALVES: Final = 2  # a grant lasts a week at most, so no older log can hold an entry of a live one


class GrantLog:
    """The spent grants of one house log and the one before it.

    Mutable state, owned by whoever holds the lock: the tree of each log as far as it was read,
    and where the first entry of each grant stands.
    """

    def __init__(self, journal: Journal, key: bytes, clock: Callable[[], datetime]) -> None:
        """Nothing is read before the first grant.

        Args:
            journal: the gateway's logs.
            key: 32 bytes, the same for every gateway of these logs.
            clock: aware UTC time.
        """
        self._journal, self._key, self._clock = journal, key, clock
        self._lock = asyncio.Lock()
        self._edges: dict[str, Edge] = {}
        self._first: dict[str, tuple[str, int]] = {}

    def correlation(self, grant: str) -> str:
        """What marks the entries of one grant."""
        return f"grant-{hmac.digest(self._key, grant.encode(), 'sha256').hex()[:48]}"

    async def spend(self, grant: str) -> bool:
        """Put a grant's entry into the log; False where an earlier one stands there.

        Raises:
            AuditError: the log can't be written or read; the grant may not be used.
        """
        correlation = self.correlation(grant)
        position = (await self._journal.append([self._entry(correlation)]))[0]
        async with self._lock:
            await self._read_upto(position)
            return self._first.get(correlation) == (position.log, position.index)

    def _entry(self, correlation: str) -> Pending:
        now = self._clock()
        envelope = Envelope(
            id=new_entry_id(now, urandom(10)),
            kind=Kind.GRANT_SPENT,
            t=now,
            log=self._journal.current(HOUSE),
            op=Operation.ADMINISTER,
            status=Status.DONE,
            correlation=correlation,
        )
        return Pending(encode_envelope(envelope), None)

    def _logs(self) -> list[AuditLog]:
        """The house logs of this half-year and the last, oldest first."""
        own = [s for s in map(parse_origin, self._journal.origins) if s.country == HOUSE]
        halves = sorted({shard.half for shard in own})[-_HALVES:]
        kept = sorted((s for s in own if s.half in halves), key=lambda shard: shard.age)
        return [self._journal.log(shard.origin) for shard in kept]

    async def _read_upto(self, last: Position) -> None:
        """Fold all that stands before an entry, and the entry; older logs are closed by then."""
        for log in self._logs():
            own = log.origin == last.log
            # Of another gateway's journal this also brings what is known of the log up to date.
            await (log.read(last.index, last.index + 1) if own else log.newest(None, 1))
            await self._read(log, log.head)
            if own:
                return

    async def _read(self, log: AuditLog, head: Head) -> None:
        """Fold what is new of a log; nothing of it counts before its tree is the signed one."""
        known = self._edges.get(log.origin)
        edge = Edge() if known is None else known.copy()
        found: list[tuple[int, bytes]] = []
        while edge.size < head.size:
            entries = await log.read(edge.size, min(edge.size + _CHUNK, head.size))
            if not entries:
                break
            edge.extend([leaf_hash(entry.envelope) for entry in entries])
            found += [(e.index, e.envelope) for e in entries if _OURS in e.envelope]
        if edge.size > head.size:
            return  # another question read on meanwhile
        if (edge.size, edge.root()) != (head.size, head.root):
            raise LogCorruptError(
                f"the entries of {log.origin} are not those that were signed; run `cuvar audit "
                "verify`"
            )
        self._edges[log.origin] = edge
        for index, data in found:
            envelope = parse_envelope(data)
            if envelope.kind is Kind.GRANT_SPENT and envelope.correlation is not None:
                self._first.setdefault(envelope.correlation, (log.origin, index))
