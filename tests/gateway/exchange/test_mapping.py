# SPDX-License-Identifier: EUPL-1.2
"""From answers to the two forms: nothing invented, nothing dropped in silence."""

import csv
import json
from pathlib import Path

import orjson
import pytest

from gateway.exchange import ExchangeError, gather, read_eurodac, read_umf
from gateway.exchange.mapping import from_eurodac, from_umf, table, to_eurodac, to_umf

ROOT = Path(__file__).parents[3]
PERSON = {
    "direct_identifier.surnames": "Example",
    "direct_identifier.forenames": "Person",
    "direct_identifier.original_script": None,
    "biographic.nationalities": ["PK"],
    "biographic.sex": "M",
    "biographic.date_of_birth": "2009-08-27",
    "biographic.dob_precision": "day",
    "biographic.place_of_birth": "Lahore",
    "biometric_reference.fingerprint_ref": "HR-AF-0001",
    "security.security_flag": "no",
    "onward": "mark-of-the-gateway",
}
REGISTRATION = {
    "record.reference_number": "HR2000000001",
    "record.person_category": "IRR",
    "record.biometrics_taken_at": "2023-12-03T22:46:00",
    "travel.origin_state": "HR",
    "travel.event_place": "Vrgorac",
    "travel.event_date": "2023-12-02",
    "travel.left_territory_on": "2023-12-08",
    "travel.avrr_granted": "no",
}
CLAIM = {
    "asylum.protection_marked": "yes",
    "asylum.status_granted_on": "2026-03-01",
    "asylum.transfer_arrival_on": "2026-02-01",
    "asylum.claim_state": "granted",
}


def answer(*rows, owner="HR", view="full", status="answered"):
    result = {"view": view, "categories": [], "rows": list(rows)}
    return orjson.dumps({"owners": [{"owner": owner, "status": status, "results": [result]}]})


def asylum_case(**changes):
    registration = REGISTRATION | {
        "record.person_category": "ASY",
        "record.reference_number": "HR1000000001",
    }
    return gather(
        {
            "persons": answer(PERSON),
            "registrations": answer(registration),
            "asylum": answer(CLAIM | changes),
        }
    )


def crossing(**changes):
    return gather({"persons": answer(PERSON | changes), "registrations": answer(REGISTRATION)})


def vocabulary():
    with (ROOT / "policies/rules/vocabulary/fields.csv").open(encoding="utf-8") as file:
        return {f"{r['dataset']}.{r['category']}.{r['field']}" for r in csv.DictReader(file)}


@pytest.mark.parametrize("form", ["eurodac", "umf"])
def test_every_line_of_a_table_names_a_field_of_the_vocabulary_once(form):
    fields = [line["field"] for line in table(form)]
    assert set(fields) <= vocabulary()
    assert len(set(fields)) == len(fields)


def test_the_page_on_the_message_shows_the_table_itself():
    page = (ROOT / "docs/formats/umf-message.md").read_text(encoding="utf-8")
    lines = [f"| {x['field']} | {x['entity']} | {x['attribute']} |" for x in table("umf")]
    assert "\n".join(lines) in page


def test_a_crossing_comes_back_from_eurodac_as_it_went():
    made = to_eurodac(crossing())
    back = from_eurodac(read_eurodac(made.body))
    went = dict(crossing().values)
    # Only applicants have a day of leaving of their own: others have one of leaving or removal.
    went["registrations.travel.removed_on"] = went.pop("registrations.travel.left_territory_on")
    went["registrations.travel.avrr_granted"] = False
    del went["persons.security.security_flag"]
    assert back == went
    assert made.left_out == ("registrations.travel.left_territory_on",)


def test_a_crossing_comes_back_from_umf_but_for_what_it_has_no_place_for():
    made = to_umf(crossing())
    back = from_umf(read_umf(made.body))
    assert back == {k: v for k, v in crossing().values.items() if k not in made.left_out}
    assert made.left_out == (
        "persons.security.security_flag",
        "registrations.travel.avrr_granted",
        "registrations.travel.left_territory_on",
    )


def test_protection_that_was_granted_is_a_mark_with_its_day():
    assert json.loads(to_eurodac(asylum_case()).body)["mark"] == {
        "reason": "protection",
        "on": "2026-03-01",
    }


def test_a_status_without_a_mark_makes_none():
    made = to_eurodac(asylum_case(**{"asylum.protection_marked": "no"}))
    assert "mark" not in json.loads(made.body)
    assert "asylum.asylum.status_granted_on" in made.left_out


def test_a_day_of_arrival_is_carried_only_where_it_can_be_told_which():
    made = to_eurodac(asylum_case())
    assert "asylum.asylum.transfer_arrival_on" in made.left_out
    relocated = to_eurodac(asylum_case(**{"asylum.relocation_state": "AT"}))
    assert json.loads(relocated.body)["also"]["arrived_relocation_on"] == "2026-02-01"


def test_a_security_flag_travels_with_its_reasons_or_not_at_all():
    flagged = crossing(**{"security.security_flag": "yes"})
    with pytest.raises(ExchangeError, match="only with a reason"):
        to_eurodac(flagged)
    made = json.loads(to_eurodac(flagged, ["violent", "armed"]).body)
    assert made["security"] == {"reasons": ["armed", "violent"]}


def test_a_record_without_its_registration_is_refused():
    with pytest.raises(ExchangeError, match="reference_number"):
        to_eurodac(gather({"persons": answer(PERSON)}))


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"persons": answer(PERSON), "registrations": answer(REGISTRATION, owner="AT")}, "owners"),
        ({"persons": answer(PERSON, PERSON)}, "2 records"),
        ({"persons": answer()}, "0 records"),
        ({"persons": answer(PERSON, view="pseudonym")}, "0 records"),
        ({"persons": answer(PERSON, status="unavailable")}, "0 records"),
        ({"stays": answer(PERSON)}, "no others"),
        ({"persons": b"<html>"}, "none of this gateway"),
        ({"persons": b"[]"}, "none of this gateway"),
    ],
)
def test_answers_that_are_not_one_person_make_no_record(answers, reason):
    with pytest.raises(ExchangeError, match=reason):
        gather(answers)
