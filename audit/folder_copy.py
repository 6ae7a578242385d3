# SPDX-License-Identifier: EUPL-1.2
"""A copy of a log in a published folder (docs/formats/layout.md): files, no database.

The checkpoint says how far the copy goes; files beyond it may stand there from a publisher that was
interrupted, and are not read. A partial tile or bundle that is gone is looked for in the full one,
as the specification tells clients to do.
"""

from functools import lru_cache
from pathlib import Path

from audit.checkpoint import parse_checkpoint
from audit.copies import Detail, Halving, Row
from audit.errors import LayoutError, LogCorruptError, LogUnavailableError, NoteError
from audit.layout import (
    CHECKPOINT,
    DETAILS,
    ENTRIES,
    Resource,
    StoredDetail,
    read_bundle,
    read_details,
    tile_resource,
)
from audit.merkle import HASH_SIZE
from audit.note import split_note
from audit.plainfile import NotPlainError, read_plain
from audit.store import Head
from audit.tiles import TILE_HEIGHT, TILE_WIDTH, TileId

_LARGEST = 256 * (1 << 16) * 17  # bytes of a details bundle at the most; entry bundles are smaller
_LONGEST_NOTE = 1 << 20


def read_file(path: Path, most: int = _LARGEST) -> bytes | None:
    """A file of at most so many bytes, None if there is none.

    Raises:
        LogCorruptError: it can't be read or is larger.
    """
    try:
        return read_plain(path, most)
    except FileNotFoundError:
        return None
    except NotPlainError as error:
        raise LogCorruptError(str(error)) from None


class FolderCopy(Halving):
    """One published log."""

    format: int | None = None

    def __init__(self, folder: Path) -> None:
        """Look at a folder.

        Raises:
            LogUnavailableError: it has neither a checkpoint nor entries.
        """
        self._folder = folder
        if not (folder / CHECKPOINT).exists() and not (folder / ENTRIES).is_dir():
            raise LogUnavailableError(f"{folder} is no published log: it has no checkpoint")
        self.has_details = (folder / DETAILS).is_dir()
        self._checkpoint = read_file(folder / CHECKPOINT, _LONGEST_NOTE)
        self._size = self._told_size()
        self._bundle = lru_cache(maxsize=2)(self._read_bundle)

    def head(self) -> Head | None:
        """As `Copy.head`: what the checkpoint says; its signature is not checked here."""
        if self._checkpoint is None:
            return None
        try:
            told = parse_checkpoint(split_note(self._checkpoint)[0])
        except NoteError as error:
            raise LogCorruptError(f"the checkpoint: {error}") from None
        return Head(told.origin, told.size, told.root, self._checkpoint.decode())

    def _told_size(self) -> int:
        try:
            head = self.head()
        except LogCorruptError:
            head = None
        return self._stored() if head is None else head.size

    def _stored(self) -> int:
        """How many entries the bundles hold from 0 on, where no checkpoint says it."""
        size = 0
        while True:
            number = size // TILE_WIDTH
            if (self._folder / Resource(ENTRIES, number).path).exists():
                size += TILE_WIDTH
                continue
            partial = (self._folder / Resource(ENTRIES, number, 1).path).parent
            widths = [int(f.name) for f in partial.glob("*") if f.name.isdecimal()]
            return size + max(widths, default=0)

    def count(self) -> int:
        """As `Copy.count`: up to the checkpoint's size."""
        return self._size

    def _read(self, folder: str, number: int, width: int) -> tuple[bytes, int] | None:
        """A file of this width, or the full one."""
        for wanted in dict.fromkeys((width, TILE_WIDTH)):
            data = read_file(self._folder / Resource(folder, number, wanted).path)
            if data is not None:
                return data, wanted
        return None

    def _width(self, number: int) -> int:
        return min(TILE_WIDTH, self._size - number * TILE_WIDTH)

    def _read_bundle(self, number: int) -> list[bytes]:
        width = self._width(number)
        found = self._read(ENTRIES, number, width) if width > 0 else None
        if found is None:
            return []
        try:
            entries = read_bundle(found[0])
        except LayoutError as error:
            raise LogCorruptError(f"entry bundle {number}: {error}") from None
        if len(entries) != found[1]:
            raise LogCorruptError(f"entry bundle {number} holds {len(entries)} entries")
        return entries[:width]

    def _details(self, number: int) -> dict[int, StoredDetail]:
        width = self._width(number)
        found = self._read(DETAILS, number, width) if width > 0 else None
        try:
            return read_details(found[0]) if found else {}
        except LayoutError as error:
            raise LogCorruptError(f"details bundle {number}: {error}") from None

    def envelopes(self, start: int, stop: int) -> list[tuple[int, object]]:
        """As `Copy.envelopes`."""
        found: list[tuple[int, object]] = []
        for number in _numbers(start, stop):
            first = number * TILE_WIDTH
            found += enumerate(self._bundle(number), start=first)
        if found and (found[0][0], found[-1][0] + 1) == (start, stop):
            return found
        return [pair for pair in found if start <= pair[0] < stop]

    def details(self, start: int, stop: int) -> list[Detail]:
        """As `Copy.details`."""
        return [
            Detail(number * TILE_WIDTH + place, one.blob, one.salt, one.header)
            for number in (_numbers(start, stop) if self.has_details else ())
            for place, one in self._details(number).items()
            if start <= number * TILE_WIDTH + place < stop
        ]

    def rows(self, start: int, stop: int) -> list[Row]:
        """As `Copy.rows`."""
        held = {one.index: one for one in self.details(start, stop)}
        rows = []
        for index, envelope in self.envelopes(start, stop):
            one = held.get(index)
            parts = (None, None, None) if one is None else (one.blob, one.salt, one.header)
            rows.append(Row(index, envelope, *parts))
        return rows

    def tile(self, tile: TileId) -> bytes | None:
        """As `Copy.tile`."""
        width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * tile.level) - tile.number * TILE_WIDTH)
        if width <= 0:
            return None
        found = self._read(tile_resource(tile).folder, tile.number, width)
        if found is None:
            return None
        data, stored = found
        return data[: width * HASH_SIZE] if len(data) == stored * HASH_SIZE else data

    def cosigned(self) -> str | None:
        """As `Copy.cosigned`: the published checkpoint itself."""
        return None if self._checkpoint is None else self._checkpoint.decode("utf-8", "replace")

    def damage(self) -> str | None:
        """As `Copy.damage`: files have no inner order of their own."""
        return None


def _numbers(start: int, stop: int) -> range:
    return range(start // TILE_WIDTH, -(-stop // TILE_WIDTH))
