# SPDX-License-Identifier: EUPL-1.2
"""Tables: reception centres as they are, statistics only protected.

Centres hold no persons and are told exactly, free beds included. A statistics layout is fixed, so
that nobody can ask for a cohort. What leaves is protected by `anonymise.statistics` against all
that this recipient was answered before, and against all other layouts of the same people, which
are read with it; it stands in the overlap ledger first. What is to be published comes with
differential privacy and costs the month's budget (GDP-36, GDP-38).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Final

from anonymise import TableError
from anonymise.statistics import (
    LAYOUTS,
    MICRO,
    NEEDS,
    Answered,
    Key,
    Layout,
    Members,
    Overlap,
    Pattern,
    PrivateAnswer,
    Refusal,
    closed_keys,
    layout_of,
    pattern_of,
    private_note,
    private_table,
    snapshot_of,
)
from gateway.duties import shape_of
from gateway.inquiry import Inquiry
from gateway.ledger import Claim, OverlapLedger
from gateway.logbook import Logbook
from gateway.outcome import Outcome, Result, Table, Withheld, refused
from gateway.questions import CountQuestion
from gateway.settings import StatisticsSettings
from gateway.sources import Everything, Fetch, Page, Source, SourceQuestionError
from gateway.subjects import SubjectError

RULES: Final[Mapping[Refusal, str]] = {Refusal.OVERLAP: "Q-OVERLAP", Refusal.BUDGET: "Q-BUDGET"}
LABEL: Final = "statistics"
_FROM_LOG: Final = "law_enforcement_questions"
_CENTRES: Final = 1000
_CATEGORY: Final = "aggregate"
_PATTERNS: Final = 16


class Tables:
    """Counts of one owner."""

    def __init__(
        self, logbook: Logbook, ledger: OverlapLedger, key: bytes, settings: StatisticsSettings
    ) -> None:
        """Over opened parts.

        Args:
            logbook: answers the one layout that is about questions, not about people.
            ledger: what was answered before.
            key: 32 secret bytes for cohorts and noise, from the keyset.
            settings: what figures with differential privacy cost.
        """
        self._logbook, self._ledger, self._key = logbook, ledger, key
        self._epsilon = settings.epsilon_per_table
        self._budget = round(settings.epsilon_per_month * MICRO)
        self._patterns: OrderedDict[tuple[str, str, str, int, int], Pattern] = OrderedDict()

    async def outcome(self, inquiry: Inquiry, base: Outcome, source: Source) -> Outcome:
        """The table that was asked for.

        Raises:
            SubjectError: no such layout, or none that can be published.
            SourceUnavailableError: the register does not answer.
            LogUnavailableError: the ledger can't be read or written; nothing may leave.
        """
        asked = inquiry.asked
        if asked.dataset == "centres" or not isinstance(asked, CountQuestion):
            return await _centres(inquiry, base, source)
        try:
            layout = layout_of(asked.layout)
            keys = await self._closed(layout, inquiry, base, source) if asked.published else []
        except TableError as error:
            raise SubjectError(str(error)) from None
        today = inquiry.now.date()
        members = {layout: await self._members(layout, base.owner, source, today)}
        if not asked.published and layout.people:
            members |= await _others(layout, source, today)
        async with self._ledger.turn(base.owner):
            answered = await self._ledger.answered(base.owner, inquiry.asker.org)
            if asked.published:
                return await self._private(inquiry, base, layout, members[layout], keys, answered)
            return await self._protected(inquiry, base, layout, members, answered)

    async def _members(self, layout: Layout, owner: str, source: Source, today: date) -> Members:
        if layout.name != _FROM_LOG:
            return await source.members(layout.name, today)
        counts = await self._logbook.law_enforcement_questions(owner)
        # A log only grows, so that its n-th question of a month is the same for ever.
        return {
            key: frozenset(f"{owner} {key[0]} {number}" for number in range(count))
            for key, count in counts.items()
        }

    async def _closed(
        self, layout: Layout, inquiry: Inquiry, base: Outcome, source: Source
    ) -> list[Key]:
        centres: set[str] = set()
        if "centre" in layout.columns:
            page = await _held(frozenset({"aggregate.centre_id"}), inquiry, source)
            centres = {str(record.values["aggregate.centre_id"]) for record in page.records}
        return closed_keys(layout, inquiry.now.date(), centres, base.owner)

    async def _protected(
        self,
        inquiry: Inquiry,
        base: Outcome,
        layout: Layout,
        members: Mapping[Layout, Members],
        answered: Answered,
    ) -> Outcome:
        minimum = (base.shape or shape_of(base.duties, inquiry.now.date())).minimum_cell
        pattern = await self._pattern(inquiry, base.owner, members, minimum, answered)
        made = pattern.table(layout, answered, self._key)
        if isinstance(made, Overlap):
            return _refused(base, Refusal.OVERLAP)
        record = replace(made.answer, at=inquiry.now)
        if made.answer.figures and not answered.holds(made.answer):
            refusal = await self._ledger.claim(Claim(inquiry, base.owner, record))
            if refusal is not None:
                return _refused(base, refusal)
        table = Table(layout.name, layout.columns, (*made.cells, *made.margins))
        return _answered(base, layout, table, made.note)

    async def _pattern(
        self,
        inquiry: Inquiry,
        owner: str,
        members: Mapping[Layout, Members],
        minimum: int,
        answered: Answered,
    ) -> Pattern:
        """What may be told of all layouts; worked out once for the same people and answers."""
        snapshot = await asyncio.to_thread(snapshot_of, members, minimum=minimum, key=self._key)
        had = answered.before(snapshot.id).tables
        of = (owner, inquiry.asker.org, snapshot.id, minimum, had)
        if of not in self._patterns:
            self._patterns[of] = await asyncio.to_thread(pattern_of, snapshot, answered, self._key)
            if len(self._patterns) > _PATTERNS:
                self._patterns.popitem(last=False)
        return self._patterns[of]

    async def _private(
        self,
        inquiry: Inquiry,
        base: Outcome,
        layout: Layout,
        members: Members,
        keys: list[Key],
        answered: Answered,
    ) -> Outcome:
        record = answered.private(layout.name, f"{inquiry.now:%Y-%m-%d}")
        if record is None:
            made = await asyncio.to_thread(
                private_table, layout, members, keys, epsilon=self._epsilon, key=self._key
            )
            record = PrivateAnswer(layout.name, inquiry.now, made.epsilon, self._budget, made.cells)
            refusal = answered.refuses(record)
            if refusal is None:
                refusal = await self._ledger.claim(Claim(inquiry, base.owner, record))
            if refusal is not None:
                return _refused(base, refusal)
        table = Table(layout.name, layout.columns, record.figures)
        return _answered(base, layout, table, private_note(layout, record.epsilon))


async def _others(asked: Layout, source: Source, today: date) -> dict[Layout, Members]:
    """The members of all other layouts of people that the register holds."""
    found = {}
    for layout in LAYOUTS.values():
        if layout.people and layout != asked:
            with suppress(SourceQuestionError):  # it holds no such dataset
                found[layout] = await source.members(layout.name, today)
    return found


def _refused(base: Outcome, refusal: Refusal) -> Outcome:
    return refused(base.owner, (*base.withheld, Withheld(_CATEGORY, (RULES[refusal],))))


def _answered(base: Outcome, layout: Layout, table: Table, note: str) -> Outcome:
    rows = [
        {
            **dict(zip(table.columns, key, strict=True)),
            **({"meaning": NEEDS.get(key[0], "")} if layout.name == "needs" else {}),
            "count": count,
        }
        for key, count in table.figures
    ]
    return replace(
        base,
        results=(Result("count", (_CATEGORY,), list(rows)),),
        released=(f"{_CATEGORY}.{layout.name}",),
        note=note,
        table=table,
    )


async def _held(fields: frozenset[str], inquiry: Inquiry, source: Source) -> Page:
    wanted = Fetch("centres", fields, frozenset(), Everything(), inquiry.now.date(), _CENTRES)
    return await source.fetch(wanted)


async def _centres(inquiry: Inquiry, base: Outcome, source: Source) -> Outcome:
    fields = inquiry.snapshot.vocabulary.datasets["centres"].categories[_CATEGORY].fields
    wanted = frozenset(field.id for field in fields.values() if field.treatment("count") == "keep")
    page = await _held(wanted, inquiry, source)
    return replace(
        base,
        results=(Result("count", (_CATEGORY,), [dict(r.values) for r in page.records]),),
        released=tuple(sorted(wanted)),
    )
