# SPDX-License-Identifier: EUPL-1.2
"""Which log, and which of its entries, an entry is about (docs/formats/erasure.md, section 1).

`about` names entries of the log in `link`, or of the entry's own log where `link` is null. A log
that was closed takes no more entries, so what concerns it stands in a later log of the same
country. Entries of another country's log are never meant: such a claim has no effect and is a
fault, as is naming entries that did not exist yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.errors import NoteError
from audit.event import Envelope
from audit.ranges import spans_of
from audit.shards import parse_origin


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


def _same_country(log: str, origin: str) -> bool:
    try:
        return series_of(log) == series_of(origin)
    except NoteError:
        return log == origin
