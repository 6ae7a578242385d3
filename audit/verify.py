# SPDX-License-Identifier: EUPL-1.2
"""The verifier: recomputes a whole log from its entries' bytes and names what does not fit.

It runs alone, on a copy, with the log's public key and if possible a checkpoint kept from earlier.
Nothing stored is taken for granted: leaf hashes, tiles, head, search columns and sealed details are
all compared with what the bytes say. Memory stays flat whatever the size of the log. Without an
older checkpoint, a log rewritten by somebody who holds the signing key looks whole: keep one
outside. architecture: any edit, drop, reorder, truncation or fork is found.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.copies import Copy, Row, open_copy
from audit.envelope import Envelope, parse_envelope
from audit.errors import EnvelopeError, LogCorruptError, NoteError
from audit.merkle import HASH_SIZE, leaf_hash
from audit.note import NoteVerifier
from audit.sealing import commit_detail
from audit.state import micros_of
from audit.store import Head
from audit.tiles import TILE_BYTES, TILE_WIDTH, Edge, Tile, TileId
from audit.vocabulary import Kind

MAX_FINDINGS = 1000
_NOTHING = bytes(HASH_SIZE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and with which entry; None where it concerns the log as a whole."""

    index: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the verifier found.

    Attributes:
        ok: nothing is wrong.
        size: entries read.
        root: root recomputed over them; 32 zero bytes if a missing entry's hash is unknown.
        findings: at most 1,000 about entries, then those about the whole log.
        more: findings about entries beyond those.
        erased: entries whose detail was deleted; a fault unless erasure entries account for it.
    """

    ok: bool
    size: int
    root: bytes
    findings: tuple[Finding, ...]
    more: int = 0
    erased: int = 0


def verify_log(
    url: str,
    *,
    vkey: str,
    origin: str,
    checkpoint: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check a log from its bytes up. Not to be called in a running event loop.

    Args:
        url: a file, `sqlite:///PATH` or `postgresql://...`.
        vkey: the log's verifier key.
        origin: the log's name.
        checkpoint: a signed checkpoint of this log kept from earlier.
        on_progress: is told entries done and entries to do.

    Raises:
        LogUnavailableError: there is nothing to read.
        NoteError: `vkey` or `checkpoint` is not what it should be.
    """
    verifier = NoteVerifier.parse(vkey)
    earlier = open_checkpoint(checkpoint.encode(), verifier, origin) if checkpoint else None
    try:
        with open_copy(url) as copy:
            run = _Verification(copy, origin, earlier)
            run.check(verifier, on_progress or (lambda _done, _all: None))
            return run.report()
    except LogCorruptError as error:
        return Report(ok=False, size=0, root=_NOTHING, findings=(Finding(None, str(error)),))


class _Held:
    """The leaf hashes that a stored level-0 tile holds, to tell changed from moved entries."""

    __slots__ = ("_hashes", "_start", "known")

    def __init__(self, start: int, tile: bytes | None) -> None:
        self._start = start
        self.known = tile is not None and len(tile) == TILE_BYTES
        held = tile if tile is not None and self.known else b""
        self._hashes = [held[i : i + HASH_SIZE] for i in range(0, len(held), HASH_SIZE)]

    def at(self, index: int) -> bytes | None:
        """The hash held for an entry, None if the tile does not tell."""
        return self._hashes[index - self._start] if self.known else None

    def place(self, leaf: bytes) -> int | None:
        """The number of the entry that this hash is held for."""
        return self._start + self._hashes.index(leaf) if leaf in self._hashes else None


