# SPDX-License-Identifier: EUPL-1.2
"""The tree built tile by tile: what `audit.tiles.Edge` does leaf by leaf, for whoever reads a lot.

Only full tiles go up, so a level is a row of roots of full tiles below; pure.
"""

from audit.merkle import HASH_SIZE, fold
from audit.tiles import TILE_BYTES, TILE_HEIGHT, Tile, TileId, tile_root


class Tower:
    """Full level-0 tiles stacked so far. Only the verification that made it adds to it."""

    __slots__ = ("_rows", "_tiles")

    def __init__(self) -> None:
        self._tiles = 0
        self._rows: list[bytearray] = []  # the unfinished tile of each level from 1 up

    def add(self, hashes: bytes) -> list[Tile]:
        """Stack a full level-0 tile; the full tiles above level 0 that it completes."""
        return self.add_root(tile_root(hashes))

    def add_root(self, value: bytes) -> list[Tile]:
        """The same, of a tile of which only the root is at hand."""
        finished: list[Tile] = []
        level, number = 0, self._tiles
        self._tiles += 1
        while True:
            level += 1
            if level > len(self._rows):
                self._rows.append(bytearray())
            row = self._rows[level - 1]
            row += value
            if len(row) < TILE_BYTES:
                return finished
            number >>= TILE_HEIGHT
            finished.append(Tile(TileId(level, number), bytes(row)))
            value = tile_root(finished[-1].hashes)
            row.clear()

    def partial(self) -> list[Tile]:
        """The unfinished tiles above level 0."""
        return [
            Tile(TileId(level, self._tiles >> TILE_HEIGHT * level), bytes(row))
            for level, row in enumerate(self._rows, start=1)
            if row
        ]

    def root(self, rest: bytes = b"") -> bytes:
        """The root over all tiles and the leaf hashes behind them, fewer than 256."""
        subtrees: list[bytes] = []
        for row in (*map(bytes, reversed(self._rows)), rest):
            at, left = 0, len(row) // HASH_SIZE
            while left:
                width = 1 << (left.bit_length() - 1)
                subtrees.append(tile_root(row[at * HASH_SIZE : (at + width) * HASH_SIZE]))
                at, left = at + width, left - width
        return fold(subtrees)
