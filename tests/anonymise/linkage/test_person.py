# SPDX-License-Identifier: EUPL-1.2
"""Texts become a person in one place, and no error or repr tells one."""

import pytest

from anonymise.errors import LinkageError
from anonymise.linkage.person import BirthDate, LinkagePerson, person_of

_NOTHING = dict.fromkeys(
    ("given_names", "surnames", "sex", "date_of_birth", "nationality", "document_number"), ""
)


def test_every_text_may_be_empty():
    assert person_of(**_NOTHING) == LinkagePerson()


def test_texts_are_read_as_written():
    person = person_of(
        given_names="Nur Ahmad", surnames="Khan", sex="m", date_of_birth="1990-07-22",
        nationality="afg; PAK", document_number="P1;P2",
    )  # fmt: skip
    assert person == LinkagePerson(
        ("Nur Ahmad",), ("Khan",), "M", BirthDate(1990, 7, 22), ("AFG", "PAK"), ("P1", "P2")
    )
    assert "Khan" not in repr(person)
    assert "1990" not in repr(person)
    assert "1990" not in repr(person.birth)


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("1990", BirthDate(1990)),
        ("1990-07", BirthDate(1990, 7)),
        ("1990-00-00", BirthDate(1990)),
        ("1990-07-00", BirthDate(1990, 7)),
        ("2000-02-29", BirthDate(2000, 2, 29)),
    ],
)
def test_a_date_may_be_partial(text, birth):
    assert person_of(**_NOTHING | {"date_of_birth": text}).birth == birth


def test_only_a_known_day_other_than_1_january_is_certain():
    assert BirthDate(1990, 7, 22).certain
    assert BirthDate(1990, 1, 2).certain
    for date in (BirthDate(1990), BirthDate(1990, 7), BirthDate(1990, 1, 1)):
        assert not date.certain


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("sex", "male?"),
        ("nationality", "Afghan"),
        ("nationality", "QQ"),
        ("date_of_birth", "22.7.1990"),
        ("date_of_birth", "1990-02-30"),
        ("date_of_birth", "1990-13-01"),
        ("date_of_birth", "0090-01-01"),
        ("date_of_birth", "1990-00-12"),
    ],
)
def test_a_text_that_is_none_is_refused_by_its_field_and_not_repeated(field, text):
    with pytest.raises(LinkageError, match=field) as refused:
        person_of(**_NOTHING | {field: text})
    assert text not in str(refused.value)
