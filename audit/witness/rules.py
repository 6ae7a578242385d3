# SPDX-License-Identifier: EUPL-1.2
"""What a witness answers, in the order of the specification's table; pure.

    400  malformed body, more than 63 hashes
    404  origin unknown
    403  no signature by a trusted key, or a known key's signature fails
    400  old size above the checkpoint's size
    409  old size is not the size last cosigned (0 if none): the body names that size
    422  size 0 without the empty root; old 0 with a proof; proof fails; same size, other root
    200  persist, then cosign

C2SP tlog-witness v1.0.0; docs/formats/witness.md. `audit.witness.witness` relies on it.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from audit.checkpoint import Checkpoint
from audit.errors import NoteError, ProofError, WitnessError
from audit.merkle import EMPTY_ROOT, Span, verify_consistency
from audit.note import NoteVerifier, merge_lines, open_note, split_note
from audit.witness.submission import AddCheckpoint, parse_submission
from audit.witness.trusted import Trusted


class Status(IntEnum):
    """The HTTP statuses of add-checkpoint."""

    OK = 200
    MALFORMED = 400
    FORBIDDEN = 403
    UNKNOWN = 404
    CONFLICT = 409
    INCONSISTENT = 422


class Contradiction(Enum):
    """What a refused but validly signed checkpoint may be evidence of."""

    FORK = "fork"  # the size last cosigned, with another root: a proof by itself
    UNPROVEN = "unproven"  # the proof that came with it fails; perhaps its sender's fault
    BEHIND = "behind"  # a smaller size than was cosigned: old, restored, or a fork


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status, why, and on 409 the size last cosigned."""

    status: Status
    reason: str
    size: int | None = None
    kept: Contradiction | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """What was cosigned last for an origin."""

    checkpoint: Checkpoint
    note: str
    time: int


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission whose checkpoint a trusted key signed.

    Attributes:
        request: as it came.
        checkpoint: origin, size, root.
        note: the checkpoint with the trusted keys' lines only.
    """

    request: AddCheckpoint
    checkpoint: Checkpoint
    note: str


def examine(body: bytes, trusted: Trusted) -> Submission | Refusal:
    """The rows of the table that need no memory: 400, 404, 403, 400."""
    try:
        request = parse_submission(body)
    except WitnessError as error:
        return Refusal(Status.MALFORMED, str(error))
    checkpoint = request.checkpoint
    verifiers = trusted.verifiers(checkpoint.origin)
    if not verifiers:
        return Refusal(Status.UNKNOWN, "this witness does not follow a log of this origin")
    try:
        note = _signed_by(request.note, verifiers)
    except NoteError as error:
        return Refusal(Status.FORBIDDEN, str(error))
    if request.old > checkpoint.size:
        return Refusal(Status.MALFORMED, "the old size is above the checkpoint's size")
    return Submission(request, checkpoint, note)


def _signed_by(note: bytes, verifiers: tuple[NoteVerifier, ...]) -> str:
    """The checkpoint with the lines of these keys alone: what a stranger added is not kept."""
    lines = [signed.line for signed in open_note(note, verifiers).signed]
    text = split_note(note)[0].decode()
    return merge_lines(f"{text}\n{lines[0].text}", lines[1:])


def compare(submission: Submission, last: Last | None) -> Refusal | None:
    """The rows that need the last cosigned checkpoint: 409, 422; None where it may be cosigned."""
    new, request = submission.checkpoint, submission.request
    size = last.checkpoint.size if last else 0
    if request.old != size:
        reason = f"the last cosigned checkpoint has {size} entries"
        return Refusal(Status.CONFLICT, reason, size, _against(new, last))
    problem = _problem(request, new, last)
    if problem is None:
        return None
    kept = _against(new, last) or Contradiction.UNPROVEN
    return Refusal(Status.INCONSISTENT, problem, kept=kept)


def _against(new: Checkpoint, last: Last | None) -> Contradiction | None:
    """What a signed checkpoint says against the last one by itself, whatever proof came along."""
    if last is None or new.size > last.checkpoint.size or new == last.checkpoint:
        return None
    same = new.size == last.checkpoint.size
    return Contradiction.FORK if same else Contradiction.BEHIND


def _problem(request: AddCheckpoint, new: Checkpoint, last: Last | None) -> str | None:
    # Size 0 follows from size 0 alone: another root than the empty tree's fails here too.
    root = last.checkpoint.root if last else EMPTY_ROOT
    try:
        verify_consistency(Span(request.old, new.size), root, new.root, request.proof)
    except ProofError as error:
        return str(error)
    return None
