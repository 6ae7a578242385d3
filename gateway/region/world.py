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
from gateway.region.randomness import Flags, Ints, choose, stream, thin
from gateway.region.rates import Rates
from gateway.region.units import (
    LONE,
    MAJORITY,
    SPOUSE,
    Units,
    draw_ages,
    draw_twins,
    draw_units,
    draw_women,
    lone_minors,
    roles_of,
)

__all__ = ["Names", "Plan", "World", "make_world"]

_YEAR: Final = 365.25
_EPOCH: Final = date(1970, 1, 1)
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
class Names:
    """True names by person: entry numbers of the lexicon, -1 where there is none."""

    culture: Ints
    forename: Ints
    forename2: Ints
    surname: Ints
    birth_surname: Ints
    previous_surname: Ints
    patronymic: Ints
    single: Flags
    romanisation: Ints
    """which of three spellings the person's own papers use"""


@dataclass(frozen=True, slots=True)
class World:
    """Arrays over persons, but for `unit_start`, which is over units. Births: days since 1970."""

    unit: Ints
    unit_start: Ints
    role: Ints
    nation: Ints
    nation2: Ints
    female: Ints
    born: Ints
    year_only: Flags
    names: Names
    lone_minor: Flags
    namesake_of: Ints
    """whose name and year of birth this stranger shares, -1 for most"""
    twin: Flags
    """born on the day of the person before"""
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


def _namesakes(rng: np.random.Generator, rate: float, group: Ints, eligible: Flags) -> Ints:
    """For some strangers, the person whose name and year of birth they share; -1 for the rest."""
    other = np.full(len(group), -1)
    rows = np.flatnonzero(eligible)
    rows = rows[np.argsort(group[rows], kind="stable")]
    if len(rows) < 2:  # noqa: PLR2004  a namesake needs another
        return other
    pairs = np.flatnonzero(thin(rng, rate, len(rows) - 1))
    pairs = pairs[np.append(True, np.diff(pairs) > 1)[: len(pairs)]]
    pairs = pairs[group[rows[pairs]] == group[rows[pairs + 1]]]
    other[rows[pairs + 1]] = rows[pairs]
    return other


def _first_january(days: Ints) -> Ints:
    years = days.astype("datetime64[D]").astype("datetime64[Y]")
    return np.asarray(years.astype("datetime64[D]").astype(np.int64))


@dataclass(frozen=True, slots=True)
class _Cast:
    """What is drawn before names are."""

    units: Units
    role: Ints
    female: Ints
    nation: Ints
    culture: Ints
    namesake_of: Ints


def _names(rng: np.random.Generator, rates: Rates, cast: _Cast) -> Names:
    """Names by culture; families share a surname, namesakes every name."""
    count, start, unit = len(cast.role), cast.units.start, cast.units.unit
    nobody = np.zeros(count, dtype=np.int64)
    forename = _named(rng, cast.culture, ["m", "f"], cast.female)
    second = _named(rng, cast.culture, ["m", "f"], cast.female)
    second = np.where(thin(rng, rates.double_forename, count) & (second != forename), second, -1)
    own = _named(rng, cast.culture, ["s"], nobody)
    keeps = (cast.role == SPOUSE) & thin(rng, rates.own_surname_kept, count)
    surname = np.where(keeps, own, own[start][unit])
    same = np.flatnonzero(cast.namesake_of >= 0)
    donor = cast.namesake_of[same]
    for name in (forename, second, surname):
        name[same] = name[donor]
    by_father = np.isin(
        cast.nation, [i for i, row in enumerate(nations()) if row.code in _PATRONYMIC]
    )
    father = _named(rng, cast.culture, ["m"], nobody)[start][unit]
    married = (cast.role == SPOUSE) & ~keeps & thin(rng, rates.birth_name, count)
    renamed = thin(rng, rates.previous_name, count)
    return Names(
        culture=cast.culture,
        forename=forename,
        forename2=second,
        surname=np.where(cast.female == 1, lexicon().feminine[surname], surname),
        birth_surname=np.where(married, own, -1),
        previous_surname=np.where(renamed, np.roll(own, 1), -1),
        patronymic=np.where(by_father, father, -1),
        single=thin(rng, rates.single_name, count),
        romanisation=choose(rng, [0.5, 0.3, 0.2], count),
    )


def make_world(plan: Plan) -> World:
    """All persons of the region; the same plan gives the same arrays."""
    rates, count = plan.rates, plan.persons
    rng = stream(plan.seed, "world")
    units = draw_units(rng, count, rates)
    role = roles_of(units)
    female = draw_women(rng, rates, units, role)
    age = draw_ages(rng, units, role)
    weights = [row.weight for row in nations()]
    nation = choose(rng, weights, len(units.kind))[units.unit]
    culture = _cultures(rng, nation)[units.start][units.unit]
    born = plan.today - (age * _YEAR).astype(np.int64)
    twin = draw_twins(rng, rates, units, role)
    born[twin] = born[np.flatnonzero(twin) - 1]
    lone_adult = (role == LONE) & (age >= MAJORITY)
    namesake_of = _namesakes(rng, rates.namesakes, nation * 4 + female, lone_adult)
    same = np.flatnonzero(namesake_of >= 0)
    culture[same] = culture[namesake_of[same]]
    born[same] = _first_january(born[namesake_of[same]]) + rng.integers(0, 365, len(same))
    year_only = rng.random(count) < np.array([row.year_only for row in nations()])[nation]
    second = thin(rng, rates.second_nationality, count)
    elsewhere = thin(rng, rates.resides_elsewhere, count)
    return World(
        unit=units.unit,
        unit_start=units.start,
        role=role,
        nation=nation,
        nation2=np.where(second, (nation + 1) % len(nations()), -1),
        female=female,
        born=np.where(year_only, _first_january(born), born),
        year_only=year_only,
        names=_names(rng, rates, _Cast(units, role, female, nation, culture, namesake_of)),
        lone_minor=lone_minors(units, role, age),
        namesake_of=namesake_of,
        twin=twin,
        document=np.where(thin(rng, rates.documented, count), choose(rng, [0.62, 0.38], count), -1),
        persecutor=_persecutors(rng, rates, nation),
        residence=np.where(elsewhere, choose(rng, weights, count), nation),
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
