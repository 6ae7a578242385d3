# SPDX-License-Identifier: EUPL-1.2
"""The second pass and the treatment of one owner's page.

Each record is decided again with its own facts (architecture 3, step 6), once per distinct set
of facts; what is still granted is treated into its view. A record or category refused here
leaves no trace in the answer.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from anonymise import Domain, DomainCipher, Hit, Row, ViewContext, arrange
from gateway.facts import RecordFacts
from gateway.outcome import Result, Rows
from gateway.sources import Record
from gateway.state import IssuedCaseNumbers
from gateway.views import Cells, RowPlan, RowPlans, ViewError, granted_cells
from policies import Decision, Question, Snapshot, Truth

_STRENGTH = {"full": 0, "pseudonym": 1, "generalised": 2, "hit": 0, "count": 0}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the first pass allowed at one owner, and what the second needs."""

    question: Question
    owner: str
    decision: Decision
    question_facts: Mapping[str, Truth]
    record_facts: RecordFacts
    asked: frozenset[str]
    hidden: frozenset[str]
    bare: bool


@dataclass(frozen=True, slots=True)
class Released:
    """The rows of one owner after the second pass."""

    results: tuple[Result, ...]
    rules: tuple[str, ...]
    fields: tuple[str, ...]
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Treatments:
    """The tools of treatment for one question: codes, counts, tokens."""

    domain: Domain
    cipher: DomainCipher
    case_numbers: IssuedCaseNumbers
    counts: Mapping[str, Mapping[str, int]]
    places: Mapping[str, str]
    hits: Mapping[str, Hit]
    linked: Mapping[str, str]


class SecondPass:
    """Decides records again; holds the answers per distinct fact set of one question."""

    def __init__(self, snapshot: Snapshot, allowed: Allowed) -> None:
        """Prepare for one owner of one question."""
        self._snapshot = snapshot
        self._allowed = allowed
        self._first = {
            category: cell.view for category, cell in allowed.decision.granted.items() if cell.view
        }
        self._seen: dict[tuple[Truth, ...], tuple[Cells, tuple[str, ...]]] = {}

    def cells(self, record: Record, now: datetime) -> tuple[Cells, tuple[str, ...]]:
        """What is still granted for this record, and by which lines."""
        truths = self._allowed.record_facts.of(record, now)
        found = self._seen.get(truths)
        if found is None:
            found = self._seen[truths] = self._decide(truths)
        return found

    def _decide(self, truths: tuple[Truth, ...]) -> tuple[Cells, tuple[str, ...]]:
        allowed = self._allowed
        facts = {
            **allowed.question_facts,
            **dict(zip(allowed.record_facts.names, truths, strict=True)),
        }
        again = self._snapshot.decide_record(allowed.question, allowed.owner, facts)
        still = {
            category: cell.view
            for category, cell in again.granted.items()
            if cell.view is not None and self._no_wider(category, cell.view)
        }
        rules = sorted({rule for category in still for rule in again.cells[category].rules})
        return granted_cells(still), tuple(rules)

    def _no_wider(self, category: str, view: str) -> bool:
        # INVARIANT: the second pass may only narrow what the first allowed.
        first = self._first.get(category)
        return first is not None and _STRENGTH[view] >= _STRENGTH[first]


async def release(
    records: Sequence[Record],
    second: SecondPass,
    plans: RowPlans,
    allowed: Allowed,
    tools: Treatments,
    now: datetime,
) -> Released:
    """Decide each record again and treat what is still granted.

    Raises:
        ViewError: a view can't be made for these records.
        StoreError: case numbers can't be issued.
    """
    groups: dict[Cells, list[Record]] = {}
    rules: set[str] = set()
    for record in records:
        cells, by = second.cells(record, now)
        if cells:
            groups.setdefault(cells, []).append(record)
            rules.update(by)
    merged: dict[tuple[str, tuple[str, ...]], Rows] = {}
    fields: set[str] = set()
    for cells, members in groups.items():
        plan = plans.of(
            allowed.question.dataset, cells, allowed.asked, allowed.hidden, allowed.bare
        )
        fields.update(plan.released)
        for part_rows in await _treat(members, plan, tools, now):
            merged.setdefault((part_rows.view, part_rows.categories), []).extend(part_rows.rows)
    persons = {r.person for members in groups.values() for r in members if r.person is not None}
    if len(groups) > 1:
        merged = {key: arrange(key[0], rows, secrets.randbelow) for key, rows in merged.items()}
    return Released(
        results=tuple(Result(view, cats, rows) for (view, cats), rows in sorted(merged.items())),
        rules=tuple(sorted(rules)),
        fields=tuple(sorted(fields)),
        persons=tuple(sorted(persons)),
    )


async def _treat(
    records: Sequence[Record], plan: RowPlan, tools: Treatments, now: datetime
) -> list[Result]:
    results = []
    values: Sequence[Row] = [record.values for record in records]
    for part in plan.parts:
        context = ViewContext(
            today=now.date(),
            case_nos=await _case_numbers(records, tools) if part.view == "pseudonym" else None,
            coded=_coded(tools),
            counts=tools.counts,
            places=tools.places,
            randbelow=secrets.randbelow,
            hits=[tools.hits[r.record] for r in records] if part.view == "hit" else None,
        )
        rows: Rows = list(part.plan.apply(values, context))
        if part.view == "full":
            rows = [
                {"person": record.person, "record": record.record, **row}
                for record, row in zip(records, rows, strict=True)
            ]
        results.append(Result(part.view, part.categories, rows))
    return results


async def _case_numbers(records: Sequence[Record], tools: Treatments) -> list[str]:
    surrogates = [record.surrogate for record in records]
    known = [surrogate for surrogate in surrogates if surrogate is not None]
    if len(known) != len(surrogates):
        raise ViewError("a person has no surrogate in the owner's register; no coded row is made")
    pseudonyms = tools.cipher.pseudonyms(known)
    numbers = await tools.case_numbers.issue(tools.domain, pseudonyms)
    return [numbers[pseudonym] for pseudonym in pseudonyms]


def _coded(tools: Treatments) -> Callable[[str, str], str | None]:
    def code(field: str, value: str) -> str | None:
        if field == "family.linked_reference":
            return tools.linked.get(value)
        return tools.cipher.code(field, value)

    return code
