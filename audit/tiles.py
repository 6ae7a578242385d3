# SPDX-License-Identifier: EUPL-1.2
"""256-wide tiles of tree hashes (C2SP tlog-tiles) and the log's growing right edge; pure.

Tile (level, index) holds up to 256 hashes; hash i of it is the root of 256**level leaves. A hash
above level 0 is the root of a *full* tile below; partial tiles are never hashed upward. The log
keeps full tiles, so that a proof reads a handful of them and not the whole log. `Edge` is what the
writer needs to go on: the partial tile of each level and the roots of the full subtrees.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, Self

from audit.errors import LogCorruptError
from audit.merkle import HASH_SIZE, Node, Span, fold, full_subtrees, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_SIZE


class TileId(NamedTuple):
    """Level (0 = leaf hashes) and position of a tile within its level."""

    level: int
    number: int


class Tile(NamedTuple):
    """A tile with its hashes, one after the other."""

    id: TileId
    hashes: bytes


def tile_root(hashes: bytes) -> bytes:
    """The root over a power of two of hashes laid one after the other."""
    pair = 2 * HASH_SIZE
    while len(hashes) > HASH_SIZE:  # node hashes, written out: a verifier makes millions of them
        hashes = b"".join(
            [sha256(b"\x01" + hashes[i : i + pair]).digest() for i in range(0, len(hashes), pair)]
        )
    return hashes


def _place(node: Node) -> tuple[TileId, int, int]:
    """The tile that holds what is needed for a node, and the first and last+1 hash in it."""
    level, climb = divmod(node.height, TILE_HEIGHT)
    index, start = divmod(node.place << climb, TILE_WIDTH)
    return TileId(level, index), start, start + (1 << climb)


def tiles_for(spans: Iterable[Span]) -> set[TileId]:
    """The tiles that must be read to compute the hashes of these spans."""
    return {_place(node)[0] for span in spans for node in full_subtrees(span)}


def _node_value(node: Node, tiles: Mapping[TileId, bytes]) -> bytes:
    tile, start, stop = _place(node)
    hashes = tiles.get(tile, b"")[start * HASH_SIZE : stop * HASH_SIZE]
    if len(hashes) != (stop - start) * HASH_SIZE:
        raise LogCorruptError(
            f"tile {tile.level}/{tile.number} is missing or too short;"
            " run `python -m audit verify` on the log and do not write to it"
        )
    return tile_root(hashes)


def span_hash(span: Span, tiles: Mapping[TileId, bytes]) -> bytes:
    """The tree hash of a span, out of the tiles that `tiles_for` named.

    Raises:
        LogCorruptError: a tile is missing or too short.
    """
    return fold([_node_value(node, tiles) for node in full_subtrees(span)])


def partial_tiles(size: int) -> list[TileId]:
    """The last tile of each level that is neither empty nor full at this size, level 0 first."""
    found = []
    level, width = 0, size
    while width:
        if width % TILE_WIDTH:
            found.append(TileId(level, width // TILE_WIDTH))
        level, width = level + 1, width // TILE_WIDTH
    return found


class Edge:
    """Where the log grows: its size, subtree roots and partial tiles.

    Only the sequencer changes an edge, and only a copy that it keeps once the commit succeeded.
    """

    __slots__ = ("_partial", "_subtrees", "size")

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []
        self._partial: list[bytearray] = [bytearray()]

    @classmethod
    def restore(cls, size: int, tiles: Mapping[TileId, bytes]) -> Self:
        """Rebuild the edge of a log of `size` entries out of its `partial_tiles(size)`.

        Raises:
            LogCorruptError: a tile is missing or has the wrong width.
        """
        edge = cls()
        edge.size = size
        level, width = 0, size
        while width:
            inside = width % TILE_WIDTH
            hashes = tiles.get(TileId(level, width // TILE_WIDTH), b"") if inside else b""
            if len(hashes) != inside * HASH_SIZE:
                raise LogCorruptError(
                    f"the last tile of level {level} has {len(hashes) // HASH_SIZE} hashes"
                    f" where a log of {size} entries has {inside}"
                )
            edge._partial[level:] = [bytearray(hashes), bytearray()]
            level, width = level + 1, width // TILE_WIDTH
        edge._subtrees = [_node_value(node, tiles) for node in full_subtrees(Span(0, size))]
        return edge

    def copy(self) -> "Edge":
        """An independent copy to grow."""
        other = Edge()
        other.size = self.size
        other._subtrees = self._subtrees.copy()
        other._partial = [bytearray(hashes) for hashes in self._partial]
        return other

    def partial(self) -> dict[TileId, bytes]:
        """The last, unfinished tile of each level."""
        return {tile: bytes(self._partial[tile.level]) for tile in partial_tiles(self.size)}

    def root(self) -> bytes:
        """The root of the whole tree at this size."""
        return fold(self._subtrees)

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Append leaf hashes; the tiles to store: finished ones, and changed ones above level 0."""
        finished: list[Tile] = []
        changed: set[int] = set()
        for leaf in leaves:
            self._push(leaf, finished, changed)
        widths = {level: self.size >> (TILE_HEIGHT * (level + 1)) for level in changed}
        grown = [
            Tile(TileId(level, index), bytes(self._partial[level]))
            for level, index in sorted(widths.items())
            if self._partial[level]
        ]
        return finished + grown

    def _push(self, leaf: bytes, finished: list[Tile], changed: set[int]) -> None:
        """One leaf; its carries are those of a binary counter, every eighth ends a tile."""
        self._partial[0] += leaf
        value, rest, height = leaf, self.size, 0
        while rest & 1:
            value = node_hash(self._subtrees.pop(), value)
            rest >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                level = height // TILE_HEIGHT
                tile = TileId(level - 1, rest)
                finished.append(Tile(tile, bytes(self._partial[level - 1])))
                self._partial[level - 1] = bytearray()
                if level == len(self._partial):
                    self._partial.append(bytearray())
                self._partial[level] += value
                changed.add(level)
        self._subtrees.append(value)
        self.size += 1
