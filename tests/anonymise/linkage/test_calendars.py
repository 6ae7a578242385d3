# SPDX-License-Identifier: EUPL-1.2
"""Days that are known in two calendars."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise.linkage.calendars import conversions


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ((1357, 11, 22), date(1979, 2, 11)),  # the revolution in Iran
        ((1399, 12, 30), date(2021, 3, 20)),  # a leap day
        ((1400, 1, 1), date(2021, 3, 21)),
        ((1299, 12, 29), date(1921, 3, 20)),
        ((1445, 9, 1), date(2024, 3, 11)),  # Ramadan began
        ((1917, 10, 25), date(1917, 11, 7)),  # the revolution in Russia
        ((1900, 2, 29), date(1900, 3, 13)),  # a leap day that our calendar has not
    ],
)
def test_a_day_known_in_two_calendars_is_converted(written, day):
    assert day in conversions(written)


@pytest.mark.parametrize("written", [(1400, 12, 30), (1400, 7, 31), (1400, 13, 1), (9999, 1, 1)])
def test_a_day_that_no_other_calendar_has_converts_to_none_of_it(written):
    assert all(found.year < 1990 for found in conversions(written))


@given(st.integers(1244, 1530), st.integers(1, 12), st.integers(1, 29))
def test_days_that_follow_one_another_are_converted_to_days_that_do(year, month, day):
    spring = date(year + 621, 3, 18)
    found = [one for one in conversions((year, month, day)) if spring <= one]
    following = (year, month, day + 1) if day < 29 else None
    if following is not None:
        after = [one for one in conversions(following) if spring <= one]
        assert {one.toordinal() + 1 for one in found} == {one.toordinal() for one in after}
