# SPDX-License-Identifier: EUPL-1.2
import base64
import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import LogCorruptError, ProofError
from audit.merkle import (
    EMPTY_ROOT,
    Span,
    consistency_spans,
    inclusion_spans,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from audit.tiles import TILE_WIDTH, Edge, TileId, partial_tiles, span_hash, tiles_for
from tests.audit.making import vectors

LEAVES = [leaf_hash(b"entry-%d\n" % i) for i in range(1100)]


def mth(leaves):
    """RFC 6962 section 2.1 word for word, as the independent judge."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    """PATH(m, D[n]) of RFC 6962 section 2.1.1."""
    if len(leaves) < 2:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m, leaves, *, whole=True):
    """SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


@pytest.fixture(scope="module")
def tiles():
    """All tiles of the 1,100 leaves, and the edge."""
    edge = Edge()
    stored = {tile.id: tile.hashes for tile in edge.extend(LEAVES)}
    return stored | edge.partial()


def proof(spans, tiles):
    return [span_hash(span, tiles) for span in spans]


def test_the_published_leaf_hashes_and_roots_come_out():
    told = vectors("tree.json")
    assert leaf_hash(b"").hex() == told["leaf_of_nothing"]
    assert [leaf.hex() for leaf in LEAVES[:3]] == told["leaves"]
    assert EMPTY_ROOT.hex() == told["roots"]["0"]
    edge = Edge()
    roots = {0: edge.root().hex()}
    for leaf in LEAVES[:600]:
        edge.extend([leaf])
        roots[edge.size] = edge.root().hex()
    assert {size: roots[int(size)] for size in told["roots"]} == told["roots"]


def test_the_published_tile_has_the_published_hash(tiles):
    told = vectors("tree.json")
    assert hashlib.sha256(tiles[TileId(0, 0)]).hexdigest() == told["sha256_of_tile_0_0"]
    bundle = b"".join(
        len(entry).to_bytes(2, "big") + entry for entry in (b"entry-%d\n" % i for i in range(256))
    )
    assert hashlib.sha256(bundle).hexdigest() == told["sha256_of_entries_0"]


def test_the_published_proofs_come_out_and_verify(tiles):
    told = vectors("tree.json")
    for case in told["inclusion"]:
        found = proof(inclusion_spans(case["index"], case["size"]), tiles)
        assert [base64.b64encode(h).decode() for h in found] == case["path"]
    for case in told["consistency"]:
        found = proof(consistency_spans(case["old"], case["new"]), tiles)
        assert [base64.b64encode(h).decode() for h in found] == case["path"]


@given(st.integers(1, 1100), st.data())
def test_every_inclusion_proof_is_that_of_the_rfc_and_verifies(tiles, size, data):
    index = data.draw(st.integers(0, size - 1))
    found = proof(inclusion_spans(index, size), tiles)
    assert found == path(index, LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, found, mth(LEAVES[:size]))


@given(st.integers(0, 1100), st.data())
def test_every_consistency_proof_is_that_of_the_rfc_and_verifies(tiles, new, data):
    old = data.draw(st.integers(0, new))
    found = proof(consistency_spans(old, new), tiles)
    if old > 0:
        assert found == subproof(old, LEAVES[:new])
    verify_consistency(Span(old, new), mth(LEAVES[:old]), mth(LEAVES[:new]), found)


def flips(value):
    """The value with each single bit changed in turn."""
    for place in range(len(value) * 8):
        changed = bytearray(value)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


@pytest.mark.parametrize(("index", "size"), [(0, 2), (4, 7), (5, 8), (6, 7)])
def test_any_changed_bit_of_an_inclusion_proof_is_refused(tiles, index, size):
    found = proof(inclusion_spans(index, size), tiles)
    leaf, root = LEAVES[index], mth(LEAVES[:size])
    verify_inclusion(leaf, index, size, found, root)
    cases = [(changed, index, size, found, root) for changed in flips(leaf)]
    cases += [(leaf, index, size, found, changed) for changed in flips(root)]
    for place, sibling in enumerate(found):
        rest = (found[:place], found[place + 1 :])
        cases += [(leaf, index, size, [*rest[0], c, *rest[1]], root) for c in flips(sibling)]
    cases += [(leaf, other, size, found, root) for other in range(-1, size + 2) if other != index]
    for case in cases:
        with pytest.raises(ProofError):
            verify_inclusion(*case)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 5), (3, 8), (255, 256), (256, 257)])
