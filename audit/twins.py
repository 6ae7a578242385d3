# SPDX-License-Identifier: EUPL-1.2
"""The other side of an event: entries of other logs that bear the same sealed detail.

A question between two countries is one event with one identity (`id`), entered in both logs, each
with the same detail. What one country's authority orders erased is no order to the other. So the
other side must be found: before an order is carried out, and afterwards, when the other country's
officer must learn that it was erased elsewhere (Regulation (EU) 2016/679, Article 19). Everything
is derived from envelopes; nothing is kept beside them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from audit.concern import Ground, age_of, concern_of, country_of, lacks_effect
from audit.envelope import parse_envelope
from audit.glance import glance
from audit.ranges import ranges_of
from audit.standing import Envelopes, Standing, read_envelopes
from audit.vocabulary import Kind

_ERASURE = f'"kind":"{Kind.ERASURE}"'.encode()
_ORDER = f'"basis":"{Ground.GDP_ORDER}"'.encode()


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Details that another country's authority ordered erased and that still stand in a log.

    Attributes:
        log: the log in which they stand.
        indices: its entries.
        by: the countries whose logs declare the erasure.
    """

    log: str
    indices: tuple[int, ...]
    by: tuple[str, ...]

    @property
    def said(self) -> str:
        """In a sentence."""
        return (
            f"{self.log}: erased in {', '.join(self.by)} on an order and still here: entries"
            f" {','.join(ranges_of(self.indices))}; its own authority decides (Regulation (EU)"
            " 2016/679, Article 19)"
        )


def twins_of(
    copies: Mapping[str, Envelopes], log: str, indices: Collection[int]
) -> dict[str, tuple[int, ...]]:
    """The same events' entries in all other logs, by log; with or without their details.

    Args:
        copies: every log that is looked at, by origin.
        log: one of them.
        indices: entries of it.

    Raises:
        LogCorruptError: a copy is not whole.
    """
    wanted = frozenset(indices)
    events = {told for n, told in _ids(copies[log]) if n in wanted}
    found = {
        name: tuple(n for n, told in _ids(copy) if told in events)
        for name, copy in copies.items()
        if name != log
    }
    return {name: same for name, same in found.items() if same}


def still_there(standing: Standing, log: str, indices: Collection[int]) -> tuple[int, ...]:
    """Those of these entries that had a detail whose erasure no entry declares."""
    declared = standing.logs[log].declared
    return tuple(i for i in indices if standing.sealed(log, i) and i not in declared)


def left_behind(copies: Mapping[str, Envelopes], standing: Standing) -> list[LeftBehind]:
    """What was erased on orders elsewhere and still stands in a country's logs.

    Args:
        copies: logs of all countries, by origin.
        standing: of that country, read from the same copies.

    Raises:
        LogCorruptError: a copy is not whole.
    """
    gone: dict[str, set[str]] = {}
    for country in sorted({country_of(name) for name in copies} - {standing.country}):
        for told in _ordered_events(copies, country):
            gone.setdefault(told, set()).add(country)
    if not gone:
        return []
    found = []
    for log in sorted(standing.logs, key=age_of):
        if log not in copies:
            continue
        same = {n: gone[told] for n, told in _ids(copies[log]) if told in gone}
        there = still_there(standing, log, sorted(same))
        if there:
            by = sorted({country for n in there for country in same[n]})
            found.append(LeftBehind(log, there, tuple(by)))
    return found


def _ordered_events(copies: Mapping[str, Envelopes], country: str) -> Iterator[str]:
    """Identities of the events whose details a country's entries declare erased on an order."""
    mine = sorted((name for name in copies if country_of(name) == country), key=age_of)
    sizes = {name: _size(copies[name]) for name in mine}
    spans: dict[str, list[range]] = {}
    for name in mine:
        for index, data in read_envelopes(copies[name], 0, sizes[name]):
            if _ERASURE not in data or _ORDER not in data:
                continue
            envelope = parse_envelope(data)
            concern = concern_of(name, index, envelope, sizes)
            if lacks_effect(envelope) is None and concern.log in sizes:
                spans.setdefault(concern.log, []).extend(concern.spans)
    for name, erased in spans.items():
        for span in erased:
            for _, data in read_envelopes(copies[name], span.start, span.stop):
                yield glance(data).id


def _ids(copy: Envelopes) -> Iterator[tuple[int, str]]:
    for index, data in read_envelopes(copy, 0, _size(copy)):
        yield index, glance(data).id


def _size(copy: Envelopes) -> int:
    head = copy.head()
    return 0 if head is None else head.size
