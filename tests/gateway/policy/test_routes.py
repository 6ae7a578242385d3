# SPDX-License-Identifier: EUPL-1.2
"""`/v1/policy`: for whom, what it leaves in the log, and what it never tells."""

import asyncio
import json
from types import MappingProxyType

import pytest

from gateway.identity import Principal
from gateway.openapi import SCHEMAS
from gateway.policy import routes
from gateway.policy.calls import ExplainCall
from gateway.policy.verbs import PATH, VERBS, Verb
from tests.gateway import house as houses
from tests.gateway.house import REASON
from tests.gateway.small import CANARY_NAME

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
WHY = {
    "role": "border_officer",
    "org": "BA-BP",
    "action": "find",
    "dataset": "registrations",
    "owner": "RS",
    "categories": ["record"],
    "view": "hit",
    "purpose": "border_check",
}
LINE = (
    "RS-X99,border_officer,BA-BP,RS,registrations,record,hit,find,border_check,"
    "-,deny,-,CIR-20,unverified,-\n"
)


async def call(house, verb, body, *, token):
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await house.client.post(f"{PATH}/{verb}", content=body, headers=headers)


def dpo(house, country="BA", **more):
    return house.token(f"{country}-DO", "dpo", **{"strong": True, **more})


def draft(house):
    text = house.runtime.rules().snapshot.book.files["RS/rules.csv"].decode()
    return {"files": {"RS/rules.csv": text + LINE}}


async def asked(house, times=2):
    await house.attest("presence", org="BA-BP")
    for _ in range(times):
        await house.ask("find", HIT, token=house.token("BA-BP", "border_officer"))


async def test_a_data_protection_officer_replays_a_draft(house):
    await asked(house)
    answer = await call(house, "replay", draft(house), token=dpo(house))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["policy"] == house.runtime.rules().snapshot.digest != found["draft"]
    assert (found["result"]["refused"], found["result"]["accesses"]) == (2, 2)
    assert found["result"]["told"][0] == "The draft changes 2 of 2 past accesses."
    assert CANARY_NAME not in answer.text


async def test_he_sees_only_what_his_own_country_is_a_party_of(house):
    await asked(house)
    for country, seen in (("RS", 2), ("BA", 2), ("HR", 0)):
        answer = await call(house, "replay", draft(house), token=dpo(house, country))
        assert answer.json()["result"]["accesses"] == seen
        assert answer.json()["result"]["changes"] == [] or seen
    joint = house.token("JSB", "joint_supervisor", country="INT", strong=True)
    answer = await call(house, "replay", draft(house), token=joint)
    assert answer.json()["result"]["accesses"] == 2


async def test_a_draft_is_compared_and_checked_over_http(house):
    found = (await call(house, "diff", draft(house), token=dpo(house))).json()
    told = found["result"]
    assert told["after"] == found["draft"]
    assert {one["kind"] for one in told["accesses"]} == {"gone"}
    assert all("RS" in one["text"] for one in told["sentences"])
    sound = (await call(house, "check", {}, token=dpo(house))).json()["result"]
    assert (sound["sound"], sound["digest"]) == (True, found["policy"])


async def test_reading_the_log_needs_a_strong_login(house):
    answer = await call(house, "replay", draft(house), token=dpo(house, strong=False))
    assert answer.status_code == 401
    assert "acr_values" in answer.headers["www-authenticate"]
    assert (await house.entries())[-1]["rules"] == ["weak login"]


async def test_a_call_is_an_entry_before_its_answer_leaves(house):
    answer = await call(house, "explain", WHY, token=dpo(house))
    log = house.log("BA")
    entry, detail = await house.newest("BA")
    assert answer.headers["audit-entry"] == f"{log.origin}/{log.size - 1}"
    assert (entry["kind"], entry["op"], entry["decision"]) == ("review", "administer", "allow")
    assert entry["requester"] == {"country": "BA", "org": "BA-DO", "role": "dpo"}
    assert entry["asked"] is None
    assert detail["officer"] == "officer-1"
    assert detail["query"]["verb"] == "explain"
    assert detail["query"]["purpose"] == "border_check"


async def test_without_a_log_nothing_is_answered(house):
    (house.folder / "log.sqlite").unlink()
    answer = await call(house, "explain", WHY, token=dpo(house))
    assert answer.status_code == 503
    assert "result" not in answer.text


