# SPDX-License-Identifier: EUPL-1.2
"""Legal holds: entries whose details no clock erases while a procedure runs.

A hold is an entry of kind `legal-hold`, its end one of kind `hold-lifted` that names that entry.
Two holds on one entry are two: lifting one leaves the other. What is held is worked out from the
entries alone, so that no edit of a table makes or ends a hold (Eurodac Art. 41(4); Regulation
2019/818 Art. 24(3); AUD-04). docs/formats/erasure.md, section 3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from audit.concern import Concern, concern_of, series_of
from audit.entry import Pending
from audit.envelope import (
    Envelope,
    Link,
    Owner,
    Requester,
    encode_envelope,
    new_entry_id,
)
from audit.errors import AuditError
from audit.forms import MAX_ITEMS
from audit.marks import Marks
from audit.randomness import random_bytes
from audit.ranges import ranges_of
from audit.sealing import Sealed
from audit.vocabulary import Kind, Operation, Status


class HoldGround(StrEnum):
    """Why details are kept: `basis` of a hold. Words are added, never renamed."""

    EUR_30_MONITORING = "EUR-30-MONITORING"
    """a monitoring procedure of Eurodac Art. 41(4) has begun"""
    INT_10_MONITORING = "INT-10-MONITORING"
    """a monitoring procedure of Regulation 2019/818 has begun"""
    GDP_07_PROCEEDINGS = "GDP-07-PROCEEDINGS"
    """criminal proceedings for which LED Art. 25(2) allows the log"""
    COURT_ORDER = "COURT-ORDER"
    """a court ordered it"""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force.

    Attributes:
        log: the log that holds its entry.
        index: the number of its entry, by which it is lifted.
        concern: what it holds.
        correlation: instead of entries: all of that log that share this.
        basis: its ground.
        t: since when.
    """

    log: str
    index: int
    concern: Concern
    correlation: str | None
    basis: str | None
    t: datetime

    def covers(self, log: str, index: int, correlation: str | None) -> bool:
        """Whether it holds this entry; a hold holds its own entry too."""
        if (log, index) == (self.log, self.index):
            return True
        if log != self.concern.log:
            return False
        if self.correlation is not None:
            return correlation == self.correlation
        return any(index in span for span in self.concern.spans)


