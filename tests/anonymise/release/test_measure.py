# SPDX-License-Identifier: EUPL-1.2
"""The figures on a table small enough to work out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from anonymise.release.measure import held, loss, shortfall
from anonymise.release.recode import Demand, Recoding, Rows, recode
from bench.extracts import judge, read_extract, told
from tests.anonymise.release.tables import binary

TREE = [binary("one", 2), binary("two", 1)]
ROWS = Rows(
    np.array([[0, 0], [1, 0], [2, 1], [3, 1]], np.int32),
    np.array([0, 1, 0, 0], np.int32),
    np.array([3, 2, 4, 1], np.int64),
)
# 5 rows as (0..1, 0); 4 rows exactly; 1 row suppressed.
MADE = Recoding(
    np.array([0, 1, 2, 3], np.int32),
    np.array([0, 0, 1, -1], np.int32),
    np.array([3, 2, 4, 1], np.int64),
    np.array([[[0, 1], [0, 0]], [[2, 2], [1, 1]]], np.int32),
)
DEMAND = Demand(k=4, method="global", most_suppressed=0.1)


def test_loss_is_that_of_the_definitions():
    lost = loss(MADE, TREE, 4)
    one, two = (5 / 3 + 1) / 10, 1 / 10
    assert lost.by_column == pytest.approx((one, two))
    assert lost.gcp == pytest.approx((one + two) / 2)
    assert lost.dm == pytest.approx((25 + 16 + 1 * 10) / 100)
    assert lost.c_avg == pytest.approx(9 / 2 / 4)
    assert lost.intensity == pytest.approx(((5 * 0.5 + 1) / 10 + 1 / 10) / 2)
    assert lost.suppressed == pytest.approx(0.1)


def test_suppressed_rows_count_for_no_class():
    found = held(ROWS, MADE)
    assert (found.k, found.l, found.classes, found.rows) == (4, 1, 2, 9)
    # Published: 7 of 9 hold value 0; the exact class holds nothing else.
    assert found.t == pytest.approx(2 / 9)


def test_without_a_sensitive_column_neither_l_nor_t_is_told():
    found = held(Rows(ROWS.codes, None, ROWS.counts), MADE)
    assert (found.k, found.l, found.t) == (4, None, None)


def test_a_sound_recoding_lacks_nothing():
    assert shortfall(ROWS, MADE, DEMAND) == ""


@pytest.mark.parametrize(
    ("demand", "words"),
    [
        (replace(DEMAND, k=5), "fewer than k rows"),
        (replace(DEMAND, l=2), "fewer than l sensitive values"),
        (replace(DEMAND, t=0.2), "farther than t"),
        (replace(DEMAND, most_suppressed=0.05), "more rows are suppressed"),
        (replace(DEMAND, method="local"), "more rows are suppressed"),
    ],
)
def test_what_a_recoding_lacks_is_said(demand, words):
    assert words in shortfall(ROWS, MADE, demand)


def changed(**parts):
    kept = {"row": MADE.row, "cls": MADE.cls, "take": MADE.take, "boxes": MADE.boxes}
    return Recoding(**{**kept, **parts})


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (changed(take=np.array([3, 2, 5, 1], np.int64)), "missing or doubled"),
        (changed(row=np.array([0, 2, 2, 3], np.int32)), "missing or doubled"),
        (
            changed(boxes=np.array([[[0, 0], [0, 0]], [[2, 2], [1, 1]]], np.int32)),
            "outside the box",
        ),
        (changed(boxes=np.array([[[0, 3], [0, 1]]] * 2, np.int32)), "same box"),
    ],
)
def test_a_recoding_that_does_not_speak_of_the_rows_is_found(made, words):
    assert words in shortfall(ROWS, made, DEMAND)


def test_the_judge_of_the_bench_finds_the_same_in_the_published_labels():
    extract = read_extract("randhie", "visits")
    demand = Demand(k=10, l=2, method="global", most_suppressed=0.05)
    made = recode(extract.rows, extract.hierarchies, demand)
    judged = judge(extract, told(extract, made), 10)
    found, lost = held(extract.rows, made), loss(made, extract.hierarchies, 10)
    assert (judged.k, judged.l) == (found.k, found.l)
    assert (judged.gcp, judged.dm, judged.c_avg) == pytest.approx((lost.gcp, lost.dm, lost.c_avg))
