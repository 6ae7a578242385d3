# SPDX-License-Identifier: EUPL-1.2
"""The logs' state between two commits, and how it is taken up again at start.

`load_state` trusts nothing that it can recompute: tiles and entries of the right edge must hash to
the head's root, and the head must carry a checkpoint that this log's own key signed. A log that
fails is not written to. `advance` is pure: old states and new entries give the new states and the
batches to commit; a state whose commit failed is thrown away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.entry import EntryRow, StoredEntry
from audit.envelope import EPOCH, EncodedEnvelope, format_time, parse_envelope, stamp
from audit.errors import EnvelopeError, LogCorruptError, LogUnavailableError, NoteError, Trouble
from audit.merkle import HASH_SIZE, leaf_hash
from audit.note import NoteSigner
from audit.sealing import Sealed
from audit.store import Batch, Head, Store
from audit.tiles import TILE_BYTES, TILE_WIDTH, Edge, TileId, tile_root
from audit.vocabulary import Kind

CLOCK_SLACK = timedelta(seconds=2)
_MICROSECOND = timedelta(microseconds=1)
_ADVICE = (
    "; the log was changed or damaged since: do not write to it, copy it away, run"
    " `python -m audit verify` on the copy, then restore the right file or open a successor log"
)


@dataclass(frozen=True, slots=True)
class LogState:
    """Head, right edge (never changed once here) and the time of the last entry in microseconds.

    `born` is false for a log that the store does not have yet.
    """

    head: Head
    edge: Edge
    micros: int
    born: bool = True


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry that was checked and waits for its place."""

    envelope: EncodedEnvelope
    sealed: Sealed | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Advance:
    """What a commit would make of some logs: their states after, the batches, the entries' time."""

    states: Mapping[str, LogState]
    batches: Sequence[Batch]
    t: datetime


def unborn(origin: str, number: int, signer: NoteSigner) -> LogState:
    """The state of a log before its first entry, signed, for a store that has no such log yet."""
    edge = Edge()
    note = Checkpoint(origin, 0, edge.root()).sign(signer)
    return LogState(Head(origin, 0, edge.root(), note, number), edge, 0, born=False)


def micros_of(t: datetime) -> int:
    """Microseconds since 1970."""
    return (t - EPOCH) // _MICROSECOND


def next_time(last: int, now: datetime) -> datetime:
    """The time for the next entries: the clock's, but never before the last entry's.

    Raises:
        LogUnavailableError: the clock stands more than two seconds behind the last entry.
    """
    before = EPOCH + last * _MICROSECOND
    if now + CLOCK_SLACK < before:
        raise LogUnavailableError(
            f"the clock stands {(before - now).total_seconds():.0f} s behind the log's last entry;"
            " set the clock right: entries are never dated backwards",
            trouble=Trouble.CLOCK,
        )
    return max(now, before)


def advance(
    states: Mapping[str, LogState],
    accepted: Sequence[Accepted],
    now: datetime,
    signers: Mapping[str, NoteSigner],
) -> Advance:
    """The states of the logs after these entries, and the batches that lead there.

    All entries share one time. A log that is not born yet is made by its batch.

    Raises:
        LogUnavailableError: the clock went back, see `next_time`.
    """
    by_log: dict[str, list[Accepted]] = {}
    for entry in accepted:
        by_log.setdefault(entry.envelope.log, []).append(entry)
    t = next_time(max(states[log].micros for log in by_log), now)
    when, micros = format_time(t), micros_of(t)
    after: dict[str, LogState] = {}
    batches = []
    for log, entries in by_log.items():
        after[log], batch = _grown(states[log], entries, when, micros, signers[log])
        batches.append(batch)
    batches.sort(key=lambda batch: batch.new.number)  # one order for all writers: no deadlock
    return Advance(after, batches, t)


def _grown(
    state: LogState, entries: Sequence[Accepted], when: str, micros: int, signer: NoteSigner
) -> tuple[LogState, Batch]:
    old = state.head
    rows = []
    for index, entry in enumerate(entries, start=old.size):
        data = stamp(entry.envelope, when)
        rows.append(EntryRow(index, data, leaf_hash(data), entry.sealed))
    edge = state.edge.copy()
    tiles = edge.extend([row.leaf for row in rows])
    root = edge.root()
    note = Checkpoint(old.origin, edge.size, root).sign(signer)
    closed = entries[-1].envelope.kind == Kind.CLOSING
    head = Head(old.origin, edge.size, root, note, old.number, closed)
    return LogState(head, edge, micros), Batch(old if state.born else None, head, rows, tiles)


