# SPDX-License-Identifier: EUPL-1.2
"""One access to personal data as the rules see it, parsed once from an opened entry.

What a detail holds is for its writer to say (docs/formats/log.md, section 3); here the few members
that the rules turn on get types, and whatever is missing, sealed or odd becomes "unknown": it fits
no explanation and is no sign of anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, Protocol

from audit.alerts.names import code, fold
from audit.envelope import encode_envelope
from audit.event import Envelope
from audit.merkle import leaf_hash
from audit.vocabulary import Kind, Status, Verdict

ACCESSES: Final = frozenset(
    {
        Kind.ACCESS,
        Kind.DENIAL,
        Kind.BREAK_GLASS,
        Kind.EXPORT,
        Kind.REIDENTIFICATION,
        Kind.SUBJECT_REQUEST,
    }
)
"""Kinds of entries that the rules and the sample are about."""
_BY_OWNER: Final = frozenset({"person", "record"})


class OpenedEntry(Protocol):
    """An entry with its detail, where the key opens it (audit/review/opened.py)."""

    @property
    def origin(self) -> str:
        """The log in which it stands."""

    @property
    def index(self) -> int:
        """Its number there."""

    @property
    def envelope(self) -> Envelope:
        """Its part without persons."""

    @property
    def detail(self) -> Mapping[str, Any] | None:
        """Who, about whom and why; None unless it is open."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Whom an officer typed in, in comparable form; empty where it was not said."""

    surnames: str = field(default="", repr=False)
    forenames: str = field(default="", repr=False)
    born: str = field(default="", repr=False)
    document: str = field(default="", repr=False)
    reference: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """Surnames and forenames, folded."""
        return fold(f"{self.surnames} {self.forenames}")


@dataclass(frozen=True, slots=True)
class Access:
    """One access.

    Attributes:
        index: number of the entry in its log.
        leaf: its hash in the tree, for the sample.
        question: joins the entries of one question to several owners.
        officer: the token's subject; with the issuer before it where two issuers use the same.
        persons: the owner's references of those about whom something was released.
        sure: facts about the question that were true.
        seen: per distinct set of facts that records had, those that were true.
        refused: whether the rules said no.
    """

    index: int
    leaf: bytes = field(repr=False)
    at: datetime
    kind: Kind
    question: str
    org: str
    role: str
    issuer: str = field(repr=False)
    subject: str = field(repr=False)
    officer: str = field(repr=False)
    unit: str
    owner: str
    action: str
    view: str
    purpose: str
    hit: bool
    refused: bool
    case_no: str = field(repr=False)
    searched: Searched
    persons: frozenset[str] = field(repr=False)
    sure: frozenset[str]
    seen: tuple[frozenset[str], ...]

    def true_of_all(self, fact: str) -> bool:
        """Whether a fact held for every record that was released, and some was."""
        return bool(self.seen) and all(fact in facts for facts in self.seen)

    def has(self, fact: str) -> bool:
        """Whether a fact about the question, or about each released record, was true."""
        return fact in self.sure or self.true_of_all(fact)

    @property
    def is_hit_flag(self) -> bool:
        """Whether it told that somebody is known elsewhere, and no more (INT-02)."""
        return self.action == "find" and "hit" in self.view.split("+") and self.hit


def accesses_of(entries: Iterable[OpenedEntry]) -> list[Access]:
    """The accesses among opened entries, in their order; sealed and erased ones are left out."""
    found = [access for entry in entries if (access := _access(entry)) is not None]
    issuers: defaultdict[str, set[str]] = defaultdict(set)
    for access in found:
        issuers[access.subject].add(access.issuer)
    shared = {subject for subject, several in issuers.items() if len(several) > 1}
    return [
        replace(access, officer=f"{access.issuer} {access.subject}")
        if access.subject in shared
        else access
        for access in found
    ]


def _access(entry: OpenedEntry) -> Access | None:
    envelope, detail = entry.envelope, entry.detail
    if envelope.kind not in ACCESSES or detail is None or envelope.requester is None:
        return None
    asked = envelope.asked
    query = _mapping(detail.get("query"))
    return Access(
        index=entry.index,
        leaf=leaf_hash(encode_envelope(envelope)),
        at=envelope.t,
        kind=envelope.kind,
        question=envelope.correlation or envelope.id,
        org=envelope.requester.org,
        role=envelope.requester.role or "",
        issuer=_text(detail.get("issuer")),
        subject=_text(detail.get("officer")),
        officer=_text(detail.get("officer")),
        unit=_text(detail.get("unit")),
        owner=envelope.owner.country if envelope.owner else "",
        action=asked.action if asked else "",
        view=envelope.view or "",
        purpose=envelope.purpose or "",
        hit=envelope.status is Status.HIT and bool(envelope.count),
        refused=envelope.decision is Verdict.DENY,
        case_no=code(_text(detail.get("case_no"))),
        searched=_searched(query),
        persons=frozenset(_texts(detail.get("persons"))),
        sure=frozenset(asked.sure) if asked else frozenset(),
        seen=tuple(frozenset(_texts(_mapping(s).get("sure"))) for s in _items(detail.get("facts"))),
    )


def _searched(query: Mapping[str, Any]) -> Searched:
    subject, reference = _mapping(query.get("subject")), _mapping(query.get("reference"))
    return Searched(
        surnames=fold(_text(subject.get("surnames"))),
        forenames=fold(_text(subject.get("forenames"))),
        born=_day(_text(subject.get("date_of_birth"))),
        document=code(_text(subject.get("doc_number"))),
        # A case number is of one recipient's own domain: it compares with no list.
        reference=_text(reference.get("ref")) if reference.get("kind") in _BY_OWNER else "",
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _items(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _texts(value: object) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str)]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
