# SPDX-License-Identifier: EUPL-1.2
import pytest

from anonymise.errors import LinkageError
from anonymise.linkage.evaluate import Evaluation, Pair, linked_one_to_one

TRUTH = {f"a{n}": frozenset((f"b{n}",)) for n in range(4)}
PERSONS = [f"a{n}" for n in range(104)]
PAIRS = [
    Pair("a0", "b0", 9.0),
    Pair("a1", "b0", 8.0),  # b0 is taken
    Pair("a1", "b1", 7.0),
    Pair("a2", "b9", 6.0),  # a stranger comes first
    Pair("a2", "b2", 5.0),
    Pair("a50", "b50", 4.0),  # not in the second list
    Pair("a51", "b51", 3.0),
]


def test_the_best_pair_is_linked_first_and_no_record_twice():
    made = linked_one_to_one(PAIRS)
    assert [(pair.first, pair.second) for pair in made] == [
        ("a0", "b0"),
        ("a1", "b1"),
        ("a2", "b9"),
        ("a50", "b50"),
        ("a51", "b51"),
    ]


def test_figures_are_those_counted_by_hand():
    figures = Evaluation(PAIRS, TRUTH, PERSONS).figures()
    assert (figures.persons, figures.mated, figures.found) == (104, 4, 0.75)
    # Best at 7.0: two links, both true, of four: 2 * 2 / (2 + 4).
    assert figures.best.threshold == 7.0
    assert (figures.best.precision, figures.best.recall) == (1.0, 0.5)
    assert figures.best.f1 == pytest.approx(2 / 3)


def test_one_false_hit_in_a_hundred_sets_the_threshold_and_first_place_counts():
    # One of the 100 others may have a hit: that at 4.0. The next, at 3.0, is the threshold.
    one, _ = Evaluation(PAIRS, TRUTH, PERSONS).figures().identified
    assert one.threshold == 3.0
    # a0 comes first; a1 has b0 before its own record, a2 a stranger, a3 nobody.
    assert one.fnir == pytest.approx(0.75)


def test_a_hit_is_above_the_threshold_and_not_at_it():
    pairs = [*PAIRS, Pair("a3", "b3", 3.0)]
    one, _ = Evaluation(pairs, TRUTH, PERSONS).figures().identified
    assert one.fnir == pytest.approx(0.75)
    pairs = [*PAIRS, Pair("a3", "b3", 3.5)]
    one, _ = Evaluation(pairs, TRUTH, PERSONS).figures().identified
    assert one.fnir == pytest.approx(0.5)


def test_a_rate_that_a_subset_is_too_small_for_is_not_told():
    evaluation = Evaluation(PAIRS, TRUTH, PERSONS)
    assert evaluation.figures().identified[1] is None
    assert evaluation.figures(PERSONS[:60]).identified[0] is None


def test_a_subset_is_held_against_the_threshold_of_the_whole():
    figures = Evaluation(PAIRS, TRUTH, PERSONS).figures(["a2", "a50"])
    assert figures.linked.threshold == 7.0
    assert figures.linked.recall == 0.0
    assert figures.best.f1 == 0.0


def test_links_of_one_score_stand_or_fall_together():
    pairs = [Pair("a0", "b0", 1.0), Pair("a7", "b7", 1.0), Pair("a1", "b1", 1.0)]
    best = Evaluation(pairs, TRUTH, PERSONS).figures().best
    assert (best.precision, best.recall) == (pytest.approx(2 / 3), 0.5)


def test_equal_scores_are_ordered_by_identifier_whatever_the_order_of_the_pairs():
    pairs = [Pair("a0", "b7", 1.0), Pair("a0", "b0", 1.0)]
    forth = Evaluation(pairs, TRUTH, PERSONS)
    back = Evaluation(pairs[::-1], TRUTH, PERSONS)
    assert forth.links() == back.links()
    assert forth.figures() == back.figures()


@pytest.mark.parametrize("truth", [{}, {"stranger": frozenset(("b0",))}])
def test_a_truth_that_does_not_fit_the_list_is_refused(truth):
    with pytest.raises(LinkageError, match="truth must name persons of the first list"):
        Evaluation(PAIRS, truth, PERSONS)


def test_a_subset_with_a_stranger_is_refused():
    with pytest.raises(LinkageError, match="only persons of the first list"):
        Evaluation(PAIRS, TRUTH, PERSONS).figures(["stranger"])
