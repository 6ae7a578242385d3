# SPDX-License-Identifier: EUPL-1.2
"""Who there is: travelling units, their members, true names, births and documents.

People are drawn by unit (alone, couple, family, siblings), because a family shares a surname, a
nationality and a journey. Hard cases for any matcher are built in: twins, brothers, and strangers
who bear another person's name and year of birth. Everything is arrays over persons; nothing here
knows a country's register.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from gateway.region.datafiles import nations
from gateway.region.lexicon import lexicon
from gateway.region.randomness import Flags, Floats, Ints, choose, stream, thin
from gateway.region.rates import Rates

__all__ = ["CHILD", "HEAD", "LONE", "SIBLING", "SPOUSE", "Plan", "World", "make_world"]

LONE, HEAD, SPOUSE, CHILD, SIBLING = range(5)
_LONE_ADULT, _LONE_MINOR, _COUPLE, _FAMILY, _SINGLE_PARENT, _SIBLINGS = range(6)
_YEAR: Final = 365.25
_EPOCH: Final = date(1970, 1, 1)
_WINDOW_YEARS: Final = 3.0
_PATRONYMIC: Final = frozenset({"AF", "SO", "ER"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What the region is a function of."""

    persons: int
    seed: int
    as_of: date
    rates: Rates

    @property
    def today(self) -> int:
        """`as_of` in days since 1970."""
        return (self.as_of - _EPOCH).days


@dataclass(frozen=True, slots=True)
class World:
    """Arrays over persons, but for `unit_start`, which is over units.

    Births are days since 1970; names are entry numbers of the lexicon, -1 where there is none.
    """

    unit: Ints
    unit_start: Ints
    role: Ints
    nation: Ints
    nation2: Ints
    culture: Ints
    female: Ints
    born: Ints
    year_only: Flags
    forename: Ints
    forename2: Ints
    surname: Ints
    birth_surname: Ints
    previous_surname: Ints
    patronymic: Ints
    single_name: Flags
    romanisation: Ints
    """which of three spellings the person's own papers use"""
    lone_minor: Flags
    namesake_of: Ints
    twin: Flags
    document: Ints
    """-1 none, 0 passport, 1 identity card"""
    persecutor: Ints
    """nation number, -1 for none declared"""
    residence: Ints
    """nation number of habitual residence"""
    deceased: Flags
    naturalised: Flags

    @property
    def count(self) -> int:
        """How many persons there are."""
        return len(self.unit)


@dataclass(frozen=True, slots=True)
class _Units:
    kind: Ints
    unit: Ints
    place: Ints
    start: Ints

    @property
    def kind_of(self) -> Ints:
        return self.kind[self.unit]


def _units(rng: np.random.Generator, plan: Plan) -> _Units:
    rates = plan.rates
    weights = [
        rates.lone_adult,
        rates.lone_minor,
        rates.couple,
        rates.family,
        rates.single_parent,
        rates.siblings,
    ]
    kind = choose(rng, weights, plan.persons)
    sizes = np.ones(plan.persons, dtype=np.int64)
    for which, least, most in (
        (_COUPLE, 2, 2),
        (_FAMILY, 3, 6),
        (_SINGLE_PARENT, 2, 4),
        (_SIBLINGS, 2, 3),
    ):
        mask = kind == which
        sizes[mask] = rng.integers(least, most + 1, int(mask.sum()))
    ends = np.cumsum(sizes)
    units = int(np.searchsorted(ends, plan.persons)) + 1
    unit = np.repeat(np.arange(units), sizes[:units])[: plan.persons]
    start = ends[:units] - sizes[:units]
    return _Units(kind[:units], unit, np.arange(plan.persons) - start[unit], start)


def _roles(units: _Units) -> Ints:
    kind, place = units.kind_of, units.place
    role = np.full(len(kind), LONE)
    together = kind >= _COUPLE
    role[together & (place == 0)] = HEAD
    role[together & (place == 1) & np.isin(kind, (_COUPLE, _FAMILY))] = SPOUSE
    role[(kind == _FAMILY) & (place > 1)] = CHILD
    role[(kind == _SINGLE_PARENT) & (place > 0)] = CHILD
    role[(kind == _SIBLINGS) & (place > 0)] = SIBLING
    return role


def _women(rng: np.random.Generator, rates: Rates, units: _Units, role: Ints) -> Ints:
    kind = units.kind_of
    share: Floats = np.full(len(kind), rates.lone_woman)
    share[role == CHILD] = 0.47
    share[role == SIBLING] = 0.2
    share[role == SPOUSE] = 1.0
    share[(role == HEAD) & np.isin(kind, (_COUPLE, _FAMILY))] = 0.0
    share[(role == HEAD) & (kind == _SINGLE_PARENT)] = 0.85
    return (rng.random(len(kind)) < share).astype(np.int64)


def _ages(rng: np.random.Generator, units: _Units, role: Ints) -> Floats:
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


def _twins(rng: np.random.Generator, rates: Rates, units: _Units, role: Ints) -> Flags:
    """Members born on the day of the one before them in the unit."""
    young = np.isin(role, (CHILD, SIBLING))
    after_child = np.zeros(len(role), dtype=np.bool_)
    after_child[1:] = young[:-1] & (units.unit[1:] == units.unit[:-1])
    after_child |= (role == SIBLING) & (units.place == 1)
    return young & after_child & thin(rng, rates.twins, len(role))


def _cultures(rng: np.random.Generator, nation: Ints) -> Ints:
    known = lexicon().culture
    culture = np.zeros(len(nation), dtype=np.int64)
    for number, row in enumerate(nations()):
        mask = nation == number
        drawn = choose(rng, [share for _, share in row.cultures], int(mask.sum()))
        culture[mask] = np.array([known.index(name) for name, _ in row.cultures])[drawn]
    return culture


