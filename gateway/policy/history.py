# SPDX-License-Identifier: EUPL-1.2
"""Past questions out of a log, equal ones together: what `policies.replay` decides again.

The log is read as it is stored and nothing of it is proved here; `cuvar audit verify` does that.
Whatever holds no question that can be decided again is counted by its reason. Only the first entry
of each group is parsed as a whole, so that a million entries take seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson

from audit import Envelope, EnvelopeError, Sealed, SealError, StoredEntry, parse_envelope
from audit.asked import Unasked, question_part
from audit.copies import Copy, Row
from audit.sealing import Unsealer
from policies import Question, Truth
from policies.replay import Facts, Past

_CHUNK: Final = 8_192
_OWNER: Final = b',"owner":{"country":"'
_GROUPS: Final = 100_000
_EXAMPLES: Final = 5
_NO_RECORDS: Final[frozenset[Facts]] = frozenset()
INCOMPLETE: Final = "a question without asker, owner, purpose, basis or rule set"
NOT_PARTY: Final = "between other countries"
OTHER_SIDE: Final = "the asker's side of a question that counts in the owner's log"


@dataclass(slots=True)
class _Group:
    past: Past
    elsewhere: bool
    count: int = 0
    entries: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of one log, from `start` up to and without `stop`.

    `elsewhere` are countries whose logs are read too: what is asked of their data stands there.
    """

    copy: Copy
    origin: str
    start: int
    stop: int
    elsewhere: frozenset[str] = frozenset()

    def stands_elsewhere(self, data: object) -> bool:
        """Whether this is the asker's side of a question whose owner's side is read too."""
        if not self.elsewhere or not isinstance(data, bytes):
            return False
        place = data.find(_OWNER)
        if place < 0:
            return False
        start = place + len(_OWNER)
        return data[start : data.find(b'"', start)].decode("ascii", "replace") in self.elsewhere


class History:
    """Reads logs.

    Attributes:
        skipped: entries that hold no question to decide again, by reason; complete once every
            past question was taken.
        sealed: entries whose sealed detail this key does not open, or that have none any more.
    """

    def __init__(
        self, policy: str, *, unsealer: Unsealer | None = None, party: str | None = None
    ) -> None:
        """Prepare.

        Args:
            policy: digest of the rules in force.
            unsealer: opens the details, for the facts of the records.
            party: only entries of which this country is owner or asker.
        """
        self._policy = policy
        self._unsealer = unsealer
        self._party = party
        self.skipped: Counter[str] = Counter()
        self.sealed = 0

    def pasts(
        self, log: Stretch, on_progress: Callable[[int], None] | None = None
    ) -> Iterator[Past]:
        """The past questions among these entries; memory stays within a bound.

        Raises:
            LogCorruptError: a part of the file cannot be read.
            LogUnavailableError: the database does not answer.
        """
        groups: dict[object, _Group | str] = {}
        for first in range(log.start, log.stop, _CHUNK):
            last = min(first + _CHUNK, log.stop)
            if self._unsealer is None:
                self._count(log, log.copy.envelopes(first, last), groups)
            else:
                self._count_opened(log, first, last, groups)
            if on_progress is not None:
                on_progress(last - log.start)
            if len(groups) > _GROUPS:
                yield from _finished(groups.values())
                groups.clear()
        yield from _finished(groups.values())

    def _count(
        self,
        log: Stretch,
        rows: Iterable[tuple[int, object]],
        groups: dict[object, _Group | str],
    ) -> None:
        for index, data in rows:
            if log.stands_elsewhere(data):
                self.skipped[OTHER_SIDE] += 1
                continue
            part = question_part(data)
            group = groups.get(part)
            if group is None:
                group = self._found(part, data, _NO_RECORDS)
                if group is not Unasked.DAMAGED:
                    groups[part] = group
            self._add(group, log, index)

    def _count_opened(
        self, log: Stretch, first: int, last: int, groups: dict[object, _Group | str]
    ) -> None:
        for row in log.copy.rows(first, last):
            if log.stands_elsewhere(row.envelope):
                self.skipped[OTHER_SIDE] += 1
                continue
            part = question_part(row.envelope)
            records = _NO_RECORDS
            if not isinstance(part, Unasked):
                records = self._records(row)
            key = (part, records)
            group = groups.get(key)
            if group is None:
                group = self._found(part, row.envelope, records)
                if group is not Unasked.DAMAGED:
                    groups[key] = group
            self._add(group, log, row.index)

    def _add(self, group: _Group | str, log: Stretch, index: int) -> None:
        if isinstance(group, str):
            self.skipped[str(group)] += 1
            return
        group.count += 1
        if len(group.entries) < _EXAMPLES:
            group.entries.append(f"{log.origin}/{index}")

    def _found(
        self, part: bytes | Unasked, data: object, records: frozenset[Facts]
    ) -> _Group | str:
        """A new group, or why entries like this one are left out."""
        if isinstance(part, Unasked) or not isinstance(data, bytes):
            return part if isinstance(part, Unasked) else Unasked.DAMAGED
        try:
            envelope = parse_envelope(data)
        except EnvelopeError:
            return Unasked.DAMAGED
        past = _past(envelope, records)
        if past is None:
            return INCOMPLETE
        if self._party not in (None, past.owner, past.question.country):
            return NOT_PARTY
        return _Group(past, envelope.policy != self._policy)

    def _records(self, row: Row) -> frozenset[Facts]:
        """The fact sets of an entry's records, if its own detail is there and this key opens it."""
        entry = row.entry()
        if self._unsealer is not None and entry is not None and _own_detail(entry):
            with suppress(SealError, ValueError, KeyError, TypeError):
                detail = orjson.loads(self._unsealer.open(cast("Sealed", entry.sealed)))
                return frozenset(_facts(one) for one in detail["facts"])
        self.sealed += 1
        return _NO_RECORDS


