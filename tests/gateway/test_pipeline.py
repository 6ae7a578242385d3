# SPDX-License-Identifier: EUPL-1.2
import base64
import string

import pytest

from audit import Sealed, open_sealed, read_private_key
from audit.sealing import commit_detail
from policies import Truth
from tests.gateway import house as houses
from tests.gateway.house import REASON
from tests.gateway.small import CANARY_NAME, PERSON, change


def border(**changes):
    question = {
        "dataset": "persons",
        "owners": ["BA"],
        "categories": ["direct_identifier", "biographic", "security"],
        "view": "full",
        "purpose": "border_check",
        "basis": "CIR-20",
        "reason": REASON,
        "subject": {
            "surnames": CANARY_NAME,
            "forenames": "Amir",
            "date_of_birth": "1985-04-03",
        },
    }
    return {**question, **changes}


async def test_a_border_officer_sees_a_present_person_at_home(house):
    await house.attest("presence", org="BA-BP")
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 200, answer.text
    part = answer.json()["owners"][0]
    assert part["status"] == "answered"
    (row,) = part["results"][0]["rows"]
    assert row["direct_identifier.surnames"] == CANARY_NAME
    assert part["withheld"] == [{"category": "security", "rules": ["no owner line"]}]
    log = house.log("BA")
    assert answer.headers["audit-entry"] == f"{log.origin}/{log.size - 1}"


