# SPDX-License-Identifier: EUPL-1.2
"""A register's record as persons to link."""

from datetime import date

import pytest

from anonymise.linkage.person import BirthDate
from gateway.linkage.persons import MOST_KEYS, PERSON_FIELDS, keys_of_all, persons_of
from policies import example_rules, load_rules
from tests.gateway.linkage.making import values


def test_the_main_spelling_comes_first_and_each_other_one_stands_for_the_same_person():
    main, *others = persons_of(
        values(
            0,
            direct_identifier__birth_names="Safi",
            biographic__place_of_birth="Herat",
            direct_identifier__aliases="Jonas Abraham; J. Abraham",
            direct_identifier__original_script="احمد کریمی",
        )
    )
    assert (main.given_names, main.surnames) == (("Ahmad",), ("Karimi",))
    assert (main.sex, main.nationalities, main.documents) == ("M", ("SYR",), ("N0000000",))
    assert [(one.given_names, one.surnames) for one in others] == [
        (("Ahmad",), ("Safi",)),
        ((), ("احمد کریمی",)),
        ((), ("Jonas Abraham",)),
        ((), ("J. Abraham",)),
    ]
    assert {one.birth for one in others} == {main.birth}
    assert main.places == ("Herat",)


@pytest.mark.parametrize(
    ("precision", "birth"),
    [
        ("day", BirthDate(1999, 5, 7)),
        (None, BirthDate(1999, 5, 7)),
        ("month", BirthDate(1999, 5)),
        ("year", BirthDate(1999)),
        ("unknown", None),
    ],
)
def test_a_date_counts_as_far_as_it_is_known(precision, birth):
    fields = values(
        0, biographic__date_of_birth=date(1999, 5, 7), biographic__dob_precision=precision
    )
    assert persons_of(fields)[0].birth == birth


def test_a_year_that_is_none_stops_no_index():
    fields = values(0, biographic__date_of_birth=date(1, 1, 1))
    assert persons_of(fields)[0].birth is None
    assert keys_of_all(persons_of(fields))


def test_what_is_not_known_is_left_out():
    (nobody,) = persons_of({})
    assert (nobody.given_names, nobody.birth, nobody.sex, nobody.documents) == ((), None, None, ())
    assert keys_of_all([nobody]) == ()
    assert persons_of(values(0, biographic__sex="X"))[0].sex is None


def test_a_record_has_at_most_sixteen_keys_and_none_twice():
    names = ";".join(f"Name{number} Other{number}" for number in range(20))
    keys = keys_of_all(persons_of(values(0, direct_identifier__aliases=names)))
    assert len(keys) == len(set(keys)) == MOST_KEYS
    assert keys_of_all(persons_of(values(0)))[0] == keys[0]


def test_every_field_that_is_read_is_one_of_the_common_model():
    dataset = load_rules(example_rules(), on=date(2026, 11, 24)).vocabulary.datasets["persons"]
    known = {field.id for one in dataset.categories.values() for field in one.fields.values()}
    assert known >= PERSON_FIELDS
