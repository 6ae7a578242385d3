# SPDX-License-Identifier: EUPL-1.2
"""Age bands: sure or not told."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from anonymise.age import SIX_BANDS, TEN_YEAR_BANDS, THREE_BANDS, UNKNOWN, BirthBands, band_of_age

days = st.dates(min_value=date(1900, 1, 1), max_value=date(2030, 12, 31))
bands = st.sampled_from([SIX_BANDS, TEN_YEAR_BANDS, THREE_BANDS])
precisions = st.sampled_from(["day", "month", "year", "unknown", None, "", "DAY"])


def band_of_birth(born, precision, today, bands):
    return BirthBands.on(today, bands).of(born, precision)


def age_by_walking(born, today):
    age = 0
    while (born.year + age + 1, born.month, born.day) <= (today.year, today.month, today.day):
        age += 1
    return age


@given(days, st.integers(0, 45_000), bands)
def test_a_full_birth_date_gives_the_band_of_the_age(born, lived, bands):
    today = born + timedelta(days=lived)
    expected = band_of_age(age_by_walking(born, today), bands)
    assert band_of_birth(born, "day", today, bands) == expected


@given(days, precisions, days, bands)
def test_a_told_band_holds_for_every_birth_day_that_the_precision_allows(
    born, precision, today, bands
):
    told = band_of_birth(born, precision, today, bands)
    if told == UNKNOWN:
        return
    one_day = timedelta(days=1)
    if precision == "year" or (precision is None and (born.month, born.day) == (1, 1)):
        first, last = date(born.year, 1, 1), date(born.year, 12, 31)
    elif precision == "month":
        first = born.replace(day=1)
        last = first
        while (last + one_day).month == first.month:
            last += one_day
    else:
        assert precision in {"day", None}
        first = last = born
    day = first
    while day <= min(last, today):
        assert band_of_birth(day, "day", today, bands) == told
        day += one_day


@given(st.integers(0, 17), bands)
def test_minors_are_one_band(age, bands):
    assert band_of_age(age, bands) == "0-17"


@given(days, days, bands)
def test_nobody_born_after_today_has_a_band(born, today, bands):
    if born > today:
        assert band_of_birth(born, "day", today, bands) == UNKNOWN


@given(days, precisions, days, st.sampled_from([SIX_BANDS, TEN_YEAR_BANDS]))
def test_three_bands_never_tell_more_than_finer_ones(born, precision, today, finer):
    joined = {name: "18-59" for first, name in finer if 18 <= first < 60}
    fine = band_of_birth(born, precision, today, finer)
    three = band_of_birth(born, precision, today, THREE_BANDS)
    assert fine == UNKNOWN or three == joined.get(fine, fine)


@given(st.sampled_from([date(2024, 2, 29), date(2026, 2, 28), date(2026, 12, 31)]), days, bands)
def test_a_band_changes_on_the_birthday_and_29_february_is_one_on_1_march(today, born, bands):
    if born <= today:
        assert band_of_birth(born, "day", today, bands) == band_of_age(
            age_by_walking(born, today), bands
        )


@given(days, st.integers(1, 40), bands)
def test_the_first_years_of_the_calendar_are_ages_that_nobody_has(born, year, bands):
    assert band_of_birth(born, "day", date(year, 1, 1), bands) == UNKNOWN
