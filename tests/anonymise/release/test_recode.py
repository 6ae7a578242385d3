# SPDX-License-Identifier: EUPL-1.2
"""Whatever the table, what is published keeps the promise; checked the long way, label by label."""

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonymise.errors import RecodingError
from anonymise.release.measure import loss
from anonymise.release.recode import Demand, Rows, recode
from tests.anonymise.release.tables import adult, binary, collapse, plain_k_l_t, published

ROOT = Path(__file__).parents[3]
TREES = [binary("one", 4), binary("two", 3), binary("three", 1)]


@pytest.fixture(scope="module")
def people():
    return adult(1500)


def made_up(seed, rows, values):
    random = np.random.default_rng(seed)
    codes = np.stack(
        [random.binomial(len(tree.leaves) - 1, 0.3, rows) for tree in TREES], axis=1
    ).astype(np.int32)
    return collapse(codes, random.integers(0, values, rows).astype(np.int32) ** 2 // values)


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(20, 300),
    values=st.integers(3, 6),
    demand=st.builds(
        Demand,
        k=st.integers(2, 12),
        l=st.integers(1, 2),
        t=st.sampled_from([None, None, 0.2, 0.4]),
        method=st.sampled_from(["local", "local", "global"]),
        most_suppressed=st.sampled_from([0.0, 0.1]),
        steps=st.sampled_from([0.0, 2.0]),
        seed=st.integers(0, 5),
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_table_is_published_as_demanded(seed, rows, values, demand):
    table = made_up(seed, rows, values)
    out, dropped = published(table, TREES, recode(table, TREES, demand))
    k, l, t = plain_k_l_t(out)  # noqa: E741
    assert k >= demand.k
    assert l >= demand.l
    assert t <= (1.0 if demand.t is None else demand.t) + 1e-9
    assert sum(out.values()) + dropped == rows
    assert dropped <= (demand.most_suppressed if demand.method == "global" else 0) * rows


@pytest.mark.parametrize("method", ["local", "global"])
def test_every_row_is_told_as_nodes_over_its_own_values(people, method):
    rows, hierarchies = people
    demand = Demand(k=5, method=method, most_suppressed=0.05, steps=0.5)
    found = recode(rows, hierarchies, demand)
    for row, cls in zip(found.row, found.cls, strict=True):
        if cls >= 0:
            for a, hierarchy in enumerate(hierarchies):
                lo, hi = (int(end) for end in found.boxes[cls, a])
                assert lo <= rows.codes[row, a] <= hi
                assert hierarchy.labelled()[hierarchy.label(lo, hi)] == (lo, hi)


def test_global_recoding_tells_a_column_at_one_level(people):
    rows, hierarchies = people
    demand = Demand(k=5, method="global", most_suppressed=0.05)
    found = recode(rows, hierarchies, demand)
    for a, hierarchy in enumerate(hierarchies):
        told = {tuple(int(end) for end in box) for box in found.boxes[:, a]}
        assert any(
            told <= set(zip(first.tolist(), last.tolist(), strict=True))
            for first, last in zip(hierarchy.first, hierarchy.last, strict=True)
        )


@pytest.mark.parametrize("most", [0.0, 0.03, 0.2])
def test_global_recoding_loses_as_little_as_any_vector_of_levels(most):
    table = made_up(7, 150, 3)
    n = int(table.counts.sum())
    least = np.inf
    for levels in product(*(range(tree.levels) for tree in TREES)):
        first = np.stack(
            [
                t.first[v][table.codes[:, a]]
                for a, (t, v) in enumerate(zip(TREES, levels, strict=True))
            ]
        )
        last = np.stack(
            [
                t.last[v][table.codes[:, a]]
                for a, (t, v) in enumerate(zip(TREES, levels, strict=True))
            ]
        )
        _, cls = np.unique(first, axis=1, return_inverse=True)
        good = np.bincount(cls, weights=table.counts)[cls] >= 5
        widths = np.array([[len(tree.leaves) - 1] for tree in TREES])
        price = np.where(good, (last - first) / widths, 1.0)
        if table.counts[~good].sum() <= most * n:
            least = min(least, float((price * table.counts).sum()) / n / len(TREES))
    found = recode(table, TREES, Demand(k=5, method="global", most_suppressed=most))
    assert loss(found, TREES, 5).gcp == pytest.approx(least)


def test_global_recoding_keeps_t_against_what_is_published_not_what_was_there():
    demand = Demand(k=4, t=0.25, method="global", most_suppressed=0.25)
    for seed in range(30):
        table = made_up(seed, 120, 4)
        out, _ = published(table, TREES, recode(table, TREES, demand))
        assert plain_k_l_t(out)[2] <= 0.25 + 1e-9


def test_search_loses_less_than_greedy_cuts_alone(people):
    rows, hierarchies = people
    greedy = loss(recode(rows, hierarchies, Demand(k=5, steps=0)), hierarchies, 5).gcp
    searched = loss(recode(rows, hierarchies, Demand(k=5, steps=3)), hierarchies, 5).gcp
    assert searched < 0.9 * greedy


def test_a_seed_repeats_and_the_order_of_the_rows_does_not_matter(people):
    rows, hierarchies = people
    demand = Demand(k=5, steps=0.5, seed=3)
    first = recode(rows, hierarchies, demand)
    again = recode(rows, hierarchies, demand)
    order = np.random.default_rng(1).permutation(len(rows.counts))
    shuffled = Rows(rows.codes[order], rows.sensitive[order], rows.counts[order])
    other = recode(shuffled, hierarchies, demand)
    assert np.array_equal(first.cls, again.cls)
    assert published(rows, hierarchies, first) == published(shuffled, hierarchies, other)
    assert not np.array_equal(
        first.boxes, recode(rows, hierarchies, Demand(k=5, steps=0.5, seed=4)).boxes
    )


def test_rows_that_are_many_alike_are_told_exactly():
    codes = np.repeat(np.array([[0, 0, 0], [15, 7, 1], [14, 7, 1]], np.int32), [50, 3, 4], axis=0)
    rows = collapse(codes, np.zeros(len(codes), np.int32))
    out, _ = published(rows, TREES, recode(rows, TREES, Demand(k=5)))
    assert out == {(("0:0", "0:0", "0:0"), 0): 50, (("1:7", "0:7", "0:1"), 0): 7}


def test_alike_rows_are_dealt_out_whatever_their_sensitive_value():
    codes = np.array([[0, 0, 0]] * 2 + [[8, 0, 0]], np.int32)
    rows = Rows(codes, np.array([0, 1, 0], np.int32), np.array([500, 500, 2], np.int64))
    found = recode(rows, TREES, Demand(k=100, steps=0))
    mixed = np.unique(found.cls[found.row == 0]), np.unique(found.cls[found.row == 1])
    assert [len(classes) for classes in mixed] == [2, 2]


def test_progress_is_told_from_nothing_to_all(people):
    rows, hierarchies = people
    for method in ("local", "global"):
        told = []
        demand = Demand(k=5, method=method, most_suppressed=0.05, steps=0.1)
        recode(rows, hierarchies, demand, lambda done, total: told.append((done, total)))  # noqa: B023
        assert told[0][0] == 0
        assert told[-1][0] == told[-1][1]
        assert told == sorted(told)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"k": 1}, "k must be 2 or more"),
        ({"k": 5, "l": 6}, "l must be from 1 to k"),
        ({"k": 5, "t": 0.0}, "t must be above 0"),
        ({"k": 5, "most_suppressed": 1.0}, "share of suppressed rows"),
        ({"k": 5, "steps": -1.0}, "steps a row"),
        ({"k": 5, "seed": -1}, "the seed"),
    ],
)
def test_a_demand_that_protects_nobody_is_refused(wrong, words):
    with pytest.raises(RecodingError, match=words):
        Demand(**wrong)


