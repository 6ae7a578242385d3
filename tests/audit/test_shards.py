# SPDX-License-Identifier: EUPL-1.2
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import NoteError
from audit.shards import Shard, first_shard, half_of, parse_origin
from tests.audit.making import KEY, ORIGIN


@pytest.mark.parametrize(
    ("t", "half"),
    [
        (datetime(2026, 6, 30, 23, 59, 59, 999999, UTC), "2026h1"),
        (datetime(2026, 7, 1, tzinfo=UTC), "2026h2"),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "2026h2"),
        (datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026h2"),
    ],
)
def test_a_half_year_is_one_in_utc(t, half):
    assert half_of(t) == half


@given(
    st.from_regex(r"\A[a-z][a-z0-9./-]{0,20}\Z"),
    st.from_regex(r"\A[A-Z]{2,8}\Z"),
    st.integers(2000, 2999),
    st.sampled_from("12"),
    st.integers(1, 9999),
)
def test_a_name_is_read_as_it_was_written(prefix, country, year, half, part):
    shard = Shard(prefix, country, f"{year}h{half}", part)
    assert parse_origin(shard.origin) == shard


@pytest.mark.parametrize(
    "name",
    [
        "",
        "BA/2026h2",
        "a/BA/2026h3",
        "a/ba/2026h2",
        "a/BA/2026h2.1",
        "a/BA/2026h2.02",
        "a/B/2026h2",
        "a b/BA/2026h2",
        "a/BA/2026h2/",
        "a/BA/2026h2\n",
        "+a/BA/2026h2",
    ],
)
def test_what_is_no_countrys_log_is_refused(name):
    with pytest.raises(NoteError):
        parse_origin(name)


def test_successors_are_of_the_next_half_or_have_the_next_number():
    now = datetime(2026, 11, 24, tzinfo=UTC)
    first = first_shard(KEY.name, now)
    assert first.origin == ORIGIN
    again = first.after(now)
    assert again.origin == f"{ORIGIN}.2"
    later = again.after(datetime(2027, 1, 1, tzinfo=UTC))
    assert later.origin == "audit.example/BA/2027h1"
    assert sorted([later, again, first], key=lambda shard: shard.age) == [first, again, later]
