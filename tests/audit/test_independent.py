# SPDX-License-Identifier: EUPL-1.2
"""Two verifiers that share no line agree: on the reference's vectors and on every small tree."""

import itertools

import pytest

from audit import ProofError
from audit.merkle import (
    Span,
    consistency_spans,
    inclusion_spans,
    verify_consistency,
    verify_inclusion,
)
from audit.tiles import Edge
from tests.audit import independent
from tests.audit.independent import Caught, Key, open_note
from tests.audit.making import vectors

SIZES = 20
LEAVES = [independent.leaf(b"entry-%d\n" % n) for n in range(600)]


def test_the_roots_of_the_reference_implementation_come_out():
    told = {int(size): root for size, root in vectors("tree.json")["roots"].items()}
    assert len(told) > 5
    for size, root in told.items():
        found = independent.tree_hash(LEAVES[:size])
        assert root in (found.hex(), independent.base64.b64encode(found).decode())


def test_both_compute_the_same_tiles_and_proofs():
    edge = Edge()
    stored = {tuple(tile.id): tile.hashes for tile in edge.extend(LEAVES)}
    stored |= {tuple(tile): hashes for tile, hashes in edge.partial().items()}
    assert stored == independent.tiles_of(LEAVES)
    for size in range(1, SIZES):
        row = LEAVES[:size]
        for index in range(size):
            spans = inclusion_spans(index, size)
            ours = [independent.tree_hash(LEAVES[s.start : s.stop]) for s in spans]
            assert ours == independent.path(index, row)
        for old in range(1, size):
            spans = consistency_spans(old, size)
            ours = [independent.tree_hash(LEAVES[s.start : s.stop]) for s in spans]
            assert ours == independent.proof(old, row)


def refused(check, *given):
    """Whether a verifier refuses."""
    try:
        check(*given)
    except (ProofError, Caught):
        return True
    return False


def ours_includes(index, size, value, hashes, root):
    verify_inclusion(value, index, size, hashes, root)


def theirs_includes(index, size, value, hashes, root):
    if independent.root_from_path(index, size, value, hashes) != root:
        raise Caught("another root")


def ours_continues(old, new, old_root, root, hashes):
    verify_consistency(Span(old, new), old_root, root, hashes)


@pytest.mark.parametrize("size", range(1, 10))
def test_both_take_and_refuse_the_same_proofs(size):
    root = independent.tree_hash(LEAVES[:size])
    for index, claimed in itertools.product(range(size), range(size)):
        proof = independent.path(index, LEAVES[:size])
        for hashes in (proof, proof[1:], [*proof, root], proof[::-1]):
            given = (claimed, size, LEAVES[index], hashes, root)
            assert refused(ours_includes, *given) == refused(theirs_includes, *given)
    for old, claimed in itertools.product(range(1, size), range(1, size)):
        old_root = independent.tree_hash(LEAVES[:old])
        proof = independent.proof(old, LEAVES[:size])
        for hashes in (proof, proof[1:], [*proof, root], proof[::-1]):
            given = (claimed, size, old_root, root, hashes)
            theirs = refused(independent.check_consistency, *given)
            assert refused(ours_continues, *given) == theirs


def test_the_cosigned_checkpoint_of_the_reference_opens():
    told = vectors("checkpoint.json")
    keys = [Key.parse(vkey) for vkey in find_vkeys(told)]
    note = find_note(told)
    _, signed = open_note(note, keys)
    assert len(signed) == 3


def find_vkeys(told):
    """Every verifier key in a vector file."""
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        return sorted({key for part in told for key in find_vkeys(part)})
    return [told] if isinstance(told, str) and told.count("+") >= 2 and "\n" not in told else []


def find_note(told):
    """The note with the most signatures."""
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        return max((find_note(part) for part in told), key=lambda note: note.count("\u2014"))
    return told if isinstance(told, str) else ""
