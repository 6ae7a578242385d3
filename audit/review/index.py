# SPDX-License-Identifier: EUPL-1.2
"""The searchable index of a log, derived from a copy of it, on the officer's own machine.

`sync` takes what is new and checks that the copy continues the log that was read before; `verify`
computes every part again from the entries. Where an erasure shows, what the erased detail left in
the index goes too (`audit.review.erased`). Nothing of a detail stands in the file but tokens.
Eurodac Art. 41(4); docs/formats/review-index.md. The commands `cuvar review` rely on it.
"""

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from audit.envelope import EPOCH
from audit.errors import EnvelopeError, LogCorruptError
from audit.ranges import spans_of
from audit.review.erased import forget_announced
from audit.review.following import (
    Frontier,
    Source,
    check_arrived,
    check_continues,
    check_details,
    followed,
)
from audit.review.index_file import (
    LogState,
    guarded,
    log_state,
    logs,
    part_of,
    read_part,
    write_part,
)
from audit.review.opened import Opener, StoredRow
from audit.review.postings import PART
from audit.review.searchkey import SearchKey
from audit.review.terms import values_of, words_of
from audit.sealing import Unsealer

_MICRO: Final = timedelta(microseconds=1)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did: of which log, entries taken, entries forgotten, entries in all."""

    origin: str
    added: int
    forgotten: int
    size: int


@dataclass(slots=True)
class _Part:
    """One part on its way: owned by the one loop that fills it."""

    words: dict[str, Any] = field(default_factory=lambda: defaultdict(lambda: array("H")))
    tokens: dict[bytes, Any] = field(default_factory=lambda: defaultdict(lambda: array("H")))
    times: "array[int]" = field(default_factory=lambda: array("q"))
    erasures: list[tuple[str, range]] = field(default_factory=list)


class Indexer:
    """Derives an index from copies, with one officer's keys."""

    def __init__(self, con: sqlite3.Connection, key: SearchKey, unsealer: Unsealer) -> None:
        """Use an index opened with this key."""
        self._con = con
        self._key = key
        self._opener = Opener(unsealer)

    def sync(self, copy: Source, on_progress: Progress | None = None) -> Synced:
        """Take what is new in a copy, part by part, each in one transaction.

        Raises:
            LogCorruptError: the copy does not continue what the index was made of, or is damaged.
            LogUnavailableError: copy or index cannot be read or written now.
        """
        with guarded():
            check_details(copy)
            state, fresh = self._state(copy)
            known = state.frontier
            before = known.size
            head = check_continues(known, copy)
            while known.size < head.size:
                stop = min((known.size // PART + 1) * PART, head.size)
                self._take(copy, state, stop)
                if on_progress is not None:
                    on_progress(known.size, head.size)
            try:
                check_arrived(known, head)
            except LogCorruptError:  # it changed between the two readings
                if fresh:
                    self._drop(state)
                raise
            forgotten = forget_announced(self._con, copy, state)
            return Synced(state.origin, known.size - before, forgotten, known.size)

    def _state(self, copy: Source) -> tuple[LogState, bool]:
        head = copy.head()
        origin = "" if head is None else head.origin
        found = [state for state in logs(self._con) if state.origin == origin]
        if found:
            return found[0], False
        check_continues(Frontier(), copy)
        added = self._con.execute(
            "INSERT INTO log (origin, size, subtrees) VALUES (?, 0, x'')", (origin,)
        )
        return LogState(added.lastrowid or 0, origin, Frontier()), True

    def _drop(self, state: LogState) -> None:
        low, high = part_of(state.number, 0), part_of(state.number + 1, 0)
        self._con.execute("BEGIN IMMEDIATE")
        for sql in (
            "DELETE FROM word WHERE part >= ? AND part < ?",
            "DELETE FROM token WHERE part >= ? AND part < ?",
            "DELETE FROM part WHERE number >= ? AND number < ?",
        ):
            self._con.execute(sql, (low, high))
        self._con.execute("DELETE FROM awaited WHERE log = ?", (state.number,))
        self._con.execute("DELETE FROM log WHERE number = ?", (state.number,))
        self._con.execute("COMMIT")

    def _take(self, copy: Source, state: LogState, stop: int) -> None:
        known = state.frontier
        number = part_of(state.number, known.size // PART)
        part = _Part()
        words, tokens, times = read_part(self._con, number)
        part.words.update({term: array("H", offsets) for term, offsets in words.items()})
        part.tokens.update({term: array("H", offsets) for term, offsets in tokens.items()})
        part.times.frombytes(times)
        for row in followed(copy, known, stop):
            self._read(row, state.origin, part)
        numbers = {one.origin: one.number for one in logs(self._con)} | {state.origin: state.number}
        self._con.execute("BEGIN IMMEDIATE")
        write_part(self._con, number, part.words, part.tokens, part.times.tobytes())
        self._con.execute(
            "UPDATE log SET size = ?, subtrees = ? WHERE number = ?",
            (known.size, known.stored, state.number),
        )
        self._con.executemany(
            "INSERT INTO awaited VALUES (?, ?, ?)",
            [(numbers[log], s.start, s.stop) for log, s in part.erasures if log in numbers],
        )
        self._con.execute("COMMIT")

    def _read(self, row: StoredRow, origin: str, part: _Part) -> None:
        envelope = _members(row, origin)
        offset = row.index % PART
        state, detail = self._opener.detail(row, envelope["detail"])
        part.times.append((datetime.fromisoformat(envelope["t"]) - EPOCH) // _MICRO)
        for word in words_of(envelope):
            part.words[word].append(offset)
        part.words[f"detail={state}"].append(offset)
        if detail is not None:
            token = self._key.token
            for found in {token(column, origin, value) for column, value in values_of(detail)}:
                part.tokens[found].append(offset)
        if envelope["kind"] == "erasure":
            log = origin if envelope.get("link") is None else envelope["link"]["log"]
            part.erasures += [(log, span) for span in _about(envelope)]

    def verify(self, copy: Source, on_progress: Progress | None = None) -> list[str]:
        """Compute every part of a log again from its entries; what differs, in words.

        Raises:
            LogCorruptError: the copy is not of the log that the index was made of, or is damaged.
            LogUnavailableError: the index does not cover this log.
        """
        with guarded():
            check_details(copy)
            head = copy.head()
            state = log_state(self._con, "" if head is None else head.origin)
            check_continues(state.frontier, copy)
            wrong: list[str] = []
            anew = Frontier()
            while anew.size < state.frontier.size:
                start = anew.size
                part = _Part()
                stop = min(start + PART, state.frontier.size)
                for row in followed(copy, anew, stop):
                    self._read(row, state.origin, part)
                wrong += self._differences(part_of(state.number, start // PART), start, part)
                if on_progress is not None:
                    on_progress(anew.size, state.frontier.size)
            if anew.subtrees != state.frontier.subtrees:
                wrong.append("the index was made of other entries; build it anew")
            return wrong + self._surplus(state)

    def _differences(self, number: int, start: int, part: _Part) -> list[str]:
        words, tokens, times = read_part(self._con, number)
        whose = f"entries from {start}"
        found = [
            f"{whose}: the word {term} is indexed wrongly"
            for term in sorted(words.keys() | part.words.keys())
            if list(part.words.get(term, ())) != words.get(term, [])
        ]
        differing = sum(
            list(part.tokens.get(term, ())) != tokens.get(term, [])
            for term in tokens.keys() | part.tokens.keys()
        )
        if differing:
            found.append(f"{whose}: {differing} tokens are not those of the details")
        if part.times.tobytes() != times:
            found.append(f"{whose}: the times are not those of the entries")
        return found

    def _surplus(self, state: LogState) -> list[str]:
        low = part_of(state.number, -(-state.frontier.size // PART))
        high = part_of(state.number + 1, 0)
        return [
            f"the index holds {table}s of entries that are not in the log"
            for table in ("word", "token")
            if self._con.execute(
                f"SELECT 1 FROM {table} WHERE part >= ? AND part < ?",  # noqa: S608 - two names
                (low, high),
            ).fetchone()
        ]


def _members(row: StoredRow, origin: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(row.envelope if isinstance(row.envelope, bytes) else b"")
        if found["log"] == origin:
            return dict(found)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise LogCorruptError(
        f"entry {row.index} is not an entry of {origin}; run `cuvar audit verify` on this copy"
    )


def _about(envelope: Mapping[str, Any]) -> list[range]:
    try:
        return spans_of(envelope.get("about", ()))
    except EnvelopeError:
        return []