@pytest.mark.parametrize("role", ["border_officer", "operator", "court_officer"])
async def test_others_are_turned_away_and_that_is_an_entry(house, role):
    org = {"operator": "BA-OP", "court_officer": "BA-CT"}.get(role, "BA-BP")
    for verb in VERBS:
        body = {**WHY, "org": "BA-AS", "role": "asylum_officer"} if verb == "explain" else {}
        body |= {"owner": "BA", "purpose": "border_check"} if verb == "matrix" else {}
        body |= {"country": "BA"} if verb == "render" else {}
        answer = await call(house, verb, body, token=house.token(org, role, strong=True))
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"].endswith("not_entitled")
        entry = (await house.entries())[-1]
        assert (entry["kind"], entry["rules"]) == ("denial", ["not entitled"])


@pytest.mark.parametrize(
    ("org", "country"), [("BA-BP", "BA"), ("HR-BP", "HR"), ("BA-DO", "HR"), ("UNHCR", "BA")]
)
async def test_the_name_of_a_role_does_not_make_an_organisation_an_overseer(house, org, country):
    token = house.token(org, "dpo", country=country, strong=True)
    assert (await call(house, "replay", {}, token=token)).status_code == 403


async def test_an_officer_may_learn_why_he_is_refused(house):
    token = house.token("BA-BP", "border_officer")
    answer = await call(house, "explain", WHY, token=token)
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    assert result["allowed"] is False
    assert any("presence" in line for line in result["told"])
    allowed = await call(house, "explain", {**WHY, "sure": ["presence"]}, token=token)
    assert allowed.json()["result"]["allowed"] is True
    entry = (await house.entries())[-1]
    assert entry["requester"]["role"] == "border_officer"


@pytest.mark.parametrize(
    "changes",
    [
        {"org": "HR-BP"},
        {"role": "asylum_officer"},
        {"country": "HR"},
        {"files": {"RS/rules.csv": "id\n"}},
    ],
)
async def test_an_officer_may_ask_about_himself_alone_and_under_the_rules_in_force(house, changes):
    answer = await call(
        house, "explain", {**WHY, **changes}, token=house.token("BA-BP", "border_officer")
    )
    assert answer.status_code == 403


async def test_a_suspended_officer_gets_nothing_and_that_is_an_entry(house_folder):
    (house_folder / "revoked.json").write_text(
        json.dumps({"suspended": {"organisations": ["BA-DO"]}}), encoding="utf-8"
    )
    async with houses.running(house_folder) as house:
        if house.runtime.settings.identity.revocations_file is None:
            house.runtime.verifier._revocations.status = lambda _principal: "true"
        answer = await call(house, "explain", WHY, token=dpo(house))
        assert answer.status_code in (401, 403)
        assert (await house.entries())[-1]["rules"] == ["suspended asker"]


async def test_a_broken_draft_is_named_by_file_and_line(house):
    body = {"files": {"RS/rules.csv": "id,role\nx,y\n", "RS/secret.csv": "a\n"}}
    answer = await call(house, "replay", body, token=dpo(house))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["draft"], found["result"]) == (None, None)
    assert {"RS/rules.csv", "RS/secret.csv"} <= {one["file"] for one in found["problems"]}
    missing = await call(house, "replay", {"files": {"floor.csv": None}}, token=dpo(house))
    assert any(one["file"] == "floor.csv" for one in missing.json()["problems"])


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        {"files": []},
        {"files": {"../secret": "x"}},
        {"files": {"a" * 40: "x"}},
        {"files": {"RS/rules.csv": 7}},
        {"files": {f"F{n}/rules.csv": "" for n in range(65)}},
        {"draft": {}},
        {"first": "24.11.2026"},
    ],
)
async def test_a_body_off_its_form_is_refused_and_not_repeated(house, body):
    answer = await call(house, "replay", body, token=dpo(house))
    assert answer.status_code == 422
    assert "secret" not in answer.text
    assert (await house.entries())[-1]["rules"] == ["malformed question"]


async def test_a_draft_over_the_size_limit_is_not_read(house):
    body = {"files": {"RS/rules.csv": "x" * 70_000}}
    assert (await call(house, "replay", body, token=dpo(house))).status_code == 413


