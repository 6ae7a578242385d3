# SPDX-License-Identifier: EUPL-1.2
"""Rules about what a look-up was for: nothing came of it, or it does not fit the unit's work."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from audit.alerts.about_persons import PRESENCE
from audit.alerts.access import Access
from audit.alerts.context import Context, covered
from audit.alerts.declared import Explanation, Rule, Signal, View, each

_DAY: Final = timedelta(hours=24)
_BORDER: Final = "border_check"
_LOOKS: Final = frozenset({"find", "read", "consult", "trace"})
_FURTHER: Final = frozenset({"read", "consult", "trace"})

# No follow-up ----------------------------------------------------------------------------------


def _at_the_border(access: Access, _context: Context) -> bool:
    """A border check of somebody present is over with its answer; a hit flag never is (INT-02)."""
    return access.purpose == _BORDER and PRESENCE in access.sure and not access.is_hit_flag


def _reasoned(view: View) -> frozenset[int]:
    on_file = view.context.reasons or frozenset()
    return frozenset(a.index for a in view.accesses if (view.log, a.index) in on_file)


def _unfollowed(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    """Hit flags by the log alone; other look-ups only where the case system's actions are known."""
    later = _Later(view.accesses)
    seen: set[tuple[str, str]] = set()
    for access in rest:
        if access.action not in _LOOKS or access.at + _DAY > view.until:
            continue
        if access.is_hit_flag:
            if not later.requested(access):
                reason = "a hit flag, and no request for the record within 24 hours (INT-02)"
                yield Signal((access,), 60, (reason, _case_in_words(access)))
        elif view.context.actions is not None and access.hit:
            # One question to several owners needs one action.
            once = (access.question, access.owner)
            if once in seen or _acted(access, view.context) or later.went_on(access):
                continue
            seen.add(once)
            reason = "a look-up with a hit, and nothing done in a case within 24 hours"
            yield Signal((access,), 30, (reason, _case_in_words(access)))


def _case_in_words(access: Access) -> str:
    return "it named a case" if access.case_no else "it named no case"


def _acted(access: Access, context: Context) -> bool:
    times = (context.actions or {}).get(access.case_no, ())
    place = bisect_left(times, access.at)
    return bool(access.case_no) and place < len(times) and times[place] < access.at + _DAY


class _Later:
    """What came after a look-up in the same log."""

    def __init__(self, accesses: Sequence[Access]) -> None:
        self._by_org: defaultdict[tuple[str, str], list[Access]] = defaultdict(list)
        self._by_officer: defaultdict[tuple[str, str], list[Access]] = defaultdict(list)
        for access in accesses:
            if access.action == "consult":
                self._by_org[access.org, access.owner].append(access)
            if access.action in _FURTHER and not access.refused:
                self._by_officer[access.officer, access.owner].append(access)

    def requested(self, hit: Access) -> bool:
        """Whether the organisation asked this owner for the record: granted or not, it is filed."""
        return any(
            not asked.persons.isdisjoint(hit.persons)
            or (not asked.persons and _same_case(asked, hit))
            for asked in _within(self._by_org[hit.org, hit.owner], hit)
        )

    def went_on(self, look: Access) -> bool:
        """Whether the officer opened a record of somebody whom he had found."""
        return look.action == "find" and any(
            not other.persons.isdisjoint(look.persons)
            for other in _within(self._by_officer[look.officer, look.owner], look)
        )


def _same_case(asked: Access, hit: Access) -> bool:
    return bool(hit.case_no) and (asked.case_no, asked.officer) == (hit.case_no, hit.officer)


def _within(later: Sequence[Access], look: Access) -> Iterator[Access]:
    place = bisect_left(later, look.index + 1, key=lambda access: access.index)
    for access in later[place:]:
        if access.at >= look.at + _DAY:
            return
        yield access


NO_FOLLOW_UP: Final = Rule(
    id="no-follow-up",
    signal="a look-up with nothing done in a case within 24 hours; a hit flag without a request",
    explanations=(
        Explanation(
            "border-presence",
            "a border check of a person who stood there, answered without a hit abroad",
            "no border check with presence captured, or a hit flag, which presence does not excuse",
            each(_at_the_border),
        ),
        Explanation(
            "reason-on-file",
            "the reason for not asking on stands in the national file",
            "no reason on file names this entry",
            _reasoned,
            lambda context: context.reasons is not None,
            "reasons.csv is not there",
        ),
    ),
    find=_unfollowed,
)

