# SPDX-License-Identifier: EUPL-1.2
"""Rules about how an officer looked up: off his roster, in bulk, or names by trial."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from audit.alerts.access import Access
from audit.alerts.context import Context, covered
from audit.alerts.declared import Explanation, Rule, Signal, View, each
from audit.alerts.names import near, skeleton

_DAY: Final = timedelta(hours=24)
_MONTH: Final = timedelta(days=30)
_ROSTER_REACH: Final = timedelta(days=7)
_CASE: Final = "case_number"

# Off-hours -------------------------------------------------------------------------------------


def _swapped(access: Access, context: Context) -> bool:
    return covered(context.swaps, access)


def _off_hours(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    """Per officer and day: a roster that does not know him in those days says nothing."""
    days: defaultdict[tuple[str, str], list[Access]] = defaultdict(list)
    for access in rest:
        shifts = [duty.span for duty in view.context.shifts(access.officer)]
        known = any(
            shift.start - _ROSTER_REACH <= access.at < shift.end + _ROSTER_REACH for shift in shifts
        )
        if known and not any(shift.holds(access.at) for shift in shifts):
            days[access.officer, access.at.date().isoformat()].append(access)
    for found in days.values():
        count = len({access.question for access in found})
        reason = f"{count} questions outside the officer's own roster"
        purposes = sorted({access.purpose or "none" for access in found})
        reasons = (reason, f"stated purposes: {', '.join(purposes)}")
        yield Signal(tuple(found), min(30 + 5 * count, 70), reasons)


OFF_HOURS: Final = Rule(
    id="off-hours",
    signal="outside the officer's roster, whatever the clock says",
    explanations=(
        Explanation(
            "roster-swap",
            "the officer had swapped his shift",
            "no swap of this officer covers the time",
            each(_swapped),
            lambda context: context.swaps is not None,
            "swaps.csv is not there",
        ),
    ),
    find=_off_hours,
)

# Bulk scraping ---------------------------------------------------------------------------------

_FEW: Final = 20  # questions an hour that are never called bulk
_HISTORY: Final = 20  # hours of work that make a history
_OTHERS: Final = 10  # hours of others that make a team
_OVER_TEAM: Final = 3
_UNHEARD_OF: Final = 100  # questions an hour that need no history
_RUN: Final = 5
_PERCENTILE: Final = 99
_DIGITS: Final = re.compile(r"[0-9]+$")


def _campaign(access: Access, context: Context) -> bool:
    return covered(context.campaigns, access)


def _bulk(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    """Per officer and hour."""
    hours: defaultdict[tuple[str, datetime], list[Access]] = defaultdict(list)
    for access in rest:
        hours[access.officer, _hour(access)].append(access)
    rates = _Rates(view.accesses)
    for (officer, hour), found in hours.items():
        reasons: list[str] = []
        count = len({access.question for access in found})
        unit = found[0].unit
        above = rates.above(officer, unit, hour, count) if count >= _FEW else ""
        if above:
            reasons.append(f"{count} questions within an hour, {above}")
        run = _longest_run(found)
        if run >= _RUN:
            reasons.append(f"{run} numbers in a row, each one above the last")
        if reasons:
            score = min(100, (50 + count // 5 if above else 40) + (30 if run >= _RUN else 0))
            yield Signal(tuple(found), score, (*reasons, f"in unit {unit or 'unknown'}"))


def _hour(access: Access) -> datetime:
    return access.at.replace(minute=0, second=0, microsecond=0)


def _longest_run(found: Sequence[Access]) -> int:
    """How many numbers in the order of asking were each one above the one before."""
    longest = here = 0
    last: tuple[str, int] | None = None
    for access in found:
        number = access.searched.reference or access.searched.document
        digits = _DIGITS.search(number)
        if digits is None:
            continue
        this = (number[: digits.start()], int(digits.group()))
        if this == last:
            continue  # one question to several owners, or the same one again
        follows = last is not None and this == (last[0], last[1] + 1)
        here = here + 1 if follows else 1
        longest, last = max(longest, here), this
    return longest


class _Rates:
    """Questions an hour, of officers and of their units, over hours in which they asked at all."""

    def __init__(self, accesses: Sequence[Access]) -> None:
        questions: defaultdict[tuple[str, str, datetime], set[str]] = defaultdict(set)
        for access in accesses:
            questions[access.officer, access.unit, _hour(access)].add(access.question)
        self._officers: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
        self._units: defaultdict[str, list[tuple[datetime, str, int]]] = defaultdict(list)
        for (officer, unit, hour), asked in questions.items():
            self._officers[officer].append((hour, len(asked)))
            self._units[unit].append((hour, officer, len(asked)))

    def above(self, officer: str, unit: str, hour: datetime, count: int) -> str:
        """What a count is above, in words; nothing when it is not above what is known."""
        own = sorted(n for h, n in self._officers[officer] if hour - _MONTH <= h < hour)
        team = [
            n for h, who, n in self._units[unit] if who != officer and hour - _MONTH <= h <= hour
        ]
        words = []
        if len(own) >= _HISTORY:
            most = own[-(-len(own) * _PERCENTILE // 100) - 1]
            if count <= most:
                return ""
            words.append(f"over his own 99th percentile of 30 days ({most})")
        if len(team) >= _OTHERS:
            usual = median(team)
            if count <= _OVER_TEAM * usual:
                return ""
            words.append(f"over {_OVER_TEAM} times his unit's median ({usual:g})")
        if not words and count >= _UNHEARD_OF:
            return "over any usual number, without a history to compare"
        return " and ".join(words)


BULK: Final = Rule(
    id="bulk",
    signal="more an hour than the officer's own 30 days and his unit's median, or ids in a row",
    explanations=(
        Explanation(
            "campaign",
            "a registered campaign covers officer or unit, purpose and time",
            "no registered campaign covers the officer or his unit with this purpose at that time",
            each(_campaign),
            lambda context: context.campaigns is not None,
            "campaigns.csv is not there",
        ),
    ),
    find=_bulk,
)

# Same-name sweep -------------------------------------------------------------------------------

_TRIALS: Final = 5
_OPENING: Final = frozenset({"read", "consult", "trace"})


def _spellings(view: View) -> frozenset[int]:
    """Searches for one name in several spellings within one case that was really there."""
    return frozenset(
        access.index
        for group in _by_spelling(view.accesses).values()
        if len({access.searched.name for access in group}) > 1
        for access in group
    )


def _by_spelling(accesses: Sequence[Access]) -> dict[tuple[str, str, str], list[Access]]:
    groups: defaultdict[tuple[str, str, str], list[Access]] = defaultdict(list)
    for access in accesses:
        checked = access.case_no if _CASE in access.sure else ""
        if access.action == "find" and access.searched.name and checked:
            groups[access.officer, checked, skeleton(access.searched.name)].append(access)
    return groups


@dataclass(slots=True)
class _Trials:
    """Searches for names like the first one, by one officer within a day."""

    name: str
    sound: str
    since: datetime
    searches: list[Access] = field(default_factory=list)

    def takes(self, access: Access, sound: str) -> bool:
        if access.at - self.since >= _DAY:
            return False
        return sound == self.sound or near(access.searched.name, self.name)


def _sweep(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    open_trials: defaultdict[str, list[_Trials]] = defaultdict(list)
    found: list[_Trials] = []
    for access in rest:
        if access.action != "find" or not access.searched.surnames:
            continue
        sound = skeleton(access.searched.name)
        mine = [t for t in open_trials[access.officer] if access.at - t.since < _DAY]
        for trials in mine:
            if trials.takes(access, sound):
                trials.searches.append(access)
                break
        else:
            fresh = _Trials(access.searched.name, sound, access.at, [access])
            mine.append(fresh)
            found.append(fresh)
        open_trials[access.officer] = mine
    opened = _openings(view.accesses)
    for trials in found:
        names = {access.searched.name for access in trials.searches}
        if len(names) >= _TRIALS and not any(_opened(a, opened) for a in trials.searches):
            hits = sum(access.hit for access in trials.searches)
            reasons = (
                f"{len(names)} names much alike within a day and no hit opened",
                f"{hits} of {len(trials.searches)} searches had a hit",
            )
            yield Signal(tuple(trials.searches), min(50 + 5 * len(names), 90), reasons)


def _openings(accesses: Sequence[Access]) -> dict[tuple[str, str, str], list[datetime]]:
    """By officer, owner and person: when a record was opened."""
    found: defaultdict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for access in accesses:
        if access.action in _OPENING and not access.refused:
            for person in access.persons | {access.searched.reference}:
                found[access.officer, access.owner, person].append(access.at)
    return found


def _opened(search: Access, opened: dict[tuple[str, str, str], list[datetime]]) -> bool:
    if search.hit and not search.is_hit_flag:
        return True  # at home a find shows the record at once
    return any(
        search.at <= at < search.at + _DAY
        for person in search.persons
        for at in opened.get((search.officer, search.owner, person), ())
    )


SWEEP: Final = Rule(
    id="same-name-sweep",
    signal="many names much alike searched within a day, and no hit opened",
    explanations=(
        Explanation(
            "transliteration",
            "one name in several spellings, within one case that was checked",
            "the names are not spellings of one, or no checked case joins them",
            _spellings,
        ),
    ),
    find=_sweep,
)
