# SPDX-License-Identifier: EUPL-1.2
"""Protected tables: what is published, what stands, what is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymise import DisclosureError, TableError
from anonymise.statistics import ALL, Answered, Overlap, layout_of, protect_table
from anonymise.statistics.cohort import cohort_of, marker
from anonymise.statistics.suppress import left_out
from tests.anonymise.statistics.people import DEMOGRAPHY, KEY, members, population, without

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
MARK = marker(KEY)
ARRIVALS, NEEDS = layout_of("arrivals"), layout_of("needs")


def made(people, answered=None, minimum=10, layout=DEMOGRAPHY):
    return protect_table(layout, members(people), minimum=minimum, key=KEY, answered=answered)


def figures(table):
    return dict((*table.cells, *table.margins))


def answered_with(*tables):
    answered = Answered()
    for table in tables:
        assert answered.fold(replace(table.answer, at=NOW)) is None
    return answered


def test_no_figure_is_under_the_threshold_and_all_are_multiples_of_five():
    for minimum in (10, 20):
        table = made(population(900), minimum=minimum)
        assert figures(table)
        assert all(n >= minimum and n % 5 == 0 for n in figures(table).values())
        assert f"under {minimum} " in table.note


def test_a_small_cell_and_no_cell_at_all_look_the_same():
    people = population(300)
    few = {f"few-{number}": ("60+", "X", "NP") for number in range(4)}
    known = {cell for cell, whom in members(people).items() if len(whom) >= 10}
    one, other = made(people), made({**people, **few})
    assert ("60+", "X", "NP") not in figures(one) | figures(other)
    assert {key for key, _ in other.cells} <= known


def test_whoever_stands_in_two_cells_is_counted_once():
    cells = {("0-4", "F", "AF"): frozenset(f"P-{n}" for n in range(30))}
    cells["18-59", "F", "AF"] = frozenset(f"P-{n}" for n in range(20, 60))
    table = protect_table(DEMOGRAPHY, cells, minimum=10, key=KEY)
    assert table.answer.whole.size == 60
    assert dict(table.answer.figures)["all", "all", "all"].size == 60


def test_the_same_people_give_the_same_table_again():
    people = population(500)
    first = made(people)
    again = made(people, answered_with(first))
    assert figures(again) == figures(first)
    assert again.answer.figures == first.answer.figures


@pytest.mark.parametrize("gone", [1, 5, 9])
def test_a_table_of_nearly_the_same_people_is_refused(gone):
    people = population(500)
    answered = answered_with(made(people))
    assert isinstance(made(without(people, gone), answered), Overlap)
    assert isinstance(made(without(people, gone), answered, layout=DEMOGRAPHY), Overlap)


def test_nearly_the_same_people_in_another_layout_are_refused_too():
    people = population(500)
    weeks = dict.fromkeys(without(people, 4), ("2026-W40",))
    refused = protect_table(
        ARRIVALS, members(weeks), minimum=10, key=KEY, answered=answered_with(made(people))
    )
    assert isinstance(refused, Overlap)
    assert refused.earlier.layout == DEMOGRAPHY.name


@pytest.mark.parametrize("minimum", [10, 20])
@pytest.mark.parametrize("seed", range(3))
def test_no_two_answered_figures_differ_by_fewer_people_than_the_threshold(seed, minimum):
    """A season of tables, with people who come and go, judged by who was really counted."""
    people, answered, editions, counted = population(700, seed), Answered(), [], {}
    for step in range(8):
        people = without(people, 25 + 3 * step)
        newcomers = population(40, 100 * seed + step).values()
        people |= {f"new-{step}-{number}": cell for number, cell in enumerate(newcomers)}
        table = made(people, answered, minimum)
        assert not isinstance(table, Overlap)
        assert answered.fold(replace(table.answer, at=NOW)) is None
        for key, cohort in table.answer.figures:
            now = {who for who, cell in people.items() if _within(cell, key)}
            if cohort == cohort_of(map(MARK, now)):
                counted.setdefault(cohort.digest, now)
        editions.append([counted[cohort.digest] for _, cohort in table.answer.figures])
    assert sum(map(len, editions)) > 50
    for place, earlier in enumerate(editions):
        for one in earlier:
            for other in (figure for later in editions[place + 1 :] for figure in later):
                assert one == other or len(one ^ other) >= minimum


def _within(cell, key):
    return all(part in (ALL, own) for own, part in zip(cell, key, strict=True))


def test_a_figure_stands_until_enough_of_its_people_have_changed():
    people = population(900)
    first = made(people)
    moved = dict(people)
    for who in [who for who, cell in people.items() if cell[2] == "AF"][:40]:
        del moved[who]
    second = made(moved, answered_with(first))
    syria = ("all", "all", "SY")
    assert figures(second)[syria] == figures(first)[syria]
    assert dict(second.answer.figures)[syria] == dict(first.answer.figures)[syria]
    assert figures(second)["all", "all", "AF"] < figures(first)["all", "all", "AF"]


def test_a_published_figure_that_falls_a_little_stands_and_is_not_given_away_by_its_absence():
    people = {f"P-{n}": ("18-59", "M", ("AF", "SY", "PK")[n % 3]) for n in range(300)}
    people |= {f"Q-{n}": ("18-59", "M", "NP") for n in range(12)}
    first = made(people)
    key = ("18-59", "M", "NP")
    fewer = {w: c for w, c in people.items() if w not in {"Q-1", "Q-2", "Q-3", "Q-4"}}
    fewer = without(fewer, 60)
    assert key in figures(first)
    assert figures(made(fewer, answered_with(first)))[key] == figures(first)[key]


def test_what_was_left_out_beside_a_small_figure_is_not_handed_over_by_the_next_edition():
    kinds = [("18-59", sex, nation) for sex in "MF" for nation in ("AF", "SY")]
    people = {f"P-{number}": kinds[number % 4] for number in range(200)}
    people |= {f"X-{number}": ("18-59", "X", "AF") for number in range(3)}
    first = made(people)
    beside = {key for key, cohort in first.answer.left if cohort.size >= 10 and ALL not in key}
    assert beside
    for kind in set(kinds) - beside:  # everything else changes enough to be told anew
        people |= {f"new-{kind}-{number}": kind for number in range(30)}
    small_gone = {who: kind for who, kind in people.items() if not who.startswith("X")}
    assert beside <= figures(made(small_gone)).keys()
    assert beside.isdisjoint(figures(made(small_gone, answered_with(first))))


def test_people_may_have_several_needs_and_then_nothing_adds_up():
    cells = {(need,): frozenset(f"P-{n}" for n in range(40)) for need in ("CR", "SM")}
    table = protect_table(NEEDS, cells, minimum=10, key=KEY)
    assert not table.margins
    assert len(table.cells) == 2
    assert table.answer.whole.size == 40


def test_an_empty_register_gives_an_empty_table():
    table = protect_table(DEMOGRAPHY, {}, minimum=10, key=KEY)
    assert (table.cells, table.margins) == ((), ())


def test_a_table_whose_suppression_is_at_fault_is_stopped_by_the_proof(monkeypatch):
    """A planted fault: what is left out beside the small figures is forgotten."""

    def careless(*given, **more):
        left = left_out(*given, **more)
        only = {key: demand for key, demand in left.demands.items() if key not in left.beside}
        return replace(left, beside=frozenset(), demands=only)

    monkeypatch.setattr("anonymise.statistics.table.left_out", careless)
    with pytest.raises(DisclosureError, match="publish nothing"):
        made(population(600))


@pytest.mark.parametrize("minimum", [True, 0, 4])
def test_a_threshold_that_protects_nobody_is_refused(minimum):
    with pytest.raises(TableError, match="threshold"):
        made(population(50), minimum=minimum)


@pytest.mark.parametrize("cell", [("0-4", "F"), ("0-4", "F", "all"), ("0-4", "F", "AF", "x")])
def test_a_key_of_another_layout_is_refused(cell):
    with pytest.raises(TableError, match="margins"):
        protect_table(DEMOGRAPHY, {cell: frozenset({"P-1"})}, minimum=10, key=KEY)


@given(st.integers(0, 400), st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_whatever_the_population_no_message_or_figure_names_anybody(count, seed):
    table = made(population(count, seed))
    assert "P-" not in repr(table) + table.note
