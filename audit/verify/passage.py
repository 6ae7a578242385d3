# SPDX-License-Identifier: EUPL-1.2
"""Entries as they pass by, tile by tile: what is wrong with each, and what it says of others.

The tree above the tiles is `audit.verify.walk`'s. A passage begins anywhere, so that several
processes can look at stretches of one log.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from audit.copies import Copy, Detail
from audit.event import Envelope
from audit.tiles import TILE_WIDTH, TileId
from audit.verify.custody import Custody
from audit.verify.entries import BLOCK, Stretch, leaves_of, read_stretch, read_tile
from audit.verify.report import Findings
from audit.verify.shapes import WEIGHTY, Shapes, commitment

_NAMES_ENTRIES = b'{"about":'  # envelopes of version 3 start so
_ERASE = re.compile(rb'"erase":"([0-9]{4}-[0-9]{2})"', re.ASCII)
_QUOTE = ord('"')  # ends what commits to a detail


@dataclass(slots=True)
class Passage:
    """What the entries said so far. One verification of a stretch has one, nobody else changes it.

    Attributes:
        copy: where they stand.
        shapes: frames of envelopes of this log seen so far; none yet where entry 0 is to pass.
        weighty: is told each entry whose members matter beyond their form.
        first, time: of the first and of the latest entry, as written.
        unchecked: details that the copy does not hold.
        complete: every leaf hash so far is known, so there is a tree to compare with.
    """

    copy: Copy
    origin: str
    shapes: Shapes
    weighty: Callable[[int, Envelope], None]
    findings: Findings = field(default_factory=Findings)
    custody: Custody = field(default_factory=Custody)
    first: bytes = b""
    time: bytes = b""
    unchecked: int = 0
    complete: bool = True

    def tiles(self, span: range) -> Iterator[tuple[int, bytes]]:
        """Let entries pass; number of the first entry and leaf hashes of each level-0 tile."""
        for start in range(span.start, span.stop, BLOCK):
            stop = min(start + BLOCK, span.stop)
            block = read_stretch(self.copy, start, stop, self.findings)
            for first in range(start, stop, TILE_WIDTH):
                entries = block.entries[first - start : first - start + TILE_WIDTH]
                yield first, self._tile(Stretch(first, entries, block.details))

    def _tile(self, stretch: Stretch) -> bytes:
        tile = TileId(0, stretch.start // TILE_WIDTH)
        stored = read_tile(self.copy, tile, self.findings)
        wanted = len(stretch.entries) == TILE_WIDTH or self.copy.format is None
        leaves, known = leaves_of(stretch, stored, self.findings)
        self.complete &= known
        if wanted and (stored is None or len(stored) != len(leaves)):
            self.findings.log(f"tile 0/{tile.number} is missing or of the wrong width")
        self._entries(stretch)
        return leaves

    def _entries(self, stretch: Stretch) -> None:
        """Each entry's form, log, time and detail."""
        numbers: Sequence[int] = range(stretch.start, stretch.stop)
        entries = stretch.entries
        if None in entries:
            numbers = [n for n, e in zip(numbers, entries, strict=True) if e is not None]
        batch = self.shapes.read([entry for entry in entries if entry is not None])
        for place, why in batch.refused.items():
            self.findings.entry(numbers[place], why)
        for place, envelope in batch.parsed.items():
            self._parsed(numbers[place], envelope)
        self._times(numbers, batch.times)
        if self.copy.has_details:
            for place, middle in enumerate(batch.middles):
                if middle[-1] == _QUOTE or (stretch.details and numbers[place] in stretch.details):
                    index = numbers[place]
                    detail = stretch.details.get(index)
                    if place not in batch.refused:
                        entry = entries[index - stretch.start]
                        self._detail(index, commitment(middle), detail, entry)
        else:
            self.unchecked += sum(middle.endswith(b'"') for middle in batch.middles)

    def _times(self, numbers: Sequence[int], times: list[bytes]) -> None:
        """Times never fall; a sorted copy tells in one go whether they do."""
        known = [time for time in times if time]
        if known and not self.first:
            self.first = known[0]
        if known and known[0] >= self.time and known == sorted(known):
            self.time = known[-1]
            return
        for index, time in zip(numbers, times, strict=True):
            if time and time < self.time:
                told = "its time is before that of the entry above: moved or back-dated"
                self.findings.entry(index, told)
            self.time = max(self.time, time)

    def _parsed(self, index: int, envelope: Envelope) -> None:
        if envelope.log != self.origin:
            self.findings.entry(index, f"the entry belongs to the log {envelope.log}")
        if index == 0 or envelope.kind in WEIGHTY:
            self.weighty(index, envelope)

    def _detail(
        self, index: int, committed: bytes | None, detail: Detail | None, entry: bytes | None
    ) -> None:
        if detail is None:
            self.custody.gone(index, _month(entry))
            return
        found = _commitment(detail)
        if found is None or found.encode() != committed:
            told = "its sealed detail is not the one that the envelope commits to"
            self.findings.entry(index, told)


def _month(entry: bytes | None) -> str | None:
    """What `Custody.gone` asks for of an entry in its only form."""
    if entry is None or not entry.startswith(_NAMES_ENTRIES):
        return None
    found = _ERASE.search(entry)
    return found[1].decode("ascii") if found else ""


def _commitment(detail: Detail) -> str | None:
    match detail.salt, detail.header, detail.blob:
        case bytes(salt), bytes(header), bytes(blob):
            return sha256(salt + sha256(header).digest() + blob).hexdigest()
    return None
