# SPDX-License-Identifier: EUPL-1.2
"""The inner loops against the same thing worked out plainly."""

import sys

import numpy as np
import pytest

from anonymise.errors import ReleaseExtraError
from anonymise.release import compiled
from anonymise.release.encode import distinct, pack_costs
from anonymise.release.loops.nearest import nearest
from anonymise.release.loops.tables import Units
from tests.anonymise.release.tables import adult


@pytest.fixture(scope="module")
def some():
    rows, hierarchies = adult(400)
    return Units(rows.codes, rows.sensitive, rows.counts), hierarchies


def apart(units, hierarchies):
    """Cost of the common box of every two units."""
    n = len(units.codes)
    total = np.zeros((n, n))
    for a, hierarchy in enumerate(hierarchies):
        total += hierarchy.cost[units.codes[:, a, None], units.codes[None, :, a]]
    np.fill_diagonal(total, np.inf)
    return total


def test_few_units_get_their_nearest_exactly_and_half_of_another_value(some):
    units, hierarchies = some
    random = np.array([1], np.uint64)
    near = nearest(units, pack_costs(hierarchies), 8, 6, 512, random)
    cost = apart(units, hierarchies)
    unlike = np.where(units.sensitive[:, None] != units.sensitive[None], cost, np.inf)
    for u in range(len(near)):
        assert cost[u, near[u, :4]] == pytest.approx(np.sort(cost[u])[:4], abs=1e-5)
        assert unlike[u, near[u, 4:]] == pytest.approx(np.sort(unlike[u])[:4], abs=1e-5)


def test_many_units_get_near_ones_and_none_twice(some):
    units, hierarchies = some
    alike = Units(units.codes, np.zeros_like(units.sensitive), units.weight)
    near = nearest(alike, pack_costs(hierarchies), 8, 6, 64, np.array([1], np.uint64))
    cost = apart(alike, hierarchies)
    best = np.sort(cost, axis=1)[:, :8].mean()
    assert np.take_along_axis(cost, near, axis=1).mean() < 1.4 * best
    assert all(len(set(line)) == len(line) for line in near.tolist())


def test_distinct_rows_are_ranked_also_where_no_number_holds_them():
    random = np.random.default_rng(5)
    columns = [random.integers(0, 3, 500).astype(np.int32) * 1000 for _ in range(9)]
    first, rank = distinct(columns, [4096] * 9)  # 4096 ** 9 is beyond 64 bits
    table = np.stack(columns, axis=1)
    expected, where = np.unique(table, axis=0, return_inverse=True)
    assert np.array_equal(table[first], expected)
    assert np.array_equal(rank, where.reshape(-1))


def test_without_numba_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ReleaseExtraError, match=r"cuvar\[release\]"):
        compiled.inner(lambda: None)