@dataclass(slots=True)
class HoldBook:
    """The holds of one country's logs; `take` owns its fields.

    Attributes:
        sizes: entries of each log, so that nobody holds what is not there.
        faults: entries of these kinds without effect: log, number, what is wrong.
    """

    sizes: Mapping[str, int]
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    _holds: dict[tuple[str, int], Hold] = field(default_factory=dict)

    def take(self, origin: str, index: int, envelope: Envelope) -> None:
        """Learn of an entry; those of other kinds say nothing. Logs and entries in order."""
        if envelope.kind is Kind.LEGAL_HOLD:
            self._begin(origin, index, envelope)
        elif envelope.kind is Kind.HOLD_LIFTED:
            self._lift(origin, index, envelope)

    def _begin(self, origin: str, index: int, envelope: Envelope) -> None:
        concern = self._concern(origin, index, envelope)
        of_question = envelope.correlation if not envelope.about else None
        if not concern.spans and of_question is None:
            self.faults.append((origin, index, "a hold that holds nothing"))
            return
        self._holds[origin, index] = Hold(
            origin, index, concern, of_question, envelope.basis, envelope.t
        )

    def _lift(self, origin: str, index: int, envelope: Envelope) -> None:
        concern = self._concern(origin, index, envelope)
        lifted = [self._holds.pop((concern.log, n), None) for span in concern.spans for n in span]
        if not lifted or None in lifted:
            self.faults.append((origin, index, "it lifts what is no hold in force"))

    def _concern(self, origin: str, index: int, envelope: Envelope) -> Concern:
        concern = concern_of(origin, index, envelope, self.sizes)
        if concern.fault is not None:
            self.faults.append((origin, index, concern.fault))
        return concern

    def in_force(self) -> tuple[Hold, ...]:
        """All holds that were not lifted, oldest first."""
        return tuple(self._holds.values())

    def covers(self, log: str, index: int, correlation: str | None) -> bool:
        """Whether any hold in force holds this entry."""
        return any(hold.covers(log, index, correlation) for hold in self._holds.values())

    def correlations(self, log: str) -> frozenset[str]:
        """The questions whose entries in a log are held."""
        holds = [hold for hold in self._holds.values() if hold.concern.log == log]
        return frozenset({h.correlation for h in holds if h.correlation is not None})

    def overlaps(self, concern: Concern) -> bool:
        """Whether a hold in force names any of these entries."""
        spans = [
            span
            for hold in self._holds.values()
            if hold.concern.log == concern.log
            for span in hold.concern.spans
        ]
        return any(
            max(one.start, other.start) < min(one.stop, other.stop)
            for one in spans
            for other in concern.spans
        )

    def named(self, log: str) -> Marks:
        """The entries of a log that holds name, their own entries among them."""
        marks = Marks()
        for hold in self._holds.values():
            if hold.log == log:
                marks.add(hold.index)
            if hold.concern.log == log:
                for span in hold.concern.spans:
                    marks.add_span(span)
        return marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who orders a hold, its end or an erasure, on what ground, in which log it is entered.

    Attributes:
        log: the open log of the country.
        country: that country.
        at: now.
        basis: a word of `HoldGround` or `Ground`.
        requester: country, organisation and role of who orders; the person is in the detail.
        sealed: the detail: who, file number, reasons.
        keys: the key ids to which it is sealed.
        erase: the month after which that detail goes.
    """

    log: str
    country: str
    at: datetime
    basis: str | None = None
    requester: Requester | None = None
    sealed: Sealed | None = field(default=None, repr=False)
    keys: tuple[str, ...] = ()
    erase: str | None = None


def hold_entry(order: Order, of: str, indices: Iterable[int]) -> Pending:
    """The entry that holds these entries of the log `of`.

    Raises:
        AuditError: no entries, too scattered for one hold, or no ground.
    """
    return Pending(_encoded(order, Kind.LEGAL_HOLD, of, indices, None), order.sealed)


def question_hold_entry(order: Order, of: str, correlation: str) -> Pending:
    """The entry that holds all entries of one question in the log `of`, also those to come.

    Raises:
        AuditError: no ground.
    """
    return Pending(_encoded(order, Kind.LEGAL_HOLD, of, (), correlation), order.sealed)


def lifting_entry(order: Order, hold: Hold) -> Pending:
    """The entry that ends a hold.

    Raises:
        AuditError: the hold is of another country's log.
    """
    return Pending(_encoded(order, Kind.HOLD_LIFTED, hold.log, (hold.index,), None), order.sealed)


def _encoded(
    order: Order, kind: Kind, of: str, indices: Iterable[int], correlation: str | None
) -> bytes:
    about = ranges_of(indices)
    if not about and correlation is None:
        raise AuditError("name at least one entry, or a question by its correlation")
    if len(about) > MAX_ITEMS:
        raise AuditError(
            f"{len(about)} separate runs of entries; one hold names {MAX_ITEMS}: make several"
        )
    if kind is Kind.LEGAL_HOLD and order.basis not in set(HoldGround):
        raise AuditError(f"a hold needs a ground, one of {', '.join(sorted(HoldGround))}")
    return encode_envelope(
        entered(order, kind, of, Operation.ADMINISTER, about, correlation=correlation)
    )


def entered(
    order: Order,
    kind: Kind,
    of: str,
    op: Operation,
    about: tuple[str, ...],
    *,
    count: int | None = None,
    correlation: str | None = None,
) -> Envelope:
    """An envelope of this order about entries of the log `of`.

    Raises:
        AuditError: that log is of another country.
    """
    if series_of(order.log) != series_of(of):
        raise AuditError(f"{of} is not a log of the country of {order.log}")
    return Envelope(
        id=new_entry_id(order.at, random_bytes(10)),
        kind=kind,
        t=order.at,
        log=order.log,
        requester=order.requester,
        owner=Owner(order.country, "log"),
        op=op,
        basis=order.basis,
        about=about,
        erase=order.erase if order.sealed is not None else None,
        link=None if of == order.log else Link(of),
        count=count,
        status=Status.DONE,
        correlation=correlation,
        detail=None if order.sealed is None else order.sealed.commitment.hex(),
        keys=order.keys if order.sealed is not None else (),
    )
