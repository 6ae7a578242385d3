# SPDX-License-Identifier: EUPL-1.2
"""Which log, and which of its entries, an entry is about (docs/formats/erasure.md, section 1).

`about` names entries of the log in `link`, or of the entry's own log where `link` is null. A log
that was closed takes no more entries, so what concerns it stands in a later log of the same
country. Entries of another country's log are never meant: such a claim has no effect and is a
fault, as is naming entries that did not exist yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.envelope import Envelope
from audit.ranges import spans_of


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
    """The country's logs without the half-year: `audit.example/BA` of `audit.example/BA/2026h2`."""
    return origin.rpartition("/")[0]


def country_of(origin: str) -> str:
    """The country of a log, from the last part but one of its name."""
    return series_of(origin).rpartition("/")[2]


def half_of(origin: str) -> tuple[str, int]:
    """Orders the logs of a series: the half-year, then which successor of a restored backup."""
    half, _, number = origin.rpartition("/")[2].partition(".")
    return half, int(number) if number.isdigit() else 1


def concern_of(origin: str, index: int, envelope: Envelope, sizes: Mapping[str, int]) -> Concern:
    """What the entry at `index` of a log is about.

    Args:
        origin: the log that holds the entry.
        index: its number there.
        envelope: the entry.
        sizes: entries of each log that is looked at; another has none.
    """
    log = origin if envelope.link is None else envelope.link.log
    if series_of(log) != series_of(origin):
        return Concern(log, (), f"it names entries of {log}, a log of somebody else")
    end = index if log == origin else sizes.get(log, 0)
    spans = spans_of(envelope.about)
    kept = tuple(range(s.start, min(s.stop, end)) for s in spans if s.start < end)
    known = log == origin or log in sizes
    beyond = known and bool(spans) and spans[-1].stop > end
    return Concern(log, kept, f"it names entries of {log} that were not there" if beyond else None)
