# SPDX-License-Identifier: EUPL-1.2
"""One pass over one copy, from the entries' bytes up to the signed head. Memory stays flat.

A stretch in which other processes found nothing wrong (`audit.verify.ahead`) is taken from their
summary, if it fits to what came before. Roots that the log must have had are looked at here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from audit.checkpoint import open_checkpoint
from audit.concern import NAMING
from audit.copies import Copy
from audit.errors import LogCorruptError, NoteError
from audit.event import Envelope
from audit.merkle import EMPTY_ROOT, HASH_SIZE
from audit.note import NoteVerifier
from audit.store import Head
from audit.tables import FIRST
from audit.tiles import TILE_BYTES, TILE_WIDTH, Tile
from audit.verify.ahead import Lookahead, looking_ahead
from audit.verify.chain import Frame, Mark, cut_off
from audit.verify.custody import Custody
from audit.verify.entries import NOTHING, read_tile
from audit.verify.passage import Passage
from audit.verify.report import Findings, Report
from audit.verify.shapes import Shapes
from audit.verify.summary import Summary
from audit.verify.tower import Tower

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Walk:
    """What is known so far. Nobody else changes it."""

    copy: Copy
    place: str
    origin: str
    marks: Sequence[Mark]
    claims: Sequence[Envelope] = ()
    """what later logs of the country say of this one's details, in order"""
    lookahead: Lookahead = field(default_factory=Lookahead)
    findings: Findings = field(default_factory=Findings)
    custody: Custody = field(default_factory=Custody)
    frame: Frame = field(default_factory=Frame)
    tower: Tower = field(default_factory=Tower)
    rest: bytes = b""  # leaf hashes behind the last full tile
    size: int = 0
    passage: Passage = field(init=False)

    def __post_init__(self) -> None:
        shapes = Shapes(self.origin)
        self.passage = Passage(
            self.copy, self.origin, shapes, self._weighty, self.findings, self.custody
        )

    def report(self) -> Report:
        """What was found."""
        return Report(
            size=self.size,
            root=self._root() or NOTHING,
            findings=self.findings.told(),
            more=self.findings.more,
            erased=self.custody.erased_details,
            unchecked=self.passage.unchecked,
            origin=self.origin,
            opening=self.frame.opening,
            closing=self.frame.closing,
            closed=self.frame.closed is not None,
            unsigned=tuple(self.custody.unsigned),
        )

    def _root(self) -> bytes | None:
        return self.tower.root(self.rest) if self.passage.complete else None

    def check(self, verifier: NoteVerifier, on_progress: Progress) -> None:
        """Read everything."""
        head = self._head()
        self.size = max(self._count(head), head.size if head else 0)
        cut_off(self.marks, self.size, self.findings)
        for mark in self.marks:
            if mark.size == 0 and mark.root != EMPTY_ROOT:
                self.findings.log(mark.differs)
        self._pass(head, on_progress)
        self._compare(self.tower.partial())
        self.frame.end(self.size, self.findings)
        for claim in self.claims:
            self.custody.claim(range(self.size), claim)
        self.custody.tell(self.findings)
        if head is not None:
            self._check_head(head, verifier)
        self._check_file()

    def _pass(self, head: Head | None, on_progress: Progress) -> None:
        """Let all entries pass, stretch by stretch."""
        width = self.lookahead.width
        spans = [range(n, min(n + width, self.size)) for n in range(0, self.size, width)]
        apart = [span for span in spans if len(span) == width and not self._marked(span)]
        with looking_ahead(self.lookahead, self.place, head, apart) as ahead:
            for span in spans:
                found = ahead.take(span)
                if found is not None and found.first >= self.passage.time:
                    self._absorb(found)
                    on_progress(span.stop, self.size)
                    continue
                for start, leaves in self.passage.tiles(span):
                    self._stack(start, leaves)
                    on_progress(start + len(leaves) // HASH_SIZE, self.size)

    def _marked(self, span: range) -> bool:
        return any(span.start < mark.size <= span.stop for mark in self.marks)

    def _absorb(self, found: Summary) -> None:
        """Go on as if the entries of this stretch had passed."""
        for index, envelope in found.weighty:
            self._weighty(index, envelope)
        self.custody.all_gone(found.missing, found.nameless)
        self.passage.time = found.last
        self.passage.unchecked += found.unchecked
        for root in found.roots:
            self._compare(self.tower.add_root(root))

    def _stack(self, start: int, leaves: bytes) -> None:
        """The leaf hashes of a tile's worth of entries, which have passed."""
        self._passed(start, leaves)
        if len(leaves) == TILE_BYTES:
            self._compare(self.tower.add(leaves))
        else:
            self.rest = leaves

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

    def _passed(self, start: int, leaves: bytes) -> None:
        """Compare the roots at the sizes that lie within these leaves."""
        for mark in self.marks:
            inside = mark.size - start
            if 0 < inside <= len(leaves) // HASH_SIZE and self.passage.complete:
                root = self.tower.root(leaves[: inside * HASH_SIZE])
                if root != mark.root:
                    self.findings.log(mark.differs)

    def _compare(self, tiles: Sequence[Tile]) -> None:
        for tile in tiles:
            stored = read_tile(self.copy, tile.id, self.findings)
            if stored != tile.hashes and self.passage.complete:
                fault = "missing" if stored is None else "not what its entries hash to"
                self.findings.log(f"tile {tile.id.level}/{tile.id.number} is {fault}")

    def _weighty(self, index: int, envelope: Envelope) -> None:
        opens = self.copy.format != FIRST and (self.copy.format is not None or envelope.v >= NAMING)
        if index == 0 and opens:
            self.frame.first(envelope, self.findings)
        self.frame.entry(index, envelope, self.findings)
        self.custody.entry(index, envelope)

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
