# SPDX-License-Identifier: EUPL-1.2
"""Suppression: no figure left out can be worked out again from all that is published."""

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anonymise import DisclosureError, TableError
from anonymise.statistics import LAYOUTS, breaches, cube_of, intervals, prove
from anonymise.statistics.audit_lp import Protection
from anonymise.statistics.layouts import Layout
from anonymise.statistics.suppress import left_out
from tests.anonymise.statistics.people import DEMOGRAPHY, members, population

SMALL = Layout("small", ("a", "b"), margins=(("a",), ("b",), ()), additive=True)
keys = st.tuples(st.sampled_from("uvw"), st.sampled_from("xyz"))
tables = st.dictionaries(keys, st.integers(0, 60), min_size=1)


def protected(layout, cells, threshold=10, **more):
    cube = cube_of(layout, cells)
    counts = cube.counts(cells)
    left = left_out(cube, counts, threshold, **more)
    return cube, {key: n for key, n in counts.items() if key not in left.demands}, left


@given(tables, st.sampled_from([10, 20]))
@settings(max_examples=60, deadline=None)
def test_every_figure_left_out_keeps_its_protection_interval(cells, threshold):
    cube, published, left = protected(SMALL, cells, threshold)
    prove(cube, published, left.demands)
    assert all(count >= threshold for count in published.values())
    for key, (low, high) in intervals(cube, published, left.small).items():
        assert low == pytest.approx(0, abs=1e-6), key
        assert high >= threshold - 1e-6, key


@given(st.dictionaries(keys, st.integers(1, 8), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_an_attacker_who_tries_every_table_finds_what_the_programs_say(cells):
    most = 15
    cube, published, _ = protected(SMALL, cells, 5)
    hidden = [cell for cell in cube.cells if cell not in published]
    assume(len(hidden) <= 3)
    found = {cell: set() for cell in hidden}
    for guess in product(range(most + 1), repeat=len(hidden)):
        table = {**published, **dict(zip(hidden, guess, strict=True))}
        if all(
            sum(table[cell] for cell in parts) == published[key]
            for key, parts in cube.margins.items()
            if key in published
        ):
            for cell, value in zip(hidden, guess, strict=True):
                found[cell].add(value)
    told = intervals(cube, published)
    for cell, values in found.items():
        low, high = told[cell]
        assert (min(values), max(values)) == (round(low), round(min(high, most)))


@pytest.mark.parametrize("count", [60, 600, 6000])
def test_a_population_is_protected_with_all_its_margins(count):
    cells = {key: len(whom) for key, whom in members(population(count)).items()}
    cube, published, left = protected(DEMOGRAPHY, cells)
    assert breaches(cube, published, left.demands) == []
    assert left.small == {key for key, n in cube.counts(cells).items() if n < 10}


def test_without_complementary_suppression_the_proof_fails():
    """The control is taken out: only what is small is left out."""
    cells = {("u", "x"): 3, ("u", "y"): 40, ("v", "x"): 50, ("v", "y"): 60}
    cube, _, left = protected(SMALL, cells)
    assert left.beside
    alone = {key: n for key, n in cube.counts(cells).items() if n >= 10}
    assert intervals(cube, alone, [("u", "x")]) == {("u", "x"): (3.0, 3.0)}
    with pytest.raises(DisclosureError, match="could be worked out"):
        prove(cube, alone, left.demands)


def test_a_figure_held_back_is_protected_although_it_is_large():
    cells = {("u", "x"): 30, ("u", "y"): 40, ("v", "x"): 50, ("v", "y"): 60}
    cube, published, left = protected(SMALL, cells, held=[("u", "x")])
    low, high = intervals(cube, published, [("u", "x")])["u", "x"]
    assert high - low >= 10
    assert ("u", "x") not in published
    assert left.beside


def test_rounded_figures_tell_an_attacker_less_than_exact_ones():
    cells = {("u", "x"): 3, ("u", "y"): 40, ("v", "x"): 50, ("v", "y"): 60}
    cube = cube_of(SMALL, cells)
    known = {key: n for key, n in cube.counts(cells).items() if n >= 10}
    exact = intervals(cube, known, [("u", "x")])["u", "x"]
    rough = intervals(cube, known, [("u", "x")], within=2)["u", "x"]
    assert rough[0] < exact[0]
    assert exact[1] < rough[1]


def test_figures_that_no_table_agrees_with_are_refused():
    cube = cube_of(SMALL, {("u", "x"): 3, ("u", "y"): 40})
    with pytest.raises(TableError, match="no solution"):
        intervals(cube, {("u", "all"): 10, ("u", "x"): 20, ("u", "y"): 40}, [("all", "x")])


def test_a_table_without_margins_needs_no_program():
    cells = {("AF", "BA"): 3, ("SY", "BA"): 30}
    cube, published, left = protected(LAYOUTS["flows"], cells)
    assert published == {("SY", "BA"): 30}
    assert left.demands == {("AF", "BA"): Protection(10, reach=10)}
    assert not cube.margins
