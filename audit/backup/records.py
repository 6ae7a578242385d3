# SPDX-License-Identifier: EUPL-1.2
"""How a backup writes entries and sealed details into files (docs/formats/backup.md); pure.

Entries stand as in a C2SP entry bundle, each with its length in two bytes before it. Details stand
in files of their own, so that one can be erased without touching what the tree is made of. Both are
cut into chunks of 4,096 entries: nothing is ever held whole, and an erasure writes one chunk anew.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from audit.errors import BackupError
from audit.sealing import Sealed, commit_detail

CHUNK: Final = 4096
_LENGTH: Final = struct.Struct(">H")
_DETAIL: Final = struct.Struct(">HHI")  # place in the chunk, window header's and blob's length
_SALT: Final = 32


def pack_entries(envelopes: Iterable[bytes]) -> bytes:
    """The file of one chunk's envelopes."""
    return b"".join(_LENGTH.pack(len(envelope)) + envelope for envelope in envelopes)


def unpack_entries(data: bytes) -> list[bytes]:
    """The envelopes of a chunk.

    Raises:
        BackupError: the file is cut off.
    """
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + _LENGTH.size], "big")
        end = at + _LENGTH.size + length
        if end > len(data):
            raise BackupError("a file of entries is cut off; take another backup")
        found.append(data[at + _LENGTH.size : end])
        at = end
    return found


def pack_details(details: Mapping[int, Sealed]) -> bytes:
    """The file of one chunk's details, by place in the chunk."""
    return b"".join(_pack_detail(place, details[place]) for place in sorted(details))


def _pack_detail(place: int, sealed: Sealed) -> bytes:
    head = _DETAIL.pack(place, len(sealed.window), len(sealed.blob))
    return head + sealed.salt + sealed.window + sealed.blob


def unpack_details(data: bytes) -> dict[int, Sealed]:
    """The details of a chunk, by place; the commitment is that of the bytes found.

    Raises:
        BackupError: the file is cut off, or its details are not in order.
    """
    return dict(_details(data))


def _details(data: bytes) -> Iterator[tuple[int, Sealed]]:
    at, before = 0, -1
    while at < len(data):
        if at + _DETAIL.size > len(data):
            raise BackupError("a file of details is cut off; take another backup")
        place, window, blob = _DETAIL.unpack_from(data, at)
        salt_at = at + _DETAIL.size
        window_at = salt_at + _SALT
        blob_at, at = window_at + window, window_at + window + blob
        if at > len(data) or place <= before:
            raise BackupError("a file of details is cut off or out of order; take another backup")
        salt, header = data[salt_at:window_at], data[window_at:blob_at]
        body = data[blob_at:at]
        yield place, Sealed(body, salt, commit_detail(salt, header, body), header)
        before = place


def chunks(size: int) -> Sequence[range]:
    """The entries of each chunk of a log."""
    return [range(start, min(start + CHUNK, size)) for start in range(0, size, CHUNK)]
