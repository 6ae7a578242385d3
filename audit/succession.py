# SPDX-License-Identifier: EUPL-1.2
"""The log that comes after one that can't go on: restored from a backup, damaged, its key lost.

Its first entry, of kind `checkpoint-gap`, names the old log with the size and root of the newest
checkpoint that anybody still shows: from then on every receipt is either under that root or known
to be of an entry that was lost. Its name bears the time of opening, so that no earlier successor
can have had it, even one that was itself lost before a witness saw it (docs/audit-model.md).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.envelope import encode_envelope, new_entry_id
from audit.errors import NoteError, SuccessionError
from audit.event import Envelope, Link
from audit.logkey import LogKey
from audit.merkle import Span
from audit.note import NoteSigner
from audit.randomness import random_bytes
from audit.sequencer import load_states
from audit.shards import Shard, half_of, parse_origin
from audit.state import Accepted, LogState, advance, next_time, unborn
from audit.store import Batch, Store, store_for
from audit.tiles import span_hash, tiles_for
from audit.vocabulary import Kind, Operation, Status


class Gap(StrEnum):
    """Why a log could not go on; stands in the opening entry's `purpose`."""

    RESTORED = "restored_backup"
    DAMAGED = "damaged_store"


@dataclass(frozen=True, slots=True)
class Succession:
    """A log and the one that was opened after it.

    Attributes:
        old: origin of the closed log.
        new: origin of its successor.
        size, root: what the successor says that the old log had.
        lost: entries below `size` that this store does not hold.
        gone: checkpoints of logs opened after the backup, of which nothing is left here.
    """

    old: str
    new: str
    size: int
    root: bytes
    lost: int
    gone: tuple[Checkpoint, ...] = ()


async def succeed(
    url: str,
    *,
    keys: Mapping[str, LogKey],
    notes: Sequence[str] = (),
    close: Collection[str] = (),
    reason: Gap = Gap.RESTORED,
    now: datetime,
) -> list[Succession]:
    """Open a successor for every country whose newest log is closed.

    Args:
        url: the store; no gateway may be running on it.
        keys: the signing key of each country.
        notes: checkpoints that others hold of the closed logs: witnesses, receipts, copies. One of
            a later log of such a country, opened after the backup, names that log as lost.
        close: open logs that are given up first, where they stand: copied back without
            `cuvar backup restore`, they lack what witnesses saw.
        reason: why.
        now: aware UTC time.

    Raises:
        SuccessionError: nothing to do, a log to close that is none, or a checkpoint is of another
            past than the restored log.
        LogCorruptError: a log does not fit its signed head.
        LogUnavailableError: the store does not answer, or a gateway holds it.
        NoteError: a note is of none of the closed logs, or not signed by its key.
    """
    store = store_for(url)
    try:
        await store.reopen()

        signers = _Signers(keys)
        states = await load_states(store, signers)
        given_up = _given_up(states, close)
        states |= {batch.new.origin: _closed(states, batch) for batch in given_up}
        closed = _newest_closed(states)
        if not closed:
            raise SuccessionError("every country has an open log; there is nothing to succeed")
        told, gone = _by_log(notes, closed, signers)
        made = []
        for origin in closed:
            cosigned = await store.cosigned(states[origin].head)
            shown = [*told[origin], *([cosigned.note] if cosigned else [])]
            ends = [_checkpoint(note, signers(origin)) for note in shown]
            made.append(await _succession(store, states[origin], ends, gone[origin], now))
        await store.commit([*given_up, *_births(states, made, signers, (reason, now))])
        return made
    finally:
        await store.close()


@dataclass(frozen=True, slots=True)
class _Signers:
    """The signer of each log, by its country's key."""

    keys: Mapping[str, LogKey]

    def __call__(self, origin: str) -> NoteSigner:
        key = self.keys.get(parse_origin(origin).country)
        if key is None:
            raise NoteError(f"no signing key is configured for the log {origin}")
        return key.signer(origin)


def _given_up(states: Mapping[str, LogState], close: Collection[str]) -> list[Batch]:
    """The batches that close these logs without an entry."""
    found = []
    for origin in sorted(set(close)):
        state = states.get(origin)
        if state is None or state.head.closed:
            raise SuccessionError(f"{origin} is no open log here; see `cuvar audit logs`")
        found.append(Batch(state.head, replace(state.head, closed=True), (), ()))
    return sorted(found, key=lambda batch: batch.new.number)


def _closed(states: Mapping[str, LogState], batch: Batch) -> LogState:
    return replace(states[batch.new.origin], head=batch.new)


def _newest_closed(states: Mapping[str, LogState]) -> list[str]:
    """The newest log of each country that has no open one."""
    newest: dict[str, Shard] = {}
    for shard in map(parse_origin, states):
        if shard.country not in newest or shard.age > newest[shard.country].age:
            newest[shard.country] = shard
    origins = [newest[country].origin for country in sorted(newest)]
    return [origin for origin in origins if states[origin].head.closed]


def _checkpoint(note: str, signer: NoteSigner) -> Checkpoint:
    return open_checkpoint(note.encode(), signer.verifier, signer.name)


