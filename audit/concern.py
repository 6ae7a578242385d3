# SPDX-License-Identifier: EUPL-1.2
"""Which log, and which of its entries, an entry is about (docs/formats/erasure.md, section 1).

`about` names entries of the log in `link`, or of the entry's own log where `link` is null. A log
that was closed takes no more entries, so what concerns it stands in a later log of the same
country. Entries of another country's log are never meant: such a claim has no effect and is a
fault, as is naming entries that did not exist yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from audit.errors import NoteError
from audit.event import Envelope
from audit.ranges import spans_of
from audit.shards import parse_origin
from audit.vocabulary import Kind, Operation, Status

NAMING = 3  # the version from which erasures name their entries
_TAKING = (Kind.ERASURE, Kind.HOLD_LIFTED)


class Ground(StrEnum):
    """Why a detail was erased: `basis` of an erasure entry. Words are added, never renamed."""

    EUR_30 = "EUR-30"
    """a year after the storage of the released records ended"""
    EUR_30_NATIONAL = "EUR-30-NATIONAL"
    """the national period for questions of law enforcement"""
    INT_10 = "INT-10"
    """a year after the entry was made, or the end of the data whose history it is"""
    GDP_ORDER = "GDP-ORDER"
    """a supervisory authority or a court ordered it"""


_GROUNDS = frozenset(ground.value for ground in Ground)


@dataclass(frozen=True, slots=True)
class Concern:
    """Entries of one log.

    Attributes:
        log: the origin.
        spans: runs of entries, in order.
        fault: why some or all of what was named has no effect, None if nothing is wrong.
    """

    log: str
    spans: tuple[range, ...]
    fault: str | None = None

    @property
    def count(self) -> int:
        """How many entries."""
        return sum(len(span) for span in self.spans)


def series_of(origin: str) -> str:
    """What all logs of a country have in common: `audit.example/BA` of `audit.example/BA/2026h2`.

    Raises:
        NoteError: not the name of a country's log.
    """
    return parse_origin(origin).key_name


def country_of(origin: str) -> str:
    """The country of a log.

    Raises:
        NoteError: not the name of a country's log.
    """
    return parse_origin(origin).country


def age_of(origin: str) -> tuple[str, int]:
    """Orders the logs of a country, oldest first.

    Raises:
        NoteError: not the name of a country's log.
    """
    return parse_origin(origin).age


def concern_of(origin: str, index: int, envelope: Envelope, sizes: Mapping[str, int]) -> Concern:
    """What the entry at `index` of a log is about.

    Args:
        origin: the log that holds the entry.
        index: its number there.
        envelope: the entry.
        sizes: entries of each log that is looked at; another has none.
    """
    log = origin if envelope.link is None else envelope.link.log
    if not _same_country(log, origin):
        return Concern(log, (), f"it names entries of {log}, a log of somebody else")
    end = index if log == origin else sizes.get(log, 0)
    spans = spans_of(envelope.about)
    kept = tuple(range(s.start, min(s.stop, end)) for s in spans if s.start < end)
    known = log == origin or log in sizes
    beyond = known and bool(spans) and spans[-1].stop > end
    return Concern(log, kept, f"it names entries of {log} that were not there" if beyond else None)


def lacks_effect(envelope: Envelope) -> str | None:
    """Why an erasure, or the end of a hold, is not one that counts; None if it counts.

    What takes a detail away must have its whole form and name the country itself whose log it is
    in, so that its authority is shown it (docs/formats/erasure.md). A hold always counts: it only
    keeps. Erasures of older versions have their own rule.
    """
    if envelope.kind not in _TAKING or envelope.v < NAMING:
        return None
    erases = envelope.kind is Kind.ERASURE
    op = Operation.ERASE if erases else Operation.ADMINISTER
    if not _is_own(envelope):
        return "it is not made in the name of the country whose log it is in"
    if (envelope.op, envelope.status) != (op, Status.DONE):
        return "its op or status is not that of such an entry"
    return _lacks_ground(envelope) if erases else None


def unsigned_order(envelope: Envelope) -> bool:
    """Whether an erasure on an order does not seal who signed it and the file number.

    Older writers made such; they count, and are named.
    """
    ordered = envelope.kind is Kind.ERASURE and envelope.basis == Ground.GDP_ORDER
    return ordered and envelope.detail is None


def _lacks_ground(envelope: Envelope) -> str | None:
    if envelope.basis not in _GROUNDS:
        return "it gives none of the grounds on which details are erased"
    if envelope.basis == Ground.GDP_ORDER and not _ordered_at_home(envelope):
        return "it names no body of its country that ordered it"
    if envelope.count != sum(map(len, spans_of(envelope.about))):
        return "its count is not the number of entries that it names"
    return None


def _ordered_at_home(envelope: Envelope) -> bool:
    by, owner = envelope.requester, envelope.owner
    return by is not None and owner is not None and by.country == owner.country


def _is_own(envelope: Envelope) -> bool:
    try:
        country = country_of(envelope.log)
    except NoteError:
        return True  # the log of no country, of an older gateway
    return envelope.owner is not None and envelope.owner.country == country


def _same_country(log: str, origin: str) -> bool:
    try:
        return series_of(log) == series_of(origin)
    except NoteError:
        return log == origin
