# SPDX-License-Identifier: EUPL-1.2
"""Fork evidence: a file that proves, to anybody and offline, that a log showed two pasts.

Two checkpoints signed by one log that no honest log could both sign:

- of one size, with two roots; or
- of two sizes, with the root that the first entries have *under the later checkpoint* and the
  RFC 6962 consistency proof that leads from it to the later root. If that root is not the root
  of the earlier checkpoint, the later log does not continue the earlier one.

Only the log's key can have made both, so nobody can make evidence against an honest log.
docs/formats/evidence.md has every byte. `cuvar audit fork-evidence` and the witness rely on it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import EvidenceError, NoteError, ProofError
from audit.merkle import HASH_SIZE, Span, consistency_spans, verify_consistency
from audit.note import NoteVerifier, split_note, strict_base64
from audit.tiles import Edge, TileId, span_hash, tiles_for

_FORMAT = "cuvar-fork-evidence-1"
_PARTS = 5
_MAX_PATH = 64
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    """What the first entries' root is under the later checkpoint, and why."""

    root: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two checkpoints of one log that contradict one another, with their signatures.

    Attributes:
        log: the key that signed both.
        first: the note of the smaller size.
        second: the note of the larger or same size.
        proof: where the sizes differ, why they contradict.
    """

    log: NoteVerifier
    first: bytes
    second: bytes
    proof: Proof | None

    @property
    def text(self) -> str:
        """The file."""
        lines = [_FORMAT, f"log {self.log.vkey}"]
        if self.proof is not None:
            hashes = (self.proof.root, *self.proof.path)
            lines += [base64.b64encode(value).decode() for value in hashes]
        head = "".join(line + "\n" for line in lines)
        return f"{head}\n{self.first.decode()}\n{self.second.decode()}"


@dataclass(frozen=True, slots=True)
class Fork:
    """What evidence proves."""

    origin: str
    first: Checkpoint
    second: Checkpoint

    def __str__(self) -> str:
        sizes = f"of size {self.first.size}"
        if self.first.size != self.second.size:
            sizes = f"of sizes {self.first.size} and {self.second.size}"
        return f"{self.origin} signed two checkpoints {sizes} that contradict one another"


def check_evidence(data: bytes, log: NoteVerifier | None = None) -> Fork:
    """Verify a file of evidence, with nothing but the file.

    Args:
        data: the file.
        log: the key that is known to be the log's; without it the file's own key is taken, and
            whoever reads the result must compare that one.

    Raises:
        EvidenceError: it proves nothing; the message says why.
    """
    evidence = parse_evidence(data)
    if log is not None and log != evidence.log:
        raise EvidenceError("the evidence is against another key than the one given")
    return _fork(evidence)


def parse_evidence(data: bytes) -> Evidence:
    """Read a file of evidence; nothing is verified yet.

    Raises:
        EvidenceError: not in its only form.
    """
    parts = data.split(b"\n\n")
    if len(data) > LARGEST or len(parts) != _PARTS:
        raise EvidenceError("evidence is a head and two checkpoints, divided by empty lines")
    name, *lines = parts[0].split(b"\n")
    if name != _FORMAT.encode() or not lines or not lines[0].startswith(b"log "):
        raise EvidenceError(f"evidence starts with {_FORMAT} and the log's verifier key")
    try:
        log = NoteVerifier.parse(lines[0].removeprefix(b"log ").decode("utf-8", "replace"))
        hashes = tuple(strict_base64(line) for line in lines[1:])
        first, second = b"\n\n".join(parts[1:3]) + b"\n", b"\n\n".join(parts[3:])
        _ = split_note(first), split_note(second)
    except NoteError as error:
        raise EvidenceError(f"the evidence holds {error}") from None
    if len(hashes) > _MAX_PATH or any(len(value) != HASH_SIZE for value in hashes):
        raise EvidenceError(f"evidence has at most {_MAX_PATH} hashes of 32 bytes")
    proof = Proof(hashes[0], hashes[1:]) if hashes else None
    return Evidence(log, first, second, proof)


def _fork(evidence: Evidence) -> Fork:
    first, second = (_opened(note, evidence.log) for note in (evidence.first, evidence.second))
    if first.size == second.size:
        if evidence.proof is not None:
            raise EvidenceError("two checkpoints of one size need no further hashes")
        if first.root == second.root:
            raise EvidenceError("the two checkpoints are the same: no fork")
    else:
        _check_proof(first, second, evidence.proof)
    return Fork(evidence.log.name, first, second)


def _opened(note: bytes, log: NoteVerifier) -> Checkpoint:
    try:
        return open_checkpoint(note, log, log.name)
    except NoteError as error:
        raise EvidenceError(f"a checkpoint does not count against this log: {error}") from None


def _check_proof(first: Checkpoint, second: Checkpoint, proof: Proof | None) -> None:
    if first.size > second.size:
        raise EvidenceError("the smaller checkpoint comes first")
    if proof is None or first.size == 0:
        raise EvidenceError("two sizes prove nothing without hashes of the later log")
    if proof.root == first.root:
        raise EvidenceError("the later log continues the earlier one: no fork")
    try:
        verify_consistency(Span(first.size, second.size), proof.root, second.root, proof.path)
    except ProofError as error:
        raise EvidenceError(f"the hashes are not those of the later checkpoint: {error}") from None


def make_evidence(
    one: bytes, other: bytes, log: NoteVerifier, leaves: Sequence[bytes] | None = None
) -> Evidence:
    """Pack two contradicting checkpoints; what is returned has been verified.

    Args:
        one: a signed checkpoint.
        other: another one of the same log.
        log: the log's key.
        leaves: where the sizes differ, the leaf hashes under the later one, from the first on.

    Raises:
        EvidenceError: they do not prove a fork; the message says why.
    """
    first, second = sorted((one, other), key=lambda note: _opened(note, log).size)
    old, new = _opened(first, log), _opened(second, log)
    proof = None
    if old.size != new.size:
        if leaves is None:
            raise EvidenceError("two sizes need the leaf hashes or tiles of the later log")
        proof = _proof(old.size, new, leaves)
    evidence = Evidence(log, first, second, proof)
    check_evidence(evidence.text.encode(), log)
    return evidence


def _proof(size: int, new: Checkpoint, leaves: Sequence[bytes]) -> Proof:
    if len(leaves) < new.size:
        raise EvidenceError(f"{len(leaves)} leaf hashes where the later log has {new.size}")
    edge, tiles = Edge(), dict[TileId, bytes]()
    tiles.update(edge.extend(leaves[: new.size]))
    tiles |= edge.partial()
    if edge.root() != new.root:
        raise EvidenceError("the leaf hashes are not those of the later checkpoint")
    spans = [Span(0, size), *consistency_spans(size, new.size)]
    if not tiles_for(spans) <= tiles.keys():
        raise EvidenceError("a tile of the later log is missing")
    root, *path = (span_hash(span, tiles) for span in spans)
    return Proof(root, tuple(path))


def leaf_hashes(data: bytes) -> list[bytes]:
    """Leaf hashes laid one after the other, as the tiles of level 0 are.

    Raises:
        EvidenceError: not a multiple of 32 bytes.
    """
    if len(data) % HASH_SIZE:
        raise EvidenceError("leaf hashes are 32 bytes each, one after the other")
    return [data[place : place + HASH_SIZE] for place in range(0, len(data), HASH_SIZE)]


__all__ = [
    "Evidence",
    "EvidenceError",
    "Fork",
    "Proof",
    "check_evidence",
    "leaf_hashes",
    "make_evidence",
    "parse_evidence",
]
