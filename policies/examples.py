# SPDX-License-Identifier: EUPL-1.2
"""Worked examples: who asks what, and what must come of it (docs/formats/rules.md, "Examples").

A lawyer writes them beside the rules, and they run as tests and in `cuvar policy check`. The
folder's own file also names the deciding lines and duties; a country's file names the answer alone.
`policies.trial` runs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.errors import Problems
from policies.question import Question, Truth
from policies.table import Row, read_table
from policies.vocabulary import INTERNATIONAL, Vocabulary

FILE = "examples.csv"
HEADER = (
    "id",
    "org",
    "country",
    "role",
    "action",
    "dataset",
    "owner",
    "categories",
    "view_wanted",
    "purpose",
    "facts_sure",
    "facts_maybe",
    "expected",
)
FULL_HEADER = (*HEADER, "decided_by", "duties")
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Example:
    """One example.

    Attributes:
        facts: a truth for every fact that may be stated; what the row does not name is false.
        expected: the view of each category, None for refused.
        decided_by: ids of every deciding line and check, or None when the file does not say.
        duties: the union over all granted categories, or None when the file does not say.
    """

    id: str
    file: str
    line: int
    question: Question
    facts: Mapping[str, Truth]
    expected: Mapping[str, str | None]
    decided_by: frozenset[str] | None
    duties: frozenset[str] | None

    @property
    def owner(self) -> str:
        """The one owner that is asked."""
        return self.question.owners[0]


def load_examples(
    files: Mapping[str, bytes], vocabulary: Vocabulary, problems: Problems
) -> tuple[Example, ...]:
    """The examples of the folder and of every country; what is wrong goes into `problems`."""
    found: dict[str, Example] = {}
    for folder in (None, *vocabulary.countries):
        name = f"{folder}/{FILE}" if folder else FILE
        for row in read_table(files, name, HEADER if folder else FULL_HEADER, problems):
            if row["id"] in found:
                problems.add(name, row.line, f"the id {row['id']} is used twice")
            if folder not in (None, row["owner"], row["country"]):
                problems.add(name, row.line, f"neither asks {folder} nor comes from it")
            faults = tuple(_faults(row, vocabulary))
            for fault in faults:
                problems.add(name, row.line, fault)
            if not faults:
                found[row["id"]] = _example(row, vocabulary)
    return tuple(found.values())


def read_examples(name: str, raw: bytes, vocabulary: Vocabulary) -> tuple[Example, ...]:
    """Further examples from one file, with the columns of a country's or of the folder's file.

    Raises:
        RulesRefusedError: something in the file is broken; every place is named.
    """
    problems = Problems()
    full = raw.startswith(f"{','.join(FULL_HEADER)}\n".encode())
    found = []
    for row in read_table({name: raw}, name, FULL_HEADER if full else HEADER, problems):
        faults = tuple(_faults(row, vocabulary))
        for fault in faults:
            problems.add(name, row.line, fault)
        if not faults:
            found.append(_example(row, vocabulary))
    problems.raise_if_any()
    return tuple(found)


def _faults(row: Row, vocabulary: Vocabulary) -> Iterator[str]:
    lists: dict[str, object] = {
        "org": vocabulary.organisations,
        "country": (*vocabulary.countries, INTERNATIONAL),
        "role": vocabulary.roles,
        "action": vocabulary.actions,
        "dataset": vocabulary.datasets,
        "owner": vocabulary.countries,
        "view_wanted": vocabulary.views,
        "purpose": vocabulary.purposes,
    }
    for column, words in lists.items():
        if row[column] not in words:  # type: ignore[operator]  # mappings and a tuple
            yield f"{column} names {row[column]}, which is not in the vocabulary"
    yield from _fact_faults(row, vocabulary)
    dataset = vocabulary.datasets.get(row["dataset"])
    categories = row.items("categories")
    if dataset is not None and not set(categories) <= set(dataset.categories):
        yield "categories names something that is not in the dataset"
    if not categories or len(set(categories)) != len(categories):
        yield "categories must name each category once"
    if _expected(row, vocabulary) is None:
        yield "expected must be one view or refused, or say so for each category"
    if "duties" in row.cells and not set(row.items("duties")) <= set(vocabulary.duties):
        yield "duties names something that is not in the vocabulary"


def _fact_faults(row: Row, vocabulary: Vocabulary) -> Iterator[str]:
    facts = {guard.id for guard in vocabulary.guards.values() if not guard.derived}
    for column in ("facts_sure", "facts_maybe"):
        for fact in row.items(column):
            if fact not in facts:
                yield f"{column} names {fact}, which is no fact that may be stated"
    if set(row.items("facts_sure")) & set(row.items("facts_maybe")):
        yield "a fact is both sure and only possible"


def _expected(row: Row, vocabulary: Vocabulary) -> dict[str, str | None] | None:
    """The view per category, or None when the cell cannot be read."""
    views: dict[str, str | None] = {name: name for name in vocabulary.views}
    views[REFUSED] = None
    if row["expected"] in views:
        return dict.fromkeys(row.items("categories"), views[row["expected"]])
    found: dict[str, str | None] = {}
    for item in row.items("expected"):
        category, _, view = item.partition(" ")
        if view not in views or category in found:
            return None
        found[category] = views[view]
    return found if set(found) == set(row.items("categories")) else None


def _example(row: Row, vocabulary: Vocabulary) -> Example:
    question = Question(
        role=row["role"],
        org=row["org"],
        country=row["country"],
        action=row["action"],
        dataset=row["dataset"],
        owners=(row["owner"],),
        categories=row.items("categories"),
        view=row["view_wanted"],
        purpose=row["purpose"],
        basis=vocabulary.purposes[row["purpose"]].bases[0],
        named=True,
    )
    facts = {g.id: Truth.FALSE for g in vocabulary.guards.values() if not g.derived}
    facts |= dict.fromkeys(row.items("facts_maybe"), Truth.POSSIBLE)
    facts |= dict.fromkeys(row.items("facts_sure"), Truth.TRUE)
    complete = "decided_by" in row.cells
    return Example(
        id=row["id"],
        file=row.file,
        line=row.line,
        question=question,
        facts=MappingProxyType(facts),
        expected=MappingProxyType(_expected(row, vocabulary) or {}),
        decided_by=frozenset(row.items("decided_by")) if complete else None,
        duties=frozenset(row.items("duties")) if complete else None,
    )