def _own_detail(entry: StoredEntry) -> bool:
    """Whether the detail is the one that the envelope commits to."""
    if entry.sealed is None:
        return False
    return f'"detail":"{entry.sealed.commitment.hex()}"'.encode() in entry.envelope


def _facts(lists: Mapping[str, Any]) -> Facts:
    return frozenset(
        [(str(name), Truth.TRUE) for name in lists["sure"]]
        + [(str(name), Truth.POSSIBLE) for name in lists["maybe"]]
    )


def _past(envelope: Envelope, records: frozenset[Facts]) -> Past | None:
    asked, requester, owner = envelope.asked, envelope.requester, envelope.owner
    if asked is None or requester is None or owner is None or envelope.policy is None:
        return None
    words = (requester.role, owner.dataset, envelope.purpose, envelope.basis)
    role, dataset, purpose, basis = words
    if role is None or dataset is None or purpose is None or basis is None:
        return None
    question = Question(
        role=role,
        org=requester.org,
        country=requester.country,
        action=asked.action,
        dataset=dataset,
        owners=(owner.country,),
        categories=asked.categories,
        view=asked.view,
        purpose=purpose,
        basis=basis,
        named=asked.named,
    )
    facts = _facts({"sure": asked.sure, "maybe": asked.maybe})
    return Past(question, owner.country, facts, records)


def _finished(groups: Iterable[_Group | str]) -> Iterator[Past]:
    for group in groups:
        if not isinstance(group, str):
            past = group.past
            yield Past(
                past.question,
                past.owner,
                past.facts,
                past.records,
                count=group.count,
                elsewhere=group.count if group.elsewhere else 0,
                entries=tuple(group.entries),
            )


def past_of(data: bytes) -> Past | None:
    """The question of one entry; None when it holds none that can be decided again.

    Raises:
        EnvelopeError: the bytes are no entry.
    """
    return _past(parse_envelope(data), _NO_RECORDS)
