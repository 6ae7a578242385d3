# SPDX-License-Identifier: EUPL-1.2
"""Noise: drawn from the cohort alone, with the distribution that the page states."""

from collections import Counter
from itertools import product

from anonymise.statistics.cohort import cohort_of, marker
from anonymise.statistics.noise import MOST_NOISE, figure_of, noise_of, rounded
from tests.anonymise.statistics.people import KEY

mark = marker(KEY)


def cohort(first, count):
    return cohort_of(mark(f"P-{number}") for number in range(first, first + count))


def test_noise_has_mean_nought_deviation_two_and_an_end():
    drawn = Counter(noise_of(cohort(first, 3), KEY) for first in range(0, 60_000, 3))
    count = sum(drawn.values())
    assert abs(sum(n * times for n, times in drawn.items()) / count) < 0.06
    assert abs(sum(n * n * times for n, times in drawn.items()) / count - 4.08) < 0.2
    assert max(map(abs, drawn)) <= MOST_NOISE


def test_the_same_cohort_has_the_same_noise_and_another_key_another():
    cohorts = [cohort(first, 20) for first in range(0, 2000, 20)]
    assert [noise_of(c, KEY) for c in cohorts] == [noise_of(c, KEY) for c in cohorts]
    assert [noise_of(c, KEY) for c in cohorts] != [noise_of(c, bytes(32)) for c in cohorts]


def test_figures_are_multiples_of_five_and_never_under_the_threshold():
    for first, minimum in product(range(0, 1500, 15), (10, 20)):
        one = cohort(first, minimum + first % 7)
        figure = figure_of(one, KEY, minimum)
        assert figure >= minimum
        assert figure % 5 == 0
        assert abs(figure - one.size) <= MOST_NOISE + 5


def test_counts_round_to_the_nearest_five_and_halves_do_not_occur():
    assert [rounded(count) for count in (0, 2, 3, 7, 8, 12, 13)] == [0, 0, 5, 5, 10, 10, 15]


def test_two_figures_hardly_tell_whether_one_person_joined_where_somebody_else_may_have_changed():
    """Measured for docs/anonymisation/statistics.md: the best guess is right in 55 of 100."""
    joined, changed = Counter(), Counter()
    for before, more, other in _pairs():
        joined[more - before] += 1
        changed[other - before] += 1
    best = sum(max(joined[step], changed[step]) for step in joined | changed)
    assert best / (2 * TRIALS) < 0.58


def test_two_figures_tell_two_colluding_readers_rather_often_that_anybody_joined():
    """Measured for that page: right in 72 of 100, as the same people give the same figure."""
    told = sum(before != more for before, more, _ in _pairs())
    assert 0.65 < (1 + told / TRIALS) / 2 < 0.76


TRIALS = 3000


def _pairs():
    """Of a cohort: its figure, that with one member more, and that with one member exchanged."""
    for trial in range(TRIALS):
        marks = [mark(f"{trial}-{number}") for number in range(31 + trial % 50)]
        cohorts = (marks[:-1], marks, marks[1:])
        yield tuple(figure_of(cohort_of(members), KEY, 10) for members in cohorts)
