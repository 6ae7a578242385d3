# SPDX-License-Identifier: EUPL-1.2
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.audit.alerts.making import NOON, access, always, during, raised, searched

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# Off-hours

SHIFT = during("officer-1", NOON - 6 * HOUR, 6)


def test_a_look_up_outside_the_roster_is_an_alert_per_day():
    asked = [access(0), access(1, NOON + HOUR), access(2, NOON + DAY)]
    found = raised("off-hours", asked, rosters=(SHIFT,))
    assert sorted(alert.entries for alert in found) == [(0, 1), (2,)]


def test_a_look_up_at_night_within_the_roster_is_none():
    night = during("officer-1", NOON + 12 * HOUR, 6)
    assert not raised("off-hours", [access(at=NOON + 14 * HOUR)], rosters=(night,))
    assert raised("off-hours", [access(at=NOON + 18 * HOUR)], rosters=(night,))


def test_a_roster_that_does_not_know_the_officer_in_those_days_says_nothing():
    assert not raised("off-hours", [access()])
    assert not raised("off-hours", [access(officer="officer-2")], rosters=(SHIFT,))
    old = during("officer-1", NOON - 8 * DAY, 23)
    assert not raised("off-hours", [access()], rosters=(old,))


def test_a_roster_swap_explains_it_for_this_officer_and_time():
    swap = during("officer-1", NOON, 4)
    assert not raised("off-hours", [access()], rosters=(SHIFT,), swaps=(swap,))
    for other in (replace(swap, officer="officer-2"), during("officer-1", NOON + HOUR, 4)):
        assert raised("off-hours", [access()], rosters=(SHIFT,), swaps=(other,))


# Bulk scraping


def month_of_work(officer, unit="unit-a", each=2, first=100_000):
    """Thirty hours of work in the month before."""
    return [
        access(first + n, NOON - 20 * DAY + (n // each) * 12 * HOUR, officer=officer, unit=unit)
        for n in range(30 * each)
    ]


def burst(count, first=0, **more):
    return [access(first + n, NOON + timedelta(seconds=n), **more) for n in range(count)]


def test_far_more_than_his_own_month_and_his_team_is_an_alert():
    asked = [*month_of_work("officer-1"), *month_of_work("officer-2", first=200_000), *burst(20)]
    (alert,) = raised("bulk", asked)
    assert alert.entries == tuple(range(20))
    assert "99th percentile" in alert.reasons[0]
    assert "unit's median" in alert.reasons[0]


def test_a_busy_hour_below_twenty_is_none():
    asked = [*month_of_work("officer-1"), *month_of_work("officer-2", first=200_000), *burst(19)]
    assert not raised("bulk", asked)


def test_an_hour_like_others_of_his_own_or_of_his_team_is_none():
    own = [*month_of_work("officer-1", each=25), *month_of_work("officer-2", first=200_000)]
    assert not any(0 in alert.entries for alert in raised("bulk", [*own, *burst(25)]))
    assert any(0 in alert.entries for alert in raised("bulk", [*own, *burst(26)]))
    team = [*month_of_work("officer-1"), *month_of_work("officer-2", each=9, first=200_000)]
    assert not raised("bulk", [*team, *burst(27)])
    assert raised("bulk", [*team, *burst(28)])


def test_without_a_history_only_the_unheard_of_is_bulk():
    assert not raised("bulk", burst(99))
    assert raised("bulk", burst(100))


def test_one_question_to_many_owners_counts_once():
    asked = [replace(a, question=f"question-{a.index // 9}") for a in burst(150)]
    assert not raised("bulk", asked)


@pytest.mark.parametrize(("count", "alerts"), [(5, 1), (4, 0)])
@pytest.mark.parametrize("how", ["reference", "document"])
def test_numbers_in_a_row_are_an_alert(count, alerts, how):
    asked = [replace(a, searched=searched(**{how: f"BA{500 + a.index}"})) for a in burst(count)]
    assert len(raised("bulk", asked)) == alerts


def test_numbers_that_jump_are_none():
    asked = [replace(a, searched=searched(reference=f"BA{2 * a.index}")) for a in burst(9)]
    assert not raised("bulk", asked)


def test_a_registered_campaign_explains_bulk():
    asked = burst(120)
    for campaign in (
        always(unit="unit-a", purpose="asylum_procedure"),
        always(officer="officer-1"),
    ):
        assert not raised("bulk", asked, campaigns=(campaign,))
    for campaign in (
        always(unit="unit-b"),
        always(unit="unit-a", purpose="readmission"),
        during("officer-1", NOON + DAY, 9),
    ):
        (alert,) = raised("bulk", asked, campaigns=(campaign,))
        assert alert.tried[0].explanation == "campaign"


# Same-name sweep

ALIKE = ("Hasani", "Hasanin", "Hasari", "Masani", "Hazani", "Habani")
SPELT = ("Hussein", "Husein", "Huseyn", "Hoossein", "Husain", "Hosein")


def trials(names, **more):
    return [
        access(n, NOON + n * HOUR, searched=searched(name, "Ali"), **more)
        for n, name in enumerate(names)
    ]


def test_many_names_alike_and_no_hit_opened_is_an_alert():
    (alert,) = raised("same-name-sweep", trials(ALIKE))
    assert alert.entries == tuple(range(6))
    assert "no hit opened" in alert.reasons[0]


def test_four_names_or_unlike_names_or_a_slow_search_are_none():
    assert not raised("same-name-sweep", trials(ALIKE[:4]))
    assert not raised("same-name-sweep", trials(("Hasani", "Berisha", "Noor", "Karimi", "Weiss")))
    slow = [replace(a, at=NOON + a.index * 6 * HOUR) for a in trials(ALIKE)]
    assert not raised("same-name-sweep", slow)
    assert not raised("same-name-sweep", trials(("Hasani",) * 9))


def test_an_opened_hit_ends_the_search():
    asked = trials(ALIKE, view="hit", hit=True, persons={"p-4"})
    assert raised("same-name-sweep", asked)
    opened = access(9, NOON + 7 * HOUR, action="consult", persons={"p-4"})
    assert not raised("same-name-sweep", [*asked, opened])
    for useless in (
        replace(opened, refused=True),
        replace(opened, officer="officer-2"),
        replace(opened, persons=frozenset({"p-5"})),
        replace(opened, owner="HR"),
    ):
        assert raised("same-name-sweep", [*asked, useless])
    assert not raised("same-name-sweep", trials(ALIKE, view="full", hit=True))


def test_spellings_of_one_name_in_a_checked_case_are_explained():
    asked = trials(SPELT, case_no="CASE1", sure={"case_number"})
    assert not raised("same-name-sweep", asked)
    assert raised("same-name-sweep", trials(SPELT))
    assert raised("same-name-sweep", trials(SPELT, case_no="CASE1"))
    several = [replace(a, case_no=f"CASE{a.index}") for a in asked]
    assert raised("same-name-sweep", several)
    unlike = trials(ALIKE, case_no="CASE1", sure={"case_number"})
    assert raised("same-name-sweep", unlike)
