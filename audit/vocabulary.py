# SPDX-License-Identifier: EUPL-1.2
"""The closed words of an entry (docs/formats/log.md, section 2).

A word that is not here is refused when written and when read. New words are added, never renamed:
old entries must stay readable. LED Art. 25 and Eurodac Art. 41 say which acts must be told apart.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What sort of event an entry records."""

    ACCESS = "access"
    DENIAL = "denial"
    ERROR = "error"
    AUTHENTICATION = "authentication"
    EXPORT = "export"
    CORRECTION = "correction"
    ERASURE = "erasure"
    REIDENTIFICATION = "reidentification"
    SUBJECT_REQUEST = "subject-request"
    BREAK_GLASS = "break-glass"
    REVIEW = "review"
    POLICY_CHANGE = "policy-change"
    KEY_CHANGE = "key-change"
    CHECKPOINT_GAP = "checkpoint-gap"
    SUCCESSION = "succession"
    OPENING = "opening"
    CLOSING = "closing"
    LEGAL_HOLD = "legal-hold"
    HOLD_LIFTED = "hold-lifted"
    ALERT = "alert"
    ALERT_QUESTION = "alert-question"
    ALERT_ANSWER = "alert-answer"
    ALERT_CLOSED = "alert-closed"
    BACKUP = "backup"
    TIMESTAMP = "timestamp"
    STATISTICS = "statistics"
    LINKAGE_INDEX = "linkage-index"
    GRANT_SPENT = "grant-spent"


class Operation(StrEnum):
    """What was done, or asked to be done, to data."""

    COLLECT = "collect"
    ALTER = "alter"
    CONSULT = "consult"
    DISCLOSE = "disclose"
    TRANSFER = "transfer"
    COMBINE = "combine"
    ERASE = "erase"
    REIDENTIFY = "reidentify"
    BREAK_GLASS = "break_glass"
    POLICY_CHANGE = "policy_change"
    ADMINISTER = "administer"


class Verdict(StrEnum):
    """What the rules said."""

    ALLOW = "allow"
    PARTIAL = "partial"
    DENY = "deny"
    NONE = "none"


class Status(StrEnum):
    """What came of it."""

    HIT = "hit"
    NO_HIT = "no_hit"
    TOO_MANY = "too_many"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"
    PENDING = "pending"
    DONE = "done"
    ERROR = "error"
