# SPDX-License-Identifier: EUPL-1.2
"""Protected tables: no person by subtraction, no presence by omission."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymise import TableError, protect_table

keys = st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz"))
tables = st.dictionaries(keys, st.integers(0, 300))
minima = st.sampled_from([10, 20])


@given(tables, tables, minima)
def test_two_published_figures_of_two_tables_differ_by_nothing_or_the_threshold(
    one, other, minimum
):
    figures = [
        count for cells in (one, other) for _, count in protect_table(cells, minimum=minimum).cells
    ]
    for left, right in product(figures, figures):
        assert left == right or abs(left - right) >= minimum


@given(tables, minima)
def test_no_published_figure_is_below_the_threshold_or_far_from_the_count(cells, minimum):
    for key, count in protect_table(cells, minimum=minimum).cells:
        assert count >= minimum
        assert abs(count - cells[key]) * 2 <= minimum


@given(tables, minima, st.data())
def test_a_small_cell_and_no_cell_at_all_look_the_same(cells, minimum, data):
    key = data.draw(keys)
    count = data.draw(st.integers(0, minimum - 1))
    without = {name: persons for name, persons in cells.items() if name != key}
    small = protect_table({**without, key: count}, minimum=minimum)
    absent = protect_table(without, minimum=minimum)
    assert small == absent
    assert small.note == absent.note


@given(tables, minima)
def test_cells_come_sorted_whatever_order_the_register_gave(cells, minimum):
    backwards = dict(reversed(list(cells.items())))
    published = protect_table(cells, minimum=minimum)
    assert published == protect_table(backwards, minimum=minimum)
    assert list(published.cells) == sorted(published.cells)


@given(tables, minima, keys)
def test_one_person_more_changes_a_figure_by_nothing_or_a_whole_step(cells, minimum, key):
    before = dict(protect_table(cells, minimum=minimum).cells)
    after = dict(protect_table({**cells, key: cells.get(key, 0) + 1}, minimum=minimum).cells)
    assert abs(after.get(key, 0) - before.get(key, 0)) in {0, minimum}
    assert {k: v for k, v in before.items() if k != key} == (
        {k: v for k, v in after.items() if k != key}
    )


@pytest.mark.parametrize("minimum", [4, 1, 0, -10, True])
def test_a_threshold_that_protects_nobody_is_refused(minimum):
    with pytest.raises(TableError, match="threshold"):
        protect_table({("a",): 100}, minimum=minimum)


@pytest.mark.parametrize("count", [-1, 12.0, True, None, "12", Decimal(12)])
def test_a_cell_that_is_no_count_refuses_the_whole_table(count):
    with pytest.raises(TableError, match="not a count"):
        protect_table({("a",): 100, ("b",): count}, minimum=10)


def test_a_margin_among_the_cells_is_refused():
    with pytest.raises(TableError, match="margins"):
        protect_table({("a", "x"): 100, ("a",): 100}, minimum=10)


def test_the_note_names_the_threshold():
    assert "under 20 " in protect_table({}, minimum=20).note
