# SPDX-License-Identifier: EUPL-1.2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import EvidenceError
from audit.evidence import check_evidence, leaf_hashes, make_evidence, parse_evidence
from audit.note import NoteVerifier
from tests.audit.making import STRANGER, vectors
from tests.audit.witnessing import LOG, Tree, cosigned, cosigner

TREE, FORK = Tree(), Tree(fork=3)
TOLD = vectors("evidence.json")


def leaves(tree, size):
    return [tree.leaf(index).digest() for index in range(size)]


def packed(one, other, material=None):
    return make_evidence(one.encode(), other.encode(), LOG.verifier, material)


def test_one_size_with_two_roots_is_a_fork_whatever_the_order():
    for pair in ((TREE, FORK), (FORK, TREE)):
        found = packed(pair[0].note(9), pair[1].note(9))
        fork = check_evidence(found.text.encode(), LOG.verifier)
        assert (fork.first.size, fork.second.size) == (9, 9)
        assert {fork.first.root, fork.second.root} == {TREE.root(9), FORK.root(9)}
        assert "two checkpoints of size 9" in str(fork)


@pytest.mark.parametrize(("old", "new"), [(4, 9), (5, 9), (8, 9), (9, 600), (256, 600), (599, 600)])
def test_two_sizes_are_a_fork_with_the_leaf_hashes_of_the_later_log(old, new):
    found = packed(FORK.note(new), TREE.note(old), leaves(FORK, new))
    assert found.proof.root == FORK.root(old)
    assert list(found.proof.path) == FORK.proof(old, new)
    fork = check_evidence(found.text.encode(), LOG.verifier)
    assert (fork.first, fork.second) == (TREE.checkpoint(old), FORK.checkpoint(new))
    assert len(found.text) < 3000, "a proof, not a log"


def test_an_honest_log_cannot_be_accused():
    for old, new in ((3, 9), (5, 9), (9, 9)):
        with pytest.raises(EvidenceError, match="no fork"):
            packed(TREE.note(old), TREE.note(new), leaves(TREE, new))
    with pytest.raises(EvidenceError, match="no fork"):
        packed(TREE.note(2), FORK.note(9), leaves(FORK, 9)), "the fork begins at 3"


def test_material_of_another_log_proves_nothing():
    with pytest.raises(EvidenceError, match="not those of the later"):
        packed(TREE.note(5), FORK.note(9), leaves(TREE, 9))
    with pytest.raises(EvidenceError, match="8 leaf hashes where"):
        packed(TREE.note(5), FORK.note(9), leaves(FORK, 8))
    with pytest.raises(EvidenceError, match="need the leaf hashes"):
        packed(TREE.note(5), FORK.note(9))
    with pytest.raises(EvidenceError):
        packed(TREE.note(0), FORK.note(9), leaves(FORK, 9))


def test_only_the_logs_own_signature_counts_against_it():
    with pytest.raises(EvidenceError, match="does not count"):
        packed(TREE.note(9), FORK.note(9, STRANGER))
    found = packed(TREE.note(9), FORK.note(9))
    with pytest.raises(EvidenceError, match="another key"):
        check_evidence(found.text.encode(), STRANGER.verifier)
    other = NoteVerifier.of("audit.example/other", 1, LOG.verifier.public)
    with pytest.raises(EvidenceError):
        make_evidence(TREE.note(9).encode(), FORK.note(9).encode(), other)


def test_cosignatures_stay_as_they_are():
    seen = cosigned(TREE.checkpoint(9), cosigner(1), cosigner(2, mldsa=True))
    found = packed(seen, FORK.note(9))
    assert parse_evidence(found.text.encode()) == found
    assert seen in found.text
    check_evidence(found.text.encode())


def test_every_changed_bit_of_evidence_proves_nothing():
    found = packed(TREE.note(5), FORK.note(9), leaves(FORK, 9)).text.encode()
    for place in range(len(found) * 8):
        changed = bytearray(found)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(EvidenceError):
            check_evidence(bytes(changed), LOG.verifier)


@pytest.mark.parametrize("told", TOLD["forks"], ids=lambda told: told["name"])
def test_published_evidence_proves_the_published_fork(told):
    fork = check_evidence(told["file"].encode(), NoteVerifier.parse(TOLD["vkey"]))
    assert [fork.first.size, fork.second.size] == told["sizes"]
    assert parse_evidence(told["file"].encode()).text == told["file"]


@pytest.mark.parametrize("told", TOLD["refused"], ids=lambda told: told["name"])
def test_published_files_that_prove_nothing_are_refused(told):
    with pytest.raises(EvidenceError):
        check_evidence(told["file"].encode(), NoteVerifier.parse(TOLD["vkey"]))


@given(st.binary(max_size=300))
def test_any_bytes_are_evidence_or_refused(data):
    with pytest.raises(EvidenceError):
        check_evidence(data)


GOOD = packed(TREE.note(5), FORK.note(9), leaves(FORK, 9)).text.encode()


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4))
def test_whatever_is_read_is_written_back_byte_for_byte(place, put):
    data = GOOD[:place] + put + GOOD[place + 1 :]
    try:
        found = parse_evidence(data)
    except EvidenceError:
        return
    assert found.text.encode() == data


def test_leaf_hashes_are_whole():
    assert leaf_hashes(b"a" * 64) == [b"a" * 32] * 2
    with pytest.raises(EvidenceError):
        leaf_hashes(b"a" * 63)
