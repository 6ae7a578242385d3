# SPDX-License-Identifier: EUPL-1.2
"""Where people were registered, and when: one to four countries along a route.

A route is drawn for a travelling unit, then which of its countries registered the unit at all;
members follow their unit but for a few who got separated. Days between two countries grow with
the distance between them on the route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.region.datafiles import COUNTRIES, nations
from gateway.region.randomness import Flags, Ints, choose, stream, thin
from gateway.region.world import Plan, World

__all__ = ["Appearances", "Journeys", "make_journeys"]

_ROUTES: Final = (
    ("GR MK RS BA HR SI AT", 17),
    ("GR MK RS HR SI AT", 8),
    ("GR AL ME BA HR SI AT", 12),
    ("GR MK RS AT", 6),
    ("RS BA HR SI AT", 30),
    ("RS AT", 5),
    ("RS HR SI AT", 4),
    ("GR AL ME HR", 2),
    ("GR", 9),
    ("BA HR SI AT", 4),
    ("AT", 3),
)
_HOME_ROUTES: Final = (("HR SI AT", 5), ("SI AT", 3), ("AT", 6), ("GR", 2))
"""for nationals of the region itself: they are registered abroad, never at home"""
_TEMPORARY_ROUTES: Final = (("AT", 5), ("HR", 2), ("SI", 2), ("GR", 1), ("RS", 1), ("ME", 2))
_REGISTERS: Final = {
    "BA": 1.0,
    "RS": 1.0,
    "HR": 0.9,
    "GR": 1.0,
    "AT": 0.8,
    "SI": 0.8,
    "MK": 0.6,
    "AL": 0.7,
    "ME": 0.7,
}
_LONGEST: Final = 7
_REGION: Final = frozenset({*COUNTRIES, "XK"})


@dataclass(frozen=True, slots=True)
class Journeys:
    """Arrays over appearances of persons in countries, in order of person and day.

    `country` and `previous` are positions in COUNTRIES, `previous` -1 at the first. `last` marks
    where a person was heard of last.
    """

    person: Ints
    country: Ints
    day: Ints
    hop: Ints
    previous: Ints
    last: Flags

    def of(self, country: str) -> Appearances:
        """The appearances in one country in the order in which its register wrote them down."""
        rows = np.flatnonzero(self.country == COUNTRIES.index(country))
        rows = rows[np.lexsort((self.person[rows], self.day[rows]))]
        return Appearances(
            self.person[rows], self.day[rows], self.hop[rows], self.previous[rows], self.last[rows]
        )


@dataclass(frozen=True, slots=True)
class Appearances:
    """One country's part of the journeys; a person's position here is its number there."""

    person: Ints
    day: Ints
    hop: Ints
    previous: Ints
    last: Flags

    @property
    def count(self) -> int:
        """How many persons the register knows."""
        return len(self.person)


def _table(routes: tuple[tuple[str, int], ...]) -> tuple[Ints, list[float]]:
    table = np.full((len(routes), _LONGEST), -1)
    for row, (route, _) in enumerate(routes):
        stops = [COUNTRIES.index(country) for country in route.split()]
        table[row, : len(stops)] = stops
    return table, [float(weight) for _, weight in routes]


def _routes(rng: np.random.Generator, nation: Ints) -> Ints:
    codes = [row.code for row in nations()]
    home = np.isin(nation, [i for i, code in enumerate(codes) if code in _REGION])
    temporary = nation == codes.index("UA")
    stops = np.full((len(nation), _LONGEST), -1)
    for mask, routes in (
        (~home & ~temporary, _ROUTES),
        (home, _HOME_ROUTES),
        (temporary, _TEMPORARY_ROUTES),
    ):
        table, weights = _table(routes)
        stops[mask] = table[choose(rng, weights, int(mask.sum()))]
    return stops


def _registered(rng: np.random.Generator, plan: Plan, stops: Ints) -> Flags:
    """Which stops of each unit's route registered it: the k likeliest of an exponential race."""
    pull = np.array([_REGISTERS[country] for country in COUNTRIES] + [1.0])
    race = rng.exponential(size=stops.shape) / pull[stops]
    race[stops < 0] = np.inf
    wanted = choose(rng, list(plan.rates.hops), len(stops)) + 1
    rank = np.argsort(np.argsort(race, axis=1, kind="stable"), axis=1, kind="stable")
    return (rank < wanted[:, None]) & (stops >= 0)


def _days(rng: np.random.Generator, plan: Plan, registered: Flags) -> Ints:
    """A day for each stop, not after the region's day."""
    pace = rng.gamma(1.6, 9.0, registered.shape).astype(np.int64) + 1
    elapsed = np.cumsum(pace, axis=1)
    first = plan.today - (plan.rates.window_days * rng.random(len(registered)) ** 1.5).astype(
        np.int64
    )
    days = first[:, None] + elapsed - elapsed[:, :1]
    latest = np.where(registered, days, plan.today - 2000).max(axis=1)
    late = np.maximum(latest - plan.today, 0)
    slack = rng.integers(0, 12, len(registered))
    return np.asarray(days - np.where(late > 0, late + slack, 0)[:, None])


def make_journeys(plan: Plan, world: World) -> Journeys:
    """Every person's appearances; the same plan and world give the same arrays."""
    rng = stream(plan.seed, "journeys")
    stops = _routes(rng, world.nation[world.unit_start])
    registered = _registered(rng, plan, stops)
    days = _days(rng, plan, registered)
    unit, stop = np.nonzero(registered)
    hops = registered.sum(axis=1)
    first = np.cumsum(hops) - hops

    times = hops[world.unit]
    person = np.repeat(np.arange(world.count), times)
    hop = np.arange(len(person)) - np.repeat(np.cumsum(times) - times, times)
    source = first[world.unit][person] + hop
    country, day = stops[unit, stop][source], days[unit, stop][source]
    kept = (hop == 0) | ~thin(rng, plan.rates.separated_from_unit, len(person))
    person, country, day = person[kept], country[kept], day[kept]

    start = np.append(True, person[1:] != person[:-1])
    opening = np.flatnonzero(start)
    hop = np.arange(len(person)) - np.repeat(opening, np.diff(np.append(opening, len(person))))
    previous = np.where(start, -1, np.roll(country, 1))
    return Journeys(person, country, day, hop, previous, np.roll(start, -1))
