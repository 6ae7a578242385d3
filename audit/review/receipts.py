# SPDX-License-Identifier: EUPL-1.2
"""Receipts (.tlog-proof) made from a copy, for the lines of a list that somebody else must believe.

A cosigned checkpoint is taken where the copy has one that covers the entry, else the log's own.
Nothing of the copy is believed: a receipt is good if it verifies against the log's key.
"""

import contextlib
from collections.abc import Sequence
from typing import Final, Protocol

from audit.errors import LogCorruptError
from audit.merkle import inclusion_spans, leaf_hash
from audit.receipt import make_receipt
from audit.review.following import Source, head_of
from audit.tiles import TILE_WIDTH, TileId, span_hash, tiles_for

_SIZE_LINE: Final = 1


class Tiled(Source, Protocol):
    """A copy with its tree."""

    def tile(self, tile: TileId) -> bytes | None:
        """A stored tile."""


def receipt_of(copy: Tiled, index: int) -> str:
    """The .tlog-proof of one entry.

    Raises:
        ProofError: there is no such entry.
        LogCorruptError: a tile is missing.
    """
    note, size = _checkpoint(copy, index)
    spans = inclusion_spans(index, size)
    tiles = {tile: _tile(copy, tile, size) for tile in tiles_for(spans)}
    return make_receipt(index, [span_hash(span, tiles) for span in spans], note)


def _checkpoint(copy: Tiled, index: int) -> tuple[str, int]:
    """The note to lead to, and its size: a witnessed one if it covers the entry."""
    head = head_of(copy)
    cosigned = getattr(copy, "cosigned", lambda: None)()
    if isinstance(cosigned, str):
        with contextlib.suppress(ValueError, IndexError):
            size = int(cosigned.split("\n")[_SIZE_LINE])
            if index < size <= head.size:
                return cosigned, size
    return head.note, head.size


def _tile(copy: Tiled, tile: TileId, size: int) -> bytes:
    found = copy.tile(tile)
    if found:
        return found
    if tile.level:
        raise LogCorruptError(
            f"tile {tile.level}/{tile.number} is not in this copy;"
            " run `cuvar audit verify` on it and ask for a whole one"
        )
    start = tile.number * TILE_WIDTH
    return _leaves(copy.envelopes(start, min(start + TILE_WIDTH, size)))


def _leaves(rows: Sequence[tuple[int, object]]) -> bytes:
    return b"".join(leaf_hash(data) for _, data in rows if isinstance(data, bytes))