@dataclass(slots=True)
class _Verification:
    """One pass over one copy."""

    copy: Copy
    origin: str
    earlier: Checkpoint | None
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    erased: int = 0
    declared: int = 0  # details that entries of kind erasure say were deleted
    edge: Edge = field(default_factory=Edge)
    complete: bool = True  # every leaf hash so far is known, so `edge` is a tree to compare with
    micros: int = 0

    def find(self, index: int | None, what: str) -> None:
        if len(self.findings) < MAX_FINDINGS or index is None:
            self.findings.append(Finding(index, what))
        else:
            self.more += 1

    def report(self) -> Report:
        root = self.edge.root() if self.complete else _NOTHING
        found = sorted(self.findings, key=lambda finding: finding.index is None)
        return Report(not found, self.edge.size, root, tuple(found), self.more, self.erased)

    def check(self, verifier: NoteVerifier, on_progress: Callable[[int, int], None]) -> None:
        head = self._head()
        size = max(self._count(head), head.size if head else 0)
        if self.earlier is not None and self.earlier.size > size:
            self.find(
                None,
                f"the log has {size} entries, the earlier checkpoint {self.earlier.size}:"
                " entries were cut off, or an old copy was put in place",
            )
        for start in range(0, size, TILE_WIDTH):
            stop = min(start + TILE_WIDTH, size)
            self._chunk(start, stop)
            on_progress(stop, size)
        for tile, hashes in self.edge.partial().items():
            if tile.level:
                self._check_tile(Tile(tile, hashes))
        if self.erased > self.declared:
            self.find(
                None,
                f"{self.erased} sealed details are missing and entries of kind erasure account for"
                f" {self.declared}: somebody deleted what officers must be able to read",
            )
        if head is not None:
            self._check_head(head, verifier)
        self._check_file()

    def _head(self) -> Head | None:
        try:
            head = self.copy.head()
        except LogCorruptError as error:
            self.find(None, f"the head row: {error}")
            return None
        if head is None:
            self.find(None, "the head row is missing")
        return head

    def _count(self, head: Head | None) -> int:
        """How many entries there are; numbers outside the head's range are findings."""
        count = 0
        for table in ("log_detail", "log_entry"):
            try:
                low, count = self.copy.bounds(table)
            except LogCorruptError as error:
                self.find(None, f"the table {table}: {error}")
                continue
            if low < 0:
                self.find(low, f"a row of {table} has a negative number")
            if head is not None and count > head.size:
                told = f"{table} goes on to {count - 1}, beyond the {head.size} entries of the head"
                self.find(head.size, told)
        return count

    def _rows(self, start: int, stop: int) -> dict[int, Row]:
        """The rows of a range; where the file is damaged, one by one."""
        try:
            return {row.index: row for row in self.copy.rows(start, stop)}
        except LogCorruptError:
            pass
        found: dict[int, Row] = {}
        for index in range(start, stop):
            try:
                found |= {row.index: row for row in self.copy.rows(index, index + 1)}
            except LogCorruptError as error:
                self.find(index, str(error))
        return found

    def _tile(self, tile: TileId) -> bytes | None:
        try:
            found = self.copy.tile(tile)
        except LogCorruptError as error:
            self.find(None, f"tile {tile.level}/{tile.number}: {error}")
            return None
        return found if isinstance(found, bytes) else None

    def _chunk(self, start: int, stop: int) -> None:
        """One level-0 tile's worth of entries."""
        rows = self._rows(start, stop)
        full = stop - start == TILE_WIDTH
        held = _Held(start, self._tile(TileId(0, start // TILE_WIDTH)) if full else None)
        for index in range(start, stop):
            row = rows.get(index)
            if row is None:
                self.find(index, "the entry is missing")
            leaf = held.at(index) if row is None else self._entry(row, held)
            self.complete &= leaf is not None
            self._grow(leaf or _NOTHING)

    def _grow(self, leaf: bytes) -> None:
        for tile in self.edge.extend([leaf]):
            if len(tile.hashes) == TILE_BYTES:
                self._check_tile(tile)
        earlier = self.earlier
        if earlier is None or self.edge.size != earlier.size or not self.complete:
            return
        if self.edge.root() != earlier.root:
            self.find(
                None,
                f"the first {earlier.size} entries are not those of the earlier checkpoint:"
                " one of them was changed, dropped, added or moved since",
            )

    def _check_tile(self, tile: Tile) -> None:
        stored = self._tile(tile.id)
        if stored != tile.hashes and self.complete:
            fault = "missing" if stored is None else "not what its entries hash to"
            self.find(None, f"tile {tile.id.level}/{tile.id.number} is {fault}")

    def _entry(self, row: Row, held: _Held) -> bytes | None:
        """Check one entry; its leaf hash."""
        if not isinstance(row.envelope, bytes):
            self.find(row.index, "the entry's bytes are damaged")
            return None
        leaf = leaf_hash(row.envelope)
        problems = _hash_problems(row, leaf, held)
        try:
            envelope = parse_envelope(row.envelope)
        except EnvelopeError as error:
            problems.append(str(error))
        else:
            micros = micros_of(envelope.t)
            problems += _copy_problems(row, envelope, micros)
            if envelope.log != self.origin:
                problems.append(f"the entry belongs to the log {envelope.log}")
            if micros < self.micros:
                problems.append("its time is before that of the entry above: moved or back-dated")
            self.micros = max(self.micros, micros)
            problems += self._detail_problems(row, envelope)
            if envelope.kind is Kind.ERASURE:
                self.declared += envelope.count or 0
        for what in problems:
            self.find(row.index, what)
        return leaf

    def _detail_problems(self, row: Row, envelope: Envelope) -> list[str]:
        match row.salt, row.header, row.blob:
            case None, None, None:
                self.erased += envelope.detail is not None
                return []
            case bytes(salt), bytes(header), bytes(blob):
                found = commit_detail(salt, header, blob).hex()
            case _:
                found = ""
        if found == envelope.detail:
            return []
        return ["its sealed detail is not the one that the envelope commits to"]

    def _check_head(self, head: Head, verifier: NoteVerifier) -> None:
        if head.origin != self.origin:
            self.find(None, f"this is the log {head.origin}, not {self.origin}")
        root = self.edge.root() if self.complete else None
        if (head.size, head.root) != (self.edge.size, root):
            self.find(None, "size or root of the head row are not those of the entries")
        try:
            signed = open_checkpoint(head.note.encode(), verifier, self.origin)
        except NoteError as error:
            self.find(None, f"the head's checkpoint: {error}")
            return
        if (signed.size, signed.root) != (self.edge.size, root):
            self.find(
                None,
                f"the signed checkpoint is over {signed.size} entries with another root: the log"
                " was changed after it was signed; an older copy or a receipt shows where",
            )

    def _check_file(self) -> None:
        try:
            damage = self.copy.damage()
        except LogCorruptError as error:
            damage = str(error)
        if damage is not None:
            self.find(None, damage)


def _hash_problems(row: Row, leaf: bytes, held: _Held) -> list[str]:
    if leaf != row.leaf:
        return ["its bytes do not have the stored leaf hash: the entry was changed"]
    if held.known and leaf != held.at(row.index):
        place = held.place(leaf)
        if place is not None:
            return [f"it stood as entry {place} when its tile was written: the order was changed"]
        return ["its tile holds another hash: the entry was changed and its leaf hash with it"]
    return []


def _copy_problems(row: Row, envelope: Envelope, micros: int) -> list[str]:
    told = {
        "t": (row.t, micros),
        "kind": (row.kind, envelope.kind.value),
        "owner": (row.owner, envelope.owner.country if envelope.owner else None),
        "requester": (row.requester, envelope.requester.country if envelope.requester else None),
    }
    return [
        f"the search column {name} is not what the envelope says"
        for name, (stored, true) in told.items()
        if stored != true
    ]