async def test_without_presence_the_question_is_refused_under_its_rule(house):
    answer = await house.ask("find", border(), token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 403
    rules = {r for w in answer.json()["owners"][0]["withheld"] for r in w["rules"]}
    assert "F03" in rules
    entry = (await house.entries())[-1]
    assert entry["decision"] == "deny"
    assert "F03" in entry["rules"]


async def test_abroad_the_first_answer_is_a_flag(house):
    await house.attest("presence", org="BA-BP")
    question = border(
        dataset="registrations", owners=["RS", "HR"], categories=["record"], view="hit"
    )
    answer = await house.ask("find", question, token=house.token("BA-BP", "border_officer"))
    parts = {part["owner"]: part for part in answer.json()["owners"]}
    (row,) = parts["RS"]["results"][0]["rows"]
    assert row["strength"] == "possible"
    assert row["token"]
    assert parts["HR"]["status"] == "refused"


async def test_a_record_refused_for_its_own_facts_looks_like_no_record(house):
    await house.attest("presence", org="BA-BP")
    question = border(dataset="registrations", owners=["RS"], categories=["record"], view="hit")
    token = house.token("BA-BP", "border_officer")
    change(house.register("RS"), "person", PERSON, t_nationalities="BA")
    hidden = await house.ask("find", question, token=token)
    nobody = {**question, "subject": {**question["subject"], "surnames": "Nobody"}}
    absent = await house.ask("find", nobody, token=token)
    strip = lambda answer: {**answer.json(), "correlation": ""}  # noqa: E731
    assert strip(hidden) == strip(absent)
    assert hidden.json()["owners"][0]["results"][0]["rows"] == []


async def test_a_caseworker_gets_coded_rows_of_her_own_cases_only(house):
    for fact in ("case_number", "consent_given"):
        await house.attest(fact, org="UNHCR", owner="BA")
    await house.attest("assigned_case", org="UNHCR", officer="officer-1", person=PERSON)
    question = {
        "dataset": "persons",
        "owners": ["BA"],
        "categories": ["direct_identifier", "biographic"],
        "view": "full",
        "purpose": "humanitarian_assistance",
        "basis": "HUM-03",
        "case_no": "C-1",
    }
    token = house.token("UNHCR", "caseworker", country="BA")
    answer = await house.ask("list", question, token=token)
    assert answer.status_code == 200, answer.text
    part = answer.json()["owners"][0]
    (result,) = part["results"]
    assert result["view"] == "pseudonym"
    (row,) = result["rows"]
    assert row["case_no"].startswith("BA-")
    assert CANARY_NAME not in answer.text
    again = await house.ask(
        "read",
        {**question, "reference": {"kind": "case_number", "ref": row["case_no"]}},
        token=token,
    )
    assert again.json()["owners"][0]["results"][0]["rows"][0]["case_no"] == row["case_no"]


async def test_a_hit_token_opens_the_record_once(house):
    for fact in ("case_number", "claim_here"):
        await house.attest(fact, org="HR-AS")
    token = house.token("HR-AS", "asylum_officer", strong=True)
    base = {"owners": ["BA"], "purpose": "asylum_procedure", "basis": "EUR-01", "case_no": "A-1"}
    subject = border()["subject"]
    find = {**base, "dataset": "registrations", "categories": ["record"], "view": "hit"}
    hit = await house.ask("find", {**find, "subject": subject, "reason": REASON}, token=token)
    (row,) = hit.json()["owners"][0]["results"][0]["rows"]
    consult = {
        **base,
        "dataset": "persons",
        "categories": ["direct_identifier"],
        "view": "full",
        "token": row["token"],
        "reason": REASON,
    }
    first = await house.ask("consult", consult, token=token)
    assert first.status_code == 200, first.text
    rows = first.json()["owners"][0]["results"][0]["rows"]
    assert rows[0]["direct_identifier.surnames"] == CANARY_NAME
    second = await house.ask("consult", consult, token=token)
    assert second.status_code == 403
    other = house.token("HR-AS", "asylum_officer", strong=True, officer="officer-2")
    stolen = await house.ask("consult", consult, token=other)
    assert stolen.status_code == 403


async def test_a_register_that_is_gone_is_unavailable_and_the_others_answer(house):
    await house.attest("presence", org="BA-BP")
    house.register("RS").unlink()
    question = border(
        dataset="registrations", owners=["RS", "ME"], categories=["record"], view="hit"
    )
    answer = await house.ask("find", question, token=house.token("BA-BP", "border_officer"))
    status = {part["owner"]: part["status"] for part in answer.json()["owners"]}
    assert status == {"RS": "unavailable", "ME": "answered"}


async def test_a_suspended_or_doubtful_asker_gets_nothing(house):
    await house.attest("presence", org="BA-BP")
    await house.attest("presence", Truth.POSSIBLE, org="BA-BP", officer="officer-9")
    token = house.token("BA-BP", "border_officer", officer="officer-9")
    answer = await house.ask("find", border(), token=token)
    assert answer.status_code == 403


async def test_every_answer_and_refusal_stands_in_the_log_before_it_leaves(house):
    before = house.sizes()
    answers = [
        await house.ask("find", border(), token=house.token("BA-BP", "border_officer")),
        await house.ask("find", {"nonsense": 1}, token=house.token("BA-BP", "border_officer")),
        await house.ask("find", border(), token="not-a-token"),
    ]
    assert [answer.status_code for answer in answers] == [403, 422, 401]
    grown = {country: size - before[country] for country, size in house.sizes().items()}
    assert {country: n for country, n in grown.items() if n} == {"BA": 2, "GATEWAY": 1}


async def test_a_token_has_one_spelling_so_it_cannot_be_spent_twice(house):
    for fact in ("case_number", "claim_here"):
        await house.attest(fact, org="HR-AS")
    token = house.token("HR-AS", "asylum_officer", strong=True)
    base = {"owners": ["BA"], "purpose": "asylum_procedure", "basis": "EUR-01", "case_no": "A-1"}
    find = {**base, "dataset": "registrations", "categories": ["record"], "view": "hit"}
    asked = {**find, "subject": border()["subject"], "reason": REASON}
    hit = await house.ask("find", asked, token=token)
    (row,) = hit.json()["owners"][0]["results"][0]["rows"]
    handle = row["token"]
    for last in string.ascii_letters + string.digits + "-_":
        if last == handle[-1]:
            continue
        consult = {
            **base,
            "dataset": "persons",
            "view": "full",
            "categories": ["direct_identifier"],
            "token": handle[:-1] + last,
            "reason": REASON,
        }
        assert (await house.ask("consult", consult, token=token)).status_code == 403


async def test_a_name_that_cannot_be_spelled_is_told_apart_from_a_register_that_is_down(house):
    await house.attest("presence", org="BA-BP")
    question = border(subject={"surnames": "王", "date_of_birth": "1985-04-03"})
    answer = await house.ask("find", question, token=house.token("BA-BP", "border_officer"))
    assert answer.status_code == 422
    assert "王" not in answer.text


async def test_a_birth_date_is_written_as_a_date_and_nothing_else(house):
    token = house.token("BA-BP", "border_officer")
    for born in (641001600, "1990-04-02T00:00:00Z", "1990-4-2"):
        question = border(subject={**border()["subject"], "date_of_birth": born})
        assert (await house.ask("find", question, token=token)).status_code == 422


def court(**changes):
    question = {
        "dataset": "persons",
        "owners": ["BA"],
        "categories": ["direct_identifier"],
        "view": "full",
        "purpose": "court_order",
        "basis": "national procedure",
        "case_no": "K-1",
        "reason": REASON,
        "reference": {"kind": "person", "ref": PERSON},
    }
    return {**question, **changes}


async def test_a_court_gets_a_sealed_bundle_and_nothing_in_the_clear(house):
    for fact in ("case_number", "court_order"):
        await house.attest(fact, org="BA-CT")
    bases = house.runtime.rules().snapshot.vocabulary.purposes["court_order"].bases
    token = house.token("BA-CT", "court_officer", strong=True)
    answer = await house.ask("read", court(basis=bases[0]), token=token)
    assert answer.status_code == 200, answer.text
    assert CANARY_NAME not in answer.text
    (row,) = answer.json()["owners"][0]["results"][0]["rows"]
    parts = {name: base64.b64decode(text) for name, text in row["sealed"].items()}
    commitment = commit_detail(parts["salt"], parts["window"], parts["blob"])
    sealed = Sealed(parts["blob"], parts["salt"], commitment, parts["window"])
    opened = open_sealed(sealed, read_private_key(house.folder / "dpo/BA-CT.key"))
    assert CANARY_NAME in opened.decode()


@pytest.mark.parametrize("reason", [None, "short"])
async def test_a_question_without_the_reason_it_needs_is_refused_and_recorded(house, reason):
    await house.attest("presence", org="BA-BP")
    before = house.sizes()["BA"]
    token = house.token("BA-BP", "border_officer")
    answer = await house.ask("find", border(reason=reason), token=token)
    assert answer.status_code == 403, answer.text
    rules = {r for w in answer.json()["owners"][0]["withheld"] for r in w["rules"]}
    assert "reason too short" in rules
    assert house.sizes()["BA"] == before + 1
    entry = (await house.entries("BA"))[-1]
    assert (entry["decision"], entry["fields"]) == ("deny", [])
    assert "reason too short" in entry["rules"]


async def test_a_court_whose_key_is_not_here_is_refused_and_recorded(house_folder):
    settings = house_folder / "cuvar.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('BA-CT = "dpo/BA-CT.pub"\n', ""), encoding="utf-8")
    async with houses.running(house_folder) as house:
        for fact in ("case_number", "court_order"):
            await house.attest(fact, org="BA-CT")
        bases = house.runtime.rules().snapshot.vocabulary.purposes["court_order"].bases
        token = house.token("BA-CT", "court_officer", strong=True)
        answer = await house.ask("read", court(basis=bases[0]), token=token)
        assert answer.status_code == 403, answer.text
        assert "no court key" in (await house.entries("BA"))[-1]["rules"]
