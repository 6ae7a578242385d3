# SPDX-License-Identifier: EUPL-1.2
"""The log entries of one owner's outcome: an envelope without persons, and a sealed detail.

One event stands in the owner's log, as a release, and in the asker's, as a question of his officer;
both entries have the same id and the same detail. What belongs to no country's log that is kept
here stands in the house log.

The envelope is what everybody entitled to the log may see and the Merkle tree covers; the
detail (who asked about whom, why, and which records left) is sealed to the data-protection
officers of the owner and of the asker (EUR-28, EUR-29, INT-08, GDP-06; law reference 7).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, Protocol

import orjson

from audit import (
    Asked,
    Envelope,
    Kind,
    Operation,
    Owner,
    Pending,
    Requester,
    Sealer,
    Status,
    Verdict,
    addressed,
    encode_envelope,
    new_entry_id,
)
from audit.randomness import random_bytes
from audit.retention import Clock, LawClock
from audit.shards import HOUSE, parse_origin
from gateway.asker import Asker
from gateway.outcome import Outcome

_REFUSED: Final = "refused"
_MOST_READERS: Final = 16
SUPERVISOR: Final = "SUPERVISOR"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What all entries of one question share."""

    policy: str
    correlation: str
    at: datetime
    action: str
    dataset: str | None = None
    purpose: str | None = None
    basis: str | None = None
    owners: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    """those of the dataset: others may be somebody's name"""


@dataclass(frozen=True, slots=True)
class Secret:
    """What only the data-protection officers concerned may read."""

    case_no: str | None
    reason: str | None
    query: Mapping[str, object]
    approvals: tuple[str, ...]
    answer: str
    """SHA-256 of the owner's part as sent"""


class Logs(Protocol):
    """Which logs there are; an `audit.Journal` is one."""

    @property
    def countries(self) -> frozenset[str]:
        """Whose logs are kept here."""

    def current(self, country: str) -> str:
        """The origin of a country's open log.

        Raises:
            LogUnavailableError: it has none.
        """


@dataclass(frozen=True, slots=True)
class Readers:
    """Who holds keys to sealed details.

    Attributes:
        dpos: countries whose data-protection officers do.
        courts: courts that bundles can be sealed to.
        supervisor: key id of a joint supervisor, who reads every detail; None if there is none.
    """

    dpos: frozenset[str]
    courts: frozenset[str] = frozenset()
    supervisor: str | None = None

    def of(self, *countries: str | None) -> tuple[str, ...]:
        """The key ids of these countries' officers, and the supervisor's beside them."""
        found = self.dpos.intersection(countries)
        if found and self.supervisor is not None:
            found |= {self.supervisor}
        return tuple(sorted(found))

    def everybody(self) -> tuple[str, ...]:
        """The key ids of all officers, as many as a detail can have, and the supervisor's."""
        return self.of(*sorted(self.dpos)[: _MOST_READERS - 1])


