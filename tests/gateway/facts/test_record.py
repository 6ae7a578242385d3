# SPDX-License-Identifier: EUPL-1.2
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gateway.facts import TRAITS_OF, RecordFacts, Scope
from gateway.facts.record import RecordContext
from gateway.sources import NEVER, TRAITS, Record, Traits
from policies import Truth

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TODAY = NOW.date()
CLEAN = Traits(
    date_of_birth=date(1985, 4, 3),
    dob_precision="day",
    nationalities=("SY",),
    habitual_residence=("TR",),
    declared_persecutor=(),
    deceased=False,
    blocked=False,
    naturalised=False,
    unaccompanied=False,
    guardian_record=False,
    best_interest=False,
    trafficking=False,
    claim_pending=False,
    protection_marked=False,
    reflection_until=NEVER,
    provenance="national",
    retain_until=date(2030, 1, 1),
    notice_given=True,
    centre="lipa",
)


class NothingAttested:
    """A fact register that answers, and says nothing."""

    fresh = True

    def attested(self, _facts):
        return frozenset()

    def matching(self, *_args):
        return []

    def truth(self, *_args, **_more):
        return Truth.FALSE


def truth_of(guard, traits, *, country="RS", abroad=True, postings=()):
    context = RecordContext(country, abroad, frozenset(postings), TODAY)
    facts = RecordFacts([(guard, True)], context, NothingAttested(), Scope(owner="BA"))
    record = Record(person="p", record="r", surrogate=None, values={}, traits=traits)
    return facts.of(record, NOW)[0]


HARMFUL = [
    ("retention_over", {"retain_until": date(2026, 11, 23)}),
    ("blocked", {"blocked": True}),
    ("naturalised", {"naturalised": True}),
    ("deceased", {"deceased": True}),
    ("claim_pending", {"claim_pending": True}),
    ("protection_marked", {"protection_marked": True}),
    ("reflection_period", {"reflection_until": date(2026, 11, 24)}),
    ("minor_alone", {"date_of_birth": date(2012, 4, 3), "unaccompanied": True}),
    ("under_12", {"date_of_birth": date(2015, 4, 3)}),
    ("under_14", {"date_of_birth": date(2013, 4, 3)}),
    ("trafficking", {"trafficking": True}),
    ("humanitarian_source", {"provenance": "aid_body"}),
    ("notice_missing", {"notice_given": False}),
    ("eurodac_derived", {"provenance": "eurodac"}),
    ("received_from_abroad", {"provenance": "abroad"}),
    ("origin_state", {"nationalities": ("SY", "RS")}),
    ("origin_state", {"habitual_residence": ("RS",)}),
    ("origin_state", {"declared_persecutor": ("RS",)}),
]


@pytest.mark.parametrize(("guard", "change"), HARMFUL)
def test_a_harmful_fact_follows_its_trait(guard, change):
    assert truth_of(guard, CLEAN) is Truth.FALSE
    assert truth_of(guard, replace(CLEAN, **change)) is Truth.TRUE


@pytest.mark.parametrize("guard", sorted(set(TRAITS_OF)))
def test_a_register_that_knows_nothing_leaves_every_fact_possible(guard):
    assert truth_of(guard, Traits()) is Truth.POSSIBLE


@pytest.mark.parametrize("guard", sorted(set(TRAITS_OF) - {"minor_alone", "reflection_period"}))
@pytest.mark.parametrize("forget", TRAITS)
def test_forgetting_a_trait_that_a_fact_rests_on_makes_it_possible(guard, forget):
    expected = truth_of(guard, CLEAN)
    forgotten = truth_of(guard, replace(CLEAN, **{forget: None}))
    assert forgotten is (Truth.POSSIBLE if forget in TRAITS_OF[guard] else expected)


def test_a_child_whose_company_is_unknown_may_be_alone():
    traits = replace(CLEAN, date_of_birth=date(2012, 4, 3), unaccompanied=None)
    assert truth_of("minor_alone", traits) is Truth.POSSIBLE


def test_nobody_is_of_the_origin_state_at_home():
    traits = replace(CLEAN, nationalities=("BA",))
    assert truth_of("origin_state", traits, country="BA", abroad=False) is Truth.FALSE


def test_no_nationality_at_all_may_be_any():
    assert truth_of("origin_state", replace(CLEAN, nationalities=())) is Truth.POSSIBLE


def test_an_officer_is_at_home_in_the_centres_he_is_posted_to():
    assert truth_of("own_centre", CLEAN, postings=("lipa",)) is Truth.TRUE
    assert truth_of("own_centre", CLEAN, postings=("borici",)) is Truth.FALSE
