# SPDX-License-Identifier: EUPL-1.2
"""Taking out of an index whatever an erased detail left in it.

An erasure is an entry that names the entries it concerns; a sync remembers them and forgets each as
soon as the copy no longer holds its detail. `sweep` looks at every entry instead. Deleted bytes are
overwritten and the file is rewritten, so that nothing stays in it (Eurodac Art. 41(4)).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from audit.review.following import Source, check_continues, check_details
from audit.review.index_file import LogState, guarded, log_state, part_of, read_part, write_part
from audit.review.postings import PART

_ERASED: Final = "detail=erased"
_STATES: Final = ("detail=open", "detail=sealed")
_CHUNK: Final = 4096


def _gone(copy: Source, start: int, stop: int) -> Iterator[int]:
    for first in range(start, stop, _CHUNK):
        for row in copy.rows(first, min(first + _CHUNK, stop)):
            if row.blob is None:
                yield row.index


def forget_announced(con: sqlite3.Connection, copy: Source, state: LogState) -> int:
    """Forget those of the announced erasures that the copy shows as done; how many there were."""
    gone: list[int] = []
    rows = con.execute(
        "SELECT DISTINCT first, stop FROM awaited WHERE log = ?", (state.number,)
    ).fetchall()
    done = []
    for first, stop in rows:
        end = min(stop, state.frontier.size)
        found = list(_gone(copy, first, end))
        gone += found
        if len(found) == end - first:
            done.append((state.number, first, stop))
    forgotten = forget(con, state.origin, gone)
    con.execute("BEGIN IMMEDIATE")  # one flush for all of them
    con.executemany("DELETE FROM awaited WHERE log = ? AND first = ? AND stop = ?", done)
    con.execute("COMMIT")
    return forgotten


def sweep(con: sqlite3.Connection, copy: Source) -> int:
    """Forget whatever the copy no longer holds, announced or not; reads the whole copy.

    Raises:
        LogCorruptError: the copy is of another log.
        LogUnavailableError: copy or index cannot be read or written now.
    """
    check_details(copy)
    head = copy.head()
    state = log_state(con, "" if head is None else head.origin)
    check_continues(state.frontier, copy)
    return forget(con, state.origin, _gone(copy, 0, state.frontier.size))


def forget(con: sqlite3.Connection, origin: str, indices: Iterable[int]) -> int:
    """Remove every token of these entries; how many of them had a detail that the index knew.

    Needs no key. The file is rewritten afterwards, so that no deleted byte stays in it.

    Raises:
        LogUnavailableError: the index does not cover this log, or cannot be written now.
    """
    with guarded():
        state = log_state(con, origin)
        parts: dict[int, set[int]] = defaultdict(set)
        for index in indices:
            if index < state.frontier.size:
                parts[index // PART].add(index % PART)
        done = sum(
            _forget_part(con, part_of(state.number, part), offsets)
            for part, offsets in sorted(parts.items())
        )
        if done:
            con.execute("VACUUM")
        return done


def _forget_part(con: sqlite3.Connection, number: int, offsets: set[int]) -> int:
    words, tokens, times = read_part(con, number)
    known = {offset for word in _STATES for offset in words.get(word, ())} & offsets
    if not known:
        return 0
    for word in _STATES:
        words[word] = [offset for offset in words.get(word, ()) if offset not in known]
    words[_ERASED] = sorted(known.union(words.get(_ERASED, ())))
    kept = {
        term: [offset for offset in found if offset not in known] for term, found in tokens.items()
    }
    con.execute("BEGIN IMMEDIATE")
    write_part(
        con,
        number,
        {term: found for term, found in words.items() if found},
        {term: found for term, found in kept.items() if found},
        times,
    )
    con.execute("COMMIT")
    return len(known)
