# SPDX-License-Identifier: EUPL-1.2
"""Differential privacy: closed lists of cells, bounded people, a price that OpenDP states."""

from collections import Counter
from datetime import date

import pytest

from anonymise import PrivateTableError
from anonymise.statistics import LAYOUTS, closed_keys, layout_of, private, private_table
from tests.anonymise.statistics.people import DEMOGRAPHY, KEY, members, population

TODAY = date(2026, 11, 24)
NEEDS = layout_of("needs")


def table(layout, cells, epsilon=1.0):
    keys = closed_keys(layout, TODAY, ["BA-01", "BA-02"], "BA")
    return private_table(layout, cells, keys, epsilon=epsilon, key=KEY)


def test_every_cell_of_the_list_is_told_whoever_is_there():
    few, many = table(DEMOGRAPHY, {}), table(DEMOGRAPHY, members(population(2000)))
    assert [key for key, _ in few.cells] == [key for key, _ in many.cells]
    assert all(figure >= 0 for _, figure in few.cells)


def test_nationalities_are_told_as_regions():
    found = dict(table(DEMOGRAPHY, members(population(2000)), 10).cells)
    assert found["18-59", "M", "southern_asia"] == pytest.approx(780, abs=150)
    assert {key[2] for key in found}.isdisjoint({"AF", "SY"})


@pytest.mark.parametrize(("layout", "most"), [("needs", 3), ("occupancy", 1)])
def test_a_table_costs_the_epsilon_that_was_asked_for(layout, most):
    made = table(layout_of(layout), {}, 0.1)
    assert made.epsilon == 100_000
    assert "epsilon 0.1 for each person" in made.note
    assert f"at most {round(2.303 * most / 0.1)} either way" in made.note


def test_the_noise_is_as_wide_as_the_price_says():
    wide = [figure for _ in range(60) for _, figure in table(NEEDS, {}, 0.3).cells]
    assert 0.3 < sum(figure == 0 for figure in wide) / len(wide) < 0.75  # half fall under nought
    assert max(wide) > 15  # three cells a person at 0.3: a scale of 10
    close = [figure for _ in range(20) for _, figure in table(layout_of("flows"), {}, 1).cells]
    assert sum(figure <= 2 for figure in close) / len(close) > 0.85


def test_nobody_counts_in_more_cells_than_the_layout_allows():
    """And in which ones does not depend on who else is there."""
    everybody = frozenset(f"P-{number}" for number in range(50))
    cells = {(need,): everybody for need in ("CR", "SC", "WR", "ER", "SM")}
    keys = closed_keys(NEEDS, TODAY, [], "BA")
    bounded = private._bounded(NEEDS, cells, keys, KEY)
    assert set(map(len, bounded.values())) == {3}
    alone = private._bounded(NEEDS, {cell: frozenset({"P-7"}) for cell in cells}, keys, KEY)
    assert alone["P-7"] == bounded["P-7"]
    assert len(Counter(map(tuple, bounded.values()))) > 5


def test_adding_or_removing_one_person_moves_the_counts_by_no_more_than_was_paid_for():
    people = population(300)
    keys = closed_keys(DEMOGRAPHY, TODAY, [], "BA")
    for gone in list(people)[:40]:
        others = {who: cell for who, cell in people.items() if who != gone}
        one, other = (
            Counter(
                c for cells in private._bounded(DEMOGRAPHY, m, keys, KEY).values() for c in cells
            )
            for m in (members(people), members(others))
        )
        assert sum(abs(one[key] - other[key]) for key in keys) <= DEMOGRAPHY.most


def test_whoever_is_in_a_cell_that_is_not_on_the_list_is_not_counted():
    keys = closed_keys(layout_of("arrivals"), TODAY, [], "BA")
    assert ("2026-W48",) in keys
    assert len(keys) == 26
    old = {("2019-W01",): frozenset({"P-1"})}
    assert private._bounded(layout_of("arrivals"), old, keys, KEY) == {}


@pytest.mark.parametrize("layout", ["claims", "readmissions", "law_enforcement_questions"])
def test_a_layout_without_a_closed_list_has_no_such_figures(layout):
    with pytest.raises(PrivateTableError, match="no closed list"):
        closed_keys(LAYOUTS[layout], TODAY, [], "BA")


@pytest.mark.parametrize("epsilon", [0, -1, 1e9])
def test_an_epsilon_that_is_none_is_refused(epsilon):
    with pytest.raises(PrivateTableError, match="epsilon"):
        table(NEEDS, {}, epsilon)


def test_without_opendp_the_refusal_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "opendp.prelude", None)
    with pytest.raises(PrivateTableError, match=r"cuvar\[statistics\]"):
        table(NEEDS, {})
