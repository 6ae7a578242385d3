# SPDX-License-Identifier: EUPL-1.2
"""The month after which a detail goes, for each of the four clocks."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditError, Kind
from audit.retention import (
    Ground,
    LawClock,
    Terms,
    erase_month,
    ground_of,
    is_over,
    month_number,
    month_of,
)
from tests.audit.making import envelope

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TERMS = Terms(le_months={"BA": 36})
DAYS = st.dates(date(1990, 1, 1), date(9999, 12, 31))


def month(ends=(), kind=Kind.ACCESS, purpose="border_check", country="BA", now=NOW, terms=TERMS):
    return erase_month(kind, purpose, ends, now, terms, country)


def test_released_records_keep_the_detail_a_year_beyond_the_longest_of_them():
    assert month([date(2031, 8, 3), date(2036, 2, 29)]) == "2037-06"


def test_without_a_released_record_it_is_a_year_from_the_entry():
    for kind in (Kind.ACCESS, Kind.DENIAL, Kind.AUTHENTICATION, Kind.REVIEW):
        assert month(kind=kind) == "2027-11"


def test_questions_for_law_enforcement_follow_the_law_of_the_logs_country():
    ends = [date(2036, 2, 29)]
    assert month(ends, purpose="law_enforcement", country="BA") == "2029-11"
    assert month(ends, purpose="law_enforcement", country="HR") == "2031-11"


def test_the_history_of_a_persons_data_goes_with_the_data():
    assert month([date(2036, 2, 29)], kind=Kind.CORRECTION) == "2036-06"


def test_a_record_without_a_known_end_counts_as_stored_for_the_longest_time():
    assert month([None]) == "2037-12"
    assert month([None, date(2050, 1, 1)]) == "2051-06"


def test_a_storage_that_is_over_already_leaves_the_year_from_the_entry():
    assert month([date(2020, 1, 1)]) == "2027-12"


def test_a_detail_is_due_from_the_day_after_its_month():
    assert not is_over("2027-12", date(2027, 12, 31))
    assert is_over("2027-12", date(2028, 1, 1))
    assert not is_over("9999-12", date(9999, 12, 31))


def test_the_month_of_an_entry_is_that_of_universal_time():
    late = datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert month(now=late) == "2027-11"


@given(st.lists(st.none() | DAYS, min_size=1))
def test_a_month_tells_no_record_from_others_of_its_half_year_and_is_never_before_the_law(ends):
    found = month(ends)
    assert found[5:] in {"06", "12"}
    for end in ends:
        if end is not None and end.year < 9998:
            assert month_number(date(int(found[:4]), int(found[5:]), 1)) >= month_number(end) + 12


@given(st.lists(DAYS, min_size=1), DAYS)
def test_one_record_more_never_shortens_the_time(ends, more):
    assert month([*ends, more]) >= month(ends)


def test_the_rounding_is_a_setting_in_whole_parts_of_a_year():
    assert month([date(2036, 2, 29)], terms=Terms(round_months=1)) == "2037-02"
    assert month([date(2036, 2, 29)], terms=Terms(round_months=12)) == "2037-12"
    for wrong in ({"round_months": 5}, {"le_default": 0}, {"le_months": {"BA": 0}}):
        with pytest.raises(AuditError):
            Terms(**wrong)


def test_an_older_entry_gets_the_month_that_it_would_have_at_the_latest():
    told = {"detail": "a" * 64, "keys": ("BA",), "t": NOW}
    assert month_of(envelope(**told, v=2, count=3), TERMS, "BA") == "2037-12"
    assert month_of(envelope(**told, v=2, count=0), TERMS, "BA") == "2027-11"
    assert month_of(envelope(**told, erase="2029-01"), TERMS, "BA") == "2029-01"
    assert month_of(envelope(**told), TERMS, "BA") is None
    assert month_of(envelope(v=2), TERMS, "BA") is None


def test_the_ground_is_the_clock_that_ran_out():
    assert ground_of(envelope(count=2), TERMS) is Ground.EUR_30
    assert ground_of(envelope(count=0), TERMS) is Ground.INT_10
    assert ground_of(envelope(kind=Kind.CORRECTION, count=1), TERMS) is Ground.INT_10
    asked = envelope(purpose="law_enforcement", count=1)
    assert ground_of(asked, TERMS) is Ground.EUR_30_NATIONAL


def test_the_clock_is_the_function_with_its_terms():
    found = LawClock(TERMS).month(Kind.ACCESS, None, [date(2036, 2, 29)], NOW, "BA")
    assert found == month([date(2036, 2, 29)])
