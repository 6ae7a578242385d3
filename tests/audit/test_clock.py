# SPDX-License-Identifier: EUPL-1.2
"""A wrong clock is seen, a slow line is none, and one wrong witness proves nothing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.clock import ClockWatch, Reading, least_offset
from tests.audit.making import NOON

SECONDS = st.floats(-3600, 3600)
LINE = st.floats(0, 60)


def reading(offset, out=0.1, back=0.1, witness="w1"):
    """What a witness answers when our clock stands `offset` seconds ahead of its own."""
    true = NOON + timedelta(seconds=0.5)
    stamped = (true + timedelta(seconds=out)).replace(microsecond=0)
    sent = true + timedelta(seconds=offset)
    return Reading(witness, sent, sent + timedelta(seconds=out + back), stamped)


@given(SECONDS, LINE, LINE)
def test_the_offset_told_is_never_more_than_the_true_one(offset, out, back):
    least = least_offset(reading(offset, out, back)).total_seconds()
    assert abs(least) <= abs(offset) + 1e-5
    assert least * offset >= 0


@given(st.floats(0, 1), LINE, LINE)
def test_a_right_clock_raises_no_alarm_on_the_slowest_line(offset, out, back):
    watch = ClockWatch()
    watch.note(reading(offset, out, back))
    assert not watch.alarm


@pytest.mark.parametrize("offset", [-4, 4, 3600])
def test_a_clock_off_by_more_than_two_seconds_is_an_alarm(offset):
    watch = ClockWatch()
    for witness in ("w1", "w2", "w3"):
        watch.note(reading(offset, witness=witness))
    assert watch.alarm
    assert not watch.strays


def test_one_witness_with_a_wrong_clock_is_named_and_not_believed():
    watch = ClockWatch()
    watch.note(reading(0, witness="w1"))
    watch.note(reading(0, witness="w2"))
    watch.note(reading(100, witness="w3"))
    assert not watch.alarm
    assert watch.strays == ("w3",)


def test_a_clock_that_was_set_right_ends_the_alarm():
    watch = ClockWatch()
    watch.note(reading(100))
    assert watch.alarm
    watch.note(reading(0))
    assert not watch.alarm


def test_nothing_is_told_before_any_answer():
    assert ClockWatch().offset is None
    assert not ClockWatch().alarm
