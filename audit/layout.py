# SPDX-License-Identifier: EUPL-1.2
"""The static layout of a published log (C2SP tlog-tiles v0.1.0): names and bundles; pure.

`checkpoint`, `tile/<level>/<number>[.p/<width>]` and `tile/entries/<number>[.p/<width>]` are those
of the specification, so that its tools read our folders. `details/<number>[.p/<width>]` is ours:
the sealed details of the same 256 entries, for the authorities that ask for them, rewritten when
one is erased. Whatever the writer would not write is refused. docs/formats/layout.md; publisher,
copies and verifier rely on it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from audit.envelope import MAX_BYTES
from audit.errors import LayoutError
from audit.tiles import TILE_WIDTH, TileId

CHECKPOINT = "checkpoint"
ENTRIES = "tile/entries"
DETAILS = "details"
MAX_LEVEL = 63
MAX_NUMBER = 2**56 - 1  # tiles of a log of fewer than 2**64 entries
MAX_HEADER = 2400
MAX_BLOB = (1 << 20) + 512
SALT_SIZE = 32
_THOUSAND = 1000
_MAGIC = b"cuvar-details-1\n"
_FIXED = 1 + 2 + 4 + SALT_SIZE
_NUMBER = r"(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
_PATH = re.compile(
    rf"(?:tile/(?P<level>0|[1-9][0-9]?|entries)|(?P<details>details))/{_NUMBER}", re.ASCII
)


class Resource(NamedTuple):
    """A file of the layout: folder (`tile/0`, `tile/entries`, `details`), number, width."""

    folder: str
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Its name under the log's folder.

        Raises:
            LayoutError: number or width are no tile's.
        """
        if not 0 <= self.number <= MAX_NUMBER or not 1 <= self.width <= TILE_WIDTH:
            raise LayoutError("a tile has a number below 2**56 and a width from 1 to 256")
        rest, last = divmod(self.number, _THOUSAND)
        groups = [f"{last:03}"]
        while rest:
            rest, last = divmod(rest, _THOUSAND)
            groups.append(f"x{last:03}")
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"{self.folder}/{'/'.join(reversed(groups))}{partial}"


def tile_resource(tile: TileId, width: int = TILE_WIDTH) -> Resource:
    """The file of a tile of hashes.

    Raises:
        LayoutError: no such level.
    """
    if not 0 <= tile.level <= MAX_LEVEL:
        raise LayoutError(f"a tile has a level from 0 to {MAX_LEVEL}")
    return Resource(f"tile/{tile.level}", tile.number, width)


def parse_path(path: str) -> Resource:
    """Read the name of a tile or bundle.

    Raises:
        LayoutError: any name that `Resource.path` would not write.
    """
    found = _PATH.fullmatch(path) if len(path) <= MAX_BYTES else None
    if found is None:
        raise LayoutError("this is no name of a tile or bundle of the layout")
    number = int(found["number"].replace("/", "").replace("x", "")[-18:])
    width = int(found["width"] or TILE_WIDTH)
    resource = Resource(path[: found.start("number") - 1], number, width)
    whole = found["width"] is None
    if whole != (width == TILE_WIDTH) or number > MAX_NUMBER or resource.path != path:
        raise LayoutError("this is not the one name of a tile or bundle")
    if found["level"] not in (None, "entries") and int(found["level"]) > MAX_LEVEL:
        raise LayoutError(f"a tile has a level from 0 to {MAX_LEVEL}")
    return resource


def write_bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two big-endian bytes.

    Raises:
        LayoutError: an entry of over 65,535 bytes, no entry, or more than 256.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_BYTES:
            raise LayoutError("an entry of a bundle has at most 65,535 bytes")
        parts += (len(entry).to_bytes(2, "big"), entry)
    if not 1 <= len(parts) // 2 <= TILE_WIDTH:
        raise LayoutError(f"a bundle holds 1 to {TILE_WIDTH} entries")
    return b"".join(parts)


def read_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle, in order.

    Raises:
        LayoutError: a length that leads past the end, no entry, or more than 256.
    """
    entries: list[bytes] = []
    add, at, end = entries.append, 0, len(data)
    while at < end:
        start = at + 2
        at = start + (data[at] << 8) + (data[start - 1] if start <= end else 0)
        add(data[start:at])
    if at != end or not 1 <= len(entries) <= TILE_WIDTH:
        raise LayoutError("the entry bundle is cut short, empty, or holds more than 256 entries")
    return entries


@dataclass(frozen=True, slots=True)
class StoredDetail:
    """The sealed detail of an entry as it is stored; nothing in it is trusted."""

    blob: bytes
    salt: bytes
    header: bytes


def write_details(details: Mapping[int, StoredDetail]) -> bytes:
    """A details bundle: the mark, then by place in the bundle (0 to 255) what is not erased.

    Each is one byte of place, two of the header's length, four of the blob's, 32 of salt, header,
    blob; numbers are big-endian.

    Raises:
        LayoutError: a place or a part that no sealed detail has.
    """
    parts = [_MAGIC]
    for place, detail in sorted(details.items()):
        sizes = len(detail.header), len(detail.blob)
        if not 0 <= place < TILE_WIDTH or not _sizes_fit(*sizes) or len(detail.salt) != SALT_SIZE:
            raise LayoutError(f"entry {place} of the bundle has a detail of an unknown form")
        parts += (
            bytes([place]) + sizes[0].to_bytes(2, "big") + sizes[1].to_bytes(4, "big"),
            *(detail.salt, detail.header, detail.blob),
        )
    return b"".join(parts)


def _sizes_fit(header: int, blob: int) -> bool:
    return 1 <= header <= MAX_HEADER and 1 <= blob <= MAX_BLOB


def read_details(data: bytes) -> dict[int, StoredDetail]:
    """The details of a bundle by place.

    Raises:
        LayoutError: not in its only form: cut short, out of order, a part of an impossible size.
    """
    if not data.startswith(_MAGIC):
        raise LayoutError("a details bundle starts with its mark")
    found: dict[int, StoredDetail] = {}
    at, last = len(_MAGIC), -1
    while at < len(data):
        fixed = data[at : at + _FIXED]
        header, blob = int.from_bytes(fixed[1:3], "big"), int.from_bytes(fixed[3:7], "big")
        start, at = at + _FIXED, at + _FIXED + header + blob
        if at > len(data) or fixed[0] <= last or not _sizes_fit(header, blob):
            raise LayoutError("the details bundle is damaged or cut short")
        last = fixed[0]
        middle = start + header
        found[last] = StoredDetail(data[middle:at], fixed[7:], data[start:middle])
    return found
