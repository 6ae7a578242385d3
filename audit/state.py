# SPDX-License-Identifier: EUPL-1.2
"""The log's state between two commits, and how it is taken up again at start.

`load_state` trusts nothing that it can recompute: tiles and entries of the right edge must hash to
the head's root, and the head must carry a checkpoint that this log's own key signed. A log that
fails is not written to. `advance` is pure: old state and new entries give the new state and the
batch to commit; a state whose commit failed is thrown away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.entry import EntryRow
from audit.envelope import EPOCH, EncodedEnvelope, format_time, parse_envelope, stamp
from audit.errors import EnvelopeError, LogCorruptError, LogUnavailableError, NoteError
from audit.merkle import HASH_SIZE, leaf_hash
from audit.note import NoteSigner
from audit.sealing import Sealed
from audit.store import Batch, Head, Store
from audit.tiles import TILE_WIDTH, Edge, TileId, tile_root

CLOCK_SLACK = timedelta(seconds=2)
_MICROSECOND = timedelta(microseconds=1)
_ADVICE = (
    "; the log was changed or damaged since: do not write to it, copy it away, run"
    " `python -m audit verify` on the copy, then restore the right file or open a successor log"
)


@dataclass(frozen=True, slots=True)
class LogState:
    """Head, right edge (never changed once here) and the time of the last entry in microseconds."""

    head: Head
    edge: Edge
    micros: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry that was checked and waits for its place."""

    envelope: EncodedEnvelope
    sealed: Sealed | None = field(repr=False)


def first_head(origin: str, signer: NoteSigner) -> Head:
    """The head of an empty log, signed."""
    edge = Edge()
    note = Checkpoint(origin, 0, edge.root()).sign(signer)
    return Head(origin, 0, edge.root(), note)


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
            " set the clock right: entries are never dated backwards"
        )
    return max(now, before)


def advance(
    state: LogState, accepted: Sequence[Accepted], now: datetime, signer: NoteSigner
) -> tuple[LogState, Batch, datetime]:
    """The state after these entries, the batch that leads there, and the entries' time.

    Raises:
        LogUnavailableError: the clock went back, see `next_time`.
    """
    t = next_time(state.micros, now)
    when, micros = format_time(t), micros_of(t)
    size = state.head.size
    rows = []
    for index, entry in enumerate(accepted, start=size):
        known = entry.envelope
        data = stamp(known, when)
        rows.append(
            EntryRow(
                *(index, data, leaf_hash(data), micros),
                *(known.kind, known.owner, known.requester, entry.sealed),
            )
        )
    edge = state.edge.copy()
    tiles = edge.extend([row.leaf for row in rows])
    root = edge.root()
    note = Checkpoint(state.head.origin, edge.size, root).sign(signer)
    head = Head(state.head.origin, edge.size, root, note)
    return LogState(head, edge, micros), Batch(state.head, head, rows, tiles), t


async def load_state(store: Store, origin: str, signer: NoteSigner) -> LogState:
    """Read the head, recompute the right edge, and compare.

    Raises:
        LogCorruptError: something differs; the message names it.
        LogUnavailableError: the store does not answer.
    """
    head = await store.head()
    _check_head(head, origin, signer)
    count = await store.count()
    if count != head.size:
        raise LogCorruptError(
            f"the head says {head.size} entries and the last one stored makes {count}{_ADVICE}"
        )
    edge = await _load_edge(store, head.size)
    if edge.root() != head.root:
        raise LogCorruptError(f"the stored hashes do not lead to the head's root{_ADVICE}")
    return LogState(head, edge, await _check_last_entries(store, head.size))


def _check_head(head: Head, origin: str, signer: NoteSigner) -> None:
    if head.origin != origin:
        raise LogCorruptError(
            f"this is the log {head.origin}, not {origin}; name the right file or origin"
        )
    try:
        checkpoint = open_checkpoint(head.note.encode(), signer.verifier, origin)
    except NoteError as error:
        raise LogCorruptError(f"the log's last checkpoint: {error}{_ADVICE}") from None
    if (checkpoint.size, checkpoint.root) != (head.size, head.root):
        raise LogCorruptError(
            f"the head says {head.size} entries, its signed checkpoint {checkpoint.size}, or their"
            f" roots differ{_ADVICE}"
        )


async def _load_edge(store: Store, size: int) -> Edge:
    """The edge out of partial tiles, each full tile beside them checked against its parent."""
    tiles: dict[TileId, bytes] = {}
    level, width = 0, size
    while width:
        number = width // TILE_WIDTH
        wanted = [TileId(level, n) for n in (number, number - 1) if n >= 0]
        tiles.update(await store.tiles(wanted))
        if level == 0:
            tiles[TileId(0, number)] = await store.leaves(number * TILE_WIDTH, size)
        level, width = level + 1, number
    _check_parents(size, tiles)
    return Edge.restore(size, tiles)


def _check_parents(size: int, tiles: Mapping[TileId, bytes]) -> None:
    """The last full tile of each level must hash to what the level above holds for it."""
    level, width = 0, size // TILE_WIDTH
    while width:
        last = TileId(level, width - 1)
        number, place = divmod(width - 1, TILE_WIDTH)
        parent = tiles.get(TileId(level + 1, number), b"")
        held = parent[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        full = tiles.get(last, b"")
        if len(full) != TILE_WIDTH * HASH_SIZE or tile_root(full) != held:
            raise LogCorruptError(
                f"tile {level}/{last.number} is missing, or is not what the tile above it"
                f" holds{_ADVICE}"
            )
        level, width = level + 1, width // TILE_WIDTH


async def _check_last_entries(store: Store, size: int) -> int:
    """Hash the entries of the last two tiles again; the time of the last one."""
    start = max(0, (size - 1) // TILE_WIDTH - 1) * TILE_WIDTH
    entries = await store.entries(start, size)
    leaves = await store.leaves(start, size)
    for place, index in enumerate(range(start, size)):
        stored = leaves[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        if place >= len(entries) or entries[place].index != index:
            raise LogCorruptError(f"entry {index} is missing{_ADVICE}")
        if leaf_hash(entries[place].envelope) != stored:
            raise LogCorruptError(f"entry {index} does not have its stored hash{_ADVICE}")
    if not entries:
        return 0
    try:
        return micros_of(parse_envelope(entries[-1].envelope).t)
    except EnvelopeError as error:
        raise LogCorruptError(f"entry {size - 1}: {error}{_ADVICE}") from None
