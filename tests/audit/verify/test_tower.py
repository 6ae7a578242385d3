# SPDX-License-Identifier: EUPL-1.2
"""The tree built tile by tile is the tree built leaf by leaf."""

import pytest

from audit.merkle import leaf_hash
from audit.tiles import Edge
from audit.verify.tower import Tower

LEAVES = [leaf_hash(b"entry-%d\n" % n) for n in range(256 * 3)]
WIDE = 256 * 256 + 700


@pytest.mark.parametrize("size", [0, 1, 2, 7, 255, 256, 257, 511, 512, 600, 768])
def test_roots_are_those_of_the_edge(size):
    edge, tower = Edge(), Tower()
    edge.extend(LEAVES[:size])
    for start in range(0, size - 255, 256):
        tower.add(b"".join(LEAVES[start : start + 256]))
    assert tower.root(b"".join(LEAVES[size - size % 256 : size])) == edge.root()


def test_tiles_of_upper_levels_are_those_of_the_edge():
    leaves = [LEAVES[n % 700] for n in range(WIDE)]
    edge, tower = Edge(), Tower()
    tiles = {tile.id: tile.hashes for tile in edge.extend(leaves)} | dict(edge.partial())
    finished = []
    for start in range(0, WIDE - WIDE % 256, 256):
        finished += tower.add(b"".join(leaves[start : start + 256]))
    assert [tile.id for tile in finished] == [(1, 0)]
    for tile in [*finished, *tower.partial()]:
        assert tiles[tile.id] == tile.hashes
    assert tower.root(b"".join(leaves[WIDE - WIDE % 256 :])) == edge.root()
