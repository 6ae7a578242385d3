# SPDX-License-Identifier: EUPL-1.2
"""All statistics that two recipients are answered in a month, and attacks on them.

A month of working days in which people arrive and leave; each recipient asks every layout on his
own days. What was answered is kept with whom it really counted, which no recipient has.
"""

import itertools
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from anonymise.statistics import (
    ALL,
    Answered,
    Cube,
    Overlap,
    Tie,
    cube_of,
    intervals,
    layout_of,
    pattern_of,
    snapshot_of,
)
from tests.anonymise.attack.register import register

KEY = bytes(range(32))
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
DAYS = 28
THRESHOLD = 10
LAYOUTS = (
    "age_sex_nationality", "needs", "occupancy", "arrivals", "flows", "claims", "readmissions",
)  # fmt: skip
ASKED_ON = {"UNHCR": (0, 7, 14, 21), "BA-RK": (1, 3, 9, 15, 16, 27)}
_EVERYBODY = ("age_sex_nationality", "occupancy", "arrivals", "flows")
_BANDS = ((0, "0-4"), (5, "5-11"), (12, "12-17"), (18, "18-59"), (60, "60+"))
# Where people came from; some ways are hardly used.
_ORIGINS = ("RS",) * 40 + ("ME",) * 25 + ("HR",) * 12 + ("AL",) * 3 + ("MK",)
_STATES = ("open", "open", "closed", "refused")
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
    values, number = person.values, int(person.reference.removeprefix("P-"))
    band, sex = _band(values["biographic.age"]), values["biographic.sex"]
    year, week, _ = values["accommodation.arrived_on"].isocalendar()
    found = {
        "age_sex_nationality": [(band, sex, values["biographic.nationalities"][0])],
        "occupancy": [(values["accommodation.centre_id"], band, sex)],
        "needs": [(need,) for need in values["protection.needs_codes"]],
        "arrivals": [(f"{year:04}-W{week:02}",)],
        "flows": [(_ORIGINS[number % len(_ORIGINS)], "BA")],
        "claims": [(values["asylum.claim_state"],)] if number % 97 else [],
        "readmissions": [] if number % 9 else [(_STATES[number // 9 % len(_STATES)],)],
    }
    return found[layout]


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


def month(seed=4, *, apart=False):
    """Every table that was answered, in order, and how many were refused.

    `apart` takes the controls out: each table by itself, and the centres' totals not known.
    """
    answered = {recipient: Answered() for recipient in ASKED_ON}
    editions, refused = [], 0
    for day, people in enumerate(_days(seed)):
        for recipient, days in ASKED_ON.items():
            if day not in days:
                continue
            whom = {layout: members(layout, people) for layout in LAYOUTS}
            patterns = _patterns(whom, answered[recipient], apart=apart)
            for layout in LAYOUTS:
                table = patterns[layout].table(layout_of(layout), answered[recipient], KEY)
                edition = _asked(recipient, day, table, whom[layout], answered[recipient], editions)
                if edition is None:
                    refused += 1
                else:
                    editions.append(edition)
    return editions, refused


def _patterns(whom, answered, *, apart):
    tables = {layout_of(name): cells for name, cells in whom.items()}
    sets = [tables]
    if apart:
        sets = [{replace(one, public=()): cells} for one, cells in tables.items()]
    taken = [snapshot_of(one, minimum=THRESHOLD, key=KEY) for one in sets]
    made = [pattern_of(snapshot, answered, KEY) for snapshot in taken]
    return {name: pattern for pattern in made for name in pattern.answers}


def _asked(recipient, day, table, whom, answered, before):
    if isinstance(table, Overlap):
        return None
    layout = table.layout.name
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


def left_out(editions, *, both=True):
    """For each recipient and day, all figures left out, with their intervals for two attackers.

    The first knows the exact count behind each published figure that is of that day; the second,
    if `both`, what is published. Both know the totals of the centres, and take all tables together.
    """
    days = defaultdict(list)
    for edition in editions:
        days[edition.recipient, edition.day].append(edition)
    for together in days.values():
        cube = joined(together)
        cells = {(e.layout, *key): len(whom) for e in together for key, whom in _placed(e).items()}
        exact = cube.counts(cells)
        sure, told = {}, {}
        for edition in together:
            shown = figures(edition)
            for key, whom in edition.counted.items():
                if exact.get((edition.layout, *key)) == len(whom):
                    sure[edition.layout, *key] = len(whom)
                    told[edition.layout, *key] = shown[key]
        unknown = [key for key in cube.figures if key not in sure and key not in cube.public]
        strong = intervals(cube, sure, unknown)
        weak = intervals(cube, told, unknown, within=MOST_OFF) if both else strong
        yield exact, sure, strong, weak


def joined(editions):
    """The tables of one day as this attacker sees them: people are people, in every table.

    He knows that everybody has an age, a sex, a bed, an arrival and a way, and that one person is
    of one age and sex in every table; not who has needs, claims or readmissions.
    """
    cells, margins, public, ties, whole, cross = [], {}, {}, [], {}, defaultdict(dict)
    for edition in editions:
        layout, placed = layout_of(edition.layout), _placed(edition)
        cube = cube_of(layout, {key: len(whom) for key, whom in placed.items()})
        name = layout.name
        cells += [(name, *key) for key in cube.cells]
        margins |= {
            (name, *key): tuple((name, *cell) for cell in parts)
            for key, parts in cube.margins.items()
        }
        public |= {(name, *key): count for key, count in cube.public.items()}
        if name in _EVERYBODY:
            whole[name] = [(name, *key) for key in cube.cells]
        for key in cube.cells if layout.shared else ():
            named = dict(zip(layout.columns, key, strict=True))
            pair = tuple(named[column] for column in layout.shared)
            cross[pair].setdefault(name, []).append((name, *key))
    for sides in [whole, *cross.values()]:
        for one, other in itertools.pairwise(sides.values()):
            ties.append(Tie(dict.fromkeys(one, 1) | dict.fromkeys(other, -1)))
    return Cube(tuple(cells), margins, tuple(ties), public)


def _placed(edition):
    """Everybody in the first of his cells; those with several needs in each of them."""
    if not layout_of(edition.layout).additive:
        return {key: whom for key, whom in edition.members.items() if whom}
    seen, placed = set(), {}
    for key in sorted(edition.members):
        placed[key] = edition.members[key] - seen
        seen |= edition.members[key]
    return {key: rest for key, rest in placed.items() if rest}
