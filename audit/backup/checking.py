# SPDX-License-Identifier: EUPL-1.2
"""A kept log computed anew from its bytes, and compared with its signed checkpoints.

The same is asked as of a live log (`audit.verify`): each envelope in its only form, of this log, in
order of time; each detail the one that its envelope commits to; all of them leading to the root.
"""

from dataclasses import dataclass, field
from pathlib import Path

from audit.backup.keeping import KeptLog, Progress, read_entries
from audit.checkpoint import open_checkpoint, parse_checkpoint
from audit.entry import StoredEntry
from audit.envelope import parse_envelope
from audit.errors import AuditError, BackupError, EnvelopeError
from audit.event import Envelope
from audit.merkle import leaf_hash
from audit.note import NoteVerifier, split_note
from audit.state import micros_of
from audit.tiles import Edge
from audit.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a kept log back showed."""

    size: int
    root: bytes
    missing: int  # details that the envelopes commit to and that are not there
    declared: int  # details that entries of kind erasure say were deleted
    signed: bool  # whether the checkpoint was checked against a key from outside


@dataclass(slots=True)
class _Pass:
    """One pass over a log's entries. Owned by `check_log`."""

    origin: str
    edge: Edge = field(default_factory=Edge)
    micros: int = 0
    missing: int = 0
    declared: int = 0

    def take(self, entry: StoredEntry) -> None:
        try:
            envelope = parse_envelope(entry.envelope)
        except EnvelopeError as error:
            raise BackupError(f"entry {entry.index} of {self.origin}: {error}") from None
        micros = micros_of(envelope.t)
        if envelope.log != self.origin or micros < self.micros:
            raise BackupError(
                f"entry {entry.index} of {self.origin} is of another log or out of order;"
                " take another backup"
            )
        self.micros = micros
        self._detail(entry, envelope)
        self.edge.extend([leaf_hash(entry.envelope)])

    def _detail(self, entry: StoredEntry, envelope: Envelope) -> None:
        if envelope.kind is Kind.ERASURE:
            self.declared += envelope.count or 0
        if entry.sealed is None:
            self.missing += envelope.detail is not None
        elif entry.sealed.commitment.hex() != envelope.detail:
            raise BackupError(
                f"the sealed detail of entry {entry.index} of {self.origin} is not the one that"
                " its envelope commits to; take another backup"
            )


def check_log(
    folder: Path,
    kept: KeptLog,
    verifier: NoteVerifier | None = None,
    on_progress: Progress | None = None,
) -> Checked:
    """Compute a kept log anew from its bytes and compare it with its checkpoint.

    Args:
        folder: of the backup.
        kept: which log.
        verifier: the log's key, from anywhere but the backup.
        on_progress: is told origin, entries done, entries to do.

    Raises:
        BackupError: something does not fit; the message names it.
    """
    head, run = kept.head, _Pass(kept.head.origin)
    for rows in read_entries(folder, kept):
        for row in rows:
            run.take(row)
        if on_progress is not None:
            on_progress(head.origin, run.edge.size, head.size)
    root = run.edge.root()
    if (run.edge.size, root) != (head.size, head.root):
        raise BackupError(
            f"the entries of {head.origin} do not lead to the root in the manifest;"
            " take another backup"
        )
    _check_notes(kept, verifier)
    return Checked(head.size, root, run.missing, run.declared, verifier is not None)


def _check_notes(kept: KeptLog, verifier: NoteVerifier | None) -> None:
    head = kept.head
    notes = [(head.note, head.size)]
    if kept.cosigned is not None:
        notes.append((kept.cosigned.note, kept.cosigned.size))
    for note, size in notes:
        try:
            if verifier is None:
                told = parse_checkpoint(split_note(note.encode())[0])
            else:
                told = open_checkpoint(note.encode(), verifier, head.origin)
        except AuditError as error:
            raise BackupError(f"a checkpoint of {head.origin}: {error}") from None
        whole = size != head.size or told.root == head.root
        if told.origin != head.origin or told.size != size or not whole:
            raise BackupError(f"a checkpoint of {head.origin} is of other entries than are kept")