def _named(rng: np.random.Generator, culture: Ints, kinds: list[str], kind: Ints) -> Ints:
    """Draw an entry for each row from the pool of its culture and kind."""
    drawn = np.full(len(culture), -1)
    for number, name in enumerate(lexicon().culture):
        for which, letter in enumerate(kinds):
            mask = (culture == number) & (kind == which)
            wanted = int(mask.sum())
            if wanted:
                drawn[mask] = lexicon().pools[name, letter].draw(rng, wanted)
    return drawn


def _namesakes(rng: np.random.Generator, plan: Plan, group: Ints, eligible: Flags) -> Ints:
    """For some strangers, the person whose name and year of birth they share; -1 for the rest."""
    other = np.full(len(group), -1)
    rows = np.flatnonzero(eligible)
    rows = rows[np.argsort(group[rows], kind="stable")]
    if len(rows) < 2:  # noqa: PLR2004  a namesake needs another
        return other
    pairs = np.flatnonzero(thin(rng, plan.rates.namesakes, len(rows) - 1))
    pairs = pairs[np.append(True, np.diff(pairs) > 1)[: len(pairs)]]
    pairs = pairs[group[rows[pairs]] == group[rows[pairs + 1]]]
    other[rows[pairs + 1]] = rows[pairs]
    return other


def _first_january(days: Ints) -> Ints:
    years = days.astype("datetime64[D]").astype("datetime64[Y]")
    return np.asarray(years.astype("datetime64[D]").astype(np.int64))


def make_world(plan: Plan) -> World:
    """All persons of the region; the same plan gives the same arrays."""
    rates, count = plan.rates, plan.persons
    rng = stream(plan.seed, "world")
    units = _units(rng, plan)
    role = _roles(units)
    female = _women(rng, rates, units, role)
    age = _ages(rng, units, role)
    nation = choose(rng, [row.weight for row in nations()], len(units.kind))[units.unit]
    culture = _cultures(rng, nation)[units.start][units.unit]
    born = plan.today - (age * _YEAR).astype(np.int64)
    twin = _twins(rng, rates, units, role)
    born[twin] = born[np.flatnonzero(twin) - 1]

    lone_adult = (role == LONE) & (age >= 18)  # noqa: PLR2004  majority
    namesake_of = _namesakes(rng, plan, nation * 4 + female, lone_adult)
    same = np.flatnonzero(namesake_of >= 0)
    culture[same] = culture[namesake_of[same]]
    born[same] = _first_january(born[namesake_of[same]]) + rng.integers(0, 365, len(same))
    year_only = rng.random(count) < np.array([row.year_only for row in nations()])[nation]
    born = np.where(year_only, _first_january(born), born)

    forename = _named(rng, culture, ["m", "f"], female)
    second = _named(rng, culture, ["m", "f"], female)
    has_second = thin(rng, rates.double_forename, count) & (second != forename)
    own_surname = _named(rng, culture, ["s"], np.zeros(count, dtype=np.int64))
    surname = own_surname[units.start][units.unit]
    keeps = (role == SPOUSE) & thin(rng, 0.45, count)
    surname = np.where(keeps, own_surname, surname)
    forename[same] = forename[namesake_of[same]]
    second = np.where(has_second, second, -1)
    second[same] = second[namesake_of[same]]
    surname[same] = surname[namesake_of[same]]
    by_father = np.isin(nation, [i for i, row in enumerate(nations()) if row.code in _PATRONYMIC])
    patronymic = _named(rng, culture, ["m"], np.zeros(count, dtype=np.int64))
    patronymic = np.where(by_father, patronymic[units.start][units.unit], -1)
    married = (role == SPOUSE) & ~keeps & thin(rng, 8 * rates.birth_name, count)
    renamed = thin(rng, rates.previous_name, count)
    feminine = lexicon().feminine
    surname = np.where(female == 1, feminine[surname], surname)
    return World(
        unit=units.unit,
        unit_start=units.start,
        role=role,
        nation=nation,
        nation2=np.where(
            thin(rng, rates.second_nationality, count), (nation + 1) % len(nations()), -1
        ),
        culture=culture,
        female=female,
        born=born,
        year_only=year_only,
        forename=forename,
        forename2=second,
        surname=surname,
        birth_surname=np.where(married, own_surname, -1),
        previous_surname=np.where(renamed, np.roll(own_surname, 1), -1),
        patronymic=patronymic,
        single_name=thin(rng, rates.single_name, count),
        romanisation=choose(rng, [0.5, 0.3, 0.2], count),
        lone_minor=np.isin(units.kind_of, (_LONE_MINOR, _SIBLINGS))
        & (age < 18)  # noqa: PLR2004
        & ((role != SIBLING) | (age[units.start][units.unit] < 18)),  # noqa: PLR2004
        namesake_of=namesake_of,
        twin=twin,
        document=np.where(thin(rng, rates.documented, count), choose(rng, [0.62, 0.38], count), -1),
        persecutor=_persecutors(rng, rates, nation),
        residence=np.where(
            thin(rng, rates.resides_elsewhere, count),
            choose(rng, [row.weight for row in nations()], count),
            nation,
        ),
        deceased=thin(rng, rates.deceased, count),
        naturalised=thin(rng, rates.naturalised, count),
    )


def _persecutors(rng: np.random.Generator, rates: Rates, nation: Ints) -> Ints:
    draw = rng.random(len(nation))
    other = (nation + 1 + rng.integers(0, len(nations()) - 1, len(nation))) % len(nations())
    own = rates.persecutor_own_state
    return np.where(
        draw < own, nation, np.where(draw < own + rates.persecutor_other_state, other, -1)
    )
