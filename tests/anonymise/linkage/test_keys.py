# SPDX-License-Identifier: EUPL-1.2
"""No key without a date or a document number, and never more than sixteen."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from anonymise.linkage.keys import MOST_KEYS, KeyKind, keys_of, number_of
from anonymise.linkage.person import BirthDate, LinkagePerson

_NAMES = st.lists(
    st.sampled_from(
        [
            "Ali",
            "Muhammad",
            "Nur Ahmad",
            "Zarmina",
            "Stanikzai",
            "Al-Halabi",
            "Ширзад",
            "محمد",
            "Jovanović",
            "Khan",
            "A",
            "Bibi",
        ]
    ),
    max_size=4,
).map(tuple)
_BIRTHS = st.none() | st.one_of(
    st.dates()
    .filter(lambda day: 1900 <= day.year <= 2030)
    .map(lambda d: BirthDate(d.year, d.month, d.day)),
    st.integers(1900, 2030).map(BirthDate),
    st.builds(BirthDate, st.integers(1900, 2030), st.integers(1, 12)),
    st.integers(1900, 2030).map(lambda year: BirthDate(year, 1, 1)),
)
PERSONS = st.builds(
    LinkagePerson,
    given_names=_NAMES,
    surnames=_NAMES,
    sex=st.sampled_from(["M", "F", None]),
    birth=_BIRTHS,
    nationalities=st.lists(st.sampled_from(["AFG", "SYR", "IRQ"]), max_size=2).map(tuple),
    documents=st.lists(
        st.sampled_from(["P1234567", "O 12-345", "0000000", "X", "p1234567"]), max_size=3
    ).map(tuple),
)


@given(PERSONS)
def test_there_are_at_most_sixteen_keys_and_no_two_are_equal(person):
    keys = keys_of(person)
    assert len(keys) <= MOST_KEYS
    assert len({key.encoded() for key in keys}) == len(keys)
    assert keys == keys_of(person)


@given(PERSONS)
def test_without_date_and_number_there_is_no_key_at_all(person):
    assert keys_of(replace(person, birth=None, documents=())) == ()


@given(PERSONS)
def test_every_key_holds_the_number_or_a_part_of_the_date(person):
    birth = person.birth
    numbers = {number_of(document) for document in person.documents}
    for key in keys_of(person):
        if key.kind is KeyKind.DOCUMENT:
            assert key.text in numbers
            continue
        assert birth is not None
        day = f"{birth.month or 0:02}-{birth.day or 0:02}"
        assert str(birth.year) in key.text or (key.kind is KeyKind.TOKEN_DAY and day in key.text)


@given(PERSONS)
def test_the_first_of_january_gives_no_more_than_its_year(person):
    uncertain = replace(person, birth=BirthDate(1990, 1, 1))
    assert keys_of(uncertain) == keys_of(replace(person, birth=BirthDate(1990)))
    assert keys_of(uncertain) == keys_of(replace(person, birth=BirthDate(1990, 7)))


@given(PERSONS)
def test_surname_and_given_name_exchanged_give_the_same_keys(person):
    exchanged = replace(person, given_names=person.surnames, surnames=person.given_names)
    assert keys_of(exchanged) == keys_of(person)


def shared(one, other):
    kinds = {key.encoded(): key.kind for key in keys_of(one)}
    return {kinds[key.encoded()] for key in keys_of(other) if key.encoded() in kinds}


def test_a_wrong_year_an_exchanged_day_and_a_year_alone_each_leave_a_key():
    person = LinkagePerson(("Zarmina",), ("Stanikzai",), "F", BirthDate(1991, 5, 4), ("AFG",))
    assert KeyKind.TOKEN_DAY in shared(person, replace(person, birth=BirthDate(1992, 5, 4)))
    assert KeyKind.TOKEN_SWAP in shared(person, replace(person, birth=BirthDate(1991, 4, 5)))
    assert shared(person, replace(person, birth=BirthDate(1991, 1, 1))) == {
        KeyKind.PAIR_YEAR,
        KeyKind.ALL_YEAR,
    }
    assert KeyKind.TOKEN_BIRTH in shared(person, replace(person, surnames=("Ahmadi",)))
    assert KeyKind.BIRTH_ETC in shared(
        person, replace(person, given_names=("Zarghona",), surnames=())
    )


def test_document_numbers_are_read_alike_and_plain_fillings_are_none():
    assert number_of("o 123-4567") == number_of("O1234567") == number_of("01234567")
    assert number_of("\uff21\uff11\uff12\uff13\uff14\uff15") == number_of("A12345")
    for filling in ("", "0000000", "XXXXXXX", "UNKNOWN", "none", "1234", "AB12", "-----"):
        assert number_of(filling) is None


def test_the_bytes_of_a_key_name_grammar_and_kind_and_its_repr_tells_nothing():
    key = keys_of(LinkagePerson(documents=("P1234567",)))[0]
    assert key.encoded() == b"1|doc|P1234567"
    assert "1234567" not in repr(key)
    assert "1234567" not in f"{[key]}"
