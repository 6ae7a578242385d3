# SPDX-License-Identifier: EUPL-1.2
"""Every single-bit change of a checkpoint, proof, bundle or receipt fails verification."""

import asyncio
import contextlib
import itertools

import pytest

from audit import Journal, LogUnavailableError, parse_envelope, verify_receipt
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.copies import open_copy
from audit.errors import AuditError, LayoutError
from audit.layout import CHECKPOINT, read_bundle, read_details
from audit.merkle import (
    Span,
    consistency_spans,
    inclusion_spans,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from audit.publish import publish
from audit.receipt import make_receipt
from audit.sealing import commit_detail
from audit.tiles import Edge, span_hash
from audit.verify import verify_log
from tests.audit.making import KEY, NOON, ORIGIN, SIGNER, fill, judged, new_sealer, opened, sealed

LEAVES = [leaf_hash(b"entry-%d\n" % n) for n in range(11)]


def flips(data):
    """Each copy of the bytes with one bit changed."""
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            yield bytes(changed)


def tree(size):
    edge = Edge()
    edge.extend(LEAVES[:size])
    return edge.root(), edge.partial()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small log with a detail, as files, with a receipt and the entry it is for."""
    here = tmp_path_factory.mktemp("small")
    url = f"sqlite:///{here / 'log.db'}"
    Journal.create(url, keys={"BA": KEY}, now=NOON)

    async def write():
        async with opened(url) as log:
            await fill(log, 2)
            await log.append([sealed(new_sealer())])
            return await log.receipt(3), (await log.read(3, 4))[0].envelope

    receipt, entry = asyncio.run(write())
    with open_copy(url) as copy:
        publish(copy, here / "out", SIGNER.verifier, details=True)
    assert judged(here / "out").ok
    return here / "out", receipt.encode(), entry


def test_every_bit_of_a_checkpoint_counts(small):
    note = (small[0] / CHECKPOINT).read_bytes()
    good = open_checkpoint(note, SIGNER.verifier, ORIGIN)
    assert good.size == 4
    for changed in flips(note):
        with pytest.raises(AuditError):
            open_checkpoint(changed, SIGNER.verifier, ORIGIN)


def test_every_bit_of_a_receipt_counts(small):
    _, receipt, entry = small
    leaf = leaf_hash(entry)
    assert verify_receipt(receipt, leaf, SIGNER.verifier, ORIGIN)[0] == 3
    for changed in flips(receipt):
        with pytest.raises(AuditError):
            verify_receipt(changed, leaf, SIGNER.verifier, ORIGIN)
    for changed in flips(entry):
        with pytest.raises(AuditError):
            verify_receipt(receipt, leaf_hash(changed), SIGNER.verifier, ORIGIN)


@pytest.mark.parametrize("name", [CHECKPOINT, "tile/0", "tile/entries", "details"])
def test_the_verifier_finds_a_changed_bit_of_a_published_file(small, name):
    """Every bit of the short files; of the long ones a stride, as the tests below take them all."""
    file = small[0] / (name if name == CHECKPOINT else f"{name}/000.p/4")
    good = file.read_bytes()
    stride = 1 if len(good) < 200 else 37
    try:
        for changed in itertools.islice(flips(good), 0, None, stride):
            file.write_bytes(changed)
            with contextlib.suppress(LogUnavailableError):
                assert not verify_log(str(small[0]), vkey=SIGNER.vkey).ok
    finally:
        file.write_bytes(good)
    assert verify_log(str(small[0]), vkey=SIGNER.vkey).ok


def test_every_bit_of_an_entry_bundle_counts(small):
    data = (small[0] / "tile/entries/000.p/4").read_bytes()
    root = open_checkpoint((small[0] / CHECKPOINT).read_bytes(), SIGNER.verifier, ORIGIN).root

    def fits(bundle):
        edge = Edge()
        try:
            edge.extend([leaf_hash(entry) for entry in read_bundle(bundle)])
        except LayoutError:
            return False
        return edge.root() == root

    assert fits(data)
    assert not any(map(fits, flips(data)))


def test_every_bit_of_a_details_bundle_counts(small):
    data = (small[0] / "details/000.p/4").read_bytes()
    committed = {3: parse_envelope(small[2]).detail}

    def fits(bundle):
        try:
            found = read_details(bundle)
        except LayoutError:
            return False
        told = {n: commit_detail(d.salt, d.header, d.blob).hex() for n, d in found.items()}
        return told == committed

    assert fits(data)
    assert not any(map(fits, flips(data)))


@pytest.mark.parametrize("size", [1, 2, 7, 8, 11])
def test_every_bit_of_an_inclusion_proof_counts(size):
    root, tiles = tree(size)
    for index in range(size):
        path = [span_hash(span, tiles) for span in inclusion_spans(index, size)]
        verify_inclusion(LEAVES[index], index, size, path, root)
        packed = b"".join([LEAVES[index], root, *path])
        for changed in flips(packed):
            leaf, top, *rest = (changed[i : i + 32] for i in range(0, len(changed), 32))
            with pytest.raises(AuditError):
                verify_inclusion(leaf, index, size, rest, top)
        for other in {index ^ (1 << bit) for bit in range(5)}:
            with pytest.raises(AuditError):
                verify_inclusion(LEAVES[index], other, size, path, root)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 8), (6, 11), (8, 11), (11, 11)])
def test_every_bit_of_a_consistency_proof_counts(old, new):
    (old_root, _), (root, tiles) = tree(old), tree(new)
    path = [span_hash(span, tiles) for span in consistency_spans(old, new)]
    verify_consistency(Span(old, new), old_root, root, path)
    for changed in flips(b"".join([old_root, root, *path])):
        first, last, *rest = (changed[i : i + 32] for i in range(0, len(changed), 32))
        with pytest.raises(AuditError):
            verify_consistency(Span(old, new), first, last, rest)


def test_every_bit_of_the_index_of_a_receipt_counts():
    root, tiles = tree(11)
    note = Checkpoint(ORIGIN, 11, root).sign(SIGNER)
    for index in range(11):
        path = [span_hash(span, tiles) for span in inclusion_spans(index, 11)]
        for other in set(range(16)) - {index}:
            receipt = make_receipt(other, path, note).encode()
            with pytest.raises(AuditError):
                verify_receipt(receipt, LEAVES[index], SIGNER.verifier, ORIGIN)
