# SPDX-License-Identifier: EUPL-1.2
import pytest

from audit.ranges import ranges_of
from audit.vocabulary import Kind
from tests.gateway.house import ISSUER
from tests.gateway.reviews.reviewing import (
    OFFICER,
    TEXT,
    alert_body,
    asked,
    asking,
    closing,
    current,
    dpo,
    last_entry,
    looked_up,
    mine,
    officer,
    opened,
    post,
    raised,
    rebuilt,
    steps,
    stored,
    verified,
)


async def test_an_alert_goes_from_raised_to_asked_to_answered_to_closed(house):
    about = await looked_up(house, 2)
    told = await post(house, "alert", alert_body(house, about), token=dpo(house))
    assert told.status_code == 200, told.text
    alert = told.json()["alert"]
    assert (told.json()["state"], told.headers["audit-entry"].rpartition("/")[0]) == (
        "open",
        current(house),
    )
    assert (await asked(house, alert))["state"] == "asked"
    (question,) = (await mine(house, token=officer(house))).json()["questions"]
    assert (question["alert"], question["question"]) == (alert, TEXT)
    assert [a["purpose"] for a in question["accesses"]] == ["border_check"] * 2
    answer = await post(house, "answer", {"alert": alert, "text": "y"}, token=officer(house))
    assert answer.json()["state"] == "answered"
    closed = await post(house, "close", closing(alert), token=dpo(house))
    assert (closed.json()["state"], closed.json()["due"]) == ("closed", None)
    assert (await mine(house, token=officer(house))).json()["questions"] == []
    found = await steps(house, key="BA")
    assert [step.envelope.kind for step in found] == [
        Kind.ALERT,
        Kind.ALERT_QUESTION,
        Kind.ALERT_ANSWER,
        Kind.ALERT_CLOSED,
    ]
    assert {step.envelope.correlation for step in found} == {alert}
    assert {step.envelope.about for step in found} == {ranges_of(about)}
    assert found[0].detail["step"]["rule"] == "protected"
    assert found[0].detail["concerns"] == {"issuer": ISSUER, "officer": OFFICER}
    assert found[1].detail["step"]["text"] == TEXT
    assert found[2].detail["officer"] == OFFICER
    assert found[3].detail["step"]["outcome"] == "justified"


async def test_every_step_is_an_entry_and_the_log_alone_gives_the_same_queue(house):
    about = await looked_up(house)
    first, second, third = [await raised(house, about) for _ in range(3)]
    await asked(house, first)
    await asked(house, second)
    await post(house, "answer", {"alert": first, "text": "y"}, token=officer(house))
    await post(house, "close", closing(third, "withdrawn"), token=dpo(house))
    live = await house.runtime.reviews.queue.items()
    assert [item.state for item in live] == ["answered", "asked", "closed"]
    queue = await rebuilt(house)
    assert sorted(queue.items.values(), key=lambda i: i.raised) == live
    assert not queue.odd
    await house.runtime.reviews.queue.forget_all()
    await house.runtime.reviews.queue.catch_up("BA")
    assert await house.runtime.reviews.queue.items() == live
    (past,) = (await rebuilt(house, key="BA")).past()
    assert (past.rule, past.unit, past.outcome) == ("protected", "unit-a", "withdrawn")


@pytest.mark.parametrize(
    ("org", "role", "strong", "status"),
    [
        ("BA-DO", "dpo", False, 401),
        ("HR-DO", "dpo", True, 404),
        ("BA-SA", "supervisor", True, 403),
        ("BA-BP", "border_officer", True, 403),
        ("BA-OP", "operator", True, 403),
        ("JSB", "joint_supervisor", True, 403),
    ],
)
async def test_only_the_data_protection_officer_of_the_logs_country_steps(
    house, org, role, strong, status
):
    about = await looked_up(house)
    alert = await raised(house, about)
    country = "BA" if org == "JSB" else None
    token = house.token(org, role, strong=strong, country=country, officer="somebody")
    for step, body in (
        ("alert", alert_body(house, about)),
        ("question", asking(alert)),
        ("close", closing(alert)),
    ):
        answer = await post(house, step, body, token=token)
        assert answer.status_code == status, answer.text
    assert len(await steps(house)) == 1
    assert (await rebuilt(house)).items[alert].state == "open"


