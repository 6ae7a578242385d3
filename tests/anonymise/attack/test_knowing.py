# SPDX-License-Identifier: EUPL-1.2
"""Who knows one person in a hundred does not find them in generalised rows, nor learns much."""

from collections import Counter

from tests.anonymise.attack import figures, knowing
from tests.anonymise.attack.register import KNOWN_SHARE, known
from tests.anonymise.attack.views import SENSITIVE, View

# A guess among at least ten rows with at least two values; what is told beyond the commonest value
# of all is that needs go with age and sex, which is what such views are for.
MOST_LEARNED = 0.12


def test_a_known_person_is_hidden_among_ten_in_generalised_rows():
    found = figures.knowledge("generalised")
    assert found.singled_out == 0
    assert found.smallest >= 10
    assert found.reidentified <= 1 / 10


def test_sensitive_values_are_guessed_little_better_than_without_the_known_person():
    found = figures.knowledge("generalised")
    assert found.guessed
    for column, right in found.guessed.items():
        assert right - found.anyhow[column] <= MOST_LEARNED, column


def test_no_class_of_generalised_rows_says_one_thing_of_all_its_people():
    view, _ = figures.generalised_views()
    quasi = [column for column in view.rows[0] if column not in SENSITIVE]
    classes = {}
    for row in view.rows:
        values = classes.setdefault(tuple(row[column] for column in quasi), Counter())
        values.update((column, row[column]) for column in SENSITIVE if column in row)
    for values in classes.values():
        for column in {name for name, _ in values}:
            told = {value for name, value in values if name == column}
            assert len(told) > 1 or told <= {"withheld", "unknown"}


def test_what_is_held_back_and_what_is_told_are_everybody():
    view, _ = figures.generalised_views()
    assert len(view.rows) + view.held_back == len(figures.people())
    assert view.held_back / len(figures.people()) <= 0.05


def test_the_attack_finds_whom_the_rows_do_not_hide():
    people = list(figures.people())
    bare = View(
        [
            {**person.values, "asylum.claim_state": person.values["asylum.claim_state"]}
            for person in people
        ],
        people,
    )
    found = knowing.attack(bare, known(people))
    assert found.singled_out > 0.95
    assert min(found.guessed.values()) > 0.95
    assert len(known(people)) == KNOWN_SHARE * len(people)
