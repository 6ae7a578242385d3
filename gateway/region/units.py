# SPDX-License-Identifier: EUPL-1.2
"""Travelling units and their members: who belongs together, as what, of what sex and age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.region.randomness import Flags, Floats, Ints, choose, thin
from gateway.region.rates import Rates

__all__ = [
    "CHILD",
    "HEAD",
    "LONE",
    "MAJORITY",
    "SIBLING",
    "SPOUSE",
    "Units",
    "draw_ages",
    "draw_twins",
    "draw_units",
    "draw_women",
    "lone_minors",
    "roles_of",
]

LONE, HEAD, SPOUSE, CHILD, SIBLING = range(5)
_LONE_ADULT, _LONE_MINOR, _COUPLE, _FAMILY, _SINGLE_PARENT, _SIBLINGS = range(6)
_WINDOW_YEARS: Final = 3.0
MAJORITY: Final = 18


@dataclass(frozen=True, slots=True)
class Units:
    """`kind` and `start` are over units, `unit` and `place` over persons."""

    kind: Ints
    unit: Ints
    place: Ints
    start: Ints

    @property
    def kind_of(self) -> Ints:
        """The kind of each person's unit."""
        return self.kind[self.unit]


def draw_units(rng: np.random.Generator, persons: int, rates: Rates) -> Units:
    """Units until there are enough persons; the last one may be cut short."""
    weights = [
        rates.lone_adult,
        rates.lone_minor,
        rates.couple,
        rates.family,
        rates.single_parent,
        rates.siblings,
    ]
    kind = choose(rng, weights, persons)
    sizes = np.ones(persons, dtype=np.int64)
    for which, least, most in (
        (_COUPLE, 2, 2),
        (_FAMILY, 3, 6),
        (_SINGLE_PARENT, 2, 4),
        (_SIBLINGS, 2, 3),
    ):
        mask = kind == which
        sizes[mask] = rng.integers(least, most + 1, int(mask.sum()))
    ends = np.cumsum(sizes)
    units = int(np.searchsorted(ends, persons)) + 1
    unit = np.repeat(np.arange(units), sizes[:units])[:persons]
    start = ends[:units] - sizes[:units]
    return Units(kind[:units], unit, np.arange(persons) - start[unit], start)


def roles_of(units: Units) -> Ints:
    """What each person is within the unit."""
    kind, place = units.kind_of, units.place
    role = np.full(len(kind), LONE)
    together = kind >= _COUPLE
    role[together & (place == 0)] = HEAD
    role[together & (place == 1) & np.isin(kind, (_COUPLE, _FAMILY))] = SPOUSE
    role[(kind == _FAMILY) & (place > 1)] = CHILD
    role[(kind == _SINGLE_PARENT) & (place > 0)] = CHILD
    role[(kind == _SIBLINGS) & (place > 0)] = SIBLING
    return role


def draw_women(rng: np.random.Generator, rates: Rates, units: Units, role: Ints) -> Ints:
    """1 for women and girls, 0 for men and boys."""
    kind = units.kind_of
    share: Floats = np.full(len(kind), rates.lone_woman)
    share[role == CHILD] = 0.47
    share[role == SIBLING] = 0.2
    share[role == SPOUSE] = 1.0
    share[(role == HEAD) & np.isin(kind, (_COUPLE, _FAMILY))] = 0.0
    share[(role == HEAD) & (kind == _SINGLE_PARENT)] = 0.85
    return (rng.random(len(kind)) < share).astype(np.int64)


def draw_ages(rng: np.random.Generator, units: Units, role: Ints) -> Floats:
    """Ages in years at the region's day; children are younger than their parents by 17 or more."""
    count = len(role)
    age = np.minimum(18 + rng.gamma(1.7, 5.5, count), 82)
    minors = (units.kind_of == _LONE_MINOR) | (
        (units.kind_of == _SIBLINGS) & (units.place == 0) & thin(rng, 0.3, count)
    )
    age[minors] = 17.9 - rng.gamma(1.3, 1.4, int(minors.sum())).clip(0, 7)
    parents = (role == HEAD) & np.isin(units.kind_of, (_FAMILY, _SINGLE_PARENT))
    age[parents] = 22 + rng.gamma(2.4, 4.5, int(parents.sum())).clip(0, 40)
    head = age[units.start][units.unit]
    spouse, child, sibling = role == SPOUSE, role == CHILD, role == SIBLING
    age[spouse] = np.maximum(head[spouse] + rng.normal(-3, 3.5, int(spouse.sum())), 18.1)
    room = np.clip(head[child] - 18, 0.2, 17.9)
    # Nobody is younger than the journeys are long, or a child would be seen before its birth.
    age[child] = _WINDOW_YEARS + rng.random(int(child.sum())) * np.maximum(
        room - _WINDOW_YEARS, 0.2
    )
    age[sibling] = np.maximum(head[sibling] + rng.normal(0, 3.5, int(sibling.sum())), 7.0)
    return np.asarray(age, dtype=np.float64)


def draw_twins(rng: np.random.Generator, rates: Rates, units: Units, role: Ints) -> Flags:
    """Members born on the day of the one before them in the unit."""
    young = np.isin(role, (CHILD, SIBLING))
    after_child = np.zeros(len(role), dtype=np.bool_)
    after_child[1:] = young[:-1] & (units.unit[1:] == units.unit[:-1])
    after_child |= (role == SIBLING) & (units.place == 1)
    twin = young & after_child & thin(rng, rates.twins, len(role))
    twin[1:] &= ~twin[:-1]
    return twin


def lone_minors(units: Units, role: Ints, age: Floats) -> Flags:
    """Minors with no adult of their unit beside them."""
    alone = np.isin(units.kind_of, (_LONE_MINOR, _SIBLINGS)) & (age < MAJORITY)
    return np.asarray(alone & ((role != SIBLING) | (age[units.start][units.unit] < MAJORITY)))
