# SPDX-License-Identifier: EUPL-1.2
"""One pass over one copy, from the entries' bytes up to the signed head. Memory stays flat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from audit.checkpoint import open_checkpoint
from audit.copies import Copy, Detail
from audit.errors import LogCorruptError, NoteError
from audit.event import Envelope
from audit.merkle import EMPTY_ROOT, HASH_SIZE
from audit.note import NoteVerifier
from audit.store import Head
from audit.tables import FIRST
from audit.tiles import TILE_WIDTH, Tile, TileId
from audit.verify.chain import Frame, Mark
from audit.verify.custody import NAMING, Custody
from audit.verify.entries import BLOCK, NOTHING, Stretch, leaves_of, read_stretch, read_tile
from audit.verify.report import Findings, Report
from audit.verify.shapes import WEIGHTY, Shapes, commitment
from audit.verify.tower import Tower

_NAMES_ENTRIES = b'{"about":'  # envelopes of version 3 start so
_QUOTE = ord('"')  # ends what commits to a detail
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Walk:
    """What is known so far. Nobody else changes it."""

    copy: Copy
    origin: str
    marks: Sequence[Mark]
    claims: Sequence[Envelope] = ()
    """what later logs of the country say of this one's details, in order"""
    findings: Findings = field(default_factory=Findings)
    custody: Custody = field(default_factory=Custody)
    frame: Frame = field(default_factory=Frame)
    tower: Tower = field(default_factory=Tower)
    rest: bytes = b""  # leaf hashes behind the last full tile
    complete: bool = True  # every leaf hash so far is known, so there is a tree to compare with
    time: bytes = b""
    size: int = 0
    unchecked: int = 0
    shapes: Shapes = field(init=False)

    def __post_init__(self) -> None:
        self.shapes = Shapes(self.origin)

    def report(self) -> Report:
        """What was found."""
        return Report(
            size=self.size,
            root=self._root() or NOTHING,
            findings=self.findings.told(),
            more=self.findings.more,
            erased=self.custody.erased_details,
            unchecked=self.unchecked,
            origin=self.origin,
            opening=self.frame.opening,
            closing=self.frame.closing,
            closed=self.frame.closed is not None,
        )

    def _root(self) -> bytes | None:
        return self.tower.root(self.rest) if self.complete else None

    def check(self, verifier: NoteVerifier, on_progress: Progress) -> None:
        """Read everything."""
        head = self._head()
        self.size = max(self._count(head), head.size if head else 0)
        for mark in self.marks:
            if mark.size > self.size:
                self.findings.log(mark.cut(self.size))
            elif mark.size == 0 and mark.root != EMPTY_ROOT:
                self.findings.log(mark.differs)
        for start in range(0, self.size, BLOCK):
            stop = min(start + BLOCK, self.size)
            block = read_stretch(self.copy, start, stop, self.findings)
            for first in range(start, stop, TILE_WIDTH):
                entries = block.entries[first - start : first - start + TILE_WIDTH]
                self._tile(Stretch(first, entries, block.details))
                on_progress(first + len(entries), self.size)
        for tile in self.tower.partial():
            self._compare(tile)
        self.frame.end(self.size, self.findings)
        for claim in self.claims:
            self.custody.claim(range(self.size), claim)
        self.custody.tell(self.findings)
        if head is not None:
            self._check_head(head, verifier)
        self._check_file()

    def _head(self) -> Head | None:
        try:
            head = self.copy.head()
        except LogCorruptError as error:
            self.findings.log(f"the head row: {error}")
            return None
        if head is None:
            self.findings.log("the head row is missing")
        return head

    def _count(self, head: Head | None) -> int:
        try:
            count = self.copy.count()
        except LogCorruptError as error:
            self.findings.log(f"the numbers of the entries: {error}")
            return 0
        if head is not None and count > head.size:
            told = f"entries or details go on to {count - 1}, beyond the {head.size} of the head"
            self.findings.entry(head.size, told)
            return head.size
        return count

    def _tile(self, stretch: Stretch) -> None:
        """A level-0 tile's worth of entries."""
        full = len(stretch.entries) == TILE_WIDTH
        tile = TileId(0, stretch.start // TILE_WIDTH)
        stored = read_tile(self.copy, tile, self.findings)
        wanted = full or self.copy.format is None
        leaves, known = leaves_of(stretch, stored, self.findings)
        self.complete &= known
        if wanted and (stored is None or len(stored) != len(leaves)):
            self.findings.log(f"tile 0/{tile.number} is missing or of the wrong width")
        self._entries(stretch)
        self._passed(stretch.start, leaves)
        if full:
            for finished in self.tower.add(leaves):
                self._compare(finished)
        else:
            self.rest = leaves

    def _passed(self, start: int, leaves: bytes) -> None:
        """Compare the roots at the sizes that lie within these leaves."""
        for mark in self.marks:
            inside = mark.size - start
            if 0 < inside <= len(leaves) // HASH_SIZE and self.complete:
                root = self.tower.root(leaves[: inside * HASH_SIZE])
                if root != mark.root:
                    self.findings.log(mark.differs)

    def _compare(self, tile: Tile) -> None:
        stored = read_tile(self.copy, tile.id, self.findings)
        if stored != tile.hashes and self.complete:
            fault = "missing" if stored is None else "not what its entries hash to"
            self.findings.log(f"tile {tile.id.level}/{tile.id.number} is {fault}")

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
            self._weighty(index, envelope)

    def _weighty(self, index: int, envelope: Envelope) -> None:
        opens = self.copy.format != FIRST and (self.copy.format is not None or envelope.v >= NAMING)
        if index == 0 and opens:
            self.frame.first(envelope, self.findings)
        self.frame.entry(index, envelope, self.findings)
        self.custody.entry(index, envelope)

    def _detail(
        self, index: int, committed: bytes | None, detail: Detail | None, entry: bytes | None
    ) -> None:
        if detail is None:
            self.custody.gone(index, named=entry is not None and entry.startswith(_NAMES_ENTRIES))
            return
        found = _commitment(detail)
        if found is None or found.encode() != committed:
            told = "its sealed detail is not the one that the envelope commits to"
            self.findings.entry(index, told)

    def _check_head(self, head: Head, verifier: NoteVerifier) -> None:
        if head.origin != self.origin:
            self.findings.log(f"this is the log {head.origin}, not {self.origin}")
        root = self._root()
        if (head.size, head.root) != (self.size, root):
            self.findings.log("size or root of the head row are not those of the entries")
        try:
            signed = open_checkpoint(head.note.encode(), verifier, self.origin)
        except NoteError as error:
            self.findings.log(f"the head's checkpoint: {error}")
            return
        if (signed.size, signed.root) != (self.size, root):
            edge = self.size - self.size % TILE_WIDTH
            self.findings.log(
                f"the signed checkpoint is over {signed.size} entries with another root: the log"
                " was changed after it was signed; an older copy or a receipt shows where"
                + (f", first from entry {edge} on" if edge < self.size else "")
            )

    def _check_file(self) -> None:
        try:
            damage = self.copy.damage()
        except LogCorruptError as error:
            damage = str(error)
        if damage is not None:
            self.findings.log(damage)


def _commitment(detail: Detail) -> str | None:
    match detail.salt, detail.header, detail.blob:
        case bytes(salt), bytes(header), bytes(blob):
            return sha256(salt + sha256(header).digest() + blob).hexdigest()
    return None
