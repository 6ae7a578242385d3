# SPDX-License-Identifier: EUPL-1.2
"""Derived facts, negatives and agreements."""

from dataclasses import replace
from datetime import date

import pytest

from policies import PolicyError, Truth
from policies.agreements import Agreement
from policies.facts import derived, known
from tests.policies.making import READ, TODAY, facts

ALL = {"abroad", "outside_union", "third_transfer"}


@pytest.mark.parametrize(
    ("org", "country", "owner", "expected"),
    [
        ("BA-BP", "BA", "BA", {"outside_union"}),
        ("HR-BP", "HR", "HR", set()),
        ("HR-NGO", "HR", "HR", {"outside_union"}),
        ("HR-RK", "HR", "AT", {"abroad", "outside_union"}),
        ("HR-BP", "HR", "AT", {"abroad"}),
        ("HR-BP", "HR", "BA", {"abroad"}),
        ("BA-BP", "BA", "HR", ALL),
        ("BA-BP", "BA", "RS", {"abroad", "outside_union"}),
        ("UNHCR", "AT", "AT", {"outside_union", "third_transfer"}),
        ("UNHCR", "RS", "RS", {"outside_union"}),
        ("ICRC", "RS", "GR", ALL),
        ("FRONTEX", "INT", "GR", {"abroad"}),
        ("FRONTEX", "INT", "BA", {"abroad"}),
        ("EUROPOL", "INT", "SI", {"abroad"}),
        ("JSB", "INT", "SI", {"abroad", "outside_union"}),
    ],
)
def test_three_facts_follow_from_who_asks_whom(snapshot, org, country, owner, expected):
    asked = replace(READ, org=org, country=country)
    assert derived(snapshot.vocabulary, asked, owner) == expected


def test_every_positive_fact_has_its_negative_in_three_values(snapshot):
    words = snapshot.vocabulary
    pairs = [(g.id, g.negative) for g in words.guards.values() if g.negative]
    assert len(pairs) > 20
    for positive, negative in pairs:
        others = [name for name in words.negatives[negative] if name != positive]
        assert not others or negative == "unverified"
        sure = known(words, facts(words, positive), frozenset())
        possible = known(words, facts(words, maybe=(positive,)), frozenset())
        false = known(words, facts(words), frozenset())
        assert negative not in sure.sure | sure.maybe
        assert negative in possible.maybe - possible.sure
        assert negative in false.sure & false.maybe


def test_nothing_known_makes_everything_possible_and_nothing_sure(snapshot):
    words = snapshot.vocabulary
    nothing = known(words, {}, frozenset({"abroad"}))
    assert nothing.sure == {"abroad"}
    stated = {guard.id for guard in words.guards.values() if not guard.derived}
    assert nothing.maybe == stated | set(words.negatives) | {"abroad"}


@pytest.mark.parametrize(
    ("kind", "a", "b", "truth"),
    [
        ("readmission", "RS", "AT", Truth.TRUE),
        ("readmission", "AT", "RS", Truth.TRUE),
        ("readmission", "SI", "HR", Truth.TRUE),
        ("readmission", "BA", "HR", Truth.POSSIBLE),
        ("readmission", "RS", "BA", Truth.POSSIBLE),
        ("readmission", "BA", "BA", Truth.FALSE),
        ("readmission", "BA", "XX", Truth.FALSE),
        ("liaison", "FRONTEX", "BA", Truth.POSSIBLE),
        ("liaison", "EUROPOL", "BA", Truth.FALSE),
        ("liaison", "RS", "AT", Truth.FALSE),
    ],
)
def test_an_agreement_is_in_force_possibly_or_not(snapshot, kind, a, b, truth):
    asked = {
        "readmission": replace(READ, purpose="readmission", dataset="readmissions"),
        "liaison": replace(READ, purpose="statistics", dataset="statistics"),
    }
    assert snapshot.agreement(kind, a, b, TODAY, asked[kind]) is truth


@pytest.mark.parametrize(
    ("purpose", "dataset", "categories", "truth"),
    [
        ("readmission", "readmissions", (), Truth.TRUE),
        ("return_documents", "persons", ("document",), Truth.TRUE),
        ("readmission", "registrations", ("record",), Truth.TRUE),
        ("readmission", "registrations", ("record", "travel"), Truth.FALSE),
        ("readmission", "registrations", (), Truth.FALSE),
        ("readmission", "asylum", ("asylum",), Truth.FALSE),
        ("law_enforcement", "persons", ("document",), Truth.FALSE),
    ],
)
def test_an_agreement_counts_for_its_purposes_and_data_only(
    snapshot, purpose, dataset, categories, truth
):
    asked = replace(READ, purpose=purpose, dataset=dataset, categories=categories)
    assert snapshot.agreement("readmission", "RS", "AT", TODAY, asked) is truth


def test_clocks_are_per_pair_and_contacts_are_organisations(snapshot):
    rows = {row.id: row for row in snapshot.agreements.rows}
    assert rows["RDM-RS-AT-EC"].clocks["reply"] == "10d"
    assert rows["RDM-ME-AT-EC"].clocks["reply"] == "12d"
    assert rows["RDM-RS-AT-EC"].silence == "agreed"
    assert rows["RDM-RS-AT-EC"].contacts == ("RS-RA", "AT-RA")


def test_a_kind_of_agreement_that_is_unknown_is_refused(snapshot):
    with pytest.raises(PolicyError, match="no kind of agreement called trade"):
        snapshot.agreement("trade", "BA", "HR", TODAY, READ)


def test_an_agreement_binds_from_its_first_to_its_last_day():
    row = Agreement(
        "X",
        "readmission",
        *("A", "B", ("readmission",), ("readmissions",), None, TODAY, date(2027, 1, 1)),
        verified=True,
        clocks={},
        silence="-",
        contacts=(),
        reference="-",
    )
    assert row.in_force(date(2026, 11, 23)) is Truth.FALSE
    assert row.in_force(TODAY) is Truth.TRUE
    assert row.in_force(date(2027, 1, 1)) is Truth.TRUE
    assert row.in_force(date(2027, 1, 2)) is Truth.FALSE
    assert replace(row, verified=False).in_force(TODAY) is Truth.POSSIBLE
    assert replace(row, first=None).in_force(TODAY) is Truth.POSSIBLE
    assert replace(row, first=None).in_force(date(2027, 1, 2)) is Truth.FALSE


def test_every_pair_of_neighbours_that_may_ask_has_a_row(snapshot):
    pairs = {row.parties for row in snapshot.agreements.rows if row.kind == "readmission"}
    verified = [row for row in snapshot.agreements.rows if row.verified]
    assert all(row.reference for row in snapshot.agreements.rows)
    assert len(pairs) > 25
    assert len(verified) > 10
