# SPDX-License-Identifier: EUPL-1.2
"""What happened, provably: a log that nobody, its operator included, can change quietly.

Opaque bytes go in, proofs come out. An entry is a canonical envelope without personal data, hashed
into an RFC 6962 tree, and a detail sealed to data protection officers. `AuditLog.append` returns
only after the entry is durable; each commit is signed as a C2SP checkpoint. `verify_log` runs
alone, on a copy, with the public key and perhaps an old checkpoint. docs/formats/log.md has every
byte. The gateway's pipeline relies on this package; it imports nothing of the other rooms.
"""

from audit.entry import Pending, Position, StoredEntry
from audit.envelope import (
    Asked,
    Envelope,
    Link,
    Owner,
    Requester,
    encode_envelope,
    new_entry_id,
    parse_envelope,
)
from audit.errors import (
    AuditError,
    EnvelopeError,
    KeyFileError,
    LogCorruptError,
    LogExistsError,
    LogUnavailableError,
    NoteError,
    ProofError,
    SealError,
)
from audit.keyfiles import (
    create_dpo_key,
    create_signer,
    read_private_key,
    read_public_key,
    read_signer,
)
from audit.log import AuditLog
from audit.note import NoteSigner, NoteVerifier
from audit.receipt import verify_receipt
from audit.sealing import Sealed, Sealer, open_sealed
from audit.verify import Finding, Report, verify_log
from audit.vocabulary import Kind, Operation, Status, Verdict

__all__ = [
    "Asked",
    "AuditError",
    "AuditLog",
    "Envelope",
    "EnvelopeError",
    "Finding",
    "KeyFileError",
    "Kind",
    "Link",
    "LogCorruptError",
    "LogExistsError",
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
    "Verdict",
    "create_dpo_key",
    "create_signer",
    "encode_envelope",
    "new_entry_id",
    "open_sealed",
    "parse_envelope",
    "read_private_key",
    "read_public_key",
    "read_signer",
    "verify_log",
    "verify_receipt",
]
