# SPDX-License-Identifier: EUPL-1.2
"""Merkle tree arithmetic of RFC 6962 section 2.1 over SHA-256; pure.

A proof is a list of tree hashes of leaf ranges. This module says *which* ranges (a store then finds
their hashes, see `audit.tiles`) and checks proofs that it is given. The checks follow RFC 9162
sections 2.1.3.2 and 2.1.4.2. The log, every receipt and the verifier rely on it.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from audit.errors import ProofError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_MAX_PATH = 64  # no tree of fewer than 2**64 leaves needs a longer path


class Span(NamedTuple):
    """Leaves from `start` up to and without `stop`."""

    start: int
    stop: int


class Node(NamedTuple):
    """The root of a full subtree: `place`-th of the nodes that stand `height` above the leaves."""

    height: int
    place: int


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry's bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two child hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(subtrees: Sequence[bytes]) -> bytes:
    """The root over subtrees given from the largest (left) to the smallest; empty tree if none."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def full_subtrees(span: Span) -> list[Node]:
    """The full subtrees that a span of a proof consists of, largest first.

    The start of a span that RFC 6962 names is a multiple of the power of two above its length, so
    the binary digits of the length are the subtrees.
    """
    nodes = []
    position, left = span.start, span.stop - span.start
    while left:
        height = left.bit_length() - 1
        nodes.append(Node(height, position >> height))
        position += 1 << height
        left -= 1 << height
    return nodes


def _split(span: Span) -> int:
    """Where RFC 6962 divides a span of at least two leaves: largest power of two below its size."""
    return span.start + (1 << ((span.stop - span.start - 1).bit_length() - 1))


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The spans whose hashes prove leaf `index` in a tree of `size` leaves, leaf sibling first.

    Raises:
        ProofError: the index is not below the size.
    """
    if not 0 <= index < size:
        raise ProofError(f"entry {index} is not in a log of {size} entries")
    spans = []
    span = Span(0, size)
    while span.stop - span.start > 1:
        middle = _split(span)
        left, right = Span(span.start, middle), Span(middle, span.stop)
        span, sibling = (left, right) if index < middle else (right, left)
        spans.append(sibling)
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The spans whose hashes prove that a tree of `new` leaves continues one of `old` leaves.

    Raises:
        ProofError: the old size is above the new one or negative.
    """
    if not 0 <= old <= new:
        raise ProofError(f"no proof leads from size {old} to size {new}")
    if old in (0, new):
        return []
    spans = []
    span, whole = Span(0, new), True
    while span.stop != old:
        middle = _split(span)
        left, right = Span(span.start, middle), Span(middle, span.stop)
        if old <= middle:
            spans.append(right)
            span = left
        else:
            spans.append(left)
            span, whole = right, False
    if not whole:
        spans.append(span)
    return spans[::-1]


def _check_path(path: Sequence[bytes]) -> None:
    if len(path) > _MAX_PATH or any(len(sibling) != HASH_SIZE for sibling in path):
        raise ProofError("a proof has at most 64 hashes of 32 bytes each")


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` is entry `index` of the tree with this size and root.

    Raises:
        ProofError: it does not follow from the path.
    """
    _check_path(path)
    if not 0 <= index < size:
        raise ProofError(f"entry {index} is not in a log of {size} entries")
    node, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("the inclusion proof is too long for this size")
        if node & 1 or node == last:
            value = node_hash(sibling, value)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            value = node_hash(value, sibling)
        node >>= 1
        last >>= 1
    if last != 0 or value != root:
        raise ProofError("the inclusion proof does not lead to the root")


def verify_consistency(old: Span, old_root: bytes, root: bytes, path: Sequence[bytes]) -> None:
    """Check that the tree of `old.stop` leaves continues the one of `old.start` leaves.

    Args:
        old: the two sizes, smaller first.
        old_root: root at the smaller size.
        root: root at the larger size.
        path: the hashes of `consistency_spans(old.start, old.stop)`.

    Raises:
        ProofError: it does not follow from the path.
    """
    _check_path(path)
    first, second = old
    if not 0 <= first <= second:
        raise ProofError(f"no proof leads from size {first} to size {second}")
    if first in (0, second):
        _check_trivial(first, second, (old_root, root), path)
        return
    hashes = [old_root, *path] if first & (first - 1) == 0 else list(path)
    if not hashes:
        raise ProofError("the consistency proof is empty")
    if _walk(first, second, hashes) != (old_root, root):
        raise ProofError("the consistency proof does not join the two roots")


def _walk(first: int, second: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The old and new root that a consistency proof leads to (RFC 9162, 2.1.4.2, steps 3 to 7)."""
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old_value = new_value = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long for these sizes")
        if node & 1 or node == last:
            old_value = node_hash(sibling, old_value)
            new_value = node_hash(sibling, new_value)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new_value = node_hash(new_value, sibling)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("the consistency proof is too short for these sizes")
    return old_value, new_value


def _check_trivial(
    first: int, second: int, roots: tuple[bytes, bytes], path: Sequence[bytes]
) -> None:
    """Equal sizes have equal roots; size 0 has the empty root; neither needs a path."""
    old_root, root = roots
    if path:
        raise ProofError("equal sizes and size 0 have an empty consistency proof")
    if first == second and old_root != root:
        raise ProofError("one size with two roots: the log was forked")
    if first == 0 and old_root != EMPTY_ROOT:
        raise ProofError("size 0 has the root of the empty tree and no other")
