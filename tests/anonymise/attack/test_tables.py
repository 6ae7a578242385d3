# SPDX-License-Identifier: EUPL-1.2
"""A month of statistics, subtracted and solved: nobody is isolated, nothing left out comes back."""

import pytest

from anonymise.statistics import cube_of, intervals, layout_of
from tests.anonymise.attack import figures, tables

# Two recipients who pool their figures see what noise of standard deviation 2 and rounding let
# through; the ledger keeps one recipient from it, not two (docs/anonymisation/attacks.md).
MOST_TOGETHER = 0.75


def test_enough_was_asked_and_answered_to_attack():
    editions, refused = figures.month()
    assert len(editions) >= 25
    assert refused
    assert {edition.layout for edition in editions} == set(tables.LAYOUTS)


@pytest.mark.parametrize("recipient", tables.ASKED_ON)
def test_no_two_figures_of_one_recipient_differ_by_fewer_than_ten_people(recipient):
    least, pairs = figures.least_apart(recipient)
    assert pairs > 1_000
    assert least >= 10


def test_two_recipients_together_only_guess_at_smaller_differences():
    pairs, right = figures.colluding()
    assert pairs > 20
    assert right <= MOST_TOGETHER


def test_no_figure_left_out_can_be_worked_out_even_from_exact_counts():
    found = figures.suppressed()
    assert found.figures > 100
    assert found.told == 0
    assert found.least_exact >= tables.THRESHOLD
    assert figures.small_held() == 0


def test_tables_protected_each_by_itself_would_tell_what_they_leave_out():
    """The controls are taken out: the layouts together, and the centres' totals."""
    assert figures.suppressed(apart=True).told > 0


def test_the_attack_works_out_what_is_left_out_alone():
    layout = layout_of("age_sex_nationality")
    cells = {("0-4", "F", "AF"): 4, ("0-4", "M", "AF"): 30, ("60+", "M", "SY"): 40}
    cube = cube_of(layout, cells)
    published = {key: count for key, count in cube.counts(cells).items() if count >= 10}
    [(low, high)] = {
        found for key, found in intervals(cube, published).items() if key == ("0-4", "F", "AF")
    }
    assert low == pytest.approx(4)
    assert high == pytest.approx(4)
