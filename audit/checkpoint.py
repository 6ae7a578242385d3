# SPDX-License-Identifier: EUPL-1.2
"""Checkpoints (C2SP tlog-checkpoint v1.0.0): the signed head of a log.

Three lines - origin, size, base64 root - in a signed note. The log signs one per commit; a data
protection authority that keeps one can later prove any change of what stood below it.
"""

import base64
import re
from dataclasses import dataclass

from audit.errors import NoteError
from audit.merkle import EMPTY_ROOT, HASH_SIZE
from audit.note import NoteSigner, NoteVerifier, check_name, split_note, strict_base64, verify_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin, number of entries, and 32-byte root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text, ending in a line feed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, signer: NoteSigner) -> str:
        """The signed checkpoint."""
        return signer.sign(self.text)


def read_checkpoint(text: bytes) -> Checkpoint:
    """Read the text of a checkpoint, without a look at the root of size 0.

    Extension lines are refused: this log writes none, and cosignatures need not cover them.

    Raises:
        NoteError: not exactly origin, size and root.
    """
    lines = text.decode("utf-8", "replace").split("\n")
    if len(lines) != _LINES + 1 or lines[-1]:
        raise NoteError("a checkpoint has three lines: origin, size, root")
    origin, size, root = check_name(lines[0]), lines[1], strict_base64(lines[2].encode())
    if not _SIZE.fullmatch(size) or len(root) != HASH_SIZE:
        raise NoteError("a checkpoint has a decimal size and a root of 32 bytes")
    return Checkpoint(origin, int(size), root)


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read the text of a checkpoint whose signature was verified.

    Raises:
        NoteError: not exactly origin, size and root, or size 0 with another root than the empty.
    """
    checkpoint = read_checkpoint(text)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise NoteError("a checkpoint of size 0 has the root of the empty tree")
    return checkpoint


def kept_checkpoint(data: bytes) -> tuple[str, str]:
    """Origin and note of a file that somebody kept; it has its form, nothing is verified yet.

    Raises:
        NoteError: it is no signed checkpoint: empty, cut off, with carriage returns.
    """
    text, _ = split_note(data)
    return read_checkpoint(text).origin, data.decode()


def open_checkpoint(note: bytes, verifier: NoteVerifier, origin: str) -> Checkpoint:
    """Verify a signed checkpoint of the log `origin`.

    Raises:
        NoteError: malformed, of another log, or not signed by this key.
    """
    text, _ = verify_note(note, [verifier])
    checkpoint = parse_checkpoint(text)
    if checkpoint.origin != origin:
        raise NoteError(f"the checkpoint is of the log {checkpoint.origin}, not of {origin}")
    return checkpoint
