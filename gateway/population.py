# SPDX-License-Identifier: EUPL-1.2
"""How many share a value in an owner's register, and where its places lie.

A rare nationality or sex in a coded view would single its bearer out, so treatments ask how
many people share it: a nationality is told from a hundred present on. The counts are read from the
register's statistics at most once an hour; without them every value counts as rare.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import GatewayError
from gateway.sources import Everything, Fetch, Source

_FRESH: Final = timedelta(hours=1)
_RETRY: Final = timedelta(minutes=1)
_CENTRES: Final = 1000


@dataclass(frozen=True, slots=True)
class Population:
    """Counts and places of one owner."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


_NOBODY: Final = Population()


class Populations:
    """Populations by owner; `_known` and `_tasks` are owned by the event loop's thread."""

    def __init__(self, sources: Mapping[str, Source], clock: Callable[[], datetime]) -> None:
        """Nothing is read before it is needed."""
        self._sources = sources
        self._clock = clock
        self._known: dict[str, tuple[datetime, Population]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def of(self, owner: str) -> Population:
        """What is known now; the first question waits for it, later ones don't."""
        now = self._clock()
        known = self._known.get(owner)
        if known is not None and now < known[0]:
            return known[1]
        task = self._tasks.get(owner)
        if task is None or task.done():
            task = self._tasks[owner] = asyncio.create_task(self._read(owner))
        if known is None:
            await asyncio.shield(task)
        return self._known.get(owner, (now, _NOBODY))[1]

    async def _read(self, owner: str) -> None:
        source = self._sources[owner]
        now = self._clock()
        try:
            table = await source.tabulate("age_sex_nationality", now.date())
            fields = frozenset({"aggregate.centre_id", "aggregate.name", "aggregate.region"})
            centres = await source.fetch(
                Fetch("centres", fields, frozenset(), Everything(), now.date(), _CENTRES)
            )
        except GatewayError:
            stale = self._known.get(owner, (now, _NOBODY))[1]
            self._known[owner] = (now + _RETRY, stale)
            return
        sexes: Counter[str] = Counter()
        nationalities: Counter[str] = Counter()
        for (_, sex, nationality), count in table.items():
            sexes[sex] += count
            nationalities[nationality] += count
        places = {}
        for record in centres.records:
            region = record.values.get("aggregate.region")
            for name in ("aggregate.centre_id", "aggregate.name"):
                place = record.values.get(name)
                if isinstance(place, str) and isinstance(region, str):
                    places[place] = region
        counts = {
            "biographic.nationalities": nationalities,
            "biographic.sex": sexes,
            "biographic.nationality": nationalities,
        }
        self._known[owner] = (now + _FRESH, Population(counts, places))
