# SPDX-License-Identifier: EUPL-1.2
"""All logs of one store, and the one sequencer that writes them.

The owner's log takes releases, the asker's log its officers' questions; one commit covers both, so
a crash never leaves an entry one-sided. `append` returns once every entry is on disk. At the turn
of a half-year `rotate` closes each country's log and opens the next, each naming the other.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Self

from audit.entry import Pending, Position
from audit.envelope import (
    EncodedEnvelope,
    encode_envelope,
    encoded_form,
    new_entry_id,
    parse_envelope,
)
from audit.errors import EnvelopeError, LogUnavailableError, NoteError, Trouble
from audit.event import Envelope, Link
from audit.log import AuditLog
from audit.logkey import LogKey
from audit.note import NoteSigner
from audit.randomness import random_bytes
from audit.sequencer import Line, Sequencer, load_states
from audit.shards import Shard, first_shard, half_of, parse_origin
from audit.state import Accepted, LogState, advance, unborn
from audit.store import Cosigned, Store, create_store, store_for
from audit.vocabulary import Kind, Operation, Status

QUEUE = 4096
_OURS = frozenset({Kind.OPENING, Kind.CLOSING, Kind.CHECKPOINT_GAP})


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


class Journal:
    """The logs of one store.

    `_signers` is owned by the event loop; signers are kept because making one costs a key import.
    """

    def __init__(
        self, store: Store, keys: Mapping[str, LogKey], clock: Callable[[], datetime]
    ) -> None:
        """For `open`; `keys` by country."""
        self._store, self._keys, self._clock = store, dict(keys), clock
        self._signers: dict[str, NoteSigner] = {}
        self._sequencer: Line
        self._turning = asyncio.Lock()

    @staticmethod
    def create(
        url: str, *, keys: Mapping[str, LogKey], now: datetime, after: Link | None = None
    ) -> None:
        """Make a store with one open log for each country, in one transaction.

        `after` is the log of an older gateway, which all of them succeed. May be called with or
        without a running event loop.

        Raises:
            LogExistsError: there is one already.
            LogUnavailableError: the place cannot be written.
            NoteError: a key's name is not `<prefix>/<COUNTRY>` of its country.
        """
        states: dict[str, LogState] = {}
        signers: dict[str, NoteSigner] = {}
        for number, country in enumerate(sorted(keys)):
            origin = _first(keys, country, now).origin
            signers[origin] = keys[country].signer(origin)
            states[origin] = unborn(origin, number, signers[origin])
        entries = [_edge_entry(Kind.OPENING, origin, after, now) for origin in states]
        births = advance(states, entries, now, signers).batches if entries else []
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, create_store(url, births)).result()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        keys: Mapping[str, LogKey],
        queue: int = QUEUE,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Open existing logs for writing, after checking each right edge and last checkpoint.

        Args:
            url: `sqlite:///PATH` or `postgresql://...`.
            keys: the signing key of each country.
            queue: entries that may wait; beyond it `append` refuses.
            clock: aware UTC time for the entries.

        Raises:
            LogCorruptError: a log does not fit its signed head; nothing is written to.
            LogUnavailableError: it is missing, does not answer, another process writes to it, or a
                country has no open log.
            NoteError: a log's name or key is not what it should be.
        """
        journal = cls(store_for(url), keys, clock)
        await journal._load(queue)
        try:
            await journal._finish()
            for country in journal._keys:
                journal.current(country)
            await journal.rotate()
        except BaseException:
            await journal.close()
            raise
        return journal

    async def _load(self, queue: int) -> None:
        """Take up the logs of the store; lets go of it when that fails."""
        try:
            await self._store.reopen()
            states = await load_states(self._store, self.signer)
        except BaseException:
            await self._store.close()
            raise
        self._sequencer = Sequencer(
            self._store, states, self.signer, queue=queue, clock=self._clock
        )

    @classmethod
    async def add_countries(
        cls, url: str, *, keys: Mapping[str, LogKey], clock: Callable[[], datetime] = utc_now
    ) -> list[str]:
        """Make the first log of every country that never had one in this store; their origins.

        What has a log is left alone: a restored one is succeeded by a command of its own.

        Raises:
            LogCorruptError: a log does not fit its signed head; nothing is written.
            LogUnavailableError: the store does not answer, or another process writes to it.
            NoteError: a log's name or key is not what it should be.
        """
        journal = cls(store_for(url), keys, clock)
        await journal._load(QUEUE)
        try:
            states, now = journal._sequencer.states, clock()
            there = {parse_origin(origin).country for origin in states}
            new = [_first(keys, country, now).origin for country in sorted(keys.keys() - there)]
            place = max((state.head.number for state in states.values()), default=-1) + 1
            births = {o: unborn(o, n, journal.signer(o)) for n, o in enumerate(new, place)}
            openings = [_edge_entry(Kind.OPENING, origin, None, now) for origin in new]
            if openings:
                await journal._sequencer.submit(openings, births)
            return new
        finally:
            await journal.close()

    @property
    def leads(self) -> bool:
        """Whether this process orders the entries."""
        return True

    @property
    def origins(self) -> tuple[str, ...]:
        """Every log, open or closed, in the order in which they were made."""
        return tuple(self._sequencer.states)

    @property
    def countries(self) -> frozenset[str]:
        """Whose logs are kept here; the house log's is `shards.HOUSE`."""
        return frozenset(self._keys)

    def current(self, country: str) -> str:
        """The origin of a country's open log.

        Raises:
            LogUnavailableError: it has none: restored from a backup, or never made.
        """
        open_logs = [
            parse_origin(state.head.origin)
            for state in self._sequencer.states.values()
            if not state.head.closed and parse_origin(state.head.origin).country == country
        ]
        if not open_logs:
            raise LogUnavailableError(
                f"{country} has no open log here; a restored log is never continued: open its"
                " successor with `cuvar audit succeed`, or create the first one with `cuvar init`"
            )
        return max(open_logs, key=lambda shard: shard.age).origin

    def signer(self, origin: str) -> NoteSigner:
        """The signer of a log.

        Raises:
            NoteError: this journal has no key for it.
        """
        found = self._signers.get(origin)
        if found is None:
            key = self._keys.get(parse_origin(origin).country)
            if key is None:
                raise NoteError(f"no signing key is configured for the log {origin}")
            found = self._signers[origin] = key.signer(origin)
        return found

    def log(self, origin: str) -> AuditLog:
        """One log, to read and to prove from.

        Raises:
            LogUnavailableError: there is no such log here.
        """
        if origin not in self._sequencer.states:
            raise LogUnavailableError(f"the log {origin} is not kept here; see `cuvar audit logs`")
        return AuditLog(origin, self._store, lambda: self._sequencer.states[origin])

    @property
    def size(self) -> int:
        """Entries in all logs as of the last commit."""
        return sum(state.head.size for state in self._sequencer.states.values())

    @property
    def healthy(self) -> bool:
        """Whether an append would be taken now; true again once the store is back."""
        return self._sequencer.healthy

    @property
    def trouble(self) -> Trouble | None:
        """Why an append would not be taken now, None where it would."""
        return self._sequencer.trouble

    @property
    def queue_depth(self) -> int:
        """Entries waiting or being flushed."""
        return self._sequencer.depth

    async def append(self, entries: Sequence[Pending]) -> list[Position]:
        """Write entries, each into the log that its envelope names; returns when all are on disk.

        All or none are written; those of one log stand side by side. Cancelling the wait does not
        take them back.

        Raises:
            EnvelopeError: an envelope breaks the format, is of a log that is not kept here, or
                does not commit to the detail beside it.
            LogUnavailableError: nothing may be released; perhaps the entries stand all the same.
        """
        accepted = [_accept(entry) for entry in entries]
        if not accepted:
            return []
        if not self._sequencer.states.keys() >= {entry.envelope.log for entry in accepted}:
            raise EnvelopeError("the envelope is for a log that is not kept here")
        return await self._sequencer.submit(accepted)

    async def rotate(self) -> list[str]:
        """Close and open what the turn of a half-year demands; the origins that were opened.

        Raises:
            LogUnavailableError: it could not be made durable; the old logs go on.
        """
        async with self._turning:
            now = self._clock()
            if not self._all_open():
                await self._finish()
            old = [parse_origin(self.current(country)) for country in sorted(self._keys)]
            due = [shard for shard in old if half_of(now) > shard.half]
            for shard in due:
                await self._succeed(shard, now)
            return [self.current(shard.country) for shard in due]

    def _all_open(self) -> bool:
        heads = [state.head for state in self._sequencer.states.values()]
        return {parse_origin(h.origin).country for h in heads if not h.closed} >= self.countries

    async def _succeed(self, shard: Shard, now: datetime) -> None:
        """Close one log and open the next: two commits, for the second names the first's root."""
        successor = shard.after(now).origin
        await self._sequencer.submit(
            [_edge_entry(Kind.CLOSING, shard.origin, Link(successor), now)]
        )
        await self._open_after(shard.origin, successor, now)

    async def _finish(self) -> None:
        """Open what a rotation that was cut off left unopened: a successor that is only named."""
        for log in map(self.log, self.origins):
            if not log.closed:
                continue
            (last,) = await log.newest(None, 1)
            envelope = parse_envelope(last.envelope)
            link = envelope.link if envelope.kind is Kind.CLOSING else None
            if link is not None and link.log not in self.origins:
                await self._open_after(log.origin, link.log, self._clock())

    async def _open_after(self, closed: str, origin: str, now: datetime) -> None:
        head = self._sequencer.states[closed].head
        link = Link(head.origin, head.size, head.root.hex())
        numbers = [state.head.number for state in self._sequencer.states.values()]
        birth = unborn(origin, max(numbers) + 1, self.signer(origin))
        opening = _edge_entry(Kind.OPENING, origin, link, now)
        await self._sequencer.submit([opening], {origin: birth})

    async def erase_details(self, origin: str, indices: Sequence[int]) -> int:
        """Delete the sealed details of these entries; how many there were.

        Envelopes, proofs and receipts stay valid. The caller first appends the entry of kind
        `erasure` that says which and on what ground.

        Raises:
            LogUnavailableError: the store does not answer, or there is no such log.
        """
        return await self._store.erase(self.log(origin).head, indices)

    async def cosigned(self, origin: str) -> Cosigned | None:
        """The newest checkpoint of a log that witnesses cosigned.

        Raises:
            LogUnavailableError: the store does not answer, or there is no such log.
        """
        return await self._store.cosigned(self.log(origin).head)

    async def save_cosigned(self, origin: str, cosigned: Cosigned) -> None:
        """Keep a cosigned checkpoint, unless a newer one is kept.

        Raises:
            LogUnavailableError: the store does not answer, or there is no such log.
        """
        await self._store.save_cosigned(self.log(origin).head, cosigned)

    async def close(self) -> None:
        """Commit what is queued and let go of the store."""
        await self._sequencer.close()
        await self._store.close()


def _first(keys: Mapping[str, LogKey], country: str, now: datetime) -> Shard:
    shard = first_shard(keys[country].name, now)
    if shard.country != country:
        raise NoteError(f"the key {keys[country].name} is not that of {country}")
    return shard


def _accept(entry: Pending) -> Accepted:
    envelope: EncodedEnvelope = encoded_form(entry.envelope)
    if envelope.kind in _OURS:
        raise EnvelopeError("only the journal itself opens and closes logs")
    committed = entry.sealed.commitment.hex() if entry.sealed else ""
    if not hmac.compare_digest(committed, envelope.detail or ""):
        raise EnvelopeError("the envelope does not commit to the detail that comes with it")
    return Accepted(envelope, entry.sealed)


def _edge_entry(kind: Kind, origin: str, link: Link | None, now: datetime) -> Accepted:
    """The first or last entry of a log."""
    envelope = Envelope(
        id=new_entry_id(now, random_bytes(10)),
        kind=kind,
        t=now,
        log=origin,
        op=Operation.ADMINISTER,
        link=link,
        status=Status.DONE,
    )
    return Accepted(encode_envelope(envelope), None)
