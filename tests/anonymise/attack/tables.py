# SPDX-License-Identifier: EUPL-1.2
"""All statistics that two recipients are answered in a month, and attacks on them.

A month of working days in which people arrive and leave; each recipient asks every layout on his
own days. What was answered is kept with whom it really counted, which no recipient has.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from anonymise.statistics import (
    ALL,
    Answered,
    Overlap,
    cube_of,
    intervals,
    layout_of,
    protect_table,
)
from tests.anonymise.attack.register import register

KEY = bytes(range(32))
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
DAYS = 28
THRESHOLD = 10
LAYOUTS = ("age_sex_nationality", "needs", "occupancy", "arrivals")
ASKED_ON = {"UNHCR": (0, 7, 14, 21), "BA-RK": (1, 3, 9, 15, 16, 27)}
_BANDS = ((0, "0-4"), (5, "5-11"), (12, "12-17"), (18, "18-59"), (60, "60+"))
# Noise is cut at 8 and rounding moves by at most 2 (see docs/formats/statistics.md).
MOST_OFF = 10


@dataclass(frozen=True, slots=True)
class Edition:
    """One answered table, and whom its figures really counted."""

    recipient: str
    layout: str
    day: int
    table: object
    members: dict
    counted: dict


def _band(age):
    return next(name for first, name in reversed(_BANDS) if age >= first)


def _cells(layout, person):
    values = person.values
    band, sex = _band(values["biographic.age"]), values["biographic.sex"]
    if layout == "age_sex_nationality":
        return [(band, sex, values["biographic.nationalities"][0])]
    if layout == "occupancy":
        return [(values["accommodation.centre_id"], band, sex)]
    if layout == "needs":
        return [(need,) for need in values["protection.needs_codes"]]
    year, week, _ = values["accommodation.arrived_on"].isocalendar()
    return [(f"{year:04}-W{week:02}",)]


def members(layout, people):
    """Cell -> references."""
    found = defaultdict(set)
    for person in people:
        for cell in _cells(layout, person):
            found[cell].add(person.reference)
    return {cell: frozenset(whom) for cell, whom in found.items()}


def _days(seed):
    """Who is present on each day of the month."""
    dice = random.Random(seed)  # noqa: S311
    everybody = register(seed=3, people=900)
    present, waiting = everybody[:600], everybody[600:]
    for _ in range(DAYS):
        yield list(present)
        leaving = {person.reference for person in dice.sample(present, dice.randrange(0, 9))}
        arriving, waiting = waiting[: (n := dice.randrange(0, 9))], waiting[n:]
        present = [p for p in present if p.reference not in leaving] + arriving


def month(seed=4):
    """Every table that was answered, in order, and how many were refused."""
    answered = {recipient: Answered() for recipient in ASKED_ON}
    editions, refused = [], 0
    for day, people in enumerate(_days(seed)):
        for recipient, days in ASKED_ON.items():
            for layout in LAYOUTS if day in days else ():
                edition = _asked(recipient, layout, day, people, answered[recipient], editions)
                if edition is None:
                    refused += 1
                else:
                    editions.append(edition)
    return editions, refused


def _asked(recipient, layout, day, people, answered, before):
    whom = members(layout, people)
    table = protect_table(layout_of(layout), whom, minimum=THRESHOLD, key=KEY, answered=answered)
    if isinstance(table, Overlap):
        return None
    at = START + timedelta(days=day)
    assert answered.fold(replace(table.answer, at=at)) is None
    now = {key: _whom(whom, key) for key, _ in table.answer.figures}
    stood = {
        key: edition.counted[key]
        for edition in before
        if (edition.recipient, edition.layout) == (recipient, layout)
        for key, cohort in edition.table.answer.figures
        if dict(table.answer.figures).get(key) == cohort
    }
    return Edition(recipient, layout, day, table, whom, now | stood)


def _whom(whom, key):
    """Whom a cell or margin counts, each in the first of his cells."""
    seen, found = set(), set()
    for cell in sorted(whom):
        if all(part in (ALL, own) for own, part in zip(cell, key, strict=True)):
            found |= whom[cell] - seen
        seen |= whom[cell]
    return frozenset(found)


def figures(edition):
    """Key -> published figure."""
    return dict((*edition.table.cells, *edition.table.margins))


def least_apart(editions):
    """The fewest people in which two published figures differ, 0 apart, and of how many pairs."""
    cohorts = {edition_key(e, key): whom for e in editions for key, whom in e.counted.items()}
    distinct = list(dict.fromkeys(cohorts.values()))
    apart = [
        len(one ^ other) for place, one in enumerate(distinct) for other in distinct[place + 1 :]
    ]
    return min(apart), len(apart)


def edition_key(edition, key):
    """Which figure of which table."""
    return edition.recipient, edition.layout, edition.day, key


def left_out(editions):
    """For each additive table, its figures left out with their intervals for two attackers.

    The first knows the exact count behind each published figure; the second what is published.
    """
    for edition in editions:
        layout = layout_of(edition.layout)
        counts = {key: len(whom) for key, whom in _placed(edition.members).items()}
        cube = cube_of(layout, counts)
        if not cube.margins:
            continue
        exact = cube.counts({key: counts[key] for key in cube.cells})
        published = {key: len(whom) for key, whom in edition.counted.items() if key in exact}
        standing = {key for key, size in published.items() if size != exact[key]}
        sure = {key: exact[key] for key in published if key not in standing}
        told = {key: n for key, n in figures(edition).items() if key in sure}
        strong = intervals(cube, sure)
        weak = intervals(cube, told, [k for k in exact if k not in sure], within=MOST_OFF)
        yield edition, exact, sure, strong, weak


def _placed(whom):
    seen, placed = set(), {}
    for key in sorted(whom):
        placed[key] = whom[key] - seen
        seen |= whom[key]
    return {key: rest for key, rest in placed.items() if rest}
