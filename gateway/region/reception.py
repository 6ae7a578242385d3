# SPDX-License-Identifier: EUPL-1.2
"""Reception centres and stays.

Beds in use are counted from the stays that have not ended, so the two always agree; how many are
still there is held near each centre's typical occupancy. Capacities marked "reported" in
centres.csv follow published figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.region.columns import Codes, Days, Frame, Minutes, Numbers, Several, Words, flags
from gateway.region.datafiles import centres, nations
from gateway.region.local import Local, origins, running, standing
from gateway.region.randomness import MISSING, Flags, Ints, choose, texts, thin
from gateway.region.world import World

__all__ = ["Stays", "centre_frame", "stay_frame"]

_DIETS = ("none", "halal", "vegetarian", "diabetic", "infant")
_ALERTS = ("asthma", "diabetes", "epilepsy", "pregnancy", "injury")
_ROOM_BEDS = 6
_LONGEST_STAY = 365
"""Nobody who came longer ago counts as still there."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays and what centres need of them, over stays."""

    frame: Frame
    centre: Ints
    open: Flags


def _centre(rng: np.random.Generator, local: Local, person: Ints) -> Ints:
    """Families go to centres that take them, with beds as weights."""
    here = centres(local.country)
    family = local.world.role[local.seen.person[person]] > 0
    family |= local.world.lone_minor[local.seen.person[person]]
    anybody = choose(rng, [row.capacity * row.use for row in here], len(person))
    fit = choose(rng, [row.capacity * row.use * row.families for row in here], len(person))
    return np.where(family, fit, anybody)


def _still_there(local: Local, open_wish: Flags, centre: Ints) -> Flags:
    """At most each centre's typical occupancy, the latest arrivals first."""
    kept = open_wish.copy()
    for number, row in enumerate(centres(local.country)):
        rows = np.flatnonzero(open_wish & (centre == number))
        most = max(1, round(row.capacity * row.use))
        kept[rows[: max(0, len(rows) - most)]] = False
    return kept


def _languages(nation: Ints) -> Several:
    words = sorted({language for row in nations() for language in row.languages})
    table = np.full((len(nations()), 2), -1)
    for number, row in enumerate(nations()):
        for place, language in enumerate(row.languages):
            table[number, place] = words.index(language)
    return Several(table[nation], tuple(words))


def stay_frame(local: Local, persons: Frame) -> Stays:
    """All stays of one country, in the order of arrival."""
    rng, rates, today = local.stream("stays"), local.rates, local.plan.today
    person = np.flatnonzero(thin(rng, rates.stay, local.count))
    count = len(person)
    world, who = local.world, local.seen.person[person]
    arrived = np.minimum(local.seen.day[person] + rng.integers(0, 4, count), today)
    centre = _centre(rng, local, person)
    wish = local.seen.last[person] & (arrived > today - _LONGEST_STAY)
    wish &= thin(rng, rates.still_there, count)
    staying = _still_there(local, wish, centre)
    length = 1 + rng.exponential(rates.mean_stay_days, count).astype(np.int64)
    left = np.minimum(arrived + length, np.maximum(today - 1, arrived))
    known_leave = staying & thin(rng, 0.08, count)
    leaves = np.where(staying, np.where(known_leave, today + 5, MISSING), left)
    until = np.maximum(left, arrived) + 2 * 365
    until = np.where(until > today, until, today + rng.integers(5, 400, count))
    kept = Codes(np.zeros(count, dtype=np.int64), ("STAY",))
    words = tuple(row.centre for row in centres(local.country))
    frame: Frame = {
        "record_key": running(person),
        "person_key": Numbers(person),
        **_badge(local, persons, person),
        "age": Numbers(local.ages(world.born[local.seen.person])[person]),
        "sex": persons["sex"].at(person),
        "languages": _languages(world.nation[who]),
        "centre_id": Codes(centre, words),
        "arrived_on": Days(arrived),
        "leaves_on": Days(leaves),
        **_place(rng, world, who),
        **standing(local, "stays", until, "reception", kept),
        **origins(local, "stays", local.seen.previous[person]),
    }
    return Stays(frame, centre, staying)


def _place(rng: np.random.Generator, world: World, who: Ints) -> Frame:
    """Room, bed, family group, and what the kitchen and the infirmary must know."""
    count = len(who)
    room = rng.integers(1, 180, count)
    group = np.where(world.role[who] > 0, world.unit[who] * 7919 % 1_000_003, MISSING)
    alert = choose(rng, [1.0] * len(_ALERTS), count)
    return {
        "room": Words(texts([f"{chr(65 + n % 4)}{n:03d}" for n in room.tolist()])),
        "bed": Numbers(rng.integers(1, _ROOM_BEDS + 1, count)),
        "family_group_no": Numbers(group),
        "diet_code": Codes(choose(rng, [0.2, 0.68, 0.04, 0.04, 0.04], count), _DIETS),
        "medical_alert_code": Codes(np.where(thin(rng, 0.05, count), alert, -1), _ALERTS),
        "separate_room": flags(thin(rng, 0.04, count)),
    }


def _badge(local: Local, persons: Frame, person: Ints) -> Frame:
    """What stands on the badge: the first name, or the only one, and a picture for the gate."""
    given, family = persons["forenames"].at(person), persons["surnames"].at(person)
    if not (isinstance(given, Words) and isinstance(family, Words)):
        raise TypeError("names are words")
    shown = np.where(given.values == None, family.values, given.values)  # noqa: E711  elementwise
    return {
        "badge_name": Words(shown),
        "badge_photo": Words(
            texts([f"{local.country.lower()}-gate-{row:07d}" for row in range(len(person))])
        ),
    }


def centre_frame(local: Local, stays: Stays) -> Frame:
    """Beds of each centre on the region's day, some kept for families and lone children."""
    here = centres(local.country)
    capacity = np.array([row.capacity for row in here])
    occupied = np.bincount(stays.centre[stays.open], minlength=len(here))
    free = np.maximum(capacity - occupied, 0)
    takes = np.array([row.families for row in here])
    return {
        "centre_id": Codes(np.arange(len(here)), tuple(row.centre for row in here)),
        "name": Words(texts([row.name for row in here])),
        "region": Words(texts([row.region for row in here])),
        "capacity": Numbers(capacity),
        "occupied": Numbers(occupied),
        "free_beds": Numbers(free),
        "free_family": Numbers(np.where(takes, free // 3, 0)),
        "free_lone_child": Numbers(np.where(takes, free // 8, 0)),
        "open": flags(np.ones(len(here), dtype=np.bool_)),
        "as_of": Minutes(np.full(len(here), local.plan.today * 1440 + 6 * 60)),
    }
