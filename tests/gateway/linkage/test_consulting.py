# SPDX-License-Identifier: EUPL-1.2
import json
from datetime import timedelta

from anonymise.linkage.compare import compare
from anonymise.linkage.grading import Grade
from anonymise.linkage.person import person_of
from gateway.opening import utc_now
from tests.gateway import house as houses
from tests.gateway.linkage.looking import (
    HELD,
    SALT,
    STRANGER,
    b64,
    consult,
    flag,
    hit,
    officer,
    rows,
    without,
    write,
)
from tests.gateway.small import PERSON, change

CONFIRMED = {
    "by": "expert-7",
    "verdict": "same_person",
    "reason": "Photographs and the account of the journey were compared.",
}


def match_of(answer):
    return answer.json()["owners"][0]["match"]


def doubt(looking):
    """From now on Bosnia's register holds somebody who is only possibly the person asked for."""
    asked = person_of(**HELD)
    doubtful = next(
        held
        for held in (
            {**HELD, "date_of_birth": "1991-01-01", "document_number": ""},
            {**HELD, "surnames": "Hoseyni", "date_of_birth": "1991-01-01", "document_number": ""},
            {**HELD, "surnames": "Rahmani", "document_number": ""},
            {**HELD, "date_of_birth": "1986-01-01", "document_number": ""},
        )
        if compare(asked, person_of(**held)).grade is Grade.POSSIBLE
    )
    write(looking.register("BA"), PERSON, doubtful)


async def both(looking, owner="BA"):
    """The newest entry with its detail; the same at the owner and at the asker."""
    envelope, theirs = await looking.newest(owner)
    other, ours = await looking.newest("HR")
    assert {**envelope, "log": ""} == {**other, "log": ""}
    assert theirs == ours
    return envelope, theirs


async def test_a_strong_match_is_explained_and_its_fields_are_told_once(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers))
    answer = await looking.ask("consult", asked, token=officers)
    assert answer.status_code == 200, answer.text
    match = match_of(answer)
    assert match["grade"] == "strong"
    assert "confirm" not in match
    assert "No decision may rest on this answer alone" in match["decides"]
    assert all(set(one) == {"feature", "state", "words"} for one in match["features"])
    (row,) = rows(answer)
    assert row["direct_identifier.surnames"] == HELD["surnames"]
    envelope, detail = await both(looking)
    assert (envelope["status"], detail["match"]["grade"]) == ("hit", "strong")
    again = await looking.ask("consult", asked, token=officers)
    assert again.status_code == 403
    envelope, _ = await both(looking)
    assert (envelope["decision"], envelope["rules"]) == ("deny", ["F12"])


async def test_the_explanation_holds_no_value_of_the_record_or_of_the_subject(looking):
    officers = await officer(looking)
    answer = await looking.ask("consult", consult(await hit(looking, officers)), token=officers)
    told = json.dumps(match_of(answer)).casefold()
    words = [HELD["surnames"], HELD["nationality"], HELD["document_number"], "1991", "23"]
    words += HELD["given_names"].split()
    assert not [word for word in words if word.casefold() in told]


async def test_a_possible_match_is_explained_first_and_told_after_a_human_confirmed_it(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers))
    doubt(looking)
    first = await looking.ask("consult", asked, token=officers)
    match = match_of(first)
    assert (match["grade"], rows(first)) == ("possible", [])
    assert match["features"]
    assert "confirm" in match["confirm"]
    envelope, detail = await both(looking)
    assert (envelope["status"], envelope["count"], envelope["fields"]) == ("hit", 0, [])
    assert detail["persons"] == [PERSON]
    assert detail["match"]["grade"] == "possible"
    second = await looking.ask("consult", {**asked, "confirmation": CONFIRMED}, token=officers)
    (row,) = rows(second)
    assert row["direct_identifier.surnames"]
    assert match_of(second)["grade"] == "possible"
    _, detail = await both(looking)
    assert detail["query"]["confirmation"] == CONFIRMED
    third = await looking.ask("consult", {**asked, "confirmation": CONFIRMED}, token=officers)
    assert third.status_code == 403


async def test_a_confirmation_before_the_match_was_explained_counts_for_nothing(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers), confirmation=CONFIRMED)
    doubt(looking)
    first = await looking.ask("consult", asked, token=officers)
    assert (match_of(first)["grade"], rows(first)) == ("possible", [])
    second = await looking.ask("consult", asked, token=officers)
    assert len(rows(second)) == 1


async def test_who_asks_does_not_confirm_where_an_expert_must(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers))
    doubt(looking)
    await looking.ask("consult", asked, token=officers)
    for by in ("officer-1", " officer-1 "):
        own = {**asked, "confirmation": {**CONFIRMED, "by": by}}
        before = looking.sizes()["HR"]
        assert (await looking.ask("consult", own, token=officers)).status_code == 422
        assert looking.sizes()["HR"] == before + 1


async def test_a_confirmation_that_it_is_another_person_ends_it_with_nothing_told(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers))
    doubt(looking)
    await looking.ask("consult", asked, token=officers)
    other = {**asked, "confirmation": {**CONFIRMED, "verdict": "not_same_person"}}
    answer = await looking.ask("consult", other, token=officers)
    assert rows(answer) == []
    assert (await looking.ask("consult", asked, token=officers)).status_code == 403


