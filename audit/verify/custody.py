# SPDX-License-Identifier: EUPL-1.2
"""Which details may be missing: those that erasure entries account for, and none under legal hold.

An erasure entry names in `about` what it erases, and counts only for details whose month was over,
or on an order. It speaks of entries above it only, so that nobody can allow himself beforehand to
erase what is to come. What a `legal-hold` names may not be erased
until a `hold-lifted` entry of the same correlation names it. Entries of versions 1 and 2 named
nothing: for them an erasure's `count` is all there is to compare. A closed log takes no entries:
what concerns its details stands in a later log of the country, whose `link` names the closed one.
Memory grows with the number of stretches, not of entries; pure.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from audit.concern import NAMING, Ground, lacks_effect, series_of, unsigned_order
from audit.errors import NoteError
from audit.event import Envelope
from audit.ranges import spans_of
from audit.verify.report import Fault, Findings
from audit.vocabulary import Kind

Spans = list[range]
_ORDERED = ""
_ABOUT_DETAILS = (Kind.ERASURE, Kind.LEGAL_HOLD, Kind.HOLD_LIFTED)


def united(one: Iterable[range], other: Iterable[range]) -> Spans:
    """The numbers of either, as disjoint ranges in order."""
    found: Spans = []
    for span in sorted([*one, *other], key=lambda span: span.start):
        if found and span.start <= found[-1].stop:
            found[-1] = range(found[-1].start, max(found[-1].stop, span.stop))
        elif span:
            found.append(span)
    return found


def without(one: Sequence[range], other: Sequence[range]) -> Spans:
    """The numbers of the first that are not in the second; both disjoint and in order."""
    found: Spans = []
    at = 0
    for span in one:
        start = span.start
        while at < len(other) and other[at].stop <= start:
            at += 1
        look = at
        while look < len(other) and other[look].start < span.stop:
            if start < other[look].start:
                found.append(range(start, other[look].start))
            start = max(start, other[look].stop)
            look += 1
        if start < span.stop:
            found.append(range(start, span.stop))
    return found


def common(one: Sequence[range], other: Sequence[range]) -> Spans:
    """The numbers of both; each disjoint and in order."""
    return without(one, without(one, other))


@dataclass(slots=True)
class Custody:
    """What the entries so far say of details. One verification has one."""

    missing: dict[str, Spans] = field(default_factory=dict)
    """details that are gone, of entries that erasures can name, by the month after which they were
    due; "" where only an order erases"""
    nameless: int = 0
    """details that are gone, of older entries"""
    counted: int = 0
    """details that erasures of older entries say are gone"""
    erased: dict[str, Spans] = field(default_factory=dict)
    """what erasures name, by the month in which they were made; orders, which no month binds, under
    "": a month that never comes, as no month is over when it begins"""
    refused: Spans = field(default_factory=list)
    """erased while a hold forbade it"""
    holds: dict[str | None, Spans] = field(default_factory=dict)
    places: dict[str | None, Spans] = field(default_factory=dict)
    """the entries that made a hold, kept as long as it keeps anything"""
    away: dict[str | None, Spans] = field(default_factory=dict)
    """what holds keep of other logs, whose entries stand in this one"""
    elsewhere: list[Envelope] = field(default_factory=list)
    """entries about details of another log"""
    unsigned: list[int] = field(default_factory=list)
    """erasures on an order that do not seal who signed it, as older writers made them"""

    def gone(self, index: int, month: str | None) -> None:
        """The detail of an entry is missing; numbers rise from call to call.

        Args:
            index: the entry.
            month: the month after which it was due, "" if it states none; None for entries of
                older versions, which erasures only count.
        """
        if month is None:
            self.nameless += 1
        else:
            self.all_gone({month: [range(index, index + 1)]}, 0)

    def all_gone(self, missing: Mapping[str, Iterable[range]], nameless: int) -> None:
        """As `gone`, of stretches by month, and of so many older entries."""
        self.nameless += nameless
        for month, spans in missing.items():
            known = self.missing.setdefault(month, [])
            for span in spans:
                if known and known[-1].stop == span.start:
                    known[-1] = range(known[-1].start, span.stop)
                else:
                    known.append(span)

    def entry(self, index: int, envelope: Envelope) -> None:
        """Take note of an erasure, a hold, or its end."""
        link = envelope.link
        if link and link.log != envelope.log and envelope.kind in _ABOUT_DETAILS:
            self.elsewhere.append(envelope)
            if lacks_effect(envelope) is None:
                self._hold(self.away, envelope)
        else:
            self.claim(range(index), envelope)
        if unsigned_order(envelope):
            self.unsigned.append(index)
        if envelope.kind is Kind.LEGAL_HOLD:
            mine = self.places.setdefault(envelope.correlation, [])
            self.places[envelope.correlation] = united(mine, [range(index, index + 1)])

    @staticmethod
    def _hold(holds: dict[str | None, Spans], envelope: Envelope) -> None:
        about, held = spans_of(envelope.about), holds.get(envelope.correlation, [])
        if envelope.kind is Kind.LEGAL_HOLD:
            holds[envelope.correlation] = united(held, about)
        elif envelope.kind is Kind.HOLD_LIFTED:
            holds[envelope.correlation] = without(held, about)

    def claim(self, above: range, envelope: Envelope) -> None:
        """As `entry`, of an entry that speaks of those entries of this log; in order of time."""
        if lacks_effect(envelope) is not None:
            return  # what it took away is found missing
        about = spans_of(envelope.about)
        self._hold(self.holds, envelope)
        if envelope.kind is Kind.ERASURE and envelope.v < NAMING:
            self.counted += envelope.count or 0
        elif envelope.kind is Kind.ERASURE:
            bound = envelope.basis != Ground.GDP_ORDER
            self._erasure(above, about, f"{envelope.t:%Y-%m}" if bound else _ORDERED)

    def _erasure(self, above: range, about: Spans, when: str) -> None:
        named = [range(span.start, min(span.stop, above.stop)) for span in about]
        named = [span for span in named if span]
        holds: Spans = []
        for held in self.holds.values():
            holds = united(holds, held)
        for name, mine in self.places.items():
            if self.holds.get(name) or self.away.get(name):
                holds = united(holds, mine)
        free = without(named, holds)
        self.erased[when] = united(self.erased.get(when, ()), free)
        self.refused = united(self.refused, without(named, free))

    @property
    def erased_details(self) -> int:
        """How many details are missing."""
        return self.nameless + sum(len(span) for spans in self.missing.values() for span in spans)

    def unaccounted(self, allowed: Spans) -> int:
        """How many details are missing that no erasure accounts for, but for those allowed."""
        wrong = [without(self._wrong(month), allowed) for month in self.missing]
        return max(0, self.nameless - self.counted) + sum(len(s) for spans in wrong for s in spans)

    def _wrong(self, month: str) -> Spans:
        """The missing of a month that no erasure with effect names.

        An erasure by the clock has none on a detail whose month was not over when it was made, for
        the one who keeps the log may not shorten what the law gives (Eurodac Art. 41(4)).
        """
        left = self.missing[month]
        for when, spans in self.erased.items():
            if when == _ORDERED or (month and when > month):
                left = without(left, spans)
        return left

    def tell(self, findings: Findings) -> None:
        """What is missing without right, each stretch by its first entry."""
        if self.nameless > self.counted:
            findings.log(
                f"{self.nameless} sealed details are missing and entries of kind erasure account"
                f" for {self.counted}: somebody deleted what officers must be able to read",
                Fault.DETAIL,
            )
        early: Spans = []
        for spans in self.erased.values():
            early = united(early, spans)
        for month in self.missing:
            wrong = self._wrong(month)
            held = common(wrong, self.refused)
            due = f"before {month} was over" if month else "without an order, and it has no month"
            for which, what in (
                (held, "was erased under a legal hold"),
                (common(without(wrong, held), early), f"was erased {due}"),
                (without(without(wrong, held), early), "is missing and no erasure entry names it"),
            ):
                for span in which:
                    told = f"its sealed detail{_and_more(span)} {what}"
                    findings.entry(span.start, told, Fault.DETAIL)


def pass_on(claims: dict[str, list[Envelope]], origin: str, made: Sequence[Envelope]) -> None:
    """Keep what a log says of its country's older logs, before what newer ones say of them.

    Args:
        claims: by log, in order of time; added to.
        origin: the log that says it; logs are taken newest first.
        made: its entries about other logs, `Custody.elsewhere`.
    """
    for envelope in reversed(made):
        with contextlib.suppress(NoteError):
            link = envelope.link
            if link is not None and series_of(link.log) == series_of(origin):
                claims.setdefault(link.log, []).insert(0, envelope)


def _and_more(span: range) -> str:
    return f", like those up to entry {span.stop - 1}," if len(span) > 1 else ""
