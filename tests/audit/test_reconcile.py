# SPDX-License-Identifier: EUPL-1.2
"""Each event that concerns two countries stands in both logs, alike, or is named."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditError, Kind, Owner, Requester, encode_envelope
from audit.reconcile import Allowance, reconcile
from tests.audit.making import NOON, envelope

BA, HR, RS = (f"audit.example/{country}/2026h2" for country in ("BA", "HR", "RS"))
SECOND = timedelta(seconds=1)


class Listed:
    def __init__(self, entries):
        self.entries = [encode_envelope(one) for one in entries]

    def count(self):
        return len(self.entries)

    def envelopes(self, start, stop):
        return list(enumerate(self.entries))[start:stop]


def event(number, **changed):
    """An event of BA's data asked by HR, `number` seconds after noon."""
    return envelope(t=NOON + number * SECOND, log=BA, **changed)


def both(events):
    return list(events), [replace(one, log=HR, erase="2040-01") for one in events]


def compared(one, other, **options):
    return reconcile({BA: Listed(one), HR: Listed(other)}, **options)


def told(found):
    return [(f.what, f.log, f.index, f.other) for f in found.findings]


def test_logs_that_tell_the_same_are_reconciled():
    found = compared(*both([event(n) for n in range(50)]))
    assert found.ok
    assert (found.entries, found.pairs, found.waiting) == (100, 50, 0)


@given(st.sets(st.integers(0, 19)), st.sets(st.integers(0, 19)))
def test_each_one_sided_entry_is_named_on_the_side_that_has_it(ba_hides, hr_hides):
    one, other = both([event(n * 100) for n in range(40)])
    found = compared(
        [e for n, e in enumerate(one) if n not in ba_hides],
        [e for n, e in enumerate(other) if n not in hr_hides],
    )
    sides = [(f.log, f.other) for f in found.findings]
    assert sides.count((HR, "BA")) == len(ba_hides - hr_hides)
    assert sides.count((BA, "HR")) == len(hr_hides - ba_hides)
    assert {f.what for f in found.findings} <= {"one-sided"}
    assert found.pairs == 40 - len(ba_hides | hr_hides)


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"count": 2}, ("count",)),
        ({"purpose": "asylum", "rules": ()}, ("purpose", "rules")),
        ({"detail": "b" * 64, "keys": ("BA",)}, ("detail", "keys")),
        ({"correlation": "other"}, ("correlation",)),
    ],
)
def test_a_pair_that_differs_is_named_with_the_members(changed, names):
    one, other = both([event(n) for n in range(3)])
    other[1] = replace(other[1], **changed)
    found = compared(one, other)
    assert [(f.what, f.index, f.names) for f in found.findings] == [("differs", 1, names)]


def test_the_clock_of_each_country_and_the_time_of_its_log_may_differ():
    one, other = both([event(n) for n in range(3)])
    other = [replace(e, t=e.t + 0.3 * SECOND) for e in other]
    assert compared(one, other).ok


def test_an_event_at_the_end_of_the_younger_copy_may_still_come():
    one, other = both([event(n * 10) for n in range(20)])
    found = compared(one, other[:10])
    assert found.ok
    assert (found.pairs, found.waiting) == (10, 10)
    within = compared(one, [*other[:6], other[9]], allow=Allowance(end=25 * SECOND))
    assert told(within) == [("one-sided", BA, 6, "HR")]
    assert within.waiting == 12
    assert not compared(one, []).ok, "an empty log is no young copy"


def test_a_copy_that_ended_long_ago_does_not_pass_for_one_that_agrees():
    """Who writes nothing more into one country's log would otherwise hide all that comes."""
    one, other = both([event(n * 21_600) for n in range(12)])  # three days
    found = compared(one, other[:2])
    assert told(found) == [("behind", BA, 2, "HR")]
    assert not found.ok
    assert found.waiting == 10
    assert compared(one, other[:-4]).ok, "within a day"
    assert compared(one, other[:2], allow=Allowance(timedelta(days=9))).ok


