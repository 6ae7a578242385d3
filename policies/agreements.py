# SPDX-License-Identifier: EUPL-1.2
"""`agreements.csv`: what two parties agreed, for which purposes and data, and by which clocks.

An agreement counts for a question when it is of the kind that a guard asks for, between exactly
this pair, on this day, for this purpose, and covers all categories asked (RDM-01, RDM-04, RDM-08,
EUR-27). A row that nobody has verified against a published text, or whose first day is open, is
only possibly in force: the allow lines that need it do not fire and the floor's denials do. The
gateway's facts about a question rely on `Agreements.truth`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from policies.errors import PolicyError, Problems
from policies.question import Question, Truth
from policies.table import AND, NONE, Row, read_day, read_table
from policies.vocabulary import INTERNATIONAL, Vocabulary

FILE = "agreements.csv"
HEADER = (
    "id",
    "kind",
    "a",
    "b",
    "purposes",
    "fields",
    "signed",
    "from",
    "to",
    "status",
    "clocks",
    "silence",
    "contacts",
    "reference",
)
KINDS = ("readmission", "sharing", "liaison")
CLOCKS = ("request", "reply", "reply_fast", "extension", "transfer")
"""For making a request, answering it, answering at the border, by how much longer, carrying out."""
_CLOCK = re.compile(r"([a-z_]+) ([1-9][0-9]{0,2})([hdmy])\Z")
_SILENCE = ("agreed", "refused", NONE)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement of one pair.

    Attributes:
        purposes: what may be asked under it.
        fields: what it covers, each a dataset or "dataset.category".
        first: first day, `last` last day, both inclusive; None means open.
        clocks: by name of `CLOCKS`, a number with its unit: h, d(ays), m(onths), y(ears).
        silence: what a reply that does not come means: "agreed", "refused", or "-" for open.
        contacts: organisations that are asked about it.
    """

    id: str
    kind: str
    a: str
    b: str
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    signed: date | None
    first: date | None
    last: date | None
    verified: bool
    clocks: Mapping[str, str]
    silence: str
    contacts: tuple[str, ...]
    reference: str

    @property
    def parties(self) -> frozenset[str]:
        """The pair, in no order."""
        return frozenset((self.a, self.b))

    def in_force(self, on: date) -> Truth:
        """What is known about the agreement on a day."""
        if self.last is not None and on > self.last:
            return Truth.FALSE
        if self.first is not None and on < self.first:
            return Truth.FALSE
        return Truth.TRUE if self.verified and self.first is not None else Truth.POSSIBLE

    def covers(self, purpose: str, dataset: str, categories: Iterable[str]) -> bool:
        """Whether it speaks of this purpose and of every category asked; () means all of them."""
        if purpose not in self.purposes:
            return False
        if dataset in self.fields:
            return True
        asked = [f"{dataset}.{category}" for category in categories]
        return bool(asked) and set(asked) <= set(self.fields)


@dataclass(frozen=True, slots=True)
class Agreements:
    """All rows, in file order."""

    rows: tuple[Agreement, ...]

    def truth(self, kind: str, a: str, b: str, on: date, asked: Question) -> Truth:
        """Whether this pair, in either order, has such an agreement for what is asked.

        Raises:
            PolicyError: there is no such kind.
        """
        if kind not in KINDS:
            raise PolicyError(f"there is no kind of agreement called {kind}; see agreements.csv")
        pair = frozenset((a, b))
        found = {
            row.in_force(on)
            for row in self.rows
            if row.kind == kind
            and row.parties == pair
            and row.covers(asked.purpose, asked.dataset, asked.categories)
        }
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
        for fault in (*_party_faults(row, vocabulary), *_content_faults(row, vocabulary)):
            problems.add(row.file, row.line, fault)
        found.setdefault(row["id"], _agreement(row, problems))
    return Agreements(tuple(found.values()))


def _party_faults(row: Row, vocabulary: Vocabulary) -> Iterator[str]:
    if row["kind"] not in KINDS:
        yield f"kind must be one of {', '.join(KINDS)}"
    bodies = {o.id for o in vocabulary.organisations.values() if o.country == INTERNATIONAL}
    first: Iterable[str] = bodies if row["kind"] == "liaison" else vocabulary.countries
    if row["a"] not in first:
        yield f"a names {row['a']}, which cannot have an agreement of this kind"
    if row["b"] not in vocabulary.countries or row["a"] == row["b"]:
        yield "b must be another country of the vocabulary"
    if row["status"] not in ("verified", "unverified"):
        yield "status must be verified or unverified"


def _content_faults(row: Row, vocabulary: Vocabulary) -> Iterator[str]:
    fields = {*vocabulary.datasets, *(f"{c.dataset}.{c.category}" for c in vocabulary.cells)}
    lists: Mapping[str, Iterable[str]] = {
        "purposes": vocabulary.purposes,
        "fields": fields,
        "contacts": vocabulary.organisations,
    }
    for column, known in lists.items():
        items = row.items(column)
        if len(set(items)) != len(items):
            yield f"{column} names something twice"
        for item in items:
            if item not in known:
                yield f"{column} names {item}, which is not in the vocabulary"
        if not items and column != "contacts":
            yield f"{column} must not be empty: an agreement covers what it names"
    clocks = [_CLOCK.match(item) for item in row.items("clocks")]
    names = [clock.group(1) for clock in clocks if clock]
    if len(names) != len(clocks) or len(set(names)) != len(names) or set(names) - set(CLOCKS):
        yield f"clocks must be like reply 10d{AND}transfer 3m, of {', '.join(CLOCKS)}, each once"
    if row["silence"] not in _SILENCE:
        yield f"silence must be one of {', '.join(_SILENCE)}"


def _agreement(row: Row, problems: Problems) -> Agreement:
    first, last = read_day(row, "from", problems), read_day(row, "to", problems)
    if first is not None and last is not None and first > last:
        problems.add(row.file, row.line, "ends before it begins")
    clocks = dict(item.partition(" ")[::2] for item in row.items("clocks"))
    return Agreement(
        id=row["id"],
        kind=row["kind"],
        a=row["a"],
        b=row["b"],
        purposes=row.items("purposes"),
        fields=row.items("fields"),
        signed=read_day(row, "signed", problems),
        first=first,
        last=last,
        verified=row["status"] == "verified",
        clocks=MappingProxyType(clocks),
        silence=row["silence"],
        contacts=row.items("contacts"),
        reference=row["reference"],
    )