class EntryWriter:
    """Makes entries; knows whose officers a detail is sealed to, and in which log each stands."""

    def __init__(
        self, sealer: Sealer, readers: Readers, logs: Logs, clock: Clock | None = None
    ) -> None:
        """`readers` say whose keys the sealer has, `clock` when details are to be erased."""
        self._clock: Clock = clock or LawClock()
        self._sealer = sealer
        self._readers = readers
        self._logs = logs

    def _home(self, country: str | None) -> str:
        """The log of a country, the house log where it keeps none here."""
        return self._logs.current(country if country in self._logs.countries else HOUSE)

    def _sides(self, owner: str | None, asker: str) -> tuple[str, ...]:
        """The logs that an event stands in, the owner's first."""
        kept = [c for c in (owner, asker) if c is not None and c in self._logs.countries]
        return tuple(self._logs.current(country) for country in dict.fromkeys(kept or [HOUSE]))

    def can_seal(self, owner: str) -> bool:
        """Whether the owner's data-protection officer could read what is done with its data."""
        return owner in self._readers.dpos

    def can_seal_to_court(self, org: str) -> bool:
        """Whether this court gave a key to seal its bundles to."""
        return org in self._readers.courts

    def bundle(self, org: str, content: bytes) -> dict[str, str]:
        """`content` sealed to one court: blob, salt and window header, base64.

        Raises:
            SealError: the court has no key, or the content is over 1 MiB.
        """
        sealed = self._sealer.seal(content, (org,))
        parts = {"blob": sealed.blob, "salt": sealed.salt, "window": sealed.window}
        return {name: base64.b64encode(part).decode("ascii") for name, part in parts.items()}

    def outcome(
        self,
        occasion: Occasion,
        asker: Asker,
        outcome: Outcome,
        secret: Secret,
        asked: Asked | None,
    ) -> list[Pending]:
        """The entries of one owner's part of an answer: his own log's first, then the asker's.

        `asked` is the question as it reached the rules, None when it did not.

        Raises:
            AuditError: the envelope or the seal can't be made; nothing may be answered.
        """
        principal = asker.principal
        readers = self._readers.of(outcome.owner, principal.country)
        first, *others = self._sides(
            outcome.owner if outcome.owner in occasion.owners else None, principal.country
        )
        sealed = None
        if readers:
            detail = _detail(occasion, asker, outcome, secret)
            sealed = self._sealer.seal(orjson.dumps(detail), readers)
        envelope = Envelope(
            id=new_entry_id(occasion.at, random_bytes(10)),
            kind=_kind(occasion, outcome),
            t=occasion.at,
            log=first,
            requester=Requester(principal.country, principal.org, asker.role or None),
            owner=Owner(outcome.owner, occasion.dataset)
            if outcome.owner in occasion.owners
            else None,
            op=_operation(occasion, asker, outcome),
            purpose=occasion.purpose,
            basis=occasion.basis,
            asked=asked,
            decision=_verdict(outcome),
            view="+".join(sorted({result.view for result in outcome.results})) or None,
            fields=outcome.released,
            rules=outcome.rules,
            policy=occasion.policy,
            duties=tuple(sorted(outcome.duties)),
            count=outcome.count,
            status=_status(occasion, outcome),
            correlation=occasion.correlation,
            detail=None if sealed is None else sealed.commitment.hex(),
            keys=readers if sealed is not None else (),
        )
        if sealed is None:
            encoded = encode_envelope(envelope)
            both = [encoded, *(addressed(encoded, log) for log in others)]
            return [Pending(envelope=side) for side in both]
        dated = [self._dated(envelope, outcome.ends, log) for log in (first, *others)]
        return [Pending(envelope=encode_envelope(side), sealed=sealed) for side in dated]

    def _dated(self, envelope: Envelope, ends: frozenset[date | None], log: str) -> Envelope:
        """The envelope for one log, with the month after which that log's copy of the detail goes.

        Where national law sets it, the two logs of an event differ in it.
        """
        country = parse_origin(log).country
        month = self._clock.month(envelope.kind, envelope.purpose, ends, envelope.t, country)
        return replace(envelope, log=log, erase=month)

    def review(
        self, occasion: Occasion, asker: Asker, query: Mapping[str, object], answer: str
    ) -> Pending:
        """The entry of a look at the rules or at what they did: `query` says which.

        Sealed to the asker's own officer; where he has none here, to all whose log it is.

        Raises:
            AuditError: the envelope or the seal can't be made; nothing may be answered.
        """
        readers = self._readers.of(asker.country) or self._readers.everybody()
        sealed = None
        if readers:
            detail = {"v": 2, **who(asker), "query": query, "answer": answer}
            sealed = self._sealer.seal(orjson.dumps(detail), readers)
        envelope = Envelope(
            id=new_entry_id(occasion.at, random_bytes(10)),
            kind=Kind.REVIEW,
            t=occasion.at,
            log=self._home(asker.country),
            requester=Requester(asker.country, asker.org, asker.role or None),
            op=Operation.ADMINISTER,
            decision=Verdict.ALLOW,
            policy=occasion.policy,
            status=Status.DONE,
            correlation=occasion.correlation,
            detail=None if sealed is None else sealed.commitment.hex(),
            keys=readers if sealed is not None else (),
        )
        if sealed is not None:
            envelope = self._dated(envelope, frozenset(), envelope.log)
        return Pending(envelope=encode_envelope(envelope), sealed=sealed)

    def failure(
        self, occasion: Occasion, kind: Kind, reason: str, asker: Asker | None = None
    ) -> Pending:
        """The entry of a question that never reached a decision: no identity, or no sense.

        `reason` is a problem's name, never what was submitted.
        """
        requester = None
        if asker is not None:
            requester = Requester(asker.country, asker.org, asker.role or None)
        envelope = Envelope(
            id=new_entry_id(occasion.at, random_bytes(10)),
            kind=kind,
            t=occasion.at,
            log=self._home(None if asker is None else asker.country),
            requester=requester,
            decision=Verdict.DENY,
            rules=(reason,),
            policy=occasion.policy,
            count=0,
            status=Status.DENIED if kind is not Kind.ERROR else Status.ERROR,
            correlation=occasion.correlation,
        )
        return Pending(envelope=encode_envelope(envelope), sealed=None)


