# SPDX-License-Identifier: EUPL-1.2
"""`invariants.csv`: regions of the decision space in which nothing may be granted, or not without a
duty (docs/formats/rules.md, "Invariants").

An S row speaks of the floor alone, against a country that allows everything; a T row of the shipped
rules. `policies.proof` enumerates both, and `cuvar policy check` shows what breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policies.errors import Problems
from policies.table import BUT, EVERY, Row, read_table
from policies.vocabulary import Vocabulary
from policies.zones import Zones

FILE = "invariants.csv"
HEADER = (
    "id",
    "rules",
    "role",
    "org",
    "owner",
    "dataset",
    "category",
    "view",
    "action",
    "purpose",
    "when",
    "carries",
    "statement",
)
FLOOR = "floor"
_ID = re.compile(r"[ST][0-9]{2}[a-z]{0,2}\Z")


@dataclass(frozen=True, slots=True)
class Invariant:
    """One region; every column holds ids.

    Attributes:
        when: guards that are only possible; derived ones say which askers are meant. All other
            facts are at their best.
        carries: a granted cell must bring one of these duties; without any, nothing is granted.
    """

    id: str
    file: str
    line: int
    floor: bool
    roles: frozenset[str]
    orgs: frozenset[str]
    owners: frozenset[str]
    datasets: frozenset[str]
    categories: frozenset[str]
    views: frozenset[str]
    actions: frozenset[str]
    purposes: frozenset[str]
    when: frozenset[str]
    carries: frozenset[str]
    statement: str


def load_invariants(
    files: Mapping[str, bytes], vocabulary: Vocabulary, problems: Problems
) -> tuple[Invariant, ...]:
    """Reads the file; what is wrong goes into `problems`."""
    found: dict[str, Invariant] = {}
    for row in read_table(files, FILE, HEADER, problems):
        if not _ID.match(row["id"]) or row["id"] in found:
            problems.add(FILE, row.line, "the id must be S or T and two digits, used once")
        if row["rules"] not in (FLOOR, "shipped"):
            problems.add(FILE, row.line, "rules must be floor or shipped")
        words = _words(row, vocabulary)
        faults = [f"{name} {part}" for name, part in words.items() if isinstance(part, str)]
        for fault in faults:
            problems.add(FILE, row.line, fault)
        if not faults:
            found.setdefault(row["id"], _invariant(row, vocabulary, words))
    return tuple(found.values())


def _words(row: Row, vocabulary: Vocabulary) -> dict[str, tuple[str, ...] | str]:
    zones = Zones(vocabulary, None)
    names = {c for d in vocabulary.datasets.values() for c in d.categories}
    # "all but a" leaves single ids out of single ids; a group or kind would bring them back.
    groups = () if BUT in row["role"] else vocabulary.groups
    kinds = () if BUT in row["org"] else vocabulary.kinds
    plain = {
        "role": (*vocabulary.roles, *groups),
        "org": (*vocabulary.organisations, *kinds),
        "owner": tuple(vocabulary.countries),
        "category": tuple(sorted(names)),
        "view": tuple(vocabulary.views),
        "action": tuple(vocabulary.actions),
        "when": (*vocabulary.guards, *vocabulary.negatives),
        "carries": tuple(vocabulary.duties),
    }
    found: dict[str, tuple[str, ...] | str] = {
        "dataset": zones.dataset(row["dataset"]),
        "purpose": zones.purpose(row["purpose"]),
    }
    for column, words in plain.items():
        optional = column in ("when", "carries") and row[column] == "-"
        found[column] = () if optional else zones.plain(row[column], words)
    return found


def _invariant(
    row: Row, vocabulary: Vocabulary, words: Mapping[str, tuple[str, ...] | str]
) -> Invariant:
    def ids(column: str, every: Iterable[str]) -> frozenset[str]:
        part = words[column]
        return frozenset(every if part == (EVERY,) else part)

    kinds = vocabulary.kinds
    orgs = ids("org", vocabulary.organisations)
    roles = ids("role", vocabulary.roles)
    return Invariant(
        id=row["id"],
        file=row.file,
        line=row.line,
        floor=row["rules"] == FLOOR,
        roles=frozenset().union(*(vocabulary.groups.get(role, {role}) for role in roles)),
        orgs=frozenset(
            o.id
            for o in vocabulary.organisations.values()
            if o.id in orgs or (o.kind in orgs and o.kind in kinds)
        ),
        owners=ids("owner", vocabulary.countries),
        datasets=ids("dataset", vocabulary.datasets),
        categories=ids("category", {c.category for c in vocabulary.cells}),
        views=ids("view", vocabulary.views),
        actions=ids("action", vocabulary.actions),
        purposes=ids("purpose", vocabulary.purposes),
        when=ids("when", ()),
        carries=ids("carries", ()),
        statement=row["statement"],
    )
