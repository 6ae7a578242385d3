# SPDX-License-Identifier: EUPL-1.2
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.alerts.context import Case, Officer, Relative
from tests.audit.alerts.making import NOON, access, always, during, person, raised, searched

HELD = person("BA", "p-9")
NAMED = person(surnames="Đurić", forenames="Ana", born="1990-02-01")
PAPERS = person(document="AB 123-456")


def case(**more):
    base = Case("CASE1", always(officer="officer-1"), person("BA", "p-9"))
    return replace(base, **more)


# Protected persons


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        (HELD, access(persons={"p-9", "p-1"})),
        (HELD, access(action="read", searched=searched(reference="p-9"), refused=True)),
        (NAMED, access(searched=searched("DJURIC".replace("J", ""), "ana", "1990-02-01"))),
        (NAMED, access(searched=searched("Đurić", "Ana"))),
        (NAMED, access(searched=searched("Ђурић", "Ана", "1990-02-01"))),
        (PAPERS, access(searched=searched(document="ab123456"))),
    ],
)
def test_a_look_up_of_a_protected_person_is_an_alert(listed, asked):
    (alert,) = raised("protected", [asked], protected=(listed,))
    assert alert.entries == (0,)
    assert [one.explanation for one in alert.tried] == ["assigned-case"]


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        (HELD, access(persons={"p-9"}, owner="HR")),
        (HELD, access(persons={"p-99"})),
        (NAMED, access(searched=searched("Đurić", "Ana", "1990-02-02"))),
        (NAMED, access(searched=searched("Đurić", "Anja", "1990-02-01"))),
        (NAMED, access(searched=searched("Đurić"))),
        (PAPERS, access(searched=searched(document="AB123457"))),
    ],
)
def test_somebody_like_a_protected_person_is_none(listed, asked):
    assert not raised("protected", [asked], protected=(listed,))


def test_without_a_list_nobody_is_protected():
    assert not raised("protected", [access(persons={"p-9"})])


@pytest.mark.parametrize(
    ("asked", "context"),
    [
        (access(persons={"p-9"}, seen=({"assigned_case"}, {"assigned_case", "minor_alone"})), {}),
        (access(persons={"p-9"}, case_no="CASE1"), {"cases": (case(),)}),
        (access(persons={"p-9"}, case_no="CASE1"), {"cases": (case(duty=always(unit="unit-a")),)}),
    ],
)
def test_an_assigned_case_explains_a_protected_person(asked, context):
    assert not raised("protected", [asked], protected=(HELD,), **context)


@pytest.mark.parametrize(
    ("asked", "cases"),
    [
        (access(persons={"p-9"}, seen=({"assigned_case"}, set())), None),
        (access(persons={"p-9"}, sure={"case_number"}, case_no="CASE1"), None),
        (access(persons={"p-9"}, case_no="CASE2"), (case(),)),
        (access(persons={"p-9"}), (case(case_no=""),)),
        (access(persons={"p-9"}, case_no="CASE1"), (case(duty=always(officer="officer-2")),)),
        (access(persons={"p-9"}, case_no="CASE1"), (case(duty=always(unit="unit-b")),)),
        (
            access(persons={"p-9"}, case_no="CASE1"),
            (case(duty=during("officer-1", NOON - timedelta(hours=9), 9)),),
        ),
        (access(persons={"p-9"}, case_no="CASE1"), (case(person=person("BA", "p-8")),)),
        (access(persons={"p-9"}, case_no="CASE1"), (case(person=person()),)),
        (access(persons={"p-9", "p-8"}, case_no="CASE1"), (case(),)),
    ],
)
def test_another_case_explains_nothing(asked, cases):
    (alert,) = raised("protected", [asked], protected=(HELD,), cases=cases)
    known = "not known" not in alert.tried[0].why_not
    assert known == (cases is not None)


# Self or relative

ME = Officer("officer-1", "unit-a", person("BA", "p-1", surnames="Kovač", born="1980-01-01"))
OWN = searched("Kovač", "Ivo", "1980-01-01")
SURNAME = searched("Kovac", "Petar", "2001-01-01")


@pytest.mark.parametrize("asked", [access(persons={"p-1"}), access(searched=OWN)])
@pytest.mark.parametrize("sure", [set(), {"presence"}])
def test_an_officer_who_asks_about_himself_is_an_alert_whoever_stands_there(asked, sure):
    asked = replace(asked, sure=frozenset(sure))
    (alert,) = raised("self-or-relative", [asked], officers=(ME,), surnames={"kovac": 100})
    assert alert.score == 95
    assert "himself" in alert.reasons[0]


def test_a_relative_on_the_list_is_an_alert_but_for_a_presence():
    relatives = (Relative("officer-1", person(surnames="Marić", forenames="Eva")),)
    asked = access(searched=searched("Maric", "Eva"))
    given = {"relatives": relatives, "surnames": {"maric": 10}}
    assert raised("self-or-relative", [asked], **given)
    there = replace(asked, sure=frozenset({"presence"}))
    assert not raised("self-or-relative", [there], **given)
    assert not raised("self-or-relative", [replace(asked, officer="officer-2")], **given)


@pytest.mark.parametrize(("one_in", "alerts"), [(None, 1), (5000, 1), (500, 1), (499, 0)])
def test_the_own_surname_is_an_alert_unless_it_is_common(one_in, alerts):
    surnames = None if one_in is None else {"kovac": one_in}
    asked = access(searched=SURNAME)
    found = raised("self-or-relative", [asked], officers=(ME,), surnames=surnames)
    assert len(found) == alerts


def test_presence_explains_the_own_surname():
    asked = access(searched=SURNAME, sure={"presence"})
    assert not raised("self-or-relative", [asked], officers=(ME,))


def test_another_officers_surname_is_nothing_to_this_one():
    asked = access(searched=SURNAME, officer="officer-2")
    assert not raised("self-or-relative", [asked], officers=(ME,))
    assert not raised("self-or-relative", [access(searched=SURNAME)])


# Colleague


@pytest.mark.parametrize(
    "asked",
    [access(persons={"p-1"}, officer="officer-2"), access(searched=OWN, officer="officer-2")],
)
def test_a_look_up_of_a_registered_user_is_an_alert(asked):
    me = replace(ME, person=person("BA", "p-1", surnames="Kovač", forenames="Ivo"))
    (alert,) = raised("colleague", [asked], officers=(me,))
    assert "of his own unit" in alert.reasons[0]


def test_the_duty_to_vet_explains_a_colleague_while_it_lasts():
    asked = access(persons={"p-1"}, officer="officer-2")
    for vetting in (always(officer="officer-2"), always(unit="unit-a")):
        assert not raised("colleague", [asked], officers=(ME,), vetting=(vetting,))
    for vetting in (always(officer="officer-3"), during("officer-2", NOON + timedelta(hours=1), 9)):
        assert raised("colleague", [asked], officers=(ME,), vetting=(vetting,))


def test_somebody_who_is_no_user_is_no_colleague():
    asked = access(persons={"p-2"}, searched=SURNAME, officer="officer-2")
    assert not raised("colleague", [asked], officers=(ME,))
    assert not raised("colleague", [access(persons={"p-1"})], officers=(ME,))
