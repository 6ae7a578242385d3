# SPDX-License-Identifier: EUPL-1.2
"""Everybody among whom a generalised row must hide.

Of a list, that is the whole list: every row that this recipient would see if he read all its
pages, so that no page tells more than all of them together (law rules GDP-36, GDP-38). Of one
named person, whom nothing hides from the asker, it is the owner's whole register: the values that
others could know are told only as far as enough people there share them.

No more than `MOST` rows are read. A part of a crowd is smaller than the crowd, so reading less
never tells more.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from anonymise import Anonymity, Crowd, ViewContext, ViewPlan
from gateway.sources import Everything, Fetch, Page, Record, Source
from gateway.treatment import Treatments
from gateway.views import RowPlan

MOST: Final = 5_000
_PAGE: Final = 1_000
_FRESH: Final = timedelta(hours=1)
_KEPT: Final = 256

_Key = tuple[str, str, ViewPlan, Anonymity]


async def everybody(wanted: Fetch, first: Page, source: Source) -> tuple[Record, ...]:
    """All rows of the list that `first`, fetched as `wanted`, is a page of.

    Raises:
        SourceUnavailableError: the register stopped answering; then nothing can be told.
    """
    if wanted.after is None and first.next is None:
        return first.records
    found: list[Record] = []
    page = replace(wanted, after=None, limit=_PAGE)
    while len(found) < MOST:
        read = await source.fetch(page)
        found += read.records
        if read.next is None:
            break
        page = replace(page, after=read.next)
    return tuple(found[:MOST])


class Crowds:
    """The crowds of named persons; `_known` is owned by the event loop's thread."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Nothing is read before it is needed; what was read counts for an hour."""
        self._clock = clock
        self._known: OrderedDict[_Key, tuple[datetime, Crowd]] = OrderedDict()

    async def around(
        self,
        page: Page,
        wanted: Fetch,
        plan: RowPlan,
        tools: Treatments,
        source: Source,
        now: datetime,
        *,
        listed: bool,
    ) -> Treatments:
        """The tools, with the crowd of a page that was fetched as `wanted`.

        Raises:
            SourceUnavailableError: the register does not answer.
            AnonymiseError: its rows can't be treated.
        """
        part = plan.part("generalised")
        if part is None or not page.records:
            return tools
        if listed:
            return replace(tools, everybody=await everybody(wanted, page, source))
        crowd = await self.named(wanted.dataset, part.plan, tools.context(now), source)
        return replace(tools, crowd=crowd)

    async def named(
        self, dataset: str, plan: ViewPlan, context: ViewContext, source: Source
    ) -> Crowd:
        """The crowd for rows about people whom the asker named.

        Raises:
            SourceUnavailableError: the register does not answer.
            AnonymiseError: its rows can't be treated.
        """
        key = (source.country, dataset, plan, context.anonymity)
        now = self._clock()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            self._known.move_to_end(key)
            return known[1]
        records: tuple[Record, ...] = ()
        if plan.quasi:
            wanted = Fetch(
                dataset, plan.fields, frozenset(), Everything(), context.today, limit=_PAGE
            )
            records = await everybody(wanted, await source.fetch(wanted), source)
        crowd = await asyncio.to_thread(
            plan.gather,
            [record.values for record in records],
            [record.person for record in records],
            context,
            named=True,
        )
        self._known[key] = (now + _FRESH, crowd)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return crowd
