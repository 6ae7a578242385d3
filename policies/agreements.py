# SPDX-License-Identifier: EUPL-1.2
"""`agreements.csv`: which pair has which agreement in force on a date (RDM-01, RDM-04, EUR-27).

A row that nobody has verified against a published text, or whose first day is open, is only
possibly in force: the allow lines that need it do not fire and the floor's denials do. The
gateway's facts about a question rely on `Agreements.truth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from policies.errors import PolicyError, Problems
from policies.question import Truth
from policies.table import Row, read_day, read_table
from policies.vocabulary import INTERNATIONAL, Vocabulary

FILE = "agreements.csv"
HEADER = ("id", "kind", "a", "b", "signed", "from", "to", "status", "reference")
KINDS = ("readmission", "liaison")


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement of one pair; `first` and `last` day are inclusive, None means open."""

    id: str
    kind: str
    parties: frozenset[str]
    first: date | None
    last: date | None
    verified: bool
    reference: str

    def in_force(self, on: date) -> Truth:
        """What is known about the agreement on a day."""
        if self.last is not None and on > self.last:
            return Truth.FALSE
        if self.first is not None and on < self.first:
            return Truth.FALSE
        return Truth.TRUE if self.verified and self.first is not None else Truth.POSSIBLE


@dataclass(frozen=True, slots=True)
class Agreements:
    """All rows, in file order."""

    rows: tuple[Agreement, ...]

    def truth(self, kind: str, a: str, b: str, on: date) -> Truth:
        """Whether this pair, in either order, has an agreement of this kind in force.

        Raises:
            PolicyError: there is no such kind.
        """
        if kind not in KINDS:
            raise PolicyError(f"there is no kind of agreement called {kind}; see agreements.csv")
        pair = frozenset((a, b))
        found = {r.in_force(on) for r in self.rows if r.kind == kind and r.parties == pair}
        for truth in (Truth.TRUE, Truth.POSSIBLE):
            if truth in found:
                return truth
        return Truth.FALSE


def load_agreements(
    files: Mapping[str, bytes], vocabulary: Vocabulary, problems: Problems
) -> Agreements:
    """Reads the file; what is wrong goes into `problems`."""
    found: dict[str, Agreement] = {}
    for row in read_table(files, FILE, HEADER, problems):
        if row["id"] in found:
            problems.add(row.file, row.line, f"the id {row['id']} is used twice")
        for fault in _faults(row, vocabulary):
            problems.add(row.file, row.line, fault)
        found.setdefault(row["id"], _agreement(row, problems))
    return Agreements(tuple(found.values()))


def _faults(row: Row, vocabulary: Vocabulary) -> list[str]:
    faults = []
    if row["kind"] not in KINDS:
        faults.append(f"kind must be one of {', '.join(KINDS)}")
    agencies = {o.id for o in vocabulary.organisations.values() if o.country == INTERNATIONAL}
    first = vocabulary.countries if row["kind"] == "readmission" else agencies
    if row["a"] not in first:
        faults.append(f"a names {row['a']}, which cannot have an agreement of this kind")
    if row["b"] not in vocabulary.countries or row["a"] == row["b"]:
        faults.append("b must be another country of the vocabulary")
    if row["status"] not in ("verified", "unverified"):
        faults.append("status must be verified or unverified")
    return faults


def _agreement(row: Row, problems: Problems) -> Agreement:
    read_day(row, "signed", problems)
    first, last = read_day(row, "from", problems), read_day(row, "to", problems)
    if first is not None and last is not None and first > last:
        problems.add(row.file, row.line, "ends before it begins")
    return Agreement(
        id=row["id"],
        kind=row["kind"],
        parties=frozenset((row["a"], row["b"])),
        first=first,
        last=last,
        verified=row["status"] == "verified",
        reference=row["reference"],
    )
