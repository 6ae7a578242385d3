# SPDX-License-Identifier: EUPL-1.2
"""Cohorts: the same people are told to be the same, and others never closer than they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise import LedgerError
from anonymise.statistics.cohort import BITS, Cohort, cohort_of, cohorts_of, marker, together
from tests.anonymise.statistics.people import KEY

groups = st.frozensets(st.integers(0, 400).map("P-{}".format), max_size=120)
mark = marker(KEY)


def cohort(people):
    return cohort_of(map(mark, sorted(people)))


@given(groups, groups)
def test_two_cohorts_are_never_told_to_be_further_apart_than_they_are(one, other):
    apart = cohort(one).apart(cohort(other))
    assert apart <= len(one ^ other)
    assert (apart == 0) is (one == other)


@given(groups, st.integers(0, 2**32))
def test_the_order_of_members_does_not_matter(people, seed):
    assert cohort_of(map(mark, sorted(people, key=lambda p: hash((p, seed))))) == cohort(people)


@given(groups, groups)
def test_cohorts_of_different_people_add_up(one, other):
    assert cohort(one) + cohort(other - one) == cohort(one | other)
    assert together([cohort(one), cohort(other - one)]) == cohort(one | other)


@given(groups)
def test_a_cohort_reads_back_as_it_was_written(people):
    assert Cohort.decode(cohort(people).encode()) == cohort(people)


def test_a_large_cohort_reads_back_and_takes_no_more_room_than_its_bits():
    large = cohort([f"P-{number}" for number in range(5000)])
    assert Cohort.decode(large.encode()) == large
    assert len(large.encode()) == 22 + BITS // 8


@pytest.mark.parametrize(
    "data", [b"", bytes(21), bytes(23), bytes(22) + b"\xff\xff", bytes(22) + b"\x00\x02\x00\x01"]
)
def test_a_cohort_that_was_not_written_so_is_refused(data):
    with pytest.raises(LedgerError):
        Cohort.decode(data)


def test_few_changes_in_many_people_are_seen_nearly_as_they_are():
    people = [f"P-{number}" for number in range(3000)]
    seen = [cohort(people).apart(cohort(people[count:])) for count in (1, 9, 10, 40)]
    assert seen[:2] == [1, 9]
    assert seen[2] >= 8
    assert seen[3] >= 36


def test_another_key_makes_other_cohorts():
    cells, whole = cohorts_of({("a",): frozenset({"P-1"})}, KEY)
    others, _ = cohorts_of({("a",): frozenset({"P-1"})}, bytes(32))
    assert cells["a",] == whole
    assert cells["a",].digest != others["a",].digest
