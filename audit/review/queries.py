# SPDX-License-Identifier: EUPL-1.2
"""Look-ups in an index: typed filters, newest first, page by page.

Values of one filter are alternatives, filters restrict one another. Officer, unit, person and case
are computed into tokens here, so they need the officer's key and stand in no file. A part of 65,536
entries is skipped by the database when one wanted term does not occur in it; within a part offsets
are intersected, the rarest first. `audit.review.saved` keeps filters by name.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from audit.envelope import EPOCH
from audit.review.index_file import LogState, guarded, log_state, part_of
from audit.review.postings import PART, Offsets, common, either
from audit.review.searchkey import Column, SearchKey

_MICRO: Final = timedelta(microseconds=1)
_WORDS: Final = {
    "purposes": "purpose",
    "bases": "basis",
    "decisions": "decision",
    "statuses": "status",
    "rules": "rule",
    "kinds": "kind",
    "ops": "op",
    "roles": "role",
    "orgs": "org",
    "datasets": "dataset",
    "owners": "owner",
    "requesters": "requester",
    "countries": "country",
    "details": "detail",
}
_TOKENS: Final = {
    "officers": Column.OFFICER,
    "units": Column.UNIT,
    "persons": Column.PERSON,
    "cases": Column.CASE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is looked for; an empty tuple does not restrict.

    Attributes:
        persons: the owner's references, case numbers, document numbers or biometric references.
        countries: either side.
        details: open, sealed, erased or none.
        since: the first moment, aware.
        until: the first moment that is no longer meant, aware.
    """

    officers: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    orgs: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    requesters: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __repr__(self) -> str:
        """Which filters are set, never their values: some name persons."""
        told = [field.name for field in fields(self) if getattr(self, field.name)]
        return f"Filter({', '.join(told)})"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: entry numbers, newest first, and where the next begins (None at the end)."""

    entries: tuple[int, ...]
    before: int | None


def find(
    con: sqlite3.Connection,
    key: SearchKey,
    origin: str,
    wanted: Filter,
    *,
    before: int | None = None,
    limit: int = 50,
) -> Page:
    """The newest entries of one log that fit, below `before` if it is given.

    Raises:
        LogUnavailableError: the index does not cover this log, or cannot be read.
        LogCorruptError: the index is damaged.
    """
    found: list[int] = []
    for base, offsets in _matches(con, key, origin, wanted, before):
        missing = limit + 1 - len(found)
        found += (base + offsets[::-1][:missing].astype(np.int64)).tolist()
        if len(found) > limit:
            return Page(tuple(found[:limit]), found[limit - 1])
    return Page(tuple(found), None)


def count(con: sqlite3.Connection, key: SearchKey, origin: str, wanted: Filter) -> int:
    """How many entries of one log fit.

    Raises:
        LogUnavailableError: the index does not cover this log, or cannot be read.
        LogCorruptError: the index is damaged.
    """
    return sum(len(offsets) for _, offsets in _matches(con, key, origin, wanted, None))


def _groups(key: SearchKey, origin: str, wanted: Filter) -> list[tuple[str, list[bytes | str]]]:
    """Table and alternative terms of each filter, tokens first: they are the rarest."""
    groups: list[tuple[str, list[bytes | str]]] = []
    for name, column in _TOKENS.items():
        values = getattr(wanted, name)
        if values:
            groups.append(("token", [key.token(column, origin, value) for value in values]))
    for name, word in _WORDS.items():
        values = getattr(wanted, name)
        if values:
            groups.append(("word", [f"{word}={value}" for value in values]))
    return groups


def _matches(
    con: sqlite3.Connection, key: SearchKey, origin: str, wanted: Filter, before: int | None
) -> Iterator[tuple[int, Offsets]]:
    """First entry of each part that holds any, and the offsets in it, newest part first."""
    with guarded():
        state = log_state(con, origin)
        first = 0 if wanted.since is None else _at(con, state, wanted.since)
        stop = state.frontier.size if wanted.until is None else _at(con, state, wanted.until)
        stop = stop if before is None else min(stop, before)
        if first >= stop:
            return
        groups = _groups(key, origin, wanted)
        low, high = (part_of(state.number, n // PART) for n in (first, stop - 1))
        for number, *packed in _rows(con, groups, (low, high)):
            base = (number - part_of(state.number, 0)) * PART
            offsets = _common(groups, packed)
            offsets = offsets[np.searchsorted(offsets, max(first - base, 0)) :]
            offsets = offsets[: np.searchsorted(offsets, min(stop - base, PART))]
            if len(offsets):
                yield base, offsets


def _rows(
    con: sqlite3.Connection,
    groups: list[tuple[str, list[bytes | str]]],
    bounds: tuple[int, int],
) -> Iterator[Any]:
    """Part number and packed offsets of each term; every group occurs in the part."""
    columns, joins, needed = ["p.number"], list[str](), list[str]()
    values: list[bytes | str] = []
    for table, terms in groups:
        names = [f"t{len(values) + i}" for i in range(len(terms))]
        kind = "CROSS JOIN" if len(terms) == 1 else "LEFT JOIN"
        joins += [f"{kind} {table} {n} ON {n}.part = p.number AND {n}.term = ?" for n in names]
        columns += [f"{n}.offsets" for n in names]
        if len(terms) > 1:
            needed.append("(" + " OR ".join(f"{n}.part IS NOT NULL" for n in names) + ")")
        values += terms
    where = " AND ".join(["p.number BETWEEN ? AND ?", *needed])
    sql = f"SELECT {', '.join(columns)} FROM part p {' '.join(joins)}"  # noqa: S608 - own names
    return con.execute(f"{sql} WHERE {where} ORDER BY p.number DESC", (*values, *bounds))


def _common(groups: list[tuple[str, list[bytes | str]]], packed: list[object]) -> Offsets:
    """Offsets that every group has, where one of its terms is enough."""
    sides: list[object] = []
    at = 0
    for _, terms in groups:
        sides.append(either(packed[at : at + len(terms)]))
        at += len(terms)
    return common(sides)


def _at(con: sqlite3.Connection, state: LogState, moment: datetime) -> int:
    """The number of the first entry that is not before a moment; times never go backwards."""
    micros = (moment - EPOCH) // _MICRO
    low, high = part_of(state.number, 0), part_of(state.number + 1, 0)
    row = con.execute(
        "SELECT number, times FROM part WHERE number >= ? AND number < ? AND last >= ?"
        " ORDER BY number LIMIT 1",
        (low, high, micros),
    ).fetchone()
    if row is None:
        return state.frontier.size
    inside = int(np.searchsorted(np.frombuffer(row[1], dtype="<i8"), micros))
    return int(row[0] - low) * PART + inside