# Purpose drift ---------------------------------------------------------------------------------

_ENOUGH: Final = 10  # questions of one purpose in a month
_MIX: Final = 30  # questions of others that make a unit's mix
_OTHERS: Final = 2
_OWN_SHARE: Final = 0.3
_TIMES: Final = 4
_APART: Final = 0.4


def _ordered(access: Access, context: Context) -> bool:
    return covered(context.orders, access)


def _posted(view: View) -> frozenset[int]:
    """Asked while posted to another unit, for what that unit asks too."""
    asks: defaultdict[str, set[str]] = defaultdict(set)
    for access in view.accesses:
        asks[access.unit].add(access.purpose)
    return frozenset(
        access.index
        for access in view.accesses
        for posting in view.context.postings or ()
        if posting.officer == access.officer
        and posting.span.holds(access.at)
        and posting.unit != access.unit
        and access.purpose in asks[posting.unit]
    )


def _drift(view: View, rest: Sequence[Access]) -> Iterator[Signal]:
    """Per officer and calendar month, against the others of his unit in that month."""
    of_units: defaultdict[tuple[str, str], dict[str, Counter[str]]] = defaultdict(dict)
    for access in _once(view.accesses):
        mixes = of_units[access.unit, _month(access)]
        mixes.setdefault(access.officer, Counter())[access.purpose] += 1
    own: defaultdict[tuple[str, str, str], list[Access]] = defaultdict(list)
    for access in _once(rest):
        own[access.officer, access.unit, _month(access)].append(access)
    for (officer, unit, month), found in own.items():
        others = [mix for who, mix in of_units[unit, month].items() if who != officer]
        yield from _drifted(found, others, f"{month} {unit} {officer}")


def _drifted(found: Sequence[Access], others: Sequence[Counter[str]], key: str) -> Iterator[Signal]:
    unit_mix = sum(others, Counter[str]())
    if len(others) < _OTHERS or unit_mix.total() < _MIX:
        return
    mix = Counter(access.purpose for access in found)
    apart = _distance(mix, unit_mix)
    for purpose, count in mix.items():
        own, usual = count / mix.total(), unit_mix[purpose] / unit_mix.total()
        if count < _ENOUGH or own < _OWN_SHARE or own < _TIMES * usual or apart < _APART:
            continue
        concerned = tuple(access for access in found if access.purpose == purpose)
        shares = f"{own:.0%} of his, {usual:.0%} of his unit's"
        reasons = (
            f"{count} questions for {purpose or 'no known purpose'} in a month: {shares}",
            f"{apart:.0%} of his questions would have to change to fit his unit's mix",
        )
        yield Signal(concerned, min(40 + round(60 * apart), 100), reasons, f"{key} {purpose}")


def _once(accesses: Sequence[Access]) -> Iterator[Access]:
    """One access of each question, whoever many owners were asked."""
    seen: set[str] = set()
    for access in accesses:
        if access.question not in seen:
            seen.add(access.question)
            yield access


def _month(access: Access) -> str:
    return f"{access.at:%Y-%m}"


def _distance(mix: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Total variation: the share of one that would have to change to make it the other."""
    total, rest = sum(mix.values()), sum(other.values())
    return sum(abs(mix.get(p, 0) / total - other.get(p, 0) / rest) for p in {*mix, *other}) / 2


DRIFT: Final = Rule(
    id="purpose-drift",
    signal="an officer's purposes of a month differ from his unit's",
    explanations=(
        Explanation(
            "order",
            "a new order gave officer or unit this purpose",
            "no order gives the officer or his unit this purpose at that time",
            each(_ordered),
            lambda context: context.orders is not None,
            "orders.csv is not there",
        ),
        Explanation(
            "posting",
            "the officer was posted to a unit that asks for this purpose",
            "no posting at that time to a unit that asks for this purpose",
            _posted,
            lambda context: context.postings is not None,
            "postings.csv is not there",
        ),
    ),
    find=_drift,
)
