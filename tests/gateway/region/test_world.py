# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.region import AS_OF, Rates
from gateway.region.datafiles import COUNTRIES, nations
from gateway.region.journeys import make_journeys
from gateway.region.units import CHILD, HEAD, SIBLING, SPOUSE
from gateway.region.world import Plan, make_world

_CODES = [row.code for row in nations()]


def _ages(plan, world):
    return (plan.today - world.born) / 365.25


def test_shares_are_those_of_the_parameters(crowd):
    plan, world, _ = crowd
    ages = _ages(plan, world)
    assert 0.18 < world.female.mean() < 0.25
    assert 0.20 < (ages < 18).mean() < 0.33
    assert 0.07 < world.lone_minor.mean() < 0.10
    assert 0.48 < (world.document >= 0).mean() < 0.52
    assert 0.03 < world.names.single.mean() < 0.05


def test_families_share_nationality_and_children_their_surname(crowd):
    _, world, _ = crowd
    assert (world.nation == world.nation[world.unit_start][world.unit]).all()
    boys = (world.role == CHILD) & (world.female == 0)
    heads = world.unit_start[world.unit]
    father = (world.role[heads] == HEAD) & (world.female[heads] == 0)
    rows = boys & father
    same = world.names.surname[rows] == world.names.surname[heads[rows]]
    assert same.all()


def test_children_are_at_least_17_years_younger_than_the_head_of_their_unit(crowd):
    plan, world, _ = crowd
    ages = _ages(plan, world)
    child = world.role == CHILD
    gap = ages[world.unit_start[world.unit[child]]] - ages[child]
    assert gap.min() > 16


def test_spouses_are_adults(crowd):
    plan, world, _ = crowd
    assert _ages(plan, world)[world.role == SPOUSE].min() > 17


def test_nobody_unaccompanied_has_an_adult_of_the_unit_beside_him(crowd):
    plan, world, _ = crowd
    ages = _ages(plan, world)
    alone = world.lone_minor
    assert (ages[alone] < 19).all()
    assert (world.role[alone] != CHILD).all()
    siblings = alone & (world.role == SIBLING)
    assert (ages[world.unit_start[world.unit[siblings]]] < 19).all()


def test_namesakes_share_every_name_and_the_year_of_birth_but_no_journey(crowd):
    _, world, _ = crowd
    stranger = np.flatnonzero(world.namesake_of >= 0)
    donor = world.namesake_of[stranger]
    assert len(stranger) > 40
    for name in (world.names.forename, world.names.forename2, world.names.surname):
        assert (name[stranger] == name[donor]).all()
    years = world.born.astype("datetime64[D]").astype("datetime64[Y]")
    assert (years[stranger] == years[donor]).all()
    assert (world.unit[stranger] != world.unit[donor]).all()


def test_twins_have_one_birthday_and_one_surname(crowd):
    _, world, _ = crowd
    twin = np.flatnonzero(world.twin)
    assert len(twin) > 20
    plain = twin[~world.year_only[twin] & ~world.year_only[twin - 1]]
    assert (world.born[plain] == world.born[plain - 1]).all()
    assert (world.unit[twin] == world.unit[twin - 1]).all()


def test_everybody_appears_in_one_to_four_countries_each_once(crowd):
    _, world, journeys = crowd
    times = np.bincount(journeys.person, minlength=world.count)
    assert times.min() == 1
    assert times.max() == 4
    pairs = journeys.person * 10 + journeys.country
    assert len(np.unique(pairs)) == len(pairs)
    assert 1.45 < times.mean() < 1.65


def test_appearances_follow_one_another_in_time_and_end_by_the_day_of_the_region(crowd):
    plan, _, journeys = crowd
    later = np.flatnonzero(journeys.hop > 0)
    assert (journeys.day[later] >= journeys.day[later - 1]).all()
    assert (journeys.person[later] == journeys.person[later - 1]).all()
    assert (journeys.previous[later] == journeys.country[later - 1]).all()
    assert journeys.day.max() <= plan.today


def test_nobody_is_registered_before_birth(crowd):
    _, world, journeys = crowd
    assert (journeys.day >= world.born[journeys.person]).all()


def test_members_of_a_unit_travel_together_but_for_a_few(crowd):
    _, world, journeys = crowd
    first = journeys.hop == 0
    country = np.zeros(world.count, dtype=np.int64)
    country[journeys.person[first]] = journeys.country[first]
    assert (country == country[world.unit_start][world.unit]).all()


@pytest.mark.parametrize("code", ["AL", "RS", "BA", "MK", "ME"])
def test_nationals_of_the_region_are_registered_abroad_only(crowd, code):
    _, world, journeys = crowd
    theirs = world.nation[journeys.person] == _CODES.index(code)
    assert theirs.any()
    assert not (journeys.country[theirs] == COUNTRIES.index(code)).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32))
def test_any_size_and_seed_gives_a_whole_world(persons, seed):
    plan = Plan(persons, seed, AS_OF, Rates())
    world = make_world(plan)
    journeys = make_journeys(plan, world)
    assert world.count == persons
    assert {*journeys.person.tolist()} == {*range(persons)}
    assert (world.names.forename >= 0).all()
    assert (world.names.surname >= 0).all()
