# SPDX-License-Identifier: EUPL-1.2
"""The errors of the log, grouped by who has to act.

Every message says what was refused and what to do next, and carries no personal data: it may reach
an application log. No exception of sqlite3, asyncpg or cryptography leaves this package.
"""

from enum import StrEnum


class Trouble(StrEnum):
    """Why a log takes nothing: a closed list, so that an operator's signal may say it."""

    DISK_FULL = "disk_full"
    STORE = "store"
    """the database or its file does not answer as it should"""
    LEASE = "lease"
    """another process writes to it"""
    NO_LEADER = "no_leader"
    """the process that orders the entries is gone, or out of order"""
    CLOCK = "clock"
    """this clock stands behind the last entry"""
    DAMAGED = "damaged"
    """it disagrees with its signed head, or with what was acknowledged"""
    OTHER = "other"


class AuditError(Exception):
    """Root of every error that this package raises.

    Attributes:
        trouble: the word for a signal.
    """

    trouble: Trouble = Trouble.OTHER


class EnvelopeError(AuditError):
    """An envelope that the writer would not write (docs/formats/log.md, section 2)."""


class NoteError(AuditError):
    """A signed note, checkpoint or key string that is malformed or not signed by the right key."""


class ProofError(AuditError):
    """An inclusion or consistency proof, or a receipt, that does not prove what it claims."""


class SealError(AuditError):
    """A sealed detail that cannot be made or opened: wrong recipient, wrong key, changed bytes."""


class KeyFileError(AuditError):
    """A key file that is missing, malformed, exists already, or that others can read."""


class UnrecordedError(AuditError):
    """Records were to leave without proof that just this stands in a log: no receipt, no data."""


class LogUnavailableError(AuditError):
    """The log cannot take or give entries now; nothing may be released meanwhile.

    Attributes:
        retry_after: seconds after which another try is reasonable.
    """

    def __init__(
        self, message: str, *, retry_after: float = 1.0, trouble: Trouble | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        if trouble is not None:
            self.trouble = trouble


class LeaseHeldError(LogUnavailableError):
    """Another process writes to the log; stop that one first, or follow it (`audit.relay`)."""

    trouble = Trouble.LEASE

    def __init__(self, message: str, *, retry_after: float = 5.0) -> None:
        super().__init__(message, retry_after=retry_after)


class LogExistsError(AuditError):
    """A log was to be created where one already stands."""


class LogCorruptError(AuditError):
    """The store disagrees with itself, with its signed checkpoint or with what was acknowledged."""

    trouble = Trouble.DAMAGED


class LayoutError(AuditError):
    """A name, bundle or folder that is not of the static layout (docs/formats/layout.md)."""


class HeadMovedError(AuditError):
    """Another writer moved the head first: this batch was not written (the compare-and-swap)."""


class BackupError(AuditError):
    """A backup that is damaged or incomplete, or that cannot be written or put in place."""


class SuccessionError(AuditError):
    """A successor log that cannot be opened as asked."""


class ContextError(AuditError):
    """A file of a reviewer's own knowledge that can't be taken as it is."""


class PolicyFileError(AuditError):
    """A trust policy (C2SP tlog-policy) that is malformed or asks for too little."""


class QuorumError(AuditError):
    """A checkpoint that too few of the witnesses cosigned."""


class WitnessError(AuditError):
    """A witness cannot take what it was given, or its files are not in order."""


class EvidenceError(AuditError):
    """Material that does not prove a fork."""


class TimestampError(AuditError):
    """A timestamp (RFC 3161) that does not hold, or that cannot be asked for."""
