# SPDX-License-Identifier: EUPL-1.2
"""`terms.csv` of a folder: allow lines that end (docs/formats/rules.md, "Terms").

A term gives an allow line a first and last day, a number of uses, or a number of days after which
it lapses unused. Only allow lines have terms: a denial that ended by itself would open a door that
nobody signed for. Days are decided when rules are loaded; uses are counted by the gateway, which
takes spent and lapsed lines out of force with `Snapshot.without`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from policies.errors import Problems
from policies.line import Line
from policies.table import NONE, Row, read_day, read_table

FILE = "terms.csv"
HEADER = ("rule", "from", "to", "uses", "unused_days")
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Term:
    """How long one allow line is in force; None means no such limit.

    Attributes:
        first: its first day; `last` its last.
        uses: how many answers it may give.
        unused_days: it lapses on the day after so many days without an answer, counted from the
            first day or the last answer.
    """

    rule: str
    file: str
    line: int
    first: date | None
    last: date | None
    uses: int | None
    unused_days: int | None

    @property
    def key(self) -> str:
        """What uses are counted under: a term that is signed anew with other limits starts anew."""
        parts = (self.rule, self.first, self.last, self.uses, self.unused_days)
        return "|".join(NONE if part is None else str(part) for part in parts)

    @property
    def counted(self) -> bool:
        """Whether it takes a count of uses to know if it is over."""
        return self.uses is not None or self.unused_days is not None

    def covers(self, day: date) -> bool:
        """Whether the line may be in force on a day, by its days alone."""
        after = self.first is None or self.first <= day
        return after and (self.last is None or day <= self.last)

    def over(self, uses: int, last_use: date | None, today: date) -> bool:
        """Whether it is spent, or lapsed by not being used."""
        if self.uses is not None and uses >= self.uses:
            return True
        since = last_use or self.first
        if self.unused_days is None or since is None:
            return False
        return today > since + timedelta(days=self.unused_days)


def load_terms(
    files: Mapping[str, bytes], folders: Mapping[str, Iterable[Line]], problems: Problems
) -> Mapping[str, Term]:
    """The terms of all folders, by rule id; the file is optional in each.

    `folders` are the lines of each folder's files, by the folder's name in the rule set.
    """
    found: dict[str, Term] = {}
    for folder, lines in folders.items():
        name = f"{folder}/{FILE}"
        if name not in files:
            continue
        own = {line.id: line for line in lines}
        for row in read_table(files, name, HEADER, problems):
            term = _term(row, problems)
            for fault in _faults(row, term, own, found):
                problems.add(name, row.line, fault)
            found.setdefault(term.rule, term)
    return MappingProxyType(found)


def _faults(
    row: Row, term: Term, own: Mapping[str, Line], found: Mapping[str, Term]
) -> Iterable[str]:
    line = own.get(term.rule)
    if line is None:
        yield f"{term.rule} is no line of this folder"
    elif line.eft != "allow":
        yield f"{term.rule} is a denial, and a denial does not end by itself"
    if term.rule in found:
        yield f"{term.rule} has two terms"
    if all(row[column] == NONE for column in HEADER[1:]):
        yield "says nothing; take the line out"
    if term.first is not None and term.last is not None and term.first > term.last:
        yield "ends before it begins"
    if term.unused_days is not None and term.first is None:
        yield "unused_days needs a first day to count from"


def _term(row: Row, problems: Problems) -> Term:
    return Term(
        rule=row["rule"],
        file=row.file,
        line=row.line,
        first=read_day(row, "from", problems),
        last=read_day(row, "to", problems),
        uses=_count(row, "uses", problems),
        unused_days=_count(row, "unused_days", problems),
    )


def _count(row: Row, column: str, problems: Problems) -> int | None:
    text = row[column]
    if text == NONE:
        return None
    good = text.isascii() and text.isdigit() and not text.startswith("0")
    if not good or len(text) > len(str(_MOST)) or int(text) > _MOST:
        problems.add(row.file, row.line, f"{column} must be a number from 1 to {_MOST}, or -")
        return None
    return int(text)