def test_a_side_that_comes_too_late_is_one_sided_on_both():
    one, other = both([event(n) for n in range(3)])
    late = replace(other[1], t=NOON + timedelta(days=2))
    end = replace(event(0), id=event(1).id, t=NOON + timedelta(days=3))
    last = [replace(end, log=log) for log in (BA, HR)]
    found = compared([*one, last[0]], [other[0], other[2], late, last[1]])
    assert sorted(told(found)) == [("one-sided", BA, 1, "HR"), ("one-sided", HR, 2, "BA")]
    assert compared(
        [*one, last[0]], [other[0], other[2], late, last[1]], allow=Allowance(timedelta(days=5))
    ).ok


def test_an_entry_twice_in_one_log_is_named():
    one, other = both([event(n * 100) for n in range(5)])
    found = compared([one[0], one[0], *one[1:]], other)
    assert told(found) == [("repeated", BA, 1, BA)]
    found = compared([*one[:3], replace(one[0], t=one[2].t), *one[3:]], other)
    assert told(found) == [("one-sided", BA, 3, "HR")], "after its pair was found"


def test_an_entry_in_the_log_of_a_stranger_is_named():
    stranger = replace(event(1), log=HR, requester=Requester("RS", "RS-BP", None))
    assert told(compared([event(0)], [stranger]))[0] == ("misplaced", HR, 0, "HR")


def test_what_concerns_one_country_or_none_or_one_without_a_log_needs_no_other_side():
    own = event(0, requester=Requester("BA", "BA-BP", None))
    nobody = event(1, owner=None, requester=None, kind=Kind.POLICY_CHANGE)
    abroad = event(2, requester=Requester("INT", "INT-EP", None))
    failed = event(3, owner=None, requester=Requester("BA", "BA-BP", None))
    found = compared([own, nobody, abroad, failed], [replace(event(9), log=HR, owner=None)])
    assert found.ok
    assert (found.pairs, found.waiting) == (0, 0)


def test_one_country_is_compared_alone():
    one, other = both([event(n * 100) for n in range(3)])
    third = [replace(event(50), log=RS, owner=Owner("RS", "persons"))]
    copies = {BA: Listed(one), HR: Listed(other), RS: Listed(third)}
    assert [f.what for f in reconcile(copies).findings] == ["one-sided"]
    assert reconcile(copies, country="BA").ok


def test_several_half_years_of_a_country_are_one_record():
    one, other = both([event(n) for n in range(4)])
    later = [replace(e, log="audit.example/BA/2027h1") for e in one[2:]]
    copies = {BA: Listed(one[:2]), "audit.example/BA/2027h1": Listed(later), HR: Listed(other)}
    assert reconcile(copies).pairs == 4


def test_an_entry_that_can_not_be_read_is_named():
    one, other = both([event(n * 100) for n in range(3)])
    copy = Listed(one)
    copy.entries[1] = b"{}"
    found = reconcile({BA: copy, HR: Listed(other)})
    assert told(found) == [("unreadable", BA, 1, BA), ("one-sided", HR, 1, "BA")]


def test_memory_is_bounded_by_giving_up_on_the_oldest():
    one, _ = both([event(n) for n in range(100)])
    found = compared([*one, event(9999)], [replace(event(9999), log=HR)], allow=Allowance(most=10))
    assert len(found.findings) >= 90
    many = compared([event(n) for n in range(1200)], [replace(event(99999), log=HR)])
    assert (len(many.findings), many.more) == (1000, 200)


def test_one_log_alone_can_not_be_compared():
    with pytest.raises(AuditError, match="two countries"):
        reconcile({BA: Listed([]), "audit.example/BA/2027h1": Listed([])})


def test_progress_is_told():
    seen = []
    one, other = both([event(n) for n in range(3)])
    compared(one, other, on_progress=lambda done, size: seen.append((done, size)))
    assert seen[-1] == (6, 6)
    assert re.fullmatch(r"audit\.example/[A-Z]{2}/2026h2", HR)
