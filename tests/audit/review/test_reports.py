# SPDX-License-Identifier: EUPL-1.2
"""The law-enforcement report: figures, what is missing, and a sample that nobody chose."""

import json
from datetime import timedelta

import pytest

from audit import Asked, Kind, Owner, Requester, Status, Verdict
from audit.review.opened import open_entries
from audit.review.pages import police_page
from audit.review.reports import DEMANDED, draw_number, police_entries, police_report
from tests.audit.making import NOON, ORIGIN, new_sealer, sealed
from tests.audit.review.holding import UNSEALER, Held, accesses, detail

PERIOD = (NOON, NOON + timedelta(days=1))
REFUSED = {"kind": Kind.DENIAL, "decision": Verdict.DENY, "status": Status.DENIED}


def urgent(**changed):
    asked = Asked("find", "full", (), named=True, sure=("urgent_declared",))
    return {"purpose": "law_enforcement", "asked": asked, **changed}


@pytest.fixture
def log():
    sealer = new_sealer()

    def police(number, content=None, **changed):
        told = json.dumps(detail(number, **(content or {}))).encode()
        return sealed(sealer, told, **{"purpose": "law_enforcement", **changed})

    child = {"facts": [{"sure": [], "maybe": ["under_14"], "granted": {}}]}
    return Held(
        [
            *accesses(10),  # entries 0 and 5 are of the police
            police(10, {"offence": "trafficking"}, correlation="q1"),
            police(11, child, correlation="q1"),
            police(12, **urgent(correlation="q2", duties=("expost_verify",))),
            police(13, **urgent(**REFUSED, correlation="q3", rules=("F56",))),
            police(14, owner=Owner("RS", "persons"), requester=Requester("AL", "AL-P", None)),
        ]
    )


def report(log, **options):
    entries = police_entries(log, UNSEALER, 0, len(log.held))
    told = {"country": "BA", "period": PERIOD, "seed": "2026h2", **options}
    return police_report(entries, **told)


def test_requests_identifications_and_refused_urgencies_are_counted(log):
    found = report(log)
    assert (found.entries, found.requests) == (6, 4)
    assert (found.identifications, found.refused) == (5, 1)
    assert (found.urgent, found.refused_urgencies, found.children) == (2, 1, 1)
    assert found.counts["by offence"] == {"not recorded": 5, "trafficking": 1}
    assert found.counts["refusals by rule"] == {"F56": 1}
    assert found.logs == {ORIGIN: (0, 14)}
    assert report(log, looked_at={ORIGIN: (0, 99)}).logs == {ORIGIN: (0, 99)}


def test_what_the_law_demands_and_no_entry_says_is_named_as_missing(log):
    found = report(log)
    assert found.present["national file number"] == found.opened == 6
    assert found.missing["offence"] == 5
    assert found.missing["official who ordered"] == 6
    page = police_page(found)
    assert all(name in page for name in DEMANDED)
    assert "| official who ordered | 0 | 6 |" in page


def test_the_sample_is_drawn_by_the_seed_and_by_nothing_else(log):
    numbers = [0, 5, 10, 11, 12, 13]
    drawn = [one.index for one in report(log, sample=3).sample]
    assert drawn == sorted(numbers, key=lambda n: draw_number("2026h2", ORIGIN, n))[:3]
    assert drawn != [one.index for one in report(log, sample=3, seed="other").sample]
    assert len(report(log, sample=99).sample) == 6
    assert report(log, sample=0).sample == ()


def test_entries_of_other_times_and_between_other_countries_do_not_count(log):
    late = (NOON + timedelta(minutes=12), NOON + timedelta(minutes=13))
    assert report(log, period=late).entries == 1
    assert report(log, country="AL").entries == 1
    assert report(log, country="XK").entries == 0


def test_details_that_are_sealed_or_erased_are_counted_as_unread(log):
    log.erase(10)
    assert (report(log).opened, report(log).unread) == (5, 1)
    sealed_all = police_report(
        open_entries(log, None, 0, 15), country="BA", period=PERIOD, seed="s"
    )
    assert (sealed_all.opened, sealed_all.unread) == (0, 6)
    assert "not readable with this key" in police_page(sealed_all)


def test_only_law_enforcement_entries_are_opened_for_the_report(log):
    numbers = [0, 5, 10, 11, 12, 13, 14]
    assert [entry.index for entry in police_entries(log, UNSEALER, 0, 15)] == numbers
    whole = open_entries(log, UNSEALER, 0, 15)
    assert police_report(whole, country="BA", period=PERIOD, seed="2026h2") == report(log)
