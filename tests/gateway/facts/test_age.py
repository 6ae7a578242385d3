# SPDX-License-Identifier: EUPL-1.2
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.age import age_range
from policies import Truth

TODAY = date(2026, 11, 24)


def test_a_known_birthday_gives_one_age():
    ages = age_range(date(2008, 11, 25), "day", TODAY)
    assert (ages.least, ages.most) == (17, 17)
    assert ages.under(18) is Truth.TRUE


def test_a_first_of_january_may_be_any_day_of_that_year():
    ages = age_range(date(2008, 1, 1), "day", TODAY)
    assert ages.under(18) is Truth.POSSIBLE


def test_a_first_of_january_long_ago_is_surely_adult():
    assert age_range(date(1990, 1, 1), "day", TODAY).under(18) is Truth.FALSE


def test_without_a_date_or_its_precision_minority_is_presumed_possible():
    assert age_range(None, "day", TODAY).under(12) is Truth.POSSIBLE
    assert age_range(date(1980, 5, 5), None, TODAY).under(12) is Truth.POSSIBLE
    assert age_range(date(1980, 5, 5), "unknown", TODAY).under(12) is Truth.POSSIBLE


def test_a_birth_in_the_future_is_no_date():
    assert age_range(TODAY + timedelta(days=1), "day", TODAY).under(18) is Truth.POSSIBLE


@given(
    st.dates(date(1920, 1, 1), TODAY),
    st.sampled_from(["day", "month", "year"]),
    st.integers(1, 100),
)
def test_a_vaguer_date_is_never_surer_than_the_day(born, precision, limit):
    exact = age_range(born, "day", TODAY)
    vague = age_range(born, precision, TODAY)
    assert vague.least <= exact.least <= exact.most <= vague.most
    if vague.under(limit) is not Truth.POSSIBLE:
        assert vague.under(limit) is exact.under(limit)
