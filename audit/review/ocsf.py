# SPDX-License-Identifier: EUPL-1.2
"""Entries as OCSF events for a security team's own tools: no officer, no subject, no detail.

Only envelopes are read, so nobody's identity can get in. What concerns data is a Datastore Activity
(class 6005), the rest an API Activity (class 6003), with the profile security_control. Origin,
index and leaf hash lead back to the proof; purpose and legal basis, which OCSF has no place for,
stand under `unmapped` with them. docs/formats/ocsf.md says what is mapped to what.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import orjson

from audit.envelope import EPOCH, format_time, parse_envelope
from audit.errors import EnvelopeError, LogCorruptError
from audit.event import Envelope
from audit.merkle import leaf_hash
from audit.review.following import Source
from audit.vocabulary import Kind, Operation, Status, Verdict

VERSION: Final = "1.5.0"
_CHUNK: Final = 1024
_MILLI: Final = timedelta(milliseconds=1)
_API, _DATASTORE = 6003, 6005
_UNKNOWN: Final = (0, "Unknown")
_ASKED: Final = {
    "find": (4, "Query"),
    "consult": (4, "Query"),
    "trace": (4, "Query"),
    "count": (4, "Query"),
    "read": (1, "Read"),
    "reidentify": (1, "Read"),
    "list": (8, "List"),
}
_DONE: Final = {
    Operation.COLLECT: (6, "Create"),
    Operation.ALTER: (2, "Update"),
    Operation.ERASE: (7, "Delete"),
    Operation.CONSULT: (1, "Read"),
    Operation.DISCLOSE: (1, "Read"),
    Operation.TRANSFER: (1, "Read"),
    Operation.COMBINE: (4, "Query"),
    Operation.REIDENTIFY: (1, "Read"),
    Operation.BREAK_GLASS: (1, "Read"),
}
_CALLED: Final = {
    Operation.COLLECT: (1, "Create"),
    Operation.CONSULT: (2, "Read"),
    Operation.ALTER: (3, "Update"),
    Operation.POLICY_CHANGE: (3, "Update"),
    Operation.ADMINISTER: (3, "Update"),
    Operation.ERASE: (4, "Delete"),
}
_ABOUT_DATA: Final = frozenset(
    {
        Kind.ACCESS,
        Kind.DENIAL,
        Kind.EXPORT,
        Kind.CORRECTION,
        Kind.REIDENTIFICATION,
        Kind.SUBJECT_REQUEST,
        Kind.BREAK_GLASS,
    }
)
_ACTIONS: Final = {
    Verdict.ALLOW: (1, "Allowed", 1, "Allowed"),
    Verdict.PARTIAL: (1, "Allowed", 1, "Allowed"),
    Verdict.DENY: (2, "Denied", 2, "Blocked"),
    Verdict.NONE: (0, "Unknown", 0, "Unknown"),
}
_SEVERITIES: Final = {
    Kind.BREAK_GLASS: (3, "Medium"),
    Kind.REIDENTIFICATION: (3, "Medium"),
    Kind.CHECKPOINT_GAP: (4, "High"),
    Kind.DENIAL: (2, "Low"),
    Kind.ERROR: (2, "Low"),
}
_FAILED: Final = frozenset({Status.DENIED, Status.UNAVAILABLE, Status.ERROR})


def ocsf_event(envelope: Envelope, index: int, leaf: bytes) -> dict[str, Any]:
    """One entry as an event of OCSF, in the order in which people read it."""
    about_data = envelope.owner is not None and envelope.kind in _ABOUT_DATA
    class_uid = _DATASTORE if about_data else _API
    activity_id, activity = _activity(envelope, about_data=about_data)
    action_id, action, disposition_id, disposition = _ACTIONS[envelope.decision]
    severity_id, severity = _SEVERITIES.get(envelope.kind, (1, "Informational"))
    failed = envelope.status in _FAILED
    event: dict[str, Any] = {
        "class_uid": class_uid,
        "class_name": "Datastore Activity" if about_data else "API Activity",
        "category_uid": 6,
        "category_name": "Application Activity",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": class_uid * 100 + activity_id,
        "time": (envelope.t - EPOCH) // _MILLI,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 2 if failed else 1,
        "status": "Failure" if failed else "Success",
        "status_detail": envelope.status.value,
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "actor": _actor(envelope),
        "src_endpoint": {"svc_name": _org(envelope)},
        "metadata": _metadata(envelope, index),
    }
    if about_data and envelope.owner is not None:
        event["database"] = {
            "name": f"{envelope.owner.country}/{envelope.owner.dataset or 'unknown'}",
            "type_id": 99,
            "type": "national register",
        }
    else:
        event["api"] = {"operation": envelope.kind.value}
    event["unmapped"] = _unmapped(envelope, index, leaf)
    return event


def _activity(envelope: Envelope, *, about_data: bool) -> tuple[int, str]:
    if about_data and envelope.asked is not None and envelope.asked.action in _ASKED:
        return _ASKED[envelope.asked.action]
    known = _DONE if about_data else _CALLED
    return _UNKNOWN if envelope.op is None else known.get(envelope.op, _UNKNOWN)


def _org(envelope: Envelope) -> str:
    return "unknown" if envelope.requester is None else envelope.requester.org


def _actor(envelope: Envelope) -> dict[str, Any]:
    """The asking organisation: the officer is in the sealed detail and stays there."""
    actor: dict[str, Any] = {"app_uid": _org(envelope)}
    if envelope.decision is not Verdict.NONE:
        policy: dict[str, Any] = {"name": "rules", "is_applied": True}
        if envelope.policy is not None:
            policy["uid"] = envelope.policy
        actor["authorizations"] = [{"decision": envelope.decision.value, "policy": policy}]
    return actor


def _metadata(envelope: Envelope, index: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "version": VERSION,
        "profiles": ["security_control"],
        "product": {"name": "Čuvar", "vendor_name": "Čuvar", "feature": {"name": "audit log"}},
        "uid": envelope.id,
        "event_code": envelope.kind.value,
        "log_name": envelope.log,
        "log_version": str(envelope.v),
        "sequence": index,
        "original_time": format_time(envelope.t),
    }
    if envelope.correlation is not None:
        found["correlation_uid"] = envelope.correlation
    return found


def _unmapped(envelope: Envelope, index: int, leaf: bytes) -> dict[str, Any]:
    requester, owner = envelope.requester, envelope.owner
    return {
        "log": {"origin": envelope.log, "index": index, "leaf": leaf.hex()},
        "purpose": envelope.purpose,
        "legal_basis": envelope.basis,
        "operation": None if envelope.op is None else envelope.op.value,
        "requester_country": None if requester is None else requester.country,
        "requester_role": None if requester is None else requester.role,
        "owner_country": None if owner is None else owner.country,
        "view": envelope.view,
        "fields": list(envelope.fields),
        "rules": list(envelope.rules),
        "duties": list(envelope.duties),
        "records": envelope.count,
    }


def ocsf_lines(copy: Source, start: int, stop: int) -> Iterator[bytes]:
    """Entries from `start` up to and without `stop` as lines of JSON.

    Raises:
        LogCorruptError: an entry is missing or is no entry.
        LogUnavailableError: the database does not answer.
    """
    expected = start
    for first in range(start, stop, _CHUNK):
        for index, data in copy.envelopes(first, min(first + _CHUNK, stop)):
            try:
                if index == expected and isinstance(data, bytes):
                    event = ocsf_event(parse_envelope(data), index, leaf_hash(data))
                    expected += 1
                    yield orjson.dumps(event) + b"\n"
                    continue
            except EnvelopeError:
                pass
            break
    if expected < stop:
        raise LogCorruptError(
            f"entry {expected} is not readable as an entry; run `cuvar audit verify` on this copy"
        )