def _by_log(
    notes: Sequence[str], closed: Sequence[str], signers: _Signers
) -> tuple[dict[str, list[str]], dict[str, list[Checkpoint]]]:
    """By closed log the notes of it, and what is known of logs that came after it and are lost.

    Raises:
        NoteError: one is of none of them.
    """
    found: dict[str, list[str]] = {origin: [] for origin in closed}
    gone: dict[str, list[Checkpoint]] = {origin: [] for origin in closed}
    for note in notes:
        origin = note.partition("\n")[0]
        before = [known for known in closed if _follows(origin, known)]
        if before:
            gone[before[0]].append(_checkpoint(note, signers(origin)))
            continue
        if origin not in found:
            raise NoteError(
                f"a checkpoint is of {origin}, which is none of the closed logs here; name"
                f" checkpoints of {', '.join(closed)} only"
            )
        _checkpoint(note, signers(origin))
        found[origin].append(note)
    return found, gone


def _follows(origin: str, closed: str) -> bool:
    """Whether a log is a later one of the same country."""
    new, old = parse_origin(origin), parse_origin(closed)
    return new.key_name == old.key_name and new.age > old.age


def _newest(gone: Sequence[Checkpoint]) -> tuple[Checkpoint, ...]:
    """The largest checkpoint of each lost log, the oldest log first.

    Raises:
        SuccessionError: two of one size have two roots.
    """
    newest: dict[str, Checkpoint] = {}
    for one in gone:
        known = newest.setdefault(one.origin, one)
        if known.size == one.size and known.root != one.root:
            raise _fork(one)
        if one.size > known.size:
            newest[one.origin] = one
    return tuple(sorted(newest.values(), key=lambda one: parse_origin(one.origin).age))


async def _succession(
    store: Store,
    state: LogState,
    ends: Sequence[Checkpoint],
    gone: Sequence[Checkpoint],
    now: datetime,
) -> Succession:
    """The newest checkpoint of those shown, if all of them are of the restored log's past."""
    head = state.head
    sizes = {head.size: head.root}
    for end in ends:
        if end.size < head.size:
            root = await _root_at(store, state, end.size)
        else:
            root = sizes.setdefault(end.size, end.root)
        if root != end.root:
            raise _fork(end)
    size = max(sizes)
    shard = parse_origin(head.origin)
    lost = _newest(gone)
    before = max([shard, *(parse_origin(one.origin) for one in lost)], key=lambda one: one.age)
    half = max(half_of(now), before.half)
    # Two in one second, as in a drill, are told apart all the same.
    part = max(_fresh(now), before.part + 1 if half == before.half else 0)
    name = replace(shard, half=half, part=part)
    return Succession(head.origin, name.origin, size, sizes[size], size - head.size, lost)


def _fork(end: Checkpoint) -> SuccessionError:
    return SuccessionError(
        f"a checkpoint of {end.origin} over {end.size} entries is of another past than what is"
        " known of it: this is a fork, not a gap; keep both, run `cuvar audit fork-evidence` and"
        " tell the authorities before anything is opened"
    )


def _fresh(now: datetime) -> int:
    """A part number that no earlier successor had: the time, to the second."""
    return int(now.astimezone(UTC).strftime("%Y%m%d%H%M%S"))


async def _root_at(store: Store, state: LogState, size: int) -> bytes:
    span = Span(0, size)
    tiles = await store.tiles(state.head, tiles_for([span])) | state.edge.partial()
    return span_hash(span, tiles)


def _openings(one: Succession, reason: Gap, t: datetime) -> list[Accepted]:
    """The first entry, and one for each lost log that came between."""
    own = _gap(one, reason, t, Link(one.old, one.size, one.root.hex()), one.lost)
    return [
        own,
        *(
            _gap(one, reason, t, Link(gone.origin, gone.size, gone.root.hex()), gone.size)
            for gone in one.gone
        ),
    ]


def _gap(one: Succession, reason: Gap, t: datetime, link: Link, lost: int) -> Accepted:
    envelope = Envelope(
        id=new_entry_id(t, random_bytes(10)),
        kind=Kind.CHECKPOINT_GAP,
        t=t,
        log=one.new,
        op=Operation.ADMINISTER,
        purpose=reason.value,
        count=lost,
        link=link,
        status=Status.DONE,
    )
    return Accepted(encode_envelope(envelope), None)


def _births(
    states: Mapping[str, LogState],
    made: Sequence[Succession],
    signers: _Signers,
    why: tuple[Gap, datetime],
) -> Sequence[Batch]:
    """The successors, each with its opening entry; not dated before any old log's last one."""
    reason, now = why
    t = next_time(max(states[one.old].micros for one in made), now)
    number = max(state.head.number for state in states.values()) + 1
    births = {
        one.new: unborn(one.new, place, signers(one.new)) for place, one in enumerate(made, number)
    }
    entries = [entry for one in made for entry in _openings(one, reason, t)]
    return advance(births, entries, t, {origin: signers(origin) for origin in births}).batches
