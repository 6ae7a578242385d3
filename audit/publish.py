# SPDX-License-Identifier: EUPL-1.2
"""Publishing: a log as files in the static layout of tlog-tiles (docs/formats/layout.md).

Entries are hashed anew on their way out, so a damaged log is not published. A file gets its name
only once it is complete and on disk, and the checkpoint is written last, so that whoever reads a
checkpoint finds everything under it. A folder that already shows more, another log, or a past that
this log does not continue is left as it is: writing over it would publish a fork. Sealed details go
out only on request; from then on each run brings them up to date, so that what was erased in the
log goes from the folder too. `cuvar audit publish` and backups rely on it.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.copies import Copy
from audit.errors import LayoutError, LogCorruptError, LogUnavailableError, NoteError
from audit.folder_copy import read_file
from audit.layout import (
    CHECKPOINT,
    DETAILS,
    ENTRIES,
    Resource,
    StoredDetail,
    tile_resource,
    write_bundle,
    write_details,
)
from audit.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash
from audit.note import NoteVerifier
from audit.tiles import TILE_WIDTH, Edge, TileId, partial_tiles

Progress = Callable[[int, int], None]
_NEW = ".new"


@dataclass(frozen=True, slots=True)
class Published:
    """What a run did.

    Attributes:
        size: entries under the folder's checkpoint now.
        before: entries under it before.
        files: files written or taken away.
        kept: entries that the log holds; more than `size` where witnesses are behind.
    """

    size: int
    before: int
    files: int
    kept: int


def publish(
    copy: Copy,
    folder: Path,
    verifier: NoteVerifier,
    *,
    details: bool = False,
    unwitnessed: bool = False,
    on_progress: Progress | None = None,
) -> Published:
    """Bring a folder up to date with a log.

    Args:
        copy: the log.
        folder: made if missing; one log each.
        verifier: the log's key; its name is the origin.
        details: whether to write sealed details too; a folder that has some gets them always.
        unwitnessed: publish up to the log's own newest checkpoint, though witnesses signed an
            older one only.
        on_progress: is told entries written and entries to write.

    Raises:
        LayoutError: the folder holds something else, or more than the log.
        LogCorruptError: the log does not fit its signed checkpoint; nothing was published.
        LogUnavailableError: the folder can't be written.
    """
    try:
        return _Run(copy, folder, verifier).run(
            details=details,
            unwitnessed=unwitnessed,
            on_progress=on_progress or (lambda _d, _a: None),
        )
    except OSError as error:
        raise LogUnavailableError(
            f"the folder {folder} cannot be written ({error.strerror}); free the disk or name"
            " another folder, then publish again: it goes on where it stopped"
        ) from None


@dataclass(slots=True)
class _Run:
    """One run; nobody else writes to the folder meanwhile."""

    copy: Copy
    folder: Path
    verifier: NoteVerifier
    files: int = 0
    kept: int = 0
    touched: set[Path] = field(default_factory=set)

    def run(self, *, details: bool, unwitnessed: bool, on_progress: Progress) -> Published:
        before = self._published()
        note, goal = self._goal(before, unwitnessed=unwitnessed)
        self._tree(before, goal, on_progress)
        if details or (self.folder / DETAILS).is_dir():
            if not self.copy.has_details:
                raise LayoutError("the copy holds no sealed details; publish from the log itself")
            self._details(goal.size)
        self._settle()
        if read_file(self.folder / CHECKPOINT) != note.encode():
            self._write(CHECKPOINT, note.encode())
            self._settle()
        self._tidy(goal.size)
        return Published(goal.size, before.size, self.files, self.kept)

    def _published(self) -> Checkpoint:
        """What the folder shows so far."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.rglob(f"*{_NEW}"):
            left.unlink()  # a run was interrupted
        note = read_file(self.folder / CHECKPOINT)
        if note is None:
            if (self.folder / DETAILS).exists() or (self.folder / ENTRIES).exists():
                return Checkpoint(self.verifier.name, 0, EMPTY_ROOT)
            if any(self.folder.iterdir()):
                raise LayoutError(
                    f"{self.folder} holds other files; name an empty folder for each log"
                )
            return Checkpoint(self.verifier.name, 0, EMPTY_ROOT)
        try:
            return open_checkpoint(note, self.verifier, self.verifier.name)
        except NoteError as error:
            raise LayoutError(
                f"the checkpoint in {self.folder}: {error}; name the folder of this log"
            ) from None

    def _goal(self, before: Checkpoint, *, unwitnessed: bool) -> tuple[str, Checkpoint]:
        """The checkpoint to publish: the cosigned one, unless the folder is past it."""
        head = self.copy.head()
        if head is None:
            raise LogCorruptError("the log has no head; run `python -m audit.verify` on it")
        self.kept = head.size
        notes = [head.note] if unwitnessed else [self.copy.cosigned() or head.note, head.note]
        for note in notes:
            goal = self._signed(note)
            if goal.size > head.size:
                raise LogCorruptError(
                    f"witnesses cosigned {goal.size} entries and the log has {head.size}: it was"
                    " cut off or an old copy was put in place; run `python -m audit.verify` on it."
                    " Where its successor declares the loss, publish what remains as unwitnessed"
                )
            if goal.size >= before.size:
                return note, goal
        raise LayoutError(
            f"{self.folder} shows {before.size} entries and the log has {head.size}: the log was"
            " cut off or restored; keep the folder as evidence and open a successor log"
        )

    def _signed(self, note: str) -> Checkpoint:
        try:
            return open_checkpoint(note.encode(), self.verifier, self.verifier.name)
        except NoteError as error:
            raise LogCorruptError(f"the log's checkpoint: {error}") from None

    def _tree(self, before: Checkpoint, goal: Checkpoint, on_progress: Progress) -> None:
        """Tiles and entry bundles from the folder's last full tile on."""
        start = before.size - before.size % TILE_WIDTH
        edge = self._edge(start)
        if start == before.size:
            self._continues(edge, before)
        for first in range(start, goal.size, TILE_WIDTH):
            stop = min(first + TILE_WIDTH, goal.size)
            entries = self._entries(first, stop)
            leaves = [leaf_hash(entry) for entry in entries]
            inside = before.size - first
            if 0 < inside <= len(leaves):
                earlier = edge.copy()
                earlier.extend(leaves[:inside])
                self._continues(earlier, before)
            for tile in edge.extend(leaves):
                if len(tile.hashes) == TILE_WIDTH * HASH_SIZE:
                    self._write(tile_resource(tile.id).path, tile.hashes)
            self._write(
                Resource(ENTRIES, first // TILE_WIDTH, stop - first).path, write_bundle(entries)
            )
            on_progress(stop, goal.size)
        if edge.root() != goal.root:
            raise LogCorruptError(
                "the entries do not lead to the root of the signed checkpoint, so nothing was"
                " published; run `python -m audit.verify` on the log"
            )
        for place, hashes in edge.partial().items():
            self._write(tile_resource(place, len(hashes) // HASH_SIZE).path, hashes)

    def _continues(self, edge: Edge, before: Checkpoint) -> None:
        if edge.root() != before.root:
            raise LayoutError(
                f"{self.folder} shows {before.size} entries that are not this log's: publishing"
                " over them would be a fork; keep the folder as evidence and verify log and folder"
            )

    def _edge(self, size: int) -> Edge:
        """The tree at a full tile's end, out of what the log stores."""
        tiles: dict[TileId, bytes] = {}
        for tile in partial_tiles(size):
            width = (size >> 8 * tile.level) % TILE_WIDTH
            tiles[tile] = (self.copy.tile(tile) or b"")[: width * HASH_SIZE]
        return Edge.restore(size, tiles)

    def _entries(self, start: int, stop: int) -> list[bytes]:
        found = [data for _, data in self.copy.envelopes(start, stop) if isinstance(data, bytes)]
        if len(found) != stop - start:
            raise LogCorruptError(
                f"entries from {start} to {stop - 1} are missing or damaged; run"
                " `python -m audit.verify` on the log"
            )
        return found

    def _details(self, size: int) -> None:
        """Every details bundle as the log has it now: an erased detail goes from the folder."""
        for first in range(0, size, TILE_WIDTH):
            stop = min(first + TILE_WIDTH, size)
            held = {
                one.index - first: StoredDetail(one.blob, one.salt, one.header)
                for one in self.copy.details(first, stop)
                if isinstance(one.blob, bytes)
                and isinstance(one.salt, bytes)
                and isinstance(one.header, bytes)
            }
            resource = Resource(DETAILS, first // TILE_WIDTH, stop - first)
            self._write(resource.path, write_details(held))

    def _write(self, name: str, data: bytes) -> None:
        """Complete and on disk before it has its name; nothing is done where it stands already."""
        path = self.folder / name
        if read_file(path) == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + _NEW)
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if new.read_bytes() != data:
            raise LogUnavailableError(f"the disk gave {name} back with other bytes; replace it")
        new.replace(path)
        self.files += 1
        self.touched.update(self._parents(path))

    def _parents(self, path: Path) -> Iterator[Path]:
        for parent in path.parents:
            yield parent
            if parent == self.folder:
                return

    def _settle(self) -> None:
        """Names on disk too: what comes next may rely on them."""
        for folder in sorted(self.touched):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self.touched.clear()

    def _tidy(self, size: int) -> None:
        """Take away what would keep a detail that is erased later: older partial bundles."""
        number, width = divmod(size, TILE_WIDTH)
        kept = self.folder / Resource(DETAILS, number, width or 1).path
        for partial in list((self.folder / DETAILS).rglob("*.p")):
            for file in partial.iterdir():
                if file != kept or not width:
                    file.unlink()
                    self.files += 1
                    self.touched.add(partial)
        self._settle()