def who(asker: Asker) -> dict[str, object]:
    """The officer in a sealed detail: person, unit, and what vouched for him."""
    principal = asker.principal
    return {
        "officer": principal.officer,
        "unit": principal.unit,
        "issuer": principal.issuer,
        "client": principal.client_id,
        "token": principal.jti,
        "acr": principal.acr,
        "auth_time": principal.auth_time,
    }


def _detail(
    occasion: Occasion, asker: Asker, outcome: Outcome, secret: Secret
) -> dict[str, object]:
    detail: dict[str, object] = {
        "v": 2,
        **who(asker),
        "case_no": secret.case_no,
        "reason": secret.reason,
        "query": secret.query,
        "approvals": list(secret.approvals),
        "persons": list(outcome.persons),
        "answer": secret.answer,
        "facts": [
            {"sure": seen.sure, "maybe": seen.maybe, "granted": seen.granted}
            for seen in outcome.seen
        ],
        "note": outcome.note,
    }
    if outcome.match is not None:
        detail["match"] = {
            "grade": outcome.match.grade,
            "features": {name: state for name, state, _ in outcome.match.features},
        }
    if "written_record" in outcome.duties:
        detail["written_record"] = {
            "sender": outcome.owner,
            "recipient": asker.org,
            "fields": list(outcome.released),
            "at": occasion.at.astimezone(UTC).isoformat(timespec="seconds"),
        }
    return detail


def _kind(occasion: Occasion, outcome: Outcome) -> Kind:
    if outcome.status == _REFUSED:
        return Kind.DENIAL
    if occasion.action == "reidentify":
        return Kind.REIDENTIFICATION
    if occasion.purpose == "vital_interest":
        return Kind.BREAK_GLASS
    if occasion.purpose == "subject_rights":
        return Kind.SUBJECT_REQUEST
    return Kind.REVIEW if occasion.dataset == "log" else Kind.ACCESS


def _operation(occasion: Occasion, asker: Asker, outcome: Outcome) -> Operation:
    if occasion.action == "reidentify":
        return Operation.REIDENTIFY
    abroad = asker.country != outcome.owner
    return Operation.DISCLOSE if abroad and outcome.count else Operation.CONSULT


def _verdict(outcome: Outcome) -> Verdict:
    if outcome.status == _REFUSED:
        return Verdict.DENY
    return Verdict.PARTIAL if outcome.withheld else Verdict.ALLOW


def _status(occasion: Occasion, outcome: Outcome) -> Status:
    if outcome.status == _REFUSED:
        return Status.DENIED
    if outcome.status == "unavailable":
        return Status.UNAVAILABLE
    if occasion.action in {"find", "read", "consult", "trace", "reidentify"}:
        matched = outcome.match is not None and outcome.match.found
        found = outcome.count or outcome.status == "too_many" or matched
        return Status.HIT if found else Status.NO_HIT
    return Status.DONE