async def test_somebody_else_somebody_hidden_and_somebody_gone_are_the_same_bytes(looking):
    officers = await officer(looking)
    texts = set()
    for spoil in ("else", "hidden", "gone"):
        write(looking.register("BA"), PERSON, HELD)
        change(looking.register("BA"), "person", PERSON, t_naturalised="no")
        asked = consult(await hit(looking, officers))
        if spoil == "else":
            write(looking.register("BA"), PERSON, STRANGER)
        elif spoil == "hidden":
            change(looking.register("BA"), "person", PERSON, t_naturalised="yes")
        else:
            change(looking.register("BA"), "persons", PERSON, t_retain_until="2020-01-01")
        answer = await looking.ask("consult", asked, token=officers)
        assert answer.status_code == 200
        texts.add(answer.text.replace(answer.json()["correlation"], ""))
        assert match_of(answer)["grade"] == "none"
        assert match_of(answer)["features"] == []
        envelope, detail = await both(looking)
        assert (envelope["status"], detail["persons"]) == ("no_hit", [])
        assert (await looking.ask("consult", asked, token=officers)).status_code == 403
    assert len(texts) == 1


async def test_a_changed_subject_is_refused_and_logged_at_both_and_the_token_lives(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers))
    for changed in (
        {"subject": {**HELD, "surnames": "Hoseini"}},
        {"subject": {**HELD, "date_of_birth": "1991-07"}},
        {"subject": without(HELD, "sex")},
        {"salt": b64(bytes([1]) + SALT[1:])},
        {"subject": None, "salt": None},
    ):
        spoiled = {k: v for k, v in {**asked, **changed}.items() if v is not None}
        answer = await looking.ask("consult", spoiled, token=officers)
        assert answer.status_code == 403, changed
        envelope, _ = await both(looking)
        assert (envelope["decision"], envelope["rules"]) == ("deny", ["F12"])
    assert (await looking.ask("consult", asked, token=officers)).status_code == 200


async def test_a_token_of_another_officer_owner_or_purpose_is_refused_and_logged(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers))
    other = await officer(looking, officer="officer-2")
    for spoiled, who in (
        (asked, other),
        ({**asked, "owners": ["RS"]}, officers),
        ({**asked, "token": "A" * 64}, officers),
    ):
        assert (await looking.ask("consult", spoiled, token=who)).status_code == 403
        envelope, _ = await both(looking, spoiled["owners"][0])
        assert envelope["rules"] == ["F12"]


async def test_without_a_flag_no_subject_can_be_compared(looking):
    officers = await officer(looking)
    plain = without(flag(owners=["BA"]), "blinded") | {"subject": {"biometric_ref": "FP-1"}}
    found = await looking.ask("find", plain, token=officers)
    asked = consult(rows(found)[0]["token"])
    assert (await looking.ask("consult", asked, token=officers)).status_code == 403
    assert (
        await looking.ask("consult", without(asked, "token"), token=officers)
    ).status_code == 422
    bare = without(asked, "subject", "salt")
    assert (await looking.ask("consult", bare, token=officers)).status_code == 200


async def test_a_token_is_over_after_a_day_and_the_refusal_is_logged(looking_folder):
    ahead = [timedelta()]
    async with houses.running(looking_folder, lambda: utc_now() + ahead[0]) as house:
        officers = await officer(house, minutes=3000)
        asked = consult(await hit(house, officers))
        ahead[0] = timedelta(hours=24, seconds=5)
        await house.runtime.keeper.look()
        assert (await house.ask("consult", asked, token=officers)).status_code == 403
        envelope, _ = await both(house)
        assert "F12" in envelope["rules"]


async def test_a_wildcard_a_nameless_subject_and_a_word_of_no_list_are_refused(looking):
    officers = await officer(looking)
    for spoiled in (
        {"subject": {**HELD, "surnames": "Hos*"}},
        {"subject": without(HELD, "date_of_birth", "document_number")},
        {"subject": {**HELD, "date_of_birth": "23.07.1991"}},
        {"subject": {**HELD, "sex": "?"}},
        {"subject": {**HELD, "religion": "none"}},
        {"salt": None},
        {"confirmation": {**CONFIRMED, "verdict": "perhaps"}},
        {"confirmation": {**CONFIRMED, "reason": "looks alike"}},
        {"subject": None, "salt": None, "confirmation": CONFIRMED},
    ):
        asked = {k: v for k, v in {**consult("A" * 64), **spoiled}.items() if v is not None}
        answer = await looking.ask("consult", asked, token=officers)
        assert answer.status_code == 422, spoiled
        assert "Hos*" not in answer.text


async def test_a_register_that_is_down_is_unavailable_and_spends_no_token(looking):
    officers = await officer(looking)
    asked = consult(await hit(looking, officers))
    path = looking.register("BA")
    path.rename(path.with_suffix(".away"))
    answer = await looking.ask("consult", asked, token=officers)
    assert answer.json()["owners"][0]["status"] == "unavailable"
    assert "match" not in answer.json()["owners"][0]
    path.with_suffix(".away").rename(path)
    assert (await looking.ask("consult", asked, token=officers)).json()["owners"][0]["match"]