def test_an_inclusion_proof_of_another_length_is_refused(tiles, index, size):
    found = proof(inclusion_spans(index, size), tiles)
    root = mth(LEAVES[:size])
    for other in (found[1:] if found else [root], [*found, root], [*found, b"short"]):
        with pytest.raises(ProofError):
            verify_inclusion(LEAVES[index], index, size, other, root)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 7), (6, 8)])
def test_any_changed_bit_of_a_consistency_proof_is_refused(tiles, old, new):
    found = proof(consistency_spans(old, new), tiles)
    roots = mth(LEAVES[:old]), mth(LEAVES[:new])
    verify_consistency(Span(old, new), *roots, found)
    cases = [(Span(old, new), changed, roots[1], found) for changed in flips(roots[0])]
    cases += [(Span(old, new), roots[0], changed, found) for changed in flips(roots[1])]
    for place, sibling in enumerate(found):
        rest = (found[:place], found[place + 1 :])
        cases += [(Span(old, new), *roots, [*rest[0], c, *rest[1]]) for c in flips(sibling)]
    cases += [(Span(old, new), *roots, other) for other in (found[1:], [*found, roots[0]])]
    cases += [(Span(new, old), *roots, found), (Span(-1, new), *roots, found)]
    cases += [(Span(old, old), *roots, []), (Span(0, new), *roots, [])]
    for case in cases:
        with pytest.raises(ProofError):
            verify_consistency(*case)


@given(st.lists(st.integers(0, 300), max_size=12), st.integers(0, 300))
def test_an_edge_grown_in_any_steps_and_restored_is_the_same(steps, more):
    edge, stored, size = Edge(), {}, 0
    for step in steps:
        leaves = LEAVES[size : size + step]
        stored |= {tile.id: tile.hashes for tile in edge.extend(leaves)}
        size += len(leaves)
    assert (edge.size, edge.root()) == (size, mth(LEAVES[:size]))
    last = TileId(0, size // TILE_WIDTH)
    kept = {tile: stored[tile] for tile in partial_tiles(size) if tile.level}
    kept[last] = b"".join(LEAVES[last.number * TILE_WIDTH : size])
    again = Edge.restore(size, kept)
    assert again.partial() == edge.partial()
    for one in (edge, again):
        one.extend(LEAVES[size : size + more])
    assert again.root() == edge.root()
    assert again.partial() == edge.partial()


def test_a_copy_of_an_edge_grows_alone():
    edge = Edge()
    edge.extend(LEAVES[:300])
    root = edge.root()
    edge.copy().extend(LEAVES[300:])
    assert (edge.size, edge.root()) == (300, root)


def test_an_edge_without_its_tiles_is_refused():
    with pytest.raises(LogCorruptError, match="level 0"):
        Edge.restore(3, {})


def test_a_proof_reads_a_handful_of_tiles():
    size = 10_000_000
    assert len(tiles_for(inclusion_spans(4_711_000, size))) <= 6
    assert len(tiles_for(consistency_spans(4_711_003, size))) <= 6


def test_a_missing_tile_is_named():
    with pytest.raises(LogCorruptError, match="tile 0/2"):
        span_hash(Span(512, 640), {})


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_there_is_no_proof_of_an_entry_outside_the_log(index):
    with pytest.raises(ProofError):
        inclusion_spans(index, 5)


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5)])
def test_there_is_no_proof_between_sizes_the_wrong_way_round(old, new):
    with pytest.raises(ProofError):
        consistency_spans(old, new)


def test_larger_proofs_chain(tiles):
    sizes = [1, 255, 256, 257, 511, 512, 1023, 1100]
    for old, new in pairwise(sizes):
        verify_consistency(
            Span(old, new),
            mth(LEAVES[:old]),
            mth(LEAVES[:new]),
            proof(consistency_spans(old, new), tiles),
        )