async def test_the_rules_decide_who_steps(house):
    """Without the line that lets the officer read the log's sealed part, there is no step."""
    runtime, rules = house.runtime, house.runtime.rules()
    proof = f"Bearer {dpo(house)}"
    principal = await verified(house, proof)
    asker = runtime.pipeline.asker(principal, "dpo", rules.snapshot)
    may, now = runtime.reviews.entitlement.may, runtime.clock()
    assert await may(asker, "BA", "log_detail", rules, now)
    assert not await may(asker, "HR", "log_detail", rules, now)
    assert not await may(asker, "XX", "log_detail", rules, now)
    assert not await may(asker, "BA", "log_detail", rules.without(frozenset({"BA-O24"})), now)
    weak = runtime.pipeline.asker(
        await verified(house, f"Bearer {dpo(house, strong=False)}"), "dpo", rules.snapshot
    )
    assert not await may(weak, "BA", "log_detail", rules, now)


async def test_nobody_reviews_himself(house):
    about = await looked_up(house)
    own = {"issuer": ISSUER, "officer": "dpo-BA"}
    answer = await post(house, "alert", alert_body(house, about, officer=own), token=dpo(house))
    assert answer.status_code == 403
    alert = await raised(house, about)
    himself = dpo(house, officer=OFFICER)
    for step, body in (("question", asking(alert)), ("close", closing(alert))):
        assert (await post(house, step, body, token=himself)).status_code == 403
    assert (await last_entry(house)).rules == ("own case",)
    assert len(await steps(house)) == 1


async def test_only_the_officer_asked_answers_and_nobody_else_learns_of_it(house):
    alert = await raised(house)
    await asked(house, alert)
    other = officer(house, name="officer-2")
    assert (await mine(house, token=other)).json()["questions"] == []
    answer = await post(house, "answer", {"alert": alert, "text": "y"}, token=other)
    nowhere = {"alert": "019ab5f0-0000-7000-8000-000000000001", "text": "y"}
    nothing = await post(house, "answer", nowhere, token=other)
    assert answer.status_code == nothing.status_code == 404
    assert answer.json()["detail"] == nothing.json()["detail"]
    assert (await rebuilt(house)).items[alert].state == "asked"


async def test_an_officer_does_not_close_and_steps_keep_their_order(house):
    alert = await raised(house)
    assert (
        await post(house, "answer", {"alert": alert, "text": "y"}, token=officer(house))
    ).status_code == 409
    assert (await post(house, "close", closing(alert), token=officer(house))).status_code == 403
    await asked(house, alert)
    assert (await asked(house, alert))["state"] == "asked"
    await post(house, "answer", {"alert": alert, "text": "y"}, token=officer(house))
    again = await post(house, "answer", {"alert": alert, "text": "y"}, token=officer(house))
    assert again.status_code == 409
    await post(house, "close", closing(alert), token=dpo(house))
    for step, body in (("question", asking(alert)), ("close", closing(alert))):
        assert (await post(house, step, body, token=dpo(house))).status_code == 409


async def test_without_a_log_there_is_no_step(house):
    alert = await raised(house)
    before = await house.runtime.reviews.queue.items()
    (house.folder / "log.sqlite").rename(house.folder / "gone.sqlite")
    for step, body in (
        ("alert", alert_body(house, [1])),
        ("question", asking(alert)),
        ("close", closing(alert)),
    ):
        answer = await post(house, step, body, token=dpo(house))
        assert answer.status_code == 503, answer.text
    assert await house.runtime.reviews.queue.items() == before


