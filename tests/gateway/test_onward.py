# SPDX-License-Identifier: EUPL-1.2
"""The ban on passing on travels with each record, and is checked when it comes back."""

import pytest

from tests.gateway.house import REASON
from tests.gateway.test_pipeline import border

CLAIM = {"purpose": "asylum_procedure", "basis": "EUR-01", "case_no": "A-1", "reason": REASON}


def hit_question(**changes):
    return {
        **CLAIM,
        "owners": ["RS"],
        "dataset": "registrations",
        "categories": ["record"],
        "view": "hit",
        "subject": border()["subject"],
        **changes,
    }


@pytest.fixture
async def mark(house):
    """The mark on a record of BA that the asylum authority of HR consulted."""
    for fact in ("case_number", "claim_here"):
        await house.attest(fact, org="HR-AS")
        await house.attest(fact, org="AT-AS")
    token = house.token("HR-AS", "asylum_officer", strong=True)
    hit = await house.ask("find", hit_question(owners=["BA"]), token=token)
    (row,) = hit.json()["owners"][0]["results"][0]["rows"]
    assert "onward" not in row
    consult = {
        **CLAIM,
        "owners": ["BA"],
        "dataset": "persons",
        "categories": ["direct_identifier"],
        "view": "full",
        "token": row["token"],
    }
    answer = await house.ask("consult", consult, token=token)
    (row,) = answer.json()["owners"][0]["results"][0]["rows"]
    return row["onward"]


async def ask(house, org, mark, **changes):
    token = house.token(org, "asylum_officer", strong=True)
    return await house.ask("find", hit_question(received=[mark], **changes), token=token)


async def test_the_recipient_goes_on_with_its_purpose(house, mark):
    assert (await ask(house, "HR-AS", mark)).status_code == 200


async def test_who_was_passed_the_record_is_refused_and_its_owner_is_told(house, mark):
    answer = await ask(house, "AT-AS", mark)
    assert answer.status_code == 403
    assert answer.json()["owners"][0]["withheld"] == [{"category": "record", "rules": ["Q-ONWARD"]}]
    alarm, _ = await house.newest("BA")
    refusal, _ = await house.newest("RS")
    assert alarm["owner"]["country"] == "BA"
    assert alarm["duties"] == ["notify_owner"]
    assert "BA" in alarm["keys"]
    assert refusal["owner"]["country"] == "RS"
    assert refusal["rules"] == ["Q-ONWARD"]
    own = (await house.entries("AT"))[-2:]
    assert [one["id"] for one in own] == [alarm["id"], refusal["id"]]


async def test_without_stating_the_mark_the_same_question_is_answered(house, mark):
    token = house.token("AT-AS", "asylum_officer", strong=True)
    assert (await house.ask("find", hit_question(), token=token)).status_code == 200


async def test_the_owners_consent_lets_the_next_one_ask(house, mark):
    await house.attest("sender_consent", org="AT-AS", owner="BA")
    assert (await ask(house, "AT-AS", mark)).status_code == 200


async def test_the_recipient_may_not_turn_to_another_purpose(house, mark):
    await house.attest("emergency", org="HR-AS")
    answer = await ask(
        house, "HR-AS", mark, purpose="vital_interest", basis="GDPR-9-2-c", dataset="registrations"
    )
    assert answer.status_code == 403
    assert "Q-ONWARD" in answer.text


async def test_the_owner_may_know_its_own_record(house, mark):
    await house.attest("case_number", org="BA-AS")
    assert (await ask(house, "BA-AS", mark)).status_code == 200


@pytest.mark.parametrize("change", [0, 20, -1])
async def test_a_mark_that_was_changed_or_invented_is_malformed(house, mark, change):
    other = "B" if mark[change] == "A" else "A"
    place = change % len(mark)
    broken = mark[:place] + other + mark[place + 1 :]
    answer = await ask(house, "HR-AS", broken)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["faults"][0]["field"] == "received"


async def test_an_aid_body_with_an_office_at_the_owner_is_not_the_owner(house, mark):
    for org, more in (("UNHCR", {"country": "BA"}), ("BA-NGO", {})):
        token = house.token(org, "caseworker", **more)
        question = hit_question(
            received=[mark], purpose="humanitarian_assistance", basis="HUM-03", owners=["BA"]
        )
        answer = await house.ask("find", question, token=token)
        assert "Q-ONWARD" in answer.text, answer.text
