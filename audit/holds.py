# SPDX-License-Identifier: EUPL-1.2
"""Legal holds: entries whose details no clock erases while a procedure runs.

A hold has a name, the `correlation` of its entries. An entry of kind `legal-hold` puts entries
under it, one of kind `hold-lifted` takes them out again, all or some. An entry under two holds is
kept until both let go. What is held is worked out from the entries alone, so that no edit of a
table makes or ends a hold (Eurodac Art. 41(4); Regulation 2019/818 Art. 24(3); AUD-04).
docs/formats/erasure.md, section 3.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from audit.concern import Concern, concern_of, lacks_effect, series_of
from audit.entry import Pending
from audit.envelope import encode_envelope, new_entry_id
from audit.errors import AuditError
from audit.event import Envelope, Link, Owner, Requester
from audit.forms import MAX_ITEMS
from audit.marks import Marks
from audit.randomness import random_bytes
from audit.ranges import ranges_of
from audit.sealing import Sealed
from audit.verify.custody import united, without
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
    """A hold in force over entries of one log.

    Attributes:
        name: `correlation` of its entries, None if they have none.
        log: whose entries are held.
        spans: runs of entries, disjoint and in order.
        places: log and number of the entries that made it, which it holds too.
        basis: its ground.
        t: since when.
    """

    name: str | None
    log: str
    spans: tuple[range, ...]
    places: tuple[tuple[str, int], ...]
    basis: str | None
    t: datetime

    @property
    def count(self) -> int:
        """How many entries it holds."""
        return sum(len(span) for span in self.spans)


@dataclass(slots=True)
class HoldBook:
    """The holds of one country's logs; `take` owns its fields.

    Attributes:
        sizes: entries of each log, so that nobody holds what is not there.
        faults: entries of these kinds without effect: log, number, what is wrong.
    """

    sizes: Mapping[str, int]
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    _holds: dict[tuple[str, str | None], Hold] = field(default_factory=dict)

    def take(self, origin: str, index: int, envelope: Envelope) -> None:
        """Learn of an entry; those of other kinds say nothing. Logs and entries in order."""
        if envelope.kind not in (Kind.LEGAL_HOLD, Kind.HOLD_LIFTED):
            return
        fault = lacks_effect(envelope)
        if fault is not None:
            self.faults.append((origin, index, fault))
            return
        concern = concern_of(origin, index, envelope, self.sizes)
        if concern.fault is not None:
            self.faults.append((origin, index, concern.fault))
        key = concern.log, envelope.correlation
        if envelope.kind is Kind.LEGAL_HOLD:
            self._begin(key, (origin, index), concern, envelope)
        else:
            self._lift(key, (origin, index), concern)

    def _begin(
        self, key: tuple[str, str | None], place: tuple[str, int], concern: Concern, e: Envelope
    ) -> None:
        if not concern.spans:
            self.faults.append((*place, "a hold that holds nothing"))
            return
        held = self._holds.get(key)
        if held is None:
            self._holds[key] = Hold(key[1], key[0], concern.spans, (place,), e.basis, e.t)
        else:
            spans = tuple(united(held.spans, concern.spans))
            self._holds[key] = replace(held, spans=spans, places=(*held.places, place))

    def _lift(self, key: tuple[str, str | None], place: tuple[str, int], concern: Concern) -> None:
        held = self._holds.get(key)
        if held is None or not concern.spans:
            self.faults.append((*place, "it lifts what is no hold in force"))
            return
        left = tuple(without(held.spans, concern.spans))
        if left:
            self._holds[key] = replace(held, spans=left)
        else:
            del self._holds[key]

    def in_force(self) -> tuple[Hold, ...]:
        """All holds that were not lifted, oldest first."""
        return tuple(self._holds.values())

    def spans(self, log: str) -> list[range]:
        """The entries of a log that are named by a hold, as runs."""
        found: list[range] = []
        for hold in self._holds.values():
            if hold.log == log:
                found = united(found, hold.spans)
        return found

    def held(self, log: str) -> Marks:
        """The entries of a log that a hold names, and the entries that made holds."""
        places = {n for hold in self._holds.values() for o, n in hold.places if o == log}
        marks = Marks(places)
        for span in self.spans(log):
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


def hold_entries(order: Order, name: str, of: str, indices: Iterable[int]) -> list[Pending]:
    """The entries that put these entries of the log `of` under a hold; mostly one.

    Raises:
        AuditError: no entries, no ground, or the log is of another country.
    """
    if order.basis not in set(HoldGround):
        raise AuditError(f"a hold needs a ground, one of {', '.join(sorted(HoldGround))}")
    return _entries(order, Kind.LEGAL_HOLD, name, of, ranges_of(indices))


def lifting_entries(order: Order, hold: Hold) -> list[Pending]:
    """The entries that end a hold; mostly one.

    Raises:
        AuditError: the hold is of another country's log.
    """
    about = ranges_of(index for span in hold.spans for index in span)
    return _entries(order, Kind.HOLD_LIFTED, hold.name, hold.log, about)


def _entries(
    order: Order, kind: Kind, name: str | None, of: str, about: Sequence[str]
) -> list[Pending]:
    if not about:
        raise AuditError("name at least one entry")
    parts = [tuple(about[at : at + MAX_ITEMS]) for at in range(0, len(about), MAX_ITEMS)]
    told = [
        entered(order, kind, of, Operation.ADMINISTER, part, correlation=name) for part in parts
    ]
    return [Pending(encode_envelope(envelope), order.sealed) for envelope in told]


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
