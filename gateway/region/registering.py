# SPDX-License-Identifier: EUPL-1.2
"""Registrations: category, place, dates, notice, and how long the record is kept.

Categories are those of Regulation (EU) 2024/1358; registers outside the Union use them by analogy.
A person apprehended again in the same country gets a second registration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.region.columns import Codes, Days, Frame, Minutes, Numbers, Words, flags
from gateway.region.datafiles import COUNTRIES, nations, places
from gateway.region.local import RETENTION_YEARS, Local, origins, running, standing
from gateway.region.randomness import MISSING, Flags, Ints, Texts, choose, texts, thin

__all__ = ["CATEGORIES", "OFFICERS", "Registered", "register_everybody"]

CATEGORIES: Final = ("ASY", "IRR", "ILL", "SAR", "RSA", "RSX", "RSN", "TMP")
_DIGITS: Final = "1239778" + "0"
"""Category digit of a reference number, Art 37(4), in the order of CATEGORIES."""
OFFICERS: Final = 80
"""Officers of each country who register people."""
_MIXES: Final[Mapping[str, tuple[float, ...]]] = {
    "GR": (0.34, 0.16, 0.12, 0.36, 0.006, 0.002, 0.012, 0.0),
    "BA": (0.08, 0.66, 0.26, 0.0, 0.0, 0.0, 0.0, 0.0),
    "RS": (0.10, 0.55, 0.35, 0.0, 0.0, 0.0, 0.0, 0.0),
    "ME": (0.20, 0.60, 0.20, 0.0, 0.0, 0.0, 0.0, 0.0),
    "AL": (0.10, 0.62, 0.27, 0.01, 0.0, 0.0, 0.0, 0.0),
    "MK": (0.06, 0.60, 0.34, 0.0, 0.0, 0.0, 0.0, 0.0),
    "HR": (0.35, 0.45, 0.19, 0.0, 0.005, 0.0, 0.005, 0.0),
    "SI": (0.52, 0.40, 0.07, 0.0, 0.005, 0.001, 0.004, 0.0),
    "AT": (0.62, 0.08, 0.28, 0.0, 0.01, 0.002, 0.008, 0.0),
}


@dataclass(frozen=True, slots=True)
class Registered:
    """The registrations and what other parts need of them.

    `first` and `category` are over the register's persons; `reference` is over registrations, whose
    order is that of time; `until` is the last day of keeping by person.
    """

    frame: Frame
    first: Ints
    category: Ints
    reference: Texts
    until: Ints


def _category(rng: np.random.Generator, local: Local, count: int, nation: Ints) -> Ints:
    drawn = choose(rng, list(_MIXES[local.country]), count)
    ukraine = [row.code for row in nations()].index("UA")
    return np.where(nation == ukraine, CATEGORIES.index("TMP"), drawn)


def _moments(rng: np.random.Generator, local: Local, day: Ints, taken: Flags) -> Frame:
    """Event day to registration, capture and transmission, in minutes."""
    count, today = len(day), local.plan.today
    noon = day * 1440 + rng.integers(6 * 60, 23 * 60, count)
    registered = np.minimum(noon + rng.integers(20, 2000, count), today * 1440 + 600)
    captured = registered + rng.integers(5, 180, count)
    late = thin(rng, 0.04, count)
    sent = captured + rng.integers(60, 3800, count) + 4320 * late
    unsent = sent > today * 1440 + 720
    return {
        "event_date": Days(day),
        "registered_at": Minutes(registered),
        "biometrics_taken_at": Minutes(np.where(taken, captured, MISSING)),
        "transmitted_at": Minutes(np.where(taken & ~unsent, sent, MISSING)),
    }


def _notice(rng: np.random.Generator, local: Local, day: Ints, nation: Ints) -> Frame:
    """Proof that the person was informed, in a language that he reads; missing for a few."""
    languages = sorted({language for row in nations() for language in row.languages})
    first = np.array([languages.index(row.languages[0]) for row in nations()])
    given = ~thin(rng, local.rates.notice_missing, len(day))
    version = choose(rng, [0.2, 0.35, 0.45], len(day))
    return {
        "notice_version": Codes(np.where(given, version, -1), ("2024-06", "2025-02", "2026-06")),
        "notice_language": Codes(np.where(given, first[nation], -1), tuple(languages)),
        "notice_given_at": Minutes(
            np.where(given, day * 1440 + rng.integers(400, 1400, len(day)), MISSING)
        ),
        "notice_given": flags(given),
    }


def _travel(rng: np.random.Generator, local: Local, day: Ints, last: Flags) -> Frame:
    here = places(local.country)
    place = choose(rng, [row.weight for row in here], len(day))
    left = thin(rng, 0.7, len(day)) & (~last | thin(rng, 0.08, len(day)))
    removed = left & thin(rng, 0.05, len(day))
    until = np.minimum(day + rng.integers(2, 60, len(day)), local.plan.today)
    own = np.full(len(day), COUNTRIES.index(local.country))
    return {
        "origin_state": Codes(own, COUNTRIES),
        "event_place": Codes(place, tuple(row.name for row in here)),
        "event_site": Codes(place, tuple(row.name.split(", ")[0] for row in here)),
        "event_region": Codes(place, tuple(row.name.split(", ")[1] for row in here)),
        "left_territory_on": Days(np.where(left & ~removed, until, MISSING)),
        "removed_on": Days(np.where(removed, until, MISSING)),
        "avrr_granted": flags(thin(rng, local.rates.granted_avrr, len(day))),
    }


def _order(local: Local, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Persons and days of all registrations, in the order of time."""
    again = np.flatnonzero(thin(rng, local.rates.again_in_same_country, local.count))
    later = local.seen.day[again] + rng.integers(2, 45, len(again))
    again, later = again[later <= local.plan.today], later[later <= local.plan.today]
    person = np.concatenate([np.arange(local.count), again])
    day = np.concatenate([local.seen.day, later])
    order = np.lexsort((person, day))
    return person[order], day[order]


def register_everybody(local: Local, taken: Flags) -> Registered:
    """All registrations of one country.

    Args:
        local: the country.
        taken: by person, whether fingerprints were taken.
    """
    rng = local.stream("registrations")
    person, day = _order(local, rng)
    count = len(person)
    nation = local.world.nation[local.seen.person[person]]
    category = _category(rng, local, count, nation)
    first = np.full(local.count, count)
    np.minimum.at(first, person, np.arange(count))
    years = np.array([RETENTION_YEARS[name] for name in CATEGORIES])
    until = day + years[category] * 365 + 3
    # A temporary protection lives a year and is extended while it lasts.
    until = np.where(until <= local.plan.today, local.plan.today + 200, until)
    kept = Codes(category, CATEGORIES)
    digit = np.array([int(mark) for mark in _DIGITS])[category].tolist()
    reference = texts([f"{local.country}{d}{at + 1:09d}" for at, d in enumerate(digit)])
    record = standing(local, "registrations", until, "migration", kept)
    frame: Frame = {
        "record_key": running(person),
        "person_key": Numbers(person),
        "reference_number": Words(reference),
        "person_category": kept,
        **_moments(rng, local, day, taken[person]),
        "operator_user_id": Numbers(choose(rng, [1.0] * OFFICERS, count)),
        **record,
        **_notice(rng, local, day, nation),
        **_travel(rng, local, day, local.seen.last[person]),
        **origins(local, "registrations", local.seen.previous[person]),
    }
    longest = np.zeros(local.count, dtype=np.int64)
    np.maximum.at(longest, person, until)
    return Registered(frame, first, category[first], reference, longest)
