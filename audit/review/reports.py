# SPDX-License-Identifier: EUPL-1.2
"""The law-enforcement report: what the supervisor checks every six months and the state counts.

Out of opened entries, so by the officer of the country. It counts requests, identifications and
refused urgencies by purpose, offence and grounds (Eurodac Art. 57(8), EUR-38), says for each thing
that Art. 51(2) demands of a record how often it is there and how often it is missing (EUR-28), and
draws a sample for the supervisor (INT-09, Art. 46(2)) with a stated seed, so that nobody can have
chosen it and everybody can draw it again.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from audit.envelope import format_time
from audit.review.opened import Opened, Rows, open_entries
from audit.sealing import Unsealer
from audit.vocabulary import Status, Verdict

POLICE: Final = "law_enforcement"
_PURPOSE: Final = f'"purpose":"{POLICE}"'.encode()
_CHUNK: Final = 4096
_URGENT_FACT: Final = "urgent_declared"
_URGENT_DUTY: Final = "expost_verify"
_CHILD: Final = "under_14"
_UNNAMED: Final = "not recorded"

# What Art. 51(2)(a)-(i) demands, and the member of a detail that holds it.
DEMANDED: Final[Mapping[str, str]] = {
    "offence": "offence",
    "grounds for not asking Prüm": "prum_grounds",
    "national file number": "case_no",
    "data used": "query",
    "official who searched": "officer",
    "official who ordered": "ordered_by",
    "decision after an urgent procedure": "expost",
    "use of the portal": "portal",
}


class Searched(Rows, Protocol):
    """What is needed of a copy to look for entries."""

    def envelopes(self, start: int, stop: int) -> Sequence[tuple[int, object]]:
        """Number and envelope of the entries in this range, in order."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """One request drawn for the supervisor; `detail` names people and is for nobody else."""

    log: str
    index: int
    t: str
    org: str
    owner: str
    basis: str
    decision: str
    status: str
    rules: tuple[str, ...]
    missing: tuple[str, ...]
    detail: Mapping[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PoliceReport:
    """The figures of one period.

    Attributes:
        logs: origin to first and last entry looked at.
        requests: questions, entries of one correlation counted once.
        identifications: entries with a hit.
        urgent: entries of the urgent procedure; `refused_urgencies` of them were refused.
        children: entries in which a record was of a child under 14, or perhaps (EUR-36).
        unread: entries whose detail this key does not open, or that was erased.
        counts: name of the count to value to number.
        present: demanded member to how many of the opened entries have it.
        opened: entries whose detail was read.
        seed: of the sample.
    """

    country: str
    since: str
    until: str
    logs: Mapping[str, tuple[int, int]]
    entries: int
    requests: int
    identifications: int
    refused: int
    urgent: int
    refused_urgencies: int
    children: int
    opened: int
    unread: int
    counts: Mapping[str, Mapping[str, int]]
    present: Mapping[str, int]
    missing: Mapping[str, int]
    seed: str
    sample: tuple[Sampled, ...]

    def document(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return asdict(self)


@dataclass(slots=True)
class _Tally:
    """Figures on their way; owned by `police_report`."""

    logs: dict[str, tuple[int, int]] = field(default_factory=dict)
    sums: Counter[str] = field(default_factory=Counter)
    questions: set[bytes] = field(default_factory=set)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    present: Counter[str] = field(default_factory=Counter)
    sample: list[tuple[int, int, Opened]] = field(default_factory=list)


def police_report(
    entries: Iterable[Opened],
    *,
    country: str,
    period: tuple[datetime, datetime],
    seed: str,
    sample: int = 20,
    looked_at: Mapping[str, tuple[int, int]] | None = None,
) -> PoliceReport:
    """The report of one country and period out of whatever entries are given.

    Args:
        entries: of one or several logs of the country, in order.
        country: owner or asker; entries between others are left out.
        period: first moment, and the first that no longer counts.
        seed: of the sample; say it to the supervisor before the log is read.
        sample: how many requests are drawn.
        looked_at: first and last entry of each log that was gone through; without it, those of
            the entries given.
    """
    tally = _Tally()
    for entry in entries:
        first, _ = tally.logs.get(entry.origin, (entry.index, 0))
        tally.logs[entry.origin] = (first, entry.index)
        envelope = entry.envelope
        sides = {s.country for s in (envelope.owner, envelope.requester) if s is not None}
        if envelope.purpose == POLICE and country in sides and period[0] <= envelope.t < period[1]:
            _add(tally, entry)
            _draw(tally, entry, seed, sample)
    drawn = sorted(tally.sample, reverse=True)
    opened = tally.sums["opened"]
    return PoliceReport(
        country=country,
        since=format_time(period[0]),
        until=format_time(period[1]),
        logs=tally.logs if looked_at is None else looked_at,
        entries=tally.sums["entries"],
        requests=len(tally.questions),
        identifications=tally.sums["identifications"],
        refused=tally.sums["refused"],
        urgent=tally.sums["urgent"],
        refused_urgencies=tally.sums["refused urgencies"],
        children=tally.sums["children"],
        opened=opened,
        unread=tally.sums["entries"] - opened,
        counts={name: dict(found.most_common()) for name, found in tally.counts.items()},
        present={name: tally.present[name] for name in DEMANDED},
        missing={name: opened - tally.present[name] for name in DEMANDED},
        seed=seed,
        sample=tuple(_sampled(entry) for _, _, entry in drawn),
    )


def police_entries(
    copy: Searched, unsealer: Unsealer | None, start: int, stop: int
) -> Iterator[Opened]:
    """The law-enforcement entries among these; only they are parsed and opened.

    Raises:
        LogCorruptError: one of them is no entry, or its detail is another one.
        LogUnavailableError: the database does not answer.
    """
    for first in range(start, stop, _CHUNK):
        for index, data in copy.envelopes(first, min(first + _CHUNK, stop)):
            # No value holds a quote, so these bytes are the member and nothing else.
            if isinstance(data, bytes) and _PURPOSE in data:
                yield from open_entries(copy, unsealer, index, index + 1)


def _add(tally: _Tally, entry: Opened) -> None:
    envelope, detail = entry.envelope, entry.detail
    asked = envelope.asked
    urgent = _URGENT_DUTY in envelope.duties or (
        asked is not None and _URGENT_FACT in (*asked.sure, *asked.maybe)
    )
    refused = envelope.decision is Verdict.DENY
    question = envelope.correlation or f"{entry.origin}/{entry.index}"
    tally.questions.add(hashlib.sha256(question.encode()).digest()[:16])
    for name, holds in (
        ("entries", True),
        ("identifications", envelope.status is Status.HIT),
        ("refused", refused),
        ("urgent", urgent),
        ("refused urgencies", urgent and refused),
        ("opened", detail is not None),
        ("children", detail is not None and _of_child(detail)),
    ):
        tally.sums[name] += holds
    _count(tally, "by month", format_time(envelope.t)[:7])
    _count(tally, "by asking authority", _org(entry))
    _count(tally, "by owner", envelope.owner.country if envelope.owner else _UNNAMED)
    _count(tally, "by legal basis", envelope.basis or _UNNAMED)
    _count(tally, "by outcome", envelope.status.value)
    if refused:
        for rule in envelope.rules:
            _count(tally, "refusals by rule", rule)
    if detail is not None:
        _count(tally, "by offence", str(detail.get("offence") or _UNNAMED))
        _count(tally, "by grounds", str(detail.get("grounds") or _UNNAMED))
        for name, member in DEMANDED.items():
            tally.present[name] += bool(detail.get(member))


def _count(tally: _Tally, name: str, value: str) -> None:
    tally.counts.setdefault(name, Counter())[value] += 1


def _org(entry: Opened) -> str:
    return _UNNAMED if entry.envelope.requester is None else entry.envelope.requester.org


def _of_child(detail: Mapping[str, Any]) -> bool:
    facts = detail.get("facts")
    return isinstance(facts, list) and any(
        _CHILD in (*seen.get("sure", ()), *seen.get("maybe", ())) for seen in facts
    )


def draw_number(seed: str, origin: str, index: int) -> int:
    """The number by which an entry is drawn: those with the smallest ones are the sample."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{origin}\n{index}\n".encode()).digest())


def _draw(tally: _Tally, entry: Opened, seed: str, size: int) -> None:
    item = (-draw_number(seed, entry.origin, entry.index), entry.index, entry)
    if len(tally.sample) < size:
        heapq.heappush(tally.sample, item)
    elif size and item[0] > tally.sample[0][0]:
        heapq.heapreplace(tally.sample, item)


def _sampled(entry: Opened) -> Sampled:
    envelope, detail = entry.envelope, entry.detail
    missing: Sequence[str] = [
        name for name, member in DEMANDED.items() if detail is None or not detail.get(member)
    ]
    return Sampled(
        log=entry.origin,
        index=entry.index,
        t=format_time(envelope.t),
        org=_org(entry),
        owner=_UNNAMED if envelope.owner is None else envelope.owner.country,
        basis=envelope.basis or _UNNAMED,
        decision=envelope.decision.value,
        status=envelope.status.value,
        rules=envelope.rules,
        missing=tuple(missing),
        detail=detail,
    )
