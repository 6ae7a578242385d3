# SPDX-License-Identifier: EUPL-1.2
"""The body of add-checkpoint (C2SP tlog-witness v1.0.0): written by the log, read by the witness.

`old <size>`, 0 to 63 hashes in base64 one a line, an empty line, the signed checkpoint. One form
only; the root of a checkpoint of size 0 is looked at later, as the status table wants it.
"""

import base64
import re
from dataclasses import dataclass

from audit.checkpoint import Checkpoint, read_checkpoint
from audit.errors import NoteError, WitnessError
from audit.merkle import HASH_SIZE
from audit.note import split_note, strict_base64

MAX_PROOF = 63
LARGEST = 1 << 17
_OLD = re.compile(rb"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The size that the witness is thought to have, the proof from there, the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    @property
    def body(self) -> bytes:
        """The request body."""
        hashes = "".join(base64.b64encode(h).decode() + "\n" for h in self.proof)
        return f"old {self.old}\n{hashes}\n".encode() + self.note

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says, signed by whomever.

        Raises:
            NoteError: the note is no checkpoint.
        """
        return read_checkpoint(split_note(self.note)[0])


def parse_submission(body: bytes) -> AddCheckpoint:
    """Read a request body; no signature and no proof is verified yet.

    Raises:
        WitnessError: malformed, more than 63 hashes, or too large.
    """
    if len(body) > LARGEST:
        raise WitnessError(f"a submission has at most {LARGEST} bytes")
    head, empty, note = body.partition(b"\n\n")
    first, *rest = head.split(b"\n")
    old = _OLD.fullmatch(first)
    if not empty or old is None:
        raise WitnessError("a submission is `old <size>`, hashes, an empty line and a checkpoint")
    if len(rest) > MAX_PROOF:
        raise WitnessError(f"a submission has at most {MAX_PROOF} hashes")
    try:
        proof = tuple(strict_base64(line) for line in rest)
        found = AddCheckpoint(int(old[1]), proof, note)
        _ = found.checkpoint
    except NoteError as error:
        raise WitnessError(f"the submission holds {error}") from None
    if any(len(value) != HASH_SIZE for value in proof):
        raise WitnessError("each hash of a submission has 32 bytes")
    return found
