# SPDX-License-Identifier: EUPL-1.2
"""The overlap ledger: what each recipient was answered of an owner's people, kept in the log.

Before a table leaves, its record (docs/formats/statistics.md, section 5) is an entry of the owner's
log, sealed to its data-protection officer and to the gateway's own ledger key, which comes from the
keyset. Nothing else is kept: a gateway that starts, or one of several, reads the records of this
half-year and the last from the log and judges them in the log's order. Two gateways that answer at
the same moment therefore agree on which came first, and the later one refuses.

A record that cannot be opened, is not the one that its entry commits to, or is not there, is
somebody's answer that nobody knows: then no table of that owner is answered. Nor is one where the
entries read are not those whose tree the log's key signed. A record is forgotten only when its time
is over, or when an entry of the log declares it erased.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from os import urandom
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from anonymise import LedgerError
from anonymise.statistics import Answered, Record, Refusal, decode_record, encode_record
from audit import (
    AuditError,
    AuditLog,
    Envelope,
    Journal,
    Kind,
    Operation,
    Owner,
    Pending,
    Position,
    Sealed,
    Sealer,
    SealError,
    Status,
    StoredEntry,
    encode_envelope,
    new_entry_id,
    parse_envelope,
)
from audit.concern import concern_of, lacks_effect
from audit.merkle import leaf_hash
from audit.retention import is_over, year_after
from audit.sealing import Unsealer
from audit.shards import HOUSE, parse_origin
from audit.store import Head
from audit.tiles import Edge
from gateway.entries import Readers
from gateway.inquiry import Inquiry

READER: Final = "LEDGER"
LABEL: Final = "overlap ledger"
_DATASET: Final = "statistics"
_OURS: Final = f'"kind":"{Kind.STATISTICS}"'.encode()
_ERASURE: Final = f'"kind":"{Kind.ERASURE}"'.encode()
_CHUNK: Final = 1000
_RETRY_S: Final = 60.0
_HALVES: Final = 2


@dataclass(slots=True)
class _Home:
    """What was read of one country's logs; owned by whoever holds `lock`.

    Attributes:
        edges: by log, the tree of what was read of it.
        answered: by owner and recipient.
        sealed_off: owners with a record that can't be opened or is not the one committed to, and
            the entry.
        missing: owner, log and number of each record that is not there, with its month.
        erased: by log, the entries whose details were declared erased.
        forged: the log whose entries are not those that were signed.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    edges: dict[str, Edge] = field(default_factory=dict)
    answered: dict[tuple[str, str], Answered] = field(default_factory=dict)
    sealed_off: dict[str, str] = field(default_factory=dict)
    missing: dict[tuple[str, str, int], str | None] = field(default_factory=dict)
    erased: dict[str, list[range]] = field(default_factory=dict)
    forged: str | None = None

    def lost(self, today: date) -> dict[str, str]:
        """By owner, a record that is gone before its time and that nothing declares erased."""
        return {
            owner: f"{log}/{index}"
            for (owner, log, index), month in self.missing.items()
            if not (month is not None and is_over(month, today))
            and not any(index in span for span in self.erased.get(log, ()))
        }


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
        self._readers, self._clock = readers, clock
        self._homes: dict[str, _Home] = {}

    def turn(self, owner: str) -> asyncio.Lock:
        """Held while a table of this owner is worked out and claimed: one after another."""
        return self._home(owner).lock

    async def answered(self, owner: str, recipient: str) -> Answered:
        """What stands in the log by now; the caller holds the owner's turn.

        Raises:
            LogUnavailableError: the log can't be read.
            LedgerError: the ledger is not whole; nothing may be answered.
        """
        await self._read_upto(owner, None)
        self._require_whole(owner)
        home = self._home(owner)
        return home.answered.setdefault((owner, recipient), Answered())

    async def claim(self, claim: Claim) -> Refusal | None:
        """Put a record into the log and judge it where it came to stand.

        The caller holds the owner's turn. None: the table may leave.

        Raises:
            LogUnavailableError: it is not durable; nothing may leave.
            AuditError: the entry can't be made.
            LedgerError: the ledger is not whole; nothing may leave.
        """
        position = (await self._journal.append([self._entry(claim)]))[0]
        verdicts = await self._read_upto(claim.owner, position)
        self._require_whole(claim.owner)
        return verdicts[position.index]

    async def read_all(self) -> None:
        """Read every ledger once, so that one that is not whole is known before a question."""
        for owner in sorted(self._journal.countries):
            while True:
                with suppress(AuditError):
                    async with self.turn(owner):
                        await self._read_upto(owner, None)
                    break
                await asyncio.sleep(_RETRY_S)

    def closed(self) -> Mapping[str, str]:
        """Why no table is answered, by owner, or by log where it is all of its owners'."""
        return {
            name: why for home in self._homes.values() for name, why in self._closed(home).items()
        }

    def _closed(self, home: _Home) -> dict[str, str]:
        if home.forged is not None:
            return {
                home.forged: f"the entries of {home.forged} are not those that were signed; run"
                " `cuvar audit verify`, put the right database back and restart"
            }
        lost = home.lost(self._clock().date())
        return {
            owner: f"the record of entry {place} was deleted and no entry declares it erased; run"
            " `cuvar audit verify`, put the right database back and restart"
            for owner, place in lost.items()
        } | home.sealed_off

    def _require_whole(self, owner: str) -> None:
        home = self._home(owner)
        closed = self._closed(home)
        why = closed.get(home.forged or owner)
        if why is not None:
            raise LedgerError(f"the overlap ledger of {owner} is not whole: {why}")

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
        """Fold all that is new, at least up to `last` if given; the verdicts in the last log read.

        Sizes are taken from the newest log to the oldest, entries from the oldest on: a log that
        has a successor is closed, so nothing is folded before what stands before it.
        """
        home, logs = self._home(owner), self._logs(owner)
        if last is not None:
            logs = logs[: 1 + [log.origin for log in logs].index(last.log)]
            await logs[-1].read(last.index, last.index + 1)  # brings a follower up to it
        heads = []
        for log in logs[::-1]:
            await log.newest(None, 1)
            heads.append(log.head)
        verdicts: dict[int, Refusal | None] = {}
        for log, head in zip(logs, reversed(heads), strict=True):
            if home.forged is None:
                verdicts = await self._read(home, log, head)
        return verdicts

    async def _read(self, home: _Home, log: AuditLog, head: Head) -> dict[int, Refusal | None]:
        """Fold what is new of a log, if its tree is the signed one; the verdict on each record."""
        known = home.edges.get(log.origin)
        edge = Edge() if known is None else known.copy()
        if edge.size >= head.size:
            return {}
        found: list[StoredEntry] = []
        while edge.size < head.size:
            entries = await log.read(edge.size, upto := min(edge.size + _CHUNK, head.size))
            edge.extend([leaf_hash(entry.envelope) for entry in entries])
            found += [e for e in entries if _OURS in e.envelope or _ERASURE in e.envelope]
            if edge.size != upto:
                break
        if (edge.size, edge.root()) != (head.size, head.root):
            home.forged = log.origin
            return {}
        verdicts = {}
        for entry in found:
            envelope = parse_envelope(entry.envelope)
            if envelope.kind is Kind.STATISTICS:
                verdicts[entry.index] = self._fold(home, log.origin, entry, envelope)
            elif envelope.kind is Kind.ERASURE and lacks_effect(envelope) is None:
                concern = concern_of(log.origin, entry.index, envelope, self._sizes(home))
                home.erased.setdefault(concern.log, []).extend(concern.spans)
        home.edges[log.origin] = edge
        return verdicts

    def _sizes(self, home: _Home) -> dict[str, int]:
        return {origin: edge.size for origin, edge in home.edges.items()}

    def _fold(
        self, home: _Home, origin: str, entry: StoredEntry, envelope: Envelope
    ) -> Refusal | None:
        owner = "" if envelope.owner is None else envelope.owner.country
        if entry.sealed is None:
            home.missing[owner, origin, entry.index] = envelope.erase
            return None
        try:
            recipient, record = decode_record(self._opened(entry.sealed, envelope))
        except (SealError, LedgerError) as error:
            home.sealed_off[owner] = (
                f"entry {origin}/{entry.index}: {error}; put the keyset that sealed it or the right"
                " database back (`cuvar audit verify`) and restart"
            )
            return Refusal.OVERLAP
        return home.answered.setdefault((owner, recipient), Answered()).fold(record)

    def _opened(self, sealed: Sealed, envelope: Envelope) -> bytes:
        if sealed.commitment.hex() != envelope.detail:
            raise SealError("the stored detail is not the one that the entry commits to")
        return self._unsealer.open(sealed)

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