async def test_the_state_of_the_signatures_over_http(house):
    found = (await call(house, "verify", {}, token=dpo(house))).json()["result"]
    assert found == {"in_force": True, "signed": False, "versions": {}, "troubles": []}


async def test_lines_in_words_over_http(house):
    answer = await call(house, "render", {"country": "BA"}, token=dpo(house))
    assert answer.status_code == 200, answer.text
    assert "BA-A02" in answer.text
    unknown = await call(house, "render", {"country": "ZZ"}, token=dpo(house))
    assert unknown.status_code == 422
    odd = await call(house, "render", {"language": "xx"}, token=dpo(house))
    assert odd.status_code == 422


async def test_the_matrix_of_an_owner_over_http(house):
    body = {"owner": "BA", "purpose": "asylum_procedure"}
    answer = await call(house, "matrix", body, token=dpo(house))
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]
    unknown = await call(house, "matrix", {**body, "owner": "ZZ"}, token=dpo(house))
    assert unknown.status_code == 422
    assert "ZZ" not in unknown.text


async def test_a_fact_that_does_not_exist_is_refused_without_repeating_it(house):
    answer = await call(house, "explain", {**WHY, "sure": ["zvoncic"]}, token=dpo(house))
    assert answer.status_code == 422
    assert "zvoncic" not in answer.text


async def test_work_that_takes_too_long_is_ended_and_its_place_given_back(house, monkeypatch):
    begun, ended = [], []

    def forever(work, _call):
        begun.append(1)
        try:
            while True:
                work.tick()
        finally:
            ended.append(1)

    waved = Waved()
    desk = routes.PolicyDesk(house.runtime, waved)
    desk._limit_s = 0.2
    verb = Verb(ExplainCall, "", forever)
    with pytest.raises(routes.ProblemError) as late:
        await desk._answer(None, None, verb, ExplainCall(**WHY), desk._work(*rules_of(house)))
    assert late.value.problem is routes.Problem.TIMED_OUT
    for _ in range(200):
        if desk._busy == 0:
            break
        await asyncio.sleep(0.01)
    assert (desk._busy, ended) == (0, begun)
    assert waved.noted[-1] == "time limit"
    desk.close()


async def test_more_at_once_than_there_are_threads_is_turned_away(house):
    desk = routes.PolicyDesk(house.runtime, Waved())
    desk._busy = 2
    with pytest.raises(routes.ProblemError) as busy:
        await desk._answer(
            None, None, VERBS["explain"], ExplainCall(**WHY), desk._work(*rules_of(house))
        )
    assert busy.value.problem is routes.Problem.TOO_MANY
    desk.close()


class Waved:
    """Remembers what was noted."""

    def __init__(self):
        self.noted = []

    async def note(self, _request, _kind, reason, _principal):
        self.noted.append(reason)


def dpo_principal():
    return Principal(
        officer="o", org="BA-DO", country="BA", unit=None, roles=frozenset({"dpo"}),
        issuer=houses.ISSUER, client_id="c", jti="j", acr=None, auth_time=None, postings=(),
        expires=0, token_digest=b"", binding=None,
    )  # fmt: skip


def rules_of(house):
    rules = house.runtime.rules().snapshot
    return rules, house.runtime.pipeline.asker(dpo_principal(), "dpo", rules)


async def test_what_is_in_force_is_no_secret_among_those_known(house):
    headers = {"authorization": f"Bearer {house.token('BA-BP', 'border_officer')}"}
    answer = await house.client.get(PATH, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["digest"] == house.runtime.rules().snapshot.digest
    assert {one["country"] for one in answer.json()["countries"]} >= {"BA", "HR"}
    assert (await house.client.get(PATH)).status_code == 401


async def test_rate_limits_hold_for_policy_calls_too(house_folder):
    text = (house_folder / "cuvar.toml").read_text(encoding="utf-8")
    (house_folder / "cuvar.toml").write_text(
        text.replace("officer_per_minute = 100000", "officer_per_minute = 1"), encoding="utf-8"
    )
    async with houses.running(house_folder) as house:
        codes = [
            (await call(house, "explain", WHY, token=dpo(house))).status_code for _ in range(3)
        ]
        assert 429 in codes


def test_every_verb_has_a_route_and_a_schema():
    assert isinstance(VERBS, MappingProxyType)
    assert {verb.call.__name__ for verb in VERBS.values()} <= SCHEMAS.keys()