async def load_state(store: Store, head: Head, signer: NoteSigner) -> LogState:
    """Recompute the right edge of a log, and compare with its head.

    Raises:
        LogCorruptError: something differs; the message names it.
        LogUnavailableError: the store does not answer.
    """
    _check_head(head, signer)
    count = await store.count(head)
    if count != head.size:
        raise LogCorruptError(
            f"the head of {head.origin} says {head.size} entries and the last one stored makes"
            f" {count}{_ADVICE}"
        )
    start = max(0, head.size // TILE_WIDTH - 1) * TILE_WIDTH
    entries = await _last_entries(store, head, start)
    leaves = b"".join(leaf_hash(entry.envelope) for entry in entries)
    edge = await _load_edge(store, head, start, leaves)
    if edge.root() != head.root:
        raise LogCorruptError(
            f"the entries and tiles of {head.origin} do not lead to the head's root{_ADVICE}"
        )
    return LogState(head, edge, _last_time(entries))


def _check_head(head: Head, signer: NoteSigner) -> None:
    try:
        checkpoint = open_checkpoint(head.note.encode(), signer.verifier, head.origin)
    except NoteError as error:
        raise LogCorruptError(f"the last checkpoint of {head.origin}: {error}{_ADVICE}") from None
    if (checkpoint.size, checkpoint.root) != (head.size, head.root):
        raise LogCorruptError(
            f"the head of {head.origin} says {head.size} entries, its signed checkpoint"
            f" {checkpoint.size}, or their roots differ{_ADVICE}"
        )


async def _load_edge(store: Store, head: Head, start: int, leaves: bytes) -> Edge:
    """The edge out of partial tiles, each full tile beside them checked against its parent.

    `leaves` are the hashes of the entries from `start` on: the last full tile of level 0 and the
    unfinished one.
    """
    tiles: dict[TileId, bytes] = {}
    level, width = 0, head.size
    while width:
        number = width // TILE_WIDTH
        wanted = [TileId(level, n) for n in (number, number - 1) if n >= 0]
        tiles.update(await store.tiles(head, wanted))
        level, width = level + 1, number
    for first in range(start, head.size, TILE_WIDTH):
        place = (first - start) * HASH_SIZE
        tile, found = TileId(0, first // TILE_WIDTH), leaves[place : place + TILE_BYTES]
        if len(found) == TILE_BYTES and tiles.get(tile) != found:
            raise LogCorruptError(
                f"tile 0/{tile.number} of {head.origin} is not what its entries hash to{_ADVICE}"
            )
        tiles[tile] = found
    _check_parents(head, tiles)
    return Edge.restore(head.size, tiles)


def _check_parents(head: Head, tiles: Mapping[TileId, bytes]) -> None:
    """The last full tile of each level must hash to what the level above holds for it."""
    level, width = 0, head.size // TILE_WIDTH
    while width:
        last = TileId(level, width - 1)
        number, place = divmod(width - 1, TILE_WIDTH)
        parent = tiles.get(TileId(level + 1, number), b"")
        held = parent[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        full = tiles.get(last, b"")
        if len(full) != TILE_BYTES or tile_root(full) != held:
            raise LogCorruptError(
                f"tile {level}/{last.number} of {head.origin} is missing, or is not what the tile"
                f" above it holds{_ADVICE}"
            )
        level, width = level + 1, width // TILE_WIDTH


async def _last_entries(store: Store, head: Head, start: int) -> Sequence[StoredEntry]:
    """The entries of the last full tile and of the unfinished one, none missing."""
    entries = await store.entries(head, start, head.size)
    for place, index in enumerate(range(start, head.size)):
        if place >= len(entries) or entries[place].index != index:
            raise LogCorruptError(f"entry {index} of {head.origin} is missing{_ADVICE}")
    return entries


def _last_time(entries: Sequence[StoredEntry]) -> int:
    if not entries:
        return 0
    last = entries[-1]
    try:
        return micros_of(parse_envelope(last.envelope).t)
    except EnvelopeError as error:
        raise LogCorruptError(f"entry {last.index}: {error}{_ADVICE}") from None
