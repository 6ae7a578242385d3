# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import pytest

from gateway.region.columns import Form
from gateway.region.datafiles import COUNTRIES, MEMBERS, centres
from gateway.region.filling import fill_register
from gateway.region.registering import CATEGORIES

_PLAIN = Form()


@pytest.fixture(scope="module")
def frames(region):
    parts = (region.plan, region.world, region.journeys, region.documents)
    return {country: fill_register(*parts, country) for country in COUNTRIES}


def _column(frame, name):
    return frame[name].written(_PLAIN, 0, len(frame[name]))


def test_a_readmission_case_stands_in_both_registers_with_the_same_dates(frames):
    cases = {}
    for country in COUNTRIES:
        frame = frames[country]["readmissions"]
        names = ("case_no", "other_party", "requested_on", "state", "provenance", "received_from")
        for case, *rest in zip(*(_column(frame, name) for name in names), strict=True):
            cases.setdefault(case, []).append((country, *rest))
    assert len(cases) > 20
    for case, (one, other) in cases.items():
        asking, asked, _ = case.split("-")
        assert {one[0], other[0]} == {asking, asked}
        assert (one[1], other[1]) == (other[0], one[0])
        assert one[2:4] == other[2:4]
        by_country = {one[0]: one, other[0]: other}
        assert by_country[asking][4:] == ("national", None)
        assert by_country[asked][4:] == ("abroad", asking)


@pytest.mark.parametrize("country", COUNTRIES)
def test_only_member_states_hold_values_from_eurodac(frames, country):
    found = {
        value
        for dataset, frame in frames[country].items()
        if "provenance" in frame
        for value in _column(frames[country][dataset], "provenance")
    }
    assert ("eurodac" in found) == (country in MEMBERS)
    assert {"national", "aid_body", "abroad"} <= found


@pytest.mark.parametrize("country", COUNTRIES)
def test_what_came_from_abroad_names_its_sender_and_nothing_else_does(frames, country):
    for frame in frames[country].values():
        if "provenance" not in frame:
            continue
        for kind, sender in zip(
            _column(frame, "provenance"), _column(frame, "received_from"), strict=True
        ):
            assert (kind == "abroad") == (sender is not None)
            assert sender != country


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_centre_holds_more_than_its_typical_use(frames, country):
    frame = frames[country]["centres"]
    capacity, occupied = frame["capacity"].values, frame["occupied"].values
    free = frame["free_beds"].values
    for row, centre in enumerate(centres(country)):
        assert occupied[row] <= max(1, round(capacity[row] * centre.use))
        assert free[row] == max(capacity[row] - occupied[row], 0)


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_guardian_is_named_only_for_a_lone_minor(frames, country):
    persons, notes = frames[country]["persons"], frames[country]["protection"]
    alone = _column(persons, "unaccompanied")
    for person, ward in zip(
        notes["person_key"].values.tolist(), _column(notes, "guardian_ref"), strict=True
    ):
        assert ward is None or alone[person] == "yes"
    for name in ("guardian_record", "best_interest"):
        for answer, lone in zip(_column(persons, name), alone, strict=True):
            assert answer == "no" or lone == "yes"


@pytest.mark.parametrize("country", COUNTRIES)
def test_family_links_point_at_records_of_the_same_register(frames, country):
    links = frames[country]["family"]
    references = {*_column(frames[country]["registrations"], "reference_number")}
    for linked, state in zip(
        _column(links, "linked_reference"), _column(links, "tracing_state"), strict=True
    ):
        assert (linked is None) == (state == "searching")
        assert linked is None or linked in references


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_reference_number_says_state_and_category(frames, country):
    frame = frames[country]["registrations"]
    digits = dict(zip(CATEGORIES, "12397780", strict=True))
    references = _column(frame, "reference_number")
    for reference, category in zip(references, _column(frame, "person_category"), strict=True):
        assert reference[:3] == country + digits[category]
    assert len({*references}) == len(references)


@pytest.mark.parametrize("country", COUNTRIES)
def test_compartments_follow_the_dataset(frames, country):
    wanted = {
        "persons": "migration",
        "registrations": "migration",
        "asylum": "asylum",
        "stays": "reception",
        "protection": "protection",
        "family": "family",
        "readmissions": "return",
    }
    for dataset, compartment in wanted.items():
        assert {*_column(frames[country][dataset], "compartment")} <= {compartment}