@pytest.mark.parametrize(
    ("change", "demand", "words"),
    [
        ({}, Demand(k=400), "fewer than k rows"),
        ({}, Demand(k=5, l=4), "fewer than l different"),
        ({"sensitive": None}, Demand(k=5, l=2), "sensitive column"),
        ({"sensitive": None}, Demand(k=5, t=0.3), "sensitive column"),
        ({"codes": np.full((1, 3), 99, np.int32)}, Demand(k=2), "its hierarchy does not know"),
        ({"codes": np.zeros((1, 2), np.int32)}, Demand(k=2), "one column of codes"),
        ({"counts": np.zeros(1, np.int64)}, Demand(k=2), "count of one or more"),
    ],
)
def test_rows_that_do_not_fit_are_refused(change, demand, words):
    table = made_up(1, 200, 2)
    if "codes" in change or "counts" in change:
        table = Rows(np.zeros((1, 3), np.int32), None, np.ones(1, np.int64))
    parts = {"codes": table.codes, "sensitive": table.sensitive, "counts": table.counts, **change}
    with pytest.raises(RecodingError, match=words):
        recode(Rows(**parts), TREES, demand)


def test_global_recoding_says_when_no_vector_of_levels_will_do():
    codes = np.array([[0, 0, 0]] * 6, np.int32)
    rows = collapse(codes, np.array([0, 0, 0, 0, 0, 1], np.int32))
    found = recode(rows, TREES, Demand(k=3, l=2, method="global"))
    assert len(found.boxes) == 1


def test_the_example_of_the_page_prints_what_stands_below_it():
    page = (ROOT / "docs/anonymisation/recoding.md").read_text(encoding="utf-8")
    example, printed = re.findall(r"```(?:python|text)\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == printed
