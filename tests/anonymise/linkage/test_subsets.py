# SPDX-License-Identifier: EUPL-1.2
from anonymise.linkage.person import BirthDate, LinkagePerson
from anonymise.linkage.subsets import MOST_VALUES, of_kinds, of_persons

PERSONS = {
    "full": LinkagePerson(("Ali",), ("Ćosić",), birth=BirthDate(1990, 7, 2), documents=("A1",)),
    "new year": LinkagePerson(("Али",), ("Ћосић",), birth=BirthDate(1990, 1, 1)),
    "nothing": LinkagePerson(("علی",)),
}


def test_every_list_is_parted_by_birth_date_document_script_and_single_names():
    found = of_persons(PERSONS)
    assert found["full date of birth"] == {"full"}
    assert found["date of birth missing, partial or 1 January"] == {"new year", "nothing"}
    assert found["document number"] == {"full"}
    assert found["Latin script"] == {"full"}
    assert found["other script"] == {"new year", "nothing"}
    assert found["one name only"] == {"nothing"}


def test_a_subset_of_nobody_is_left_out():
    assert "other script" not in of_persons({"full": PERSONS["full"]})


def test_each_value_of_another_column_makes_a_subset():
    found = of_kinds({"culture": {"a": "x", "b": "y", "c": ""}}, {}, {"a": frozenset("p")})
    assert found == {
        "culture: x": {"a"},
        "culture: y": {"b"},
        "culture: not said": {"c"},
    }


def test_pairs_in_which_a_common_column_differs_are_told_with_those_in_no_pair():
    truth = {"a": frozenset("p"), "b": frozenset("q")}
    found = of_kinds(
        {"country": {"a": "RS", "b": "RS", "c": "RS"}},
        {"country": {"p": "HR", "q": "RS"}},
        truth,
    )
    assert found["country differs"] == {"a", "c"}


def test_a_column_that_tells_persons_apart_makes_no_subsets():
    many = {str(n): str(n) for n in range(MOST_VALUES + 1)}
    assert of_kinds({"number": many}, {}, {}) == {}
