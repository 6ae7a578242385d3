# SPDX-License-Identifier: EUPL-1.2
"""A kept log computed anew from its bytes, and compared with its signed checkpoints.

The same is asked as of a live log (`audit.verify`): each envelope in its only form, of this log, in
order of time; each detail the one that its envelope commits to; all of them leading to the root.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.backup.keeping import KeptLog, Progress, read_entries
from audit.checkpoint import open_checkpoint, parse_checkpoint
from audit.concern import NAMING
from audit.entry import StoredEntry
from audit.envelope import parse_envelope
from audit.errors import AuditError, BackupError, EnvelopeError
from audit.event import Envelope
from audit.merkle import leaf_hash
from audit.note import NoteVerifier, split_note
from audit.state import micros_of
from audit.tiles import Edge
from audit.verify.custody import Custody, united


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a kept log back showed."""

    size: int
    root: bytes
    missing: int  # details that the envelopes commit to and that are not there
    unaccounted: int  # those of them that no erasure known to the backup, or named, accounts for
    signed: bool  # whether the checkpoint was checked against a key from outside
    elsewhere: tuple[Envelope, ...] = field(default=(), repr=False)  # about other logs' details


@dataclass(frozen=True, slots=True)
class Said:
    """What other logs say of a kept log's details.

    Attributes:
        claims: erasures, holds and lifted holds of later logs, oldest first.
        erased: what logs outside the backup say was erased.
    """

    claims: Sequence[Envelope] = ()
    erased: Sequence[range] = ()


NOTHING_SAID = Said()


@dataclass(slots=True)
class _Pass:
    """One pass over a log's entries. Owned by `check_log`."""

    origin: str
    edge: Edge = field(default_factory=Edge)
    micros: int = 0
    custody: Custody = field(default_factory=Custody)

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
        self.custody.entry(entry.index, envelope)
        if entry.sealed is None:
            if envelope.detail is not None:
                month = (envelope.erase or "") if envelope.v >= NAMING else None
                self.custody.gone(entry.index, month)
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
    said: Said = NOTHING_SAID,
) -> Checked:
    """Compute a kept log anew from its bytes and compare it with its checkpoint.

    Args:
        folder: of the backup.
        kept: which log.
        verifier: the log's key, from anywhere but the backup.
        on_progress: is told origin, entries done, entries to do.
        said: what other logs say of this one's details.

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
    custody = run.custody
    for envelope in said.claims:
        custody.claim(range(head.size), envelope)
    return Checked(
        size=head.size,
        root=root,
        missing=custody.erased_details,
        unaccounted=custody.unaccounted(united(said.erased, ())),
        signed=verifier is not None,
        elsewhere=tuple(custody.elsewhere),
    )


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
