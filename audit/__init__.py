# SPDX-License-Identifier: EUPL-1.2
"""What happened, provably: a log that nobody, its operator included, can change quietly.

Opaque bytes go in, proofs come out. An entry is a canonical envelope without personal data, hashed
into an RFC 6962 tree, and a detail sealed to data protection officers. A `Journal` keeps one log
for each country and half-year; its `append` returns only after the entries are durable; each commit
is signed as a C2SP checkpoint. `verify_log` runs
alone, on a copy, with the public key and perhaps an old checkpoint. docs/formats/log.md has every
byte. The gateway's pipeline relies on this package; it imports nothing of the other rooms.
"""

from audit.entry import Pending, Position, StoredEntry
from audit.envelope import addressed, encode_envelope, new_entry_id, parse_envelope
from audit.errors import (
    AuditError,
    BackupError,
    EnvelopeError,
    KeyFileError,
    LogCorruptError,
    LogExistsError,
    LogUnavailableError,
    NoteError,
    ProofError,
    SealError,
    SuccessionError,
    WitnessError,
)
from audit.event import Asked, Envelope, Link, Owner, Requester
from audit.journal import Journal
from audit.keyfiles import (
    create_dpo_key,
    create_log_key,
    read_log_key,
    read_private_key,
    read_public_key,
)
from audit.log import AuditLog
from audit.logkey import LogKey
from audit.note import NoteSigner, NoteVerifier
from audit.receipt import verify_receipt
from audit.sealing import Sealed, Sealer, open_sealed
from audit.verify import Finding, Report, verify_log
from audit.vocabulary import Kind, Operation, Status, Verdict

__all__ = [
    "Asked",
    "AuditError",
    "AuditLog",
    "BackupError",
    "Envelope",
    "EnvelopeError",
    "Finding",
    "Journal",
    "KeyFileError",
    "Kind",
    "Link",
    "LogCorruptError",
    "LogExistsError",
    "LogKey",
    "LogUnavailableError",
    "NoteError",
    "NoteSigner",
    "NoteVerifier",
    "Operation",
    "Owner",
    "Pending",
    "Position",
    "ProofError",
    "Report",
    "Requester",
    "SealError",
    "Sealed",
    "Sealer",
    "Status",
    "StoredEntry",
    "SuccessionError",
    "Verdict",
    "WitnessError",
    "addressed",
    "create_dpo_key",
    "create_log_key",
    "encode_envelope",
    "new_entry_id",
    "open_sealed",
    "parse_envelope",
    "read_log_key",
    "read_private_key",
    "read_public_key",
    "verify_log",
    "verify_receipt",
]
