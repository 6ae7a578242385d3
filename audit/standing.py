# SPDX-License-Identifier: EUPL-1.2
"""Which details of a country's logs stand, are due, are held or were declared erased.

Worked out from the envelopes of all its logs, oldest log first; nothing else is believed. Three
bytes an entry are kept, so a country's decade fits into memory. While it reads, the log's root is
computed anew and compared with its head: a log that is not whole gets no erasing, since an entry
taken out of it could have been a hold.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from audit.concern import Ground, age_of, concern_of, country_of, lacks_effect, unsigned_order
from audit.envelope import parse_envelope
from audit.errors import EnvelopeError, LogCorruptError
from audit.event import Envelope
from audit.glance import glance
from audit.holds import HoldBook
from audit.marks import Marks
from audit.merkle import leaf_hash
from audit.retention import Terms, ground_of, is_over, month_number, month_of, month_text
from audit.store import Head
from audit.tiles import Edge
from audit.verify.custody import without
from audit.vocabulary import Kind

CHUNK: Final = 1024
_SINCE: Final = 1970 * 12
_NOTHING: Final = 0  # no detail
_NO_MONTH: Final = 0xFFFF  # a detail that only an order erases
_GROUNDS: Final = tuple(Ground)
_TELLING: Final = (Kind.ERASURE, Kind.LEGAL_HOLD, Kind.HOLD_LIFTED)
_WORDS: Final = tuple(f'"kind":"{kind}"'.encode() for kind in _TELLING)


class Envelopes(Protocol):
    """What is read of a copy of one log."""

    def head(self) -> Head | None:
        """The head row."""

    def envelopes(self, start: int, stop: int) -> Sequence[tuple[int, object]]:
        """Number and bytes of entries in this range, in order."""


@dataclass(slots=True)
class LogStanding:
    """One log's details. Owned by the `Standing` that it is part of.

    Attributes:
        months: for each entry a month since 1970, or that there is no detail, or no month.
        grounds: for each entry the ground on which its month rests.
        declared: entries that an erasure entry names.
    """

    months: "array[int]" = field(default_factory=lambda: array("H"))
    grounds: bytearray = field(default_factory=bytearray)
    declared: Marks = field(default_factory=Marks)

    def over(self, spans: Iterable[range], day: date) -> list[range]:
        """Those of these entries whose month was over on a day, as disjoint ranges in order."""
        latest = month_number(day) - _SINCE
        found: list[range] = []
        for index in (index for span in spans for index in span):
            if not 0 <= index < len(self.months) or self.months[index] >= latest:
                continue
            if found and found[-1].stop == index:
                found[-1] = range(found[-1].start, index + 1)
            else:
                found.append(range(index, index + 1))
        return found


@dataclass(frozen=True, slots=True)
class MonthLine:
    """The details of one log that go after one month; `month` is None for those without.

    Attributes:
        standing: details that are there.
        held: how many of them a hold keeps.
        due: how many of them are due: the month is over and no hold keeps them.
        erased: how many were declared erased.
    """

    log: str
    month: str | None
    standing: int
    held: int
    due: int
    erased: int


class Standing:
    """The details of all logs of one country."""

    def __init__(self, country: str, terms: Terms) -> None:
        """Read logs into it with `read_log`, oldest first."""
        self.country, self.terms = country, terms
        self.sizes: dict[str, int] = {}
        self.logs: dict[str, LogStanding] = {}
        self.holds = HoldBook(self.sizes)
        self.faults: list[tuple[str, int, str]] = []

    def take(self, origin: str, index: int, data: bytes) -> None:
        """Learn of the next entry of a log.

        Raises:
            EnvelopeError: it is none.
        """
        log = self.logs.setdefault(origin, LogStanding())
        self.sizes[origin] = max(self.sizes.get(origin, 0), index + 1)
        envelope = None
        if any(word in data for word in _WORDS):
            envelope = parse_envelope(data)
            self._tell(origin, index, envelope)
        month, ground = self._clock(data, envelope)
        log.months.append(month)
        log.grounds.append(ground)

    def _clock(self, data: bytes, envelope: Envelope | None) -> tuple[int, int]:
        told = glance(data)
        if not told.sealed:
            return _NOTHING, 0
        if envelope is None and told.erase is not None and told.kind != Kind.CORRECTION:
            ground = Ground.EUR_30 if told.count else Ground.INT_10
            if told.purpose in self.terms.le_purposes:
                ground = Ground.EUR_30_NATIONAL
            return _number(told.erase), _GROUNDS.index(ground)
        found = parse_envelope(data) if envelope is None else envelope
        month = month_of(found, self.terms, self.country)
        number = _NO_MONTH if month is None else _number(month)
        return number, _GROUNDS.index(ground_of(found, self.terms))

    def _tell(self, origin: str, index: int, envelope: Envelope) -> None:
        if envelope.kind is not Kind.ERASURE:
            self.holds.take(origin, index, envelope)
            return
        fault = lacks_effect(envelope)
        if fault is not None:
            self.faults.append((origin, index, fault))
            return
        if unsigned_order(envelope):
            self.faults.append((origin, index, "it does not seal who signed the order; ask for it"))
        concern = concern_of(origin, index, envelope, self.sizes)
        if concern.fault is not None:
            self.faults.append((origin, index, concern.fault))
        free = without(concern.spans, self.holds.spans(concern.log))
        if free != list(concern.spans):
            self.faults.append((origin, index, "it declares erased what a hold keeps"))
        if not free:  # perhaps of a log that was not read: nothing of it is known to exist
            return
        log = self.logs.setdefault(concern.log, LogStanding())
        due = free if envelope.basis == Ground.GDP_ORDER else log.over(free, envelope.t.date())
        if due != list(free):
            self.faults.append((origin, index, "it declares erased what was not due"))
        for span in due:
            log.declared.add_span(span)

    def lines(self, today: date) -> list[MonthLine]:
        """What stands in each log, month by month."""
        found = []
        for origin in sorted(self.logs, key=age_of):
            log, held = self.logs[origin], self.held(origin)
            counts: dict[int, list[int]] = {}
            for index, month in enumerate(log.months):
                if month != _NOTHING:
                    count = counts.setdefault(month, [0, 0, 0])
                    gone = index in log.declared
                    count[0] += not gone
                    count[1] += not gone and index in held
                    count[2] += gone
            for month, (standing, kept, erased) in sorted(counts.items()):
                told = _text(month)
                over = told is not None and is_over(told, today)
                due = standing - kept if over else 0
                found.append(MonthLine(origin, told, standing, kept, due, erased))
        return found

    def due(self, origin: str, today: date) -> dict[Ground, list[int]]:
        """The entries of a log whose details are to be erased, by the ground for it."""
        log, held = self.logs[origin], self.held(origin)
        latest = month_number(today) - _SINCE
        found: dict[Ground, list[int]] = {}
        for index, month in enumerate(log.months):
            over = _NOTHING < month < latest and month != _NO_MONTH
            if over and index not in log.declared and index not in held:
                found.setdefault(_GROUNDS[log.grounds[index]], []).append(index)
        return found

    def to_finish(self, origin: str) -> list[int]:
        """Entries declared erased whose details may still stand, but for those held now."""
        held = self.held(origin)
        return [index for index in self.logs[origin].declared if index not in held]

    def sealed(self, origin: str, index: int) -> bool:
        """Whether an entry ever had a detail."""
        months = self.logs[origin].months
        return index < len(months) and months[index] != _NOTHING

    def held(self, origin: str) -> Marks:
        """The entries of a log whose details a hold keeps, as things stand now."""
        return self.holds.held(origin)


def read_envelopes(copy: Envelopes, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """The entries of a range, each there and each bytes.

    Raises:
        LogCorruptError: one is not.
    """
    expected = start
    for first in range(start, stop, CHUNK):
        for index, data in copy.envelopes(first, min(first + CHUNK, stop)):
            if index != expected or not isinstance(data, bytes):
                raise _missing(expected)
            yield index, data
            expected += 1
    if expected != stop:
        raise _missing(expected)


def read_log(
    standing: Standing,
    origin: str,
    copy: Envelopes,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Head:
    """Read a whole log into a standing, its tree checked on the way; the head that it had.

    Raises:
        LogCorruptError: the log is not whole, or is another one.
    """
    head = copy.head()
    if head is None or head.origin != origin:
        raise LogCorruptError(f"the log {origin} has no head row; run `cuvar audit verify`")
    standing.sizes[origin] = head.size
    standing.logs.setdefault(origin, LogStanding())
    edge, leaves = Edge(), []
    for index, data in read_envelopes(copy, 0, head.size):
        try:
            standing.take(origin, index, data)
        except EnvelopeError:
            raise LogCorruptError(
                f"entry {index} of {origin} is no entry; run `cuvar audit verify`"
            ) from None
        leaves.append(leaf_hash(data))
        if len(leaves) == CHUNK:
            edge.extend(leaves)
            leaves.clear()
            on_progress(index + 1, head.size)
    edge.extend(leaves)
    on_progress(head.size, head.size)
    if edge.root() != head.root:
        raise LogCorruptError(
            f"the entries of {origin} are not those of its head; nothing is erased from a log that"
            " is not whole: run `cuvar audit verify`"
        )
    return head


def entries_of(copy: Envelopes, size: int, correlation: str) -> list[int]:
    """The entries of one question, by the correlation that they share.

    Raises:
        LogCorruptError: the copy is not whole.
    """
    return [
        index
        for index, data in read_envelopes(copy, 0, size)
        if glance(data).correlation == correlation
    ]


def read_country(
    country: str,
    copies: Mapping[str, Envelopes],
    terms: Terms,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Standing:
    """The standing of all logs of a country among these copies.

    Raises:
        LogCorruptError: one of them is not whole.
    """
    standing = Standing(country, terms)
    mine = sorted((o for o in copies if country_of(o) == country), key=age_of)
    for origin in mine:
        read_log(standing, origin, copies[origin], on_progress)
    return standing


def _missing(index: int) -> LogCorruptError:
    return LogCorruptError(f"entry {index} is missing from this copy; run `cuvar audit verify`")


def _number(month: str) -> int:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - _SINCE
    return max(1, min(number, _NO_MONTH - 1))


def _text(number: int) -> str | None:
    return None if number == _NO_MONTH else month_text(number + _SINCE)
