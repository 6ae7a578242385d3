# SPDX-License-Identifier: EUPL-1.2
"""What an entry holds of its question: enough to decide it again, and nothing about the record."""

import json

from policies import Truth
from tests.gateway.house import REASON
from tests.gateway.small import CANARY_NAME, PERSON, change

HIT = {
    "dataset": "registrations",
    "owners": ["RS"],
    "categories": ["record"],
    "view": "hit",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": REASON,
    "subject": {"surnames": CANARY_NAME, "forenames": "Amir", "date_of_birth": "1985-04-03"},
}


async def ask(house, **changes):
    await house.ask("find", {**HIT, **changes}, token=house.token("BA-BP", "border_officer"))
    return await house.newest("RS")


async def test_an_entry_says_what_was_asked_and_which_facts_of_the_question_held(house):
    await house.attest("presence", org="BA-BP")
    envelope, _ = await ask(house)
    asked = envelope["asked"]
    assert (asked["action"], asked["view"], asked["named"]) == ("find", "hit", True)
    assert asked["categories"] == ["record"]
    assert "presence" in asked["sure"]
    assert envelope["v"] == 3


async def test_a_fact_that_was_only_possible_is_told_apart(house):
    envelope, _ = await ask(house)
    assert "presence" not in envelope["asked"]["sure"] + envelope["asked"]["maybe"]
    await house.attest("presence", Truth.POSSIBLE, org="BA-BP")
    envelope, _ = await ask(house)
    assert "presence" in envelope["asked"]["maybe"]


async def test_the_facts_of_the_records_stand_in_the_sealed_detail_alone(house):
    await house.attest("presence", org="BA-BP")
    envelope, detail = await ask(house)
    (seen,) = detail["facts"]
    assert seen["granted"] == {"record": "hit"}
    assert seen["sure"] == []
    change(house.register("RS"), "person", PERSON, t_nationalities="BA")
    hidden, detail = await ask(house)
    (seen,) = detail["facts"]
    assert seen == {"sure": ["origin_state"], "maybe": seen["maybe"], "granted": {}}
    assert hidden["asked"] == envelope["asked"]
    guards = house.runtime.rules().snapshot.vocabulary.guards
    words = {w for part in ("sure", "maybe") for w in hidden["asked"][part]}
    assert {guards[word].about for word in words} == {"question"}


async def test_a_question_that_never_reached_the_rules_has_none(house):
    for changes in ({"basis": "EUR-01"}, {"categories": ["zvoncic"]}, {"dataset": "zvoncic"}):
        envelope, _ = await ask(house, **changes)
        assert envelope["asked"] is None
        assert "zvoncic" not in json.dumps(envelope)
    envelope, _ = await ask(house, role="asylum_officer")
    assert (envelope["asked"], envelope["rules"]) == (None, ["Q-ROLE"])
