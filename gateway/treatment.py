# SPDX-License-Identifier: EUPL-1.2
"""The second pass and the treatment of one owner's page.

Each record is decided again with its own facts (architecture 3, step 6), once per distinct set
of facts; what is still granted is treated into its view. A record or category refused here
leaves no trace in the answer.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from anonymise import Domain, DomainCipher, Hit, Row, ViewContext
from gateway.facts import RecordFacts
from gateway.outcome import Result, Rows, Seen
from gateway.sources import Record
from gateway.state import IssuedCaseNumbers
from gateway.views import RowPlan, ViewError, ViewPart
from policies import Decision, Question, Snapshot, Truth


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the first pass allowed at one owner, and what the second needs."""

    question: Question
    owner: str
    decision: Decision
    question_facts: Mapping[str, Truth]
    record_facts: RecordFacts


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the second pass leaves of one record's categories."""

    categories: frozenset[str]
    rules: frozenset[str]
    whole: bool


@dataclass(frozen=True, slots=True)
class Released:
    """The rows of one owner after the second pass."""

    results: tuple[Result, ...]
    rules: tuple[str, ...]
    fields: tuple[str, ...]
    persons: tuple[str, ...]
    seen: tuple[Seen, ...]
    ends: frozenset[date | None]


@dataclass(frozen=True, slots=True)
class Treatments:
    """The tools of treatment for one question: codes, counts, tokens."""

    domain: Domain
    cipher: DomainCipher | None
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
        self._seen: dict[tuple[Truth, ...], Verdict] = {}

    def verdict(self, record: Record, now: datetime) -> Verdict:
        """What is still granted for this record, and by which lines."""
        truths = self._allowed.record_facts.of(record, now)
        found = self._seen.get(truths)
        if found is None:
            found = self._seen[truths] = self._decide(truths)
        return found

    def seen(self) -> tuple[Seen, ...]:
        """The distinct fact sets so far with what each was granted: for the sealed detail."""
        names, granted = self._allowed.record_facts.names, self._allowed.decision.granted
        return tuple(
            Seen(
                sure=tuple(n for n, t in zip(names, truths, strict=True) if t is Truth.TRUE),
                maybe=tuple(n for n, t in zip(names, truths, strict=True) if t is Truth.POSSIBLE),
                granted={c: str(granted[c].view) for c in sorted(verdict.categories)},
            )
            for truths, verdict in self._seen.items()
        )

    def _decide(self, truths: tuple[Truth, ...]) -> Verdict:
        allowed = self._allowed
        facts = {
            **allowed.question_facts,
            **dict(zip(allowed.record_facts.names, truths, strict=True)),
        }
        first = allowed.decision.granted
        again = self._snapshot.decide_record(allowed.question, allowed.owner, facts)
        # INVARIANT: the second pass only narrows. A category that it would still give in a
        # weaker view counts as refused, so that its absence looks like missing data.
        still = frozenset(
            category
            for category, cell in again.granted.items()
            if category in first and first[category].view == cell.view
        )
        rules = frozenset(rule for category in still for rule in again.cells[category].rules)
        return Verdict(still, rules, whole=len(still) == len(first))


async def release(
    records: Sequence[Record],
    second: SecondPass,
    plan: RowPlan,
    tools: Treatments,
    now: datetime,
) -> Released:
    """Decide each record again and treat what is still granted.

    A category refused for a record is treated as if the register held no value for it: the
    same keys, the same bytes.

    Raises:
        AnonymiseError: a view can't be made for these records.
        StoreError: case numbers can't be issued.
    """
    kept: list[tuple[Record, Verdict]] = []
    rules: set[str] = set()
    categories: set[str] = set()
    for record in records:
        verdict = second.verdict(record, now)
        if verdict.categories:
            kept.append((record, verdict))
            rules |= verdict.rules
            categories |= verdict.categories
    results = []
    for part in plan.parts:
        chosen = [pair for pair in kept if not pair[1].categories.isdisjoint(part.categories)]
        if chosen:
            rows = await _treat(chosen, part, tools, now)
            results.append(Result(part.view, part.categories, rows))
    return Released(
        results=tuple(results),
        rules=tuple(sorted(rules)),
        fields=tuple(
            field
            for result in results
            for field in plan.released_of(result.view)
            if "." not in field or field.partition(".")[0] in categories
        ),
        persons=tuple(sorted({r.person for r, _ in kept if r.person is not None})),
        seen=second.seen(),
        ends=frozenset(record.traits.retain_until for record, _ in kept),
    )


async def _treat(
    chosen: Sequence[tuple[Record, Verdict]], part: ViewPart, tools: Treatments, now: datetime
) -> Rows:
    records = [record for record, _ in chosen]
    values: list[Row] = [
        record.values if verdict.whole else _only(record.values, verdict.categories)
        for record, verdict in chosen
    ]
    context = ViewContext(
        today=now.date(),
        case_nos=await _case_numbers(records, tools) if part.view == "pseudonym" else None,
        coded=_coded(tools),
        counts=tools.counts,
        places=tools.places,
        randbelow=secrets.randbelow,
        hits=[tools.hits[record.record] for record in records] if part.view == "hit" else None,
    )
    rows: Rows = list(part.plan.apply(values, context))
    if part.view != "full":
        return rows
    return [
        {"person": record.person, "record": record.record, **row}
        for record, row in zip(records, rows, strict=True)
    ]


def _only(values: Row, categories: frozenset[str]) -> Row:
    return {
        field: value for field, value in values.items() if field.partition(".")[0] in categories
    }


async def _case_numbers(records: Sequence[Record], tools: Treatments) -> list[str]:
    surrogates = [record.surrogate for record in records]
    known = [surrogate for surrogate in surrogates if surrogate is not None]
    if len(known) != len(surrogates):
        raise ViewError("a person has no surrogate in the owner's register; no coded row is made")
    if tools.cipher is None:
        raise ViewError("a coded view needs its domain's keys; see `cuvar doctor`")
    pseudonyms = tools.cipher.pseudonyms(known)
    numbers = await tools.case_numbers.issue(tools.domain, pseudonyms)
    return [numbers[pseudonym] for pseudonym in pseudonyms]


def _coded(tools: Treatments) -> Callable[[str, str], str | None]:
    def code(field: str, value: str) -> str | None:
        if field == "family.linked_reference":
            return tools.linked.get(value)
        return None if tools.cipher is None else tools.cipher.code(field, value)

    return code
