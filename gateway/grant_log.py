# SPDX-License-Identifier: EUPL-1.2
"""Which grants to turn a number back were spent, as the house log says it.

Before a number is turned back, an entry of kind `grant-spent` is made, and the log is read up to
it. The first entry of a grant spends it; whoever finds an earlier one than his own gets nothing.
So a grant is spent once, whatever became of the state database, and of several gateways, each
with a state database of its own, the log's order tells who was first. The entry names the grant
by a keyed digest: who reads the log can neither guess it nor join it with the fact register.
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
from audit.shards import HOUSE, parse_origin

LABEL: Final = "grants"
_OURS: Final = f'"kind":"{Kind.GRANT_SPENT}"'.encode()
_CHUNK: Final = 1000
_HALVES: Final = 2  # a grant lasts a week at most, so no older log can hold an entry of a live one


class GrantLog:
    """The spent grants of one house log and the one before it.

    Mutable state, owned by whoever holds the lock: up to where each log was read, and where the
    first entry of each grant stands.
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
        self._heads: dict[str, int] = {}
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
            if log.origin == last.log:
                await self._read(log, last.index + 1)
                return
            newest = await log.newest(None, 1)
            await self._read(log, newest[0].index + 1 if newest else 0)

    async def _read(self, log: AuditLog, stop: int) -> None:
        start = self._heads.get(log.origin, 0)
        while start < stop:
            upto = min(start + _CHUNK, stop)
            for entry in await log.read(start, upto):
                if _OURS in entry.envelope:
                    envelope = parse_envelope(entry.envelope)
                    if envelope.kind is Kind.GRANT_SPENT and envelope.correlation is not None:
                        place = (log.origin, entry.index)
                        self._first.setdefault(envelope.correlation, place)
            start = self._heads[log.origin] = upto
