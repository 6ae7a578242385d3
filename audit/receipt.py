# SPDX-License-Identifier: EUPL-1.2
"""Receipts (C2SP tlog-proof): the file that proves an entry's place in the log, offline.

Lines: format, optional `extra` (not authenticated), index, path hashes, an empty line, the signed
checkpoint. The owner's node and the receiver of an answer check one without asking anybody: either
for the log's own signature at once, or for a quorum of witnesses once they cosigned.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.errors import NoteError, ProofError
from audit.merkle import HASH_SIZE, verify_inclusion
from audit.note import NoteVerifier, split_note, strict_base64
from audit.trust import Cosigned, Policy

_FORMAT = b"c2sp.org/tlog-proof@v1"
_INDEX = re.compile(rb"index (0|[1-9][0-9]{0,18})")
_MAX_PATH = 64


@dataclass(frozen=True, slots=True)
class Receipt:
    """Entry number, path from its sibling up, and the checkpoint note that the path leads to."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def text(self) -> str:
        """The .tlog-proof file."""
        hashes = "".join(base64.b64encode(h).decode() + "\n" for h in self.path)
        head = f"{_FORMAT.decode()}\nindex {self.index}\n{hashes}\n"
        return head + self.checkpoint.decode()


def parse_receipt(data: bytes) -> Receipt:
    """Read a .tlog-proof file; nothing is verified yet.

    Raises:
        ProofError: not in its only form.
    """
    head, empty, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not empty or lines[0] != _FORMAT:
        raise ProofError("a receipt starts with c2sp.org/tlog-proof@v1")
    try:
        if len(lines) > 1 and lines[1].startswith(b"extra "):
            strict_base64(lines.pop(1)[6:])
        path = tuple(strict_base64(line) for line in lines[2:])
        split_note(checkpoint)
    except NoteError as error:
        raise ProofError(f"the receipt holds {error}") from None
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if index is None or len(path) > _MAX_PATH or any(len(h) != HASH_SIZE for h in path):
        raise ProofError("a receipt has an index and at most 64 hashes of 32 bytes")
    return Receipt(int(index[1]), path, checkpoint)


def verify_receipt(
    data: bytes, leaf: bytes, verifier: NoteVerifier, origin: str
) -> tuple[int, Checkpoint]:
    """Check a receipt for the entry with this leaf hash.

    Returns:
        The entry's index, and the checkpoint under which it stands.

    Raises:
        ProofError: malformed, or the entry does not follow from it.
        NoteError: its checkpoint is not one of this log signed by this key.
    """
    receipt = parse_receipt(data)
    checkpoint = open_checkpoint(receipt.checkpoint, verifier, origin)
    verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.path, checkpoint.root)
    return receipt.index, checkpoint


def verify_witnessed(
    data: bytes, leaf: bytes, policy: Policy, origin: str, log: NoteVerifier | None = None
) -> tuple[int, Cosigned]:
    """Check a receipt against a trust policy, offline: origin, log key, quorum, then the path.

    Args:
        data: the .tlog-proof file.
        leaf: the entry's leaf hash, computed from the entry itself.
        policy: who has to have cosigned.
        origin: the log that is meant.
        log: its key, where the policy lists no logs.

    Returns:
        The entry's index, and the checkpoint with the times of those who cosigned it.

    Raises:
        ProofError: malformed, or the entry does not follow from it.
        NoteError: its checkpoint is not one of this log.
        PolicyFileError: no key of this log is known.
        QuorumError: too few witnesses cosigned its checkpoint.
    """
    receipt = parse_receipt(data)
    cosigned = policy.check(receipt.checkpoint, origin, log)
    checkpoint = cosigned.checkpoint
    verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.path, checkpoint.root)
    return receipt.index, cosigned


def make_receipt(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """The .tlog-proof text."""
    return Receipt(index, tuple(path), checkpoint.encode()).text
