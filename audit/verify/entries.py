# SPDX-License-Identifier: EUPL-1.2
"""Entries in stretches of a tile: read what is readable, and compare with the stored tile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from audit.copies import Copy, Detail
from audit.errors import LogCorruptError
from audit.merkle import HASH_SIZE
from audit.tiles import TILE_WIDTH, TileId
from audit.verify.report import Findings

NOTHING = bytes(HASH_SIZE)


@dataclass(slots=True)
class Stretch:
    """Entries from `start` on, None where there is none, and the details beside them."""

    start: int
    entries: list[bytes | None]
    details: dict[int, Detail] = field(default_factory=dict)

    @property
    def stop(self) -> int:
        """One more than the last number."""
        return self.start + len(self.entries)


def read_stretch(copy: Copy, start: int, stop: int, findings: Findings) -> Stretch:
    """Read a range; where the store is damaged, entry by entry."""
    found = _envelopes(copy, start, stop, findings)
    entries: list[bytes | None]
    if len(found) == stop - start and {type(envelope) for _, envelope in found} == {bytes}:
        entries = [envelope for _, envelope in found]  # type: ignore[misc] # looked at above
    else:
        held = dict(found)
        entries = [None] * (stop - start)
        for index in range(start, stop):
            envelope = held.get(index)
            if isinstance(envelope, bytes):
                entries[index - start] = envelope
            elif index in held:
                findings.entry(index, "the entry's bytes are damaged")
    details = _details(copy, start, stop, findings) if copy.has_details else ()
    return Stretch(start, entries, {detail.index: detail for detail in details})


def _envelopes(
    copy: Copy, start: int, stop: int, findings: Findings
) -> Sequence[tuple[int, object]]:
    try:
        return copy.envelopes(start, stop)
    except LogCorruptError:
        pass
    found: list[tuple[int, object]] = []
    for index in range(start, stop):
        try:
            found += copy.envelopes(index, index + 1)
        except LogCorruptError as error:
            findings.entry(index, str(error))
    return found


def _details(copy: Copy, start: int, stop: int, findings: Findings) -> Sequence[Detail]:
    try:
        return copy.details(start, stop)
    except LogCorruptError:
        pass
    found: list[Detail] = []
    for index in range(start, stop):
        try:
            found += copy.details(index, index + 1)
        except LogCorruptError as error:
            findings.entry(index, f"its sealed detail: {error}")
    return found


def read_tile(copy: Copy, tile: TileId, findings: Findings) -> bytes | None:
    """A stored tile; what can't be read is told and counts as missing."""
    try:
        found = copy.tile(tile)
    except LogCorruptError as error:
        findings.log(f"tile {tile.level}/{tile.number}: {error}")
        return None
    return found if isinstance(found, bytes) else None


def leaves_of(stretch: Stretch, stored: bytes | None, findings: Findings) -> tuple[bytes, bool]:
    """The leaf hashes of a stretch, and whether all of them are known.

    Where a tile is stored, entries that differ from it are named, and it lends its hash to an entry
    that is missing, so that the rest can still be checked.
    """
    if None not in stretch.entries:
        joined = b"".join([sha256(b"\0" + entry).digest() for entry in stretch.entries])  # type: ignore[operator] # looked at above
        if stored is None or joined == stored:
            return joined, True
    held: list[bytes] = []
    if stored is not None and len(stored) == len(stretch.entries) * HASH_SIZE:
        held = [stored[i : i + HASH_SIZE] for i in range(0, len(stored), HASH_SIZE)]
    leaves: list[bytes] = []
    complete = True
    for place, entry in enumerate(stretch.entries):
        index = stretch.start + place
        leaf = sha256(b"\0" + entry).digest() if entry is not None else None
        if leaf is None:
            findings.entry(index, "the entry is missing")
            complete &= bool(held)
        elif held and leaf != held[place]:
            findings.entry(index, _difference(leaf, held, index - place))
        leaves.append(leaf or (held[place] if held else NOTHING))
    return b"".join(leaves), complete


def _difference(leaf: bytes, held: list[bytes], start: int) -> str:
    if leaf in held:
        stood = start + held.index(leaf)
        return f"it stood as entry {stood} when its tile was written: the order was changed"
    return "its tile holds another hash: the entry was changed"


BLOCK = 16 * TILE_WIDTH
