# SPDX-License-Identifier: EUPL-1.2
"""Two recipients cannot join their views better than equal columns allow."""

import pytest

from tests.anonymise.attack import figures
from tests.anonymise.attack.linking import DEVIATIONS, bound, right_links, shared_columns
from tests.anonymise.attack.views import OWN, View, pseudonym_view

VIEWS = {"pseudonym": figures.pseudonym_views, "generalised": figures.generalised_views}


@pytest.mark.parametrize("view", VIEWS)
def test_no_combination_of_columns_joins_better_than_its_values_allow(view):
    tried = figures.joins(view)
    assert len(tried) > 100
    for join in tried:
        assert join.right <= join.bound + DEVIATIONS * join.deviation, join.columns


@pytest.mark.parametrize("code", ["case_no", "accommodation.family_group_code"])
def test_codes_of_two_domains_join_nothing_and_neither_does_their_order(code):
    one, other = figures.pseudonym_views()
    mine, theirs = ({row[code] for row in view.rows} - {None} for view in (one, other))
    assert mine
    assert mine.isdisjoint(theirs)
    for columns in ((), ("biographic.age_band",), tuple(shared_columns(one, other))):
        expected, deviation = bound(one, other, columns)
        right = right_links(one, other, columns, sort_by=code)
        assert right <= expected + DEVIATIONS * deviation


@pytest.mark.parametrize(
    "other", [{"purpose": "vital_interest"}, {"epoch": "2027q1"}], ids=["purpose", "epoch"]
)
@pytest.mark.parametrize("code", ["case_no", "accommodation.family_group_code"])
def test_one_recipients_codes_of_two_purposes_or_quarters_join_nothing(other, code):
    people = list(figures.people())
    one = pseudonym_view(people, "UNHCR", seed=51)
    two = pseudonym_view(people, "UNHCR", seed=52, **other)
    mine, theirs = ({row[code] for row in view.rows} - {None} for view in (one, two))
    assert mine
    assert mine.isdisjoint(theirs)
    for columns in ((), tuple(shared_columns(one, two))):
        expected, deviation = bound(one, two, columns)
        assert right_links(one, two, columns, sort_by=code) <= expected + DEVIATIONS * deviation


def test_rows_of_two_generalised_views_are_right_in_at_most_one_of_ten_links():
    one, _ = figures.generalised_views()
    most = max(join.bound for join in figures.joins("generalised"))
    assert most / len(one.rows) <= 1 / 10


def test_the_attack_finds_a_join_where_there_is_one():
    people = list(figures.people())
    in_the_registers_order = View([{"a.b": 1} for _ in people], people)
    assert right_links(in_the_registers_order, in_the_registers_order, ()) == len(people)
    assert bound(in_the_registers_order, in_the_registers_order, ())[0] == 1


def test_a_code_that_both_recipients_had_would_be_found_to_join():
    people = list(figures.people())
    one = View([{"case_no": p.reference} for p in people], people)
    mixed = people[::-1]
    other = View([{"case_no": p.reference} for p in mixed], mixed)
    assert right_links(one, other, (), sort_by="case_no") == len(people)


def test_nothing_but_what_is_attacked_stands_in_the_views():
    for views in VIEWS.values():
        one, other = views()
        assert set(one.rows[0]) == set(other.rows[0])
        assert len(shared_columns(one, other)) + len(set(one.rows[0]) & OWN) == len(one.rows[0])
