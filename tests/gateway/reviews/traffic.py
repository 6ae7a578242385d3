# SPDX-License-Identifier: EUPL-1.2
"""Three months of look-ups as the demo region's registrations and claims bring them about.

Each registration is a border check by the officer who made it, with the person before him; some ask
abroad too, and a hit abroad is mostly followed by a request. Claims are read within their case.
Shifts, swaps, cases and reasons are kept as an office keeps them: with gaps. Into this, misuse of
each kind is planted.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from audit.alerts import Context, View, scan
from audit.alerts.context import Case, Officer
from gateway.region import AS_OF, Rates
from gateway.region.filling import fill_register
from gateway.region.journeys import make_journeys
from gateway.region.papers import issue_documents
from gateway.region.world import Plan, make_world
from tests.audit.alerts.making import LOG, SEED, access, during, person, searched

PERSONS, SEED_NUMBER, DAYS = 24_000, 4, 92
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ABROAD = ("RS", "HR", "ME")


@dataclass
class Office:
    """What happens, and what the office wrote down of it."""

    rng: np.random.Generator
    frames: dict
    accesses: list = field(default_factory=list)
    rosters: list = field(default_factory=list)
    swaps: list = field(default_factory=list)
    cases: list = field(default_factory=list)
    actions: dict = field(default_factory=dict)
    reasons: list = field(default_factory=list)
    shifts: set = field(default_factory=set)

    def look(self, at, officer, **more):
        self.accesses.append(dict(at=at, officer=officer, **more))
        return len(self.accesses) - 1

    def on_shift(self, officer, at):
        """The roster has the shift, or a swap instead; a few of either are forgotten."""
        start = at.replace(hour=at.hour // 8 * 8, minute=0, second=0, microsecond=0)
        if (officer, start) in self.shifts:
            return
        self.shifts.add((officer, start))
        draw = self.rng.random()
        if draw < 0.97:
            self.rosters.append(during(officer, start, 8))
        elif draw < 0.995:
            self.swaps.append(during(officer, start, 8))

    def names(self, key):
        persons = self.frames["persons"]
        surname, forename = (str(persons[n].values[key] or "") for n in ("surnames", "forenames"))
        return searched(surname, forename)


def border(office, moment, officer, key):
    """A check at the crossing, and perhaps the question whether others know the person."""
    rng, names = office.rng, office.names(key)
    at = EPOCH + timedelta(minutes=int(moment))
    office.on_shift(officer, at)
    here = {"searched": names, "purpose": "border_check", "sure": {"presence"}, "unit": "BA-BP"}
    office.look(at, officer, hit=True, persons={f"p-{key}"}, **here)
    if rng.random() < 0.25:
        question = f"abroad-{len(office.accesses)}"
        for owner in ABROAD:
            hit = rng.random() < 0.2
            abroad = {"owner": owner, "view": "hit", "hit": hit, "question": question}
            seen = {f"{owner}-{key}"} if hit else set()
            index = office.look(at + HOUR / 60, officer, **here, **abroad, persons=seen)
            if hit and rng.random() < 0.85:
                office.look(
                    at + HOUR,
                    officer,
                    owner=owner,
                    action="consult",
                    **here,
                    persons=seen,
                    hit=True,
                )
            elif hit and rng.random() < 0.7:
                office.reasons.append((LOG, index))


def claim(office, day, number, key):
    """A claim is read a few times by the officer of its case."""
    rng, officer = office.rng, f"asylum-{number % 12}"
    case_no = f"AS{number}"
    case = Case(case_no, during(officer, EPOCH + timedelta(days=int(day)), 24 * 200), person())
    office.cases.append(Case(case.case_no, case.duty, person("BA", f"p-{key}")))
    for visit in range(int(rng.integers(1, 5))):
        at = EPOCH + timedelta(days=int(day) + visit * 9, hours=9 + int(rng.integers(0, 6)))
        office.on_shift(officer, at)
        told = {"case_no": case_no, "sure": {"case_number"}, "unit": "BA-AS"}
        office.look(at, officer, action="read", hit=True, persons={f"p-{key}"}, **told)
        if rng.random() < 0.97:
            office.actions.setdefault(case_no, []).append(at + HOUR)


def misuse(office, until):
    """One of each kind; the accesses that must not be explained away."""
    noon = until - 9 * DAY
    noon = noon.replace(hour=12, minute=0, second=0, microsecond=0)
    plain = {"purpose": "border_check", "unit": "BA-BP"}
    planted = {
        "protected": [office.look(noon, "7", persons={"p-5"}, hit=True, **plain)],
        "self-or-relative": [office.look(noon, "3", persons={"user-3"}, hit=True, **plain)],
        "colleague": [office.look(noon, "9", persons={"user-4"}, hit=True, **plain)],
        "no-follow-up": [
            office.look(noon, "5", view="hit", owner="RS", persons={"RS-x"}, hit=True, **plain)
        ],
        "bulk": [
            office.look(
                noon + n * DAY / 86_400, "11", searched=searched(reference=f"BA{n}"), **plain
            )
            for n in range(60)
        ],
        "same-name-sweep": [
            office.look(noon + n * HOUR / 60, "13", searched=searched(name, "Ali"), **plain)
            for n, name in enumerate(("Hasani", "Hasanin", "Hasari", "Masani", "Hazani", "Habani"))
        ],
        "purpose-drift": [
            office.look(noon + n * HOUR, "15", purpose="readmission", unit="BA-BP")
            for n in range(-5, 7)
        ],
    }
    for found in planted.values():
        for index in found:
            office.rosters.append(during(office.accesses[index]["officer"], noon - 9 * HOUR, 24))
    office.rosters.append(during("17", noon - DAY, 8))
    planted["off-hours"] = [office.look(noon, "17", **plain)]
    return planted


def three_months():
    """The view of a whole office, and the numbers of the planted accesses by rule."""
    plan = Plan(PERSONS, SEED_NUMBER, AS_OF, Rates())
    world = make_world(plan)
    journeys, documents = make_journeys(plan, world), issue_documents(plan, world)
    frames = fill_register(plan, world, journeys, documents, "BA")
    office = Office(np.random.default_rng(SEED_NUMBER), frames)
    registered, claims, since = frames["registrations"], frames["asylum"], plan.today - DAYS
    rows = zip(
        registered["registered_at"].minutes.tolist(),
        registered["operator_user_id"].values.tolist(),
        registered["person_key"].values.tolist(),
        strict=True,
    )
    for moment, officer, key in rows:
        if moment >= since * 1440:
            border(office, moment, str(officer), key)
    rows = zip(
        claims["applied_on"].days.tolist(), claims["person_key"].values.tolist(), strict=True
    )
    for number, (day, key) in enumerate(rows):
        if day >= since:
            claim(office, day, number, key)
    until = EPOCH + timedelta(days=plan.today + 2)
    planted = misuse(office, until)
    return _view(office, until), _renumbered(office, planted)


def _renumbered(office, planted):
    order = _order(office)
    place = {old: new for new, old in enumerate(order)}
    return {rule: {place[index] for index in found} for rule, found in planted.items()}


def _order(office):
    return sorted(range(len(office.accesses)), key=lambda i: (office.accesses[i]["at"], i))


def _view(office, until):
    order = _order(office)
    place = {old: new for new, old in enumerate(order)}
    accesses = [access(new, **office.accesses[old]) for new, old in enumerate(order)]
    surnames = Counter(a.searched.surnames for a in accesses if a.searched.surnames)
    officers = office.frames["officers"]["officer_name"].values
    users = [
        Officer(
            str(n),
            "BA-BP",
            person(
                "BA", f"user-{n}", surnames=str(officers[n]).split(" ", 1)[1], born="1980-01-01"
            ),
        )
        for n in range(len(officers))
    ]
    context = Context(
        protected=tuple(person("BA", f"p-{key}") for key in range(0, 40, 5)),
        officers=tuple(users),
        surnames={name: sum(surnames.values()) // n for name, n in surnames.items()},
        rosters=tuple(office.rosters),
        swaps=tuple(office.swaps),
        vetting=(),
        campaigns=(),
        orders=(),
        postings=(),
        cases=tuple(office.cases),
        actions={case: tuple(times) for case, times in office.actions.items()},
        reasons=frozenset((log, place[index]) for log, index in office.reasons),
    )
    return View(LOG, accesses, context, until)


def figures(view):
    """The scan, and how many look-ups something explains, in hundredths."""
    found = scan(view, SEED)
    return found, found.explained_at_all / found.accesses
