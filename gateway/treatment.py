# SPDX-License-Identifier: EUPL-1.2
"""The second pass and the treatment of one owner's page.

Each record is decided again with its own facts (architecture 3, step 6), once per distinct set
of facts; what is still granted is treated into its view. A record or category refused here
leaves no trace in the answer.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from anonymise import (
    Anonymity,
    Crowd,
    Domain,
    DomainCipher,
    Hit,
    Row,
    ViewContext,
    arrange,
)
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


_Kept = tuple[Record, Verdict]


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
    """The tools of treatment for one question: codes, counts, tokens.

    `everybody` are all records of the list that a generalised page is of; `crowd` stands in its
    place where the asker named the person.
    """

    domain: Domain
    cipher: DomainCipher | None
    case_numbers: IssuedCaseNumbers
    counts: Mapping[str, Mapping[str, int]]
    places: Mapping[str, str]
    hits: Mapping[str, Hit]
    linked: Mapping[str, str]
    anonymity: Anonymity
    everybody: Sequence[Record] = ()
    crowd: Crowd | None = None

    def context(self, now: datetime) -> ViewContext:
        """What is the same for every row."""
        return ViewContext(
            today=now.date(),
            coded=_coded(self),
            counts=self.counts,
            places=self.places,
            anonymity=self.anonymity,
            randbelow=secrets.randbelow,
        )


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

    def anew(self) -> "SecondPass":
        """The same decisions, for records that are not answered and so not among those seen."""
        return SecondPass(self._snapshot, self._allowed)

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
    kept = _kept(records, second, now)
    categories = frozenset[str]().union(*(verdict.categories for _, verdict in kept))
    parts = [await _part(kept, part, tools, second, now) for part in plan.parts]
    results = [result for result, _ in parts if result is not None]
    told = frozenset[str]().union(*(persons for _, persons in parts))
    return Released(
        results=tuple(results),
        rules=tuple(sorted(frozenset[str]().union(*(verdict.rules for _, verdict in kept)))),
        fields=tuple(
            field
            for result in results
            for field in plan.released_of(result.view)
            if "." not in field or field.partition(".")[0] in categories
        ),
        persons=tuple(sorted(told)),
        seen=second.seen(),
        ends=frozenset(record.traits.retain_until for record, _ in kept),
    )


def _kept(records: Sequence[Record], second: SecondPass, now: datetime) -> list[_Kept]:
    pairs = ((record, second.verdict(record, now)) for record in records)
    return [(record, verdict) for record, verdict in pairs if verdict.categories]


async def _part(
    kept: Sequence[_Kept], part: ViewPart, tools: Treatments, second: SecondPass, now: datetime
) -> tuple[Result | None, frozenset[str]]:
    """The rows of one view, and whose they are."""
    chosen = _of_part(kept, part)
    if not chosen:
        return None, frozenset()
    persons = [record.person for record, _ in chosen]
    values = _values(chosen)
    context = tools.context(now)
    if part.view == "generalised":
        crowd = tools.crowd or await _crowd(part, tools, second.anew(), now)
        shown = part.plan.told(values, replace(context, crowd=crowd))
        mixed = arrange(part.view, [row for row in shown if row is not None], secrets.randbelow)
        told = frozenset(
            person
            for person, row in zip(persons, shown, strict=True)
            if row is not None and person is not None
        )
        return Result(
            part.view, part.categories, [part.shown(row) for row in mixed], len(shown) - len(mixed)
        ), told
    rows = await _rows(chosen, values, part, tools, context)
    whose = frozenset(person for person in persons if person is not None)
    return Result(part.view, part.categories, rows), whose


async def _crowd(part: ViewPart, tools: Treatments, second: SecondPass, now: datetime) -> Crowd:
    """Everybody of the list, after the same second pass as its page."""
    others = _of_part(_kept(tools.everybody, second, now), part)
    persons = [record.person for record, _ in others]
    # Thousands of rows take a good part of a second: other questions go on meanwhile.
    return await asyncio.to_thread(part.plan.gather, _values(others), persons, tools.context(now))


def _of_part(kept: Sequence[_Kept], part: ViewPart) -> list[_Kept]:
    return [pair for pair in kept if not pair[1].categories.isdisjoint(part.categories)]


def _values(chosen: Sequence[_Kept]) -> list[Row]:
    return [
        record.values if verdict.whole else _only(record.values, verdict.categories)
        for record, verdict in chosen
    ]


async def _rows(
    chosen: Sequence[_Kept],
    values: Sequence[Row],
    part: ViewPart,
    tools: Treatments,
    context: ViewContext,
) -> Rows:
    records = [record for record, _ in chosen]
    if part.view == "pseudonym":
        context = replace(context, case_nos=await _case_numbers(records, tools))
    if part.view == "hit":
        context = replace(context, hits=[tools.hits[record.record] for record in records])
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