async def test_without_a_key_to_seal_to_there_is_no_step(house, monkeypatch):
    about = await looked_up(house)
    entries = house.runtime.reviews.entries

    def nobody(_self, *_countries):
        return ()

    monkeypatch.setattr(type(entries._readers), "of", nobody)
    answer = await post(house, "alert", alert_body(house, about), token=dpo(house))
    assert answer.status_code == 503
    assert not await steps(house)


@pytest.mark.parametrize(
    "about", [["999999"], ["0"], ["5", "4"], ["1", "2"], ["x"], [], ["0-99999"]]
)
async def test_an_alert_is_about_accesses_that_are_there(house, about):
    body = {**alert_body(house, []), "about": about}
    answer = await post(house, "alert", body, token=dpo(house))
    assert answer.status_code == 422, answer.text
    assert not await steps(house)


async def test_another_countrys_log_or_one_that_is_not_is_not_found(house):
    about = await looked_up(house)
    for log in (current(house, "HR"), "test.invalid/log/BA/1999h1", "nothing"):
        body = alert_body(house, about, log=log)
        assert (await post(house, "alert", body, token=dpo(house))).status_code == 404


async def test_both_countries_of_an_access_can_read_its_alert(house):
    await house.attest("presence", org="HR-BP")
    question = {
        "dataset": "registrations",
        "owners": ["BA"],
        "categories": ["record"],
        "view": "hit",
        "purpose": "border_check",
        "basis": "CIR-20",
        "reason": "Test: a reason of more than thirty characters",
        "subject": {"doc_number": "KN4711815"},
    }
    token = house.token("HR-BP", "border_officer", officer=OFFICER)
    answer = await house.ask("find", question, token=token)
    assert answer.status_code == 200, answer.text
    entries = [e.strip() for e in answer.headers["audit-entry"].split(",")]
    index = next(int(e.rpartition("/")[2]) for e in entries if "/BA/" in e)
    await raised(house, [index])
    found = (await stored(house))[-1]
    assert opened(house, found.sealed, "HR")["step"]["text"] == TEXT
    assert opened(house, found.sealed, "BA")["step"]["text"] == TEXT


async def test_what_was_lost_with_the_state_is_asked_anew(house):
    alert = await raised(house)
    await asked(house, alert)
    await house.runtime.reviews.queue.forget_all()
    answer = await post(house, "answer", {"alert": alert, "text": "y"}, token=officer(house))
    assert answer.status_code == 404
    closed = await post(house, "close", closing(alert), token=dpo(house))
    assert closed.status_code == 422
    await asked(house, alert)
    (question,) = (await mine(house, token=officer(house))).json()["questions"]
    assert question["question"] == TEXT
    own = {"issuer": ISSUER, "officer": "officer-2"}
    other = await post(house, "question", asking(alert, officer=own), token=dpo(house))
    assert other.status_code == 422


async def test_reading_the_log_is_an_entry_for_those_who_may(house):
    await looked_up(house)
    size = house.runtime.log.log(current(house)).size
    body = {
        "country": "BA",
        "log": current(house),
        "first": 0,
        "last": size - 1,
        "command": "review person",
        "query": {"person": "p-1"},
    }
    assert (await post(house, "read", body, token=dpo(house))).status_code == 200
    joint = house.token("JSB", "joint_supervisor", country="INT", strong=True)
    assert (await post(house, "read", body, token=joint)).status_code == 200
    entry = (await stored(house))[-2]
    envelope = await last_entry(house)
    assert (envelope.kind, envelope.about) == (Kind.REVIEW, (f"0-{size - 1}",))
    assert opened(house, entry.sealed, "BA")["query"]["person"] == "p-1"
    for token in (officer(house), dpo(house, "HR")):
        assert (await post(house, "read", body, token=token)).status_code in {403, 404}
    weak = dpo(house, strong=False)
    assert (await post(house, "read", body, token=weak)).status_code == 401
    for wrong in ({"last": 10**6}, {"first": 2, "last": 1}, {"log": current(house, "HR")}):
        answer = await post(house, "read", {**body, **wrong}, token=dpo(house))
        assert answer.status_code in {404, 422}
