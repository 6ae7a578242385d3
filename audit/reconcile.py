# SPDX-License-Identifier: EUPL-1.2
"""Comparing the logs of several countries: every event that concerns two stands in both, alike.

The owner's log records releases of its data, the asker's what its officers asked: one event, one
identity (`id`), differing only in `log`, in `t` and in `erase`, which follows each country's own
clock. Whoever leaves an entry out of one log is shown by the other. All copies are read once, side
by side in the order of time; only events that still wait for their other side are kept, so memory
does not grow with the logs. Verify the copies first: this believes what they say.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from audit.concern import age_of, country_of
from audit.envelope import parse_envelope
from audit.errors import AuditError, EnvelopeError
from audit.event import Envelope
from audit.glance import Glance, glance

MAX_FINDINGS: Final = 1000
_CHUNK: Final = 1024
_TOLD: Final = 10_000
_OWN: Final = frozenset({"log", "t", "erase"})
_UTC: Final = "+00:00"


class Stream(Protocol):
    """What is read of a copy of one log."""

    def count(self) -> int:
        """How many entries it has."""

    def envelopes(self, start: int, stop: int) -> Sequence[tuple[int, object]]:
        """Number and bytes of entries in this range, in order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that two logs do not tell alike.

    Attributes:
        what: `one-sided`, `behind`, `differs`, `repeated`, `misplaced` or `unreadable`. Behind: the
            other country's copies end so long before that nothing can be said; told once.
        log: the log whose entry shows it.
        index: that entry.
        other: the country, or the log, on whose side something is wrong.
        names: the members that differ.
    """

    what: str
    log: str
    index: int
    other: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came of it.

    Attributes:
        entries: entries read.
        pairs: events found alike on both sides.
        waiting: events at the end of the youngest copies whose other side may still come.
        findings: at most 1,000, in the order in which they were found.
        more: findings beyond those.
    """

    entries: int
    pairs: int
    waiting: int
    findings: tuple[Difference, ...]
    more: int

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much two copies may differ for harmless reasons.

    Attributes:
        window: how far apart in time the two sides of an event may stand.
        end: an event this close to the end of the other country's copy may come later.
        most: events kept waiting at once; beyond it the oldest counts as one-sided.
    """

    window: timedelta = timedelta(days=1)
    end: timedelta = timedelta(minutes=1)
    most: int = 200_000


@dataclass(slots=True)
class _Event:
    """One event seen on one side at least. Owned by `_Run`."""

    t: str
    log: str
    index: int
    same: bytes
    missing: set[str]


@dataclass(slots=True)
class _Run:
    copies: Mapping[str, Stream]
    only: str | None
    allow: Allowance
    ends: dict[str, str]
    findings: list[Difference] = field(default_factory=list)
    more: int = 0
    pairs: int = 0
    late: int = 0
    behind: set[str] = field(default_factory=set)
    waiting: dict[str, _Event] = field(default_factory=dict)
    order: "deque[tuple[str, str]]" = field(default_factory=deque)

    @property
    def newest(self) -> str:
        """The time of the newest entry of all copies."""
        return max(self.ends.values())

    def find(
        self, what: str, log: str, index: int, other: str, names: tuple[str, ...] = ()
    ) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Difference(what, log, index, other, names))
        else:
            self.more += 1

    def take(self, log: str, index: int, told: Glance) -> None:
        country = country_of(log)
        parties = told.parties
        if parties and country not in parties:
            self.find("misplaced", log, index, country)
            return
        others = {p for p in parties if p != country and p in self.ends}
        if not others or (self.only is not None and self.only not in parties):
            return
        self._forget(told.t)
        event = self.waiting.get(told.id)
        if event is None:
            self.waiting[told.id] = _Event(told.t, log, index, told.same, others)
            self.order.append((told.t, told.id))
            return
        if country not in event.missing:
            self.find("repeated", log, index, event.log)
            return
        event.missing.discard(country)
        if event.same != told.same:
            names = self._names(event, log, index)
            self.find("differs", log, index, event.log, names)
        else:
            self.pairs += 1
        if not event.missing:
            del self.waiting[told.id]

    def _names(self, event: _Event, log: str, index: int) -> tuple[str, ...]:
        one, other = self._read(event.log, event.index), self._read(log, index)
        if one is None or other is None:
            return ()
        return tuple(
            sorted(
                name
                for name in Envelope.__slots__
                if name not in _OWN and getattr(one, name) != getattr(other, name)
            )
        )

    def _read(self, log: str, index: int) -> Envelope | None:
        for _, data in self.copies[log].envelopes(index, index + 1):
            try:
                return parse_envelope(data if isinstance(data, bytes) else b"")
            except EnvelopeError:
                return None
        return None

    def _forget(self, now: str) -> None:
        """Give up on events whose other side is too long in coming."""
        while self.order:
            t, identity = self.order[0]
            if identity in self.waiting:
                full = len(self.waiting) > self.allow.most
                if not full and not _apart(t, now, self.allow.window):
                    return
                self._judge(identity)
            self.order.popleft()

    def _judge(self, identity: str) -> None:
        event = self.waiting.pop(identity)
        for country in sorted(event.missing):
            end = self.ends[country]
            if end and not _apart(event.t, end, self.allow.end):
                self.late += 1
                if country not in self.behind and _apart(event.t, self.newest, self.allow.window):
                    # A copy that ends early waits for ever: silence must not pass for agreement.
                    self.behind.add(country)
                    self.find("behind", event.log, event.index, country)
            else:
                self.find("one-sided", event.log, event.index, country)

    def finish(self) -> None:
        for identity in list(self.waiting):
            self._judge(identity)


def reconcile(
    copies: Mapping[str, Stream],
    *,
    country: str | None = None,
    allow: Allowance | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Reconciliation:
    """Compare the logs.

    Args:
        copies: origin to copy; of at least two countries, any number of half-years.
        country: compare only what concerns this country.
        allow: what is no difference.
        on_progress: is told entries done and entries to do.

    Raises:
        AuditError: the copies are of one country only.
        LogCorruptError: a copy can't be read.
    """
    if len({country_of(origin) for origin in copies}) <= 1:
        raise AuditError("comparing takes logs of two countries at least; name both")
    counts = {origin: copy.count() for origin, copy in copies.items()}
    run = _Run(copies, country, allow or Allowance(), _ends(copies, counts))
    total = sum(counts.values())
    streams = [_entries(run, origin, counts[origin]) for origin in sorted(copies, key=age_of)]
    merged = heapq.merge(*streams, key=lambda entry: entry[0])
    for done, (_, log, index, told) in enumerate(merged):
        run.take(log, index, told)
        if done % _TOLD == 0:
            on_progress(done, total)
    run.finish()
    on_progress(total, total)
    return Reconciliation(total, run.pairs, run.late, tuple(run.findings), run.more)


def _entries(run: _Run, origin: str, count: int) -> Iterator[tuple[str, str, int, Glance]]:
    copy = run.copies[origin]
    for start in range(0, count, _CHUNK):
        for index, data in copy.envelopes(start, min(start + _CHUNK, count)):
            try:
                told = glance(data if isinstance(data, bytes) else b"")
            except EnvelopeError:
                run.find("unreadable", origin, index, origin)
                continue
            yield told.t, origin, index, told


def _ends(copies: Mapping[str, Stream], counts: Mapping[str, int]) -> dict[str, str]:
    """For each country the time of its copies' last entry."""
    ends: dict[str, str] = {}
    for origin, copy in copies.items():
        last = ""
        for _, data in copy.envelopes(max(0, counts[origin] - 1), counts[origin]):
            try:
                last = glance(data if isinstance(data, bytes) else b"").t
            except EnvelopeError:
                last = ""
        country = country_of(origin)
        ends[country] = max(ends.get(country, ""), last)
    return ends


def _apart(earlier: str, later: str, limit: timedelta) -> bool:
    """Whether the later of two times lies further on than this."""
    return _time(later) - _time(earlier) > limit


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", _UTC))
