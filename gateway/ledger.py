# SPDX-License-Identifier: EUPL-1.2
"""The overlap ledger: what each recipient was answered of an owner's people, kept in the log.

Before a table leaves, its record (docs/formats/statistics.md, section 5) is an entry of the owner's
log, sealed to its data-protection officer and to the gateway's own ledger key, which comes from the
keyset. Nothing else is kept: a gateway that starts, or one of several, reads the records of this
half-year and the last from the log and judges them in the log's order. Two gateways that answer at
the same moment therefore agree on which came first, and the later one refuses.

A record that cannot be opened is somebody's answer that nobody knows: then no table of that owner
is answered. One that was erased when its time was over is forgotten.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from os import urandom
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from anonymise import LedgerError
from anonymise.statistics import Answered, Record, Refusal, decode_record, encode_record
from audit import (
    AuditLog,
    Envelope,
    Journal,
    Kind,
    Operation,
    Owner,
    Pending,
    Position,
    Sealer,
    SealError,
    Status,
    StoredEntry,
    encode_envelope,
    new_entry_id,
    parse_envelope,
)
from audit.retention import year_after
from audit.sealing import Unsealer
from audit.shards import HOUSE, parse_origin
from gateway.entries import Readers
from gateway.inquiry import Inquiry

READER: Final = "LEDGER"
LABEL: Final = "overlap ledger"
_DATASET: Final = "statistics"
_OURS: Final = b'"kind":"statistics"'
_CHUNK: Final = 1000
_HALVES: Final = 2


@dataclass(slots=True)
class _Home:
    """What was read of one country's logs; owned by whoever holds `lock`."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    heads: dict[str, int] = field(default_factory=dict)
    answered: dict[tuple[str, str], Answered] = field(default_factory=dict)
    sealed_off: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Claim:
    """A record on its way into the log: what it says, and of which question it is."""

    inquiry: Inquiry
    owner: str
    record: Record

    @property
    def recipient(self) -> str:
        """The organisation that is answered."""
        return self.inquiry.asker.org


class OverlapLedger:
    """The ledger of all owners whose tables this gateway answers."""

    def __init__(
        self,
        journal: Journal,
        officers: dict[str, X25519PublicKey],
        readers: Readers,
        secret: bytes,
        clock: Callable[[], datetime],
    ) -> None:
        """Nothing is read before the first question.

        Args:
            journal: the gateway's logs.
            officers: public key of each reader, the supervisor among them.
            readers: who they are.
            secret: 32 bytes, the same for every gateway of these logs.
            clock: aware UTC time.
        """
        private = X25519PrivateKey.from_private_bytes(secret)
        self._journal = journal
        self._sealer = Sealer({**officers, READER: private.public_key()}, clock)
        self._unsealer = Unsealer(private)
        self._readers = readers
        self._homes: dict[str, _Home] = {}

    def turn(self, owner: str) -> asyncio.Lock:
        """Held while a table of this owner is worked out and claimed: one after another."""
        return self._home(owner).lock

    async def answered(self, owner: str, recipient: str) -> Answered:
        """What stands in the log by now; the caller holds the owner's turn.

        Raises:
            LogUnavailableError: the log can't be read.
            LedgerError: a record can't be opened; nothing may be answered.
        """
        home = self._home(owner)
        await self._read_upto(owner, None)
        if owner in home.sealed_off:
            raise LedgerError("the overlap ledger holds records of another keyset; restore that")
        return home.answered.setdefault((owner, recipient), Answered())

    async def claim(self, claim: Claim) -> Refusal | None:
        """Put a record into the log and judge it where it came to stand.

        The caller holds the owner's turn. None: the table may leave.

        Raises:
            LogUnavailableError: it is not durable; nothing may leave.
            AuditError: the entry can't be made.
        """
        position = (await self._journal.append([self._entry(claim)]))[0]
        return (await self._read_upto(claim.owner, position))[position.index]

    def _home(self, owner: str) -> _Home:
        return self._homes.setdefault(self._country(owner), _Home())

    def _country(self, owner: str) -> str:
        return owner if owner in self._journal.countries else HOUSE

    def _logs(self, owner: str) -> list[AuditLog]:
        """The owner's logs of this half-year and the last, oldest first."""
        country = self._country(owner)
        own = [s for s in map(parse_origin, self._journal.origins) if s.country == country]
        halves = sorted({shard.half for shard in own})[-_HALVES:]
        kept = sorted((s for s in own if s.half in halves), key=lambda shard: shard.age)
        return [self._journal.log(shard.origin) for shard in kept]

    async def _read_upto(self, owner: str, last: Position | None) -> dict[int, Refusal | None]:
        """Fold all that is new, up to `last` if given; the verdicts in the last log that was read.

        Sizes are taken from the newest log to the oldest, entries from the oldest on: a log that
        has a successor is closed, so nothing is folded before what stands before it.
        """
        logs, stops = self._logs(owner), list[int]()
        if last is not None:
            logs = logs[: 1 + [log.origin for log in logs].index(last.log)]
            stops.append(last.index + 1)
        for log in logs[::-1][len(stops) :]:
            newest = await log.newest(None, 1)
            stops.append(newest[0].index + 1 if newest else 0)
        verdicts: dict[int, Refusal | None] = {}
        for log, stop in zip(logs, reversed(stops), strict=True):
            verdicts = await self._read(self._home(owner), log, stop)
        return verdicts

    async def _read(self, home: _Home, log: AuditLog, stop: int) -> dict[int, Refusal | None]:
        """Fold what is new of a log; the verdict on each record in it."""
        verdicts = {}
        start = home.heads.get(log.origin, 0)
        while start < stop:
            upto = min(start + _CHUNK, stop)
            for entry in await log.read(start, upto):
                if _OURS in entry.envelope and entry.sealed is not None:
                    verdicts[entry.index] = self._fold(home, entry)
            start = home.heads[log.origin] = upto
        return verdicts

    def _fold(self, home: _Home, entry: StoredEntry) -> Refusal | None:
        about = parse_envelope(entry.envelope).owner
        owner = "" if about is None else about.country
        try:
            if entry.sealed is None:
                return None
            recipient, record = decode_record(self._unsealer.open(entry.sealed))
        except (SealError, LedgerError):
            home.sealed_off.add(owner)
            return Refusal.OVERLAP
        return home.answered.setdefault((owner, recipient), Answered()).fold(record)

    def _entry(self, claim: Claim) -> Pending:
        """The owner's own book-keeping: the question itself stands in both sides' logs anyway."""
        now = claim.record.at
        readers = tuple(sorted({*self._readers.of(claim.owner), READER}))
        sealed = self._sealer.seal(encode_record(claim.recipient, claim.record), readers)
        envelope = Envelope(
            id=new_entry_id(now, urandom(10)),
            kind=Kind.STATISTICS,
            t=now,
            log=self._journal.current(self._country(claim.owner)),
            owner=Owner(claim.owner, _DATASET),
            op=Operation.ADMINISTER,
            policy=claim.inquiry.snapshot.digest,
            status=Status.DONE,
            correlation=claim.inquiry.correlation,
            detail=sealed.commitment.hex(),
            erase=year_after(now),
            keys=readers,
        )
        return Pending(envelope=encode_envelope(envelope), sealed=sealed)
