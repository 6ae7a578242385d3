# SPDX-License-Identifier: EUPL-1.2
"""Problem documents have one shape, name what is wrong, and repeat nothing."""

import json
from typing import Annotated

import pytest
from fastapi import FastAPI, HTTPException, Query
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gateway.errors import GatewayError
from gateway.identity import TokenError
from gateway.identity.errors import Fault, IdentityUnavailableError
from gateway.problem_handlers import field_faults, install_problem_handlers, token_problem
from gateway.problems import Problem, ProblemError, openapi_problems, problem_response
from gateway.tracing import NATIVE_TELEMETRY_OFF

CANARY = "Hadžiosmanović"
ASCII = "Hadziosmanovic"
KNOWN = frozenset({"body", "query", "subject", "surnames"})


class Subject(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    surnames: str = Field(max_length=5)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    subject: Subject
    owners: list[str] = Field(default=[], max_length=2)
    table: dict[str, int] = {}


class LogDownError(Exception):
    """Stands for the log's error, which is none of the gateway's tree."""


@pytest.fixture
def app():
    app = FastAPI(telemetry=NATIVE_TELEMETRY_OFF, redirect_slashes=False)

    @app.post("/v1/find")
    async def find(body: Body) -> Response:
        return Response(b"{}")

    @app.get("/v1/entries")
    async def entries(size: Annotated[int, Query(le=9)] = 0) -> Response:
        return Response(b"{}")

    @app.get("/raise/{what}")
    async def fail(what: str) -> Response:
        raise {
            "http": HTTPException(418, CANARY),
            "unauthorized": HTTPException(401, CANARY, {"WWW-Authenticate": ASCII}),
            "absent": HTTPException(404, CANARY, {"Allow": ASCII}),
            "problem": ProblemError(Problem.TOO_MANY, retry_after_s=2.1),
            "gateway": GatewayError(CANARY),
            "other": ValueError(CANARY),
            "log": LogDownError(CANARY),
            "token": TokenError(Fault.MISSING),
        }[what]

    install_problem_handlers(
        app,
        {
            TokenError: token_problem,
            LogDownError: lambda _: ProblemError(Problem.LOG_UNAVAILABLE, retry_after_s=0.2),
        },
    )
    return app


@pytest.fixture
async def client(app):
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def expect(response, problem):
    kind = problem.value
    assert response.status_code == kind.status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document = json.loads(response.content)
    assert document["type"] == f"urn:cuvar:problem:{kind.name}"
    assert (document["title"], document["status"]) == (kind.title, kind.status)
    assert document["detail"] == kind.advice
    assert CANARY not in response.text
    assert CANARY not in json.dumps(document, ensure_ascii=False)
    assert CANARY.encode() not in response.content
    return document


def test_names_and_titles_are_unique_and_statuses_are_errors():
    kinds = [problem.value for problem in Problem]
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert len({kind.title for kind in kinds}) == len(kinds)
    assert all(400 <= kind.status < 600 for kind in kinds)
    assert all(problem.name.lower() == problem.value.name for problem in Problem)


async def test_a_wrong_field_is_named_by_path_and_kind_only(client):
    body = {"subject": {"surnames": CANARY}, "owners": ["a", "b", CANARY]}
    document = expect(await client.post("/v1/find", json=body), Problem.MALFORMED_QUESTION)
    assert document["faults"] == [
        {"field": "body.subject.surnames", "reason": "too_long"},
        {"field": "body.owners", "reason": "too_long"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"subject": {"surnames": "a", CANARY: 1}},
        {"subject": {"surnames": "a"}, CANARY: {"x": CANARY}},
        {"subject": {"surnames": "a"}, "table": {CANARY: CANARY}},
        {CANARY: CANARY},
        [CANARY],
        CANARY,
    ],
)
async def test_an_unknown_field_name_is_not_repeated(client, body):
    document = expect(await client.post("/v1/find", json=body), Problem.MALFORMED_QUESTION)
    assert document["faults"]


@pytest.mark.parametrize(
    "content", [f'{{"{CANARY}'.encode(), CANARY.encode(), b"\xff\xfe" + CANARY.encode(), b"[" * 999]
)
async def test_broken_json_says_so_and_not_where(client, content):
    response = await client.post(
        "/v1/find", content=content, headers={"content-type": "application/json"}
    )
    document = expect(response, Problem.MALFORMED_QUESTION)
    assert document["faults"][0]["field"] == "body"


@pytest.mark.parametrize("kind", ["text/plain", f"text/{CANARY.encode().hex()}", ""])
async def test_a_body_of_another_media_type_is_malformed(client, kind):
    response = await client.post(
        "/v1/find", content=CANARY.encode(), headers={"content-type": kind}
    )
    expect(response, Problem.MALFORMED_QUESTION)


async def test_a_wrong_query_parameter_is_named_and_not_repeated(client):
    response = await client.get("/v1/entries", params={"size": CANARY})
    document = expect(response, Problem.MALFORMED_QUESTION)
    assert document["faults"] == [{"field": "query.size", "reason": "refused_value"}]
    response = await client.get("/v1/entries", params={"size": 10})
    assert expect(response, Problem.MALFORMED_QUESTION)["faults"] == [
        {"field": "query.size", "reason": "out_of_range"}
    ]


async def test_an_unknown_address_and_a_slash_too_many_are_not_repeated(client):
    expect(await client.get(f"/v1/{CANARY}"), Problem.UNKNOWN_ROUTE)
    response = await client.post(f"/v1/find/?name={CANARY}", json={})
    expect(response, Problem.UNKNOWN_ROUTE)
    assert "location" not in response.headers


async def test_a_wrong_method_names_the_right_ones(client):
    response = await client.request("CANARY", "/v1/find")
    expect(response, Problem.METHOD_NOT_ALLOWED)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("http", Problem.INTERNAL),
        ("unauthorized", Problem.INVALID_TOKEN),
        ("absent", Problem.UNKNOWN_ROUTE),
        ("problem", Problem.TOO_MANY),
        ("gateway", Problem.INTERNAL),
        ("other", Problem.INTERNAL),
        ("log", Problem.LOG_UNAVAILABLE),
        ("token", Problem.INVALID_TOKEN),
    ],
)
async def test_every_error_becomes_its_problem_without_its_text(client, what, problem):
    response = await client.get(f"/raise/{what}")
    expect(response, problem)
    assert CANARY not in str(response.headers)
    assert ASCII not in str(response.headers)


async def test_retry_after_is_whole_seconds_rounded_up_and_never_zero(client):
    assert (await client.get("/raise/problem")).headers["retry-after"] == "3"
    assert (await client.get("/raise/log")).headers["retry-after"] == "1"


async def test_a_refused_token_carries_its_challenge(client):
    response = await client.get("/raise/token")
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_step_up_is_its_own_problem_and_missing_keys_are_nobodys_fault():
    step_up = token_problem(TokenError(Fault.STEP_UP, parameters={"max_age": "900"}))
    assert step_up.problem is Problem.INSUFFICIENT_AUTHENTICATION
    assert 'max_age="900"' in step_up.response(None).headers["www-authenticate"]
    unavailable = token_problem(IdentityUnavailableError(Fault.KEYS_STALE))
    assert unavailable.problem is Problem.IDENTITY_UNAVAILABLE
    assert "www-authenticate" not in unavailable.response(None).headers
    assert unavailable.response(None).headers["retry-after"] == "5"


def test_members_cannot_replace_what_a_problem_is():
    response = problem_response(
        Problem.REFUSED, correlation="c", members={"type": "x", "status": 200, "owners": ["BA"]}
    )
    document = json.loads(response.body)
    assert document["type"] == Problem.REFUSED.value.urn
    assert document["status"] == 403
    assert document["owners"] == ["BA"]
    assert document["instance"] == "urn:uuid:c"


STEPS = st.one_of(st.text(max_size=30), st.integers(), st.none(), st.booleans(), st.floats())


@given(st.lists(st.fixed_dictionaries({"type": st.text(), "loc": st.lists(STEPS)})))
def test_no_path_holds_a_word_that_is_not_the_apis(errors):
    faults = field_faults(errors, KNOWN)
    assert len(faults) <= 16
    for fault in faults:
        for step in fault.field.split("."):
            assert step in KNOWN or step == "*" or (step.isdigit() and int(step) <= 999)
        assert fault.reason in {"missing", "wrong_type", "refused_value", "unknown_field",
                                "not_json", "not_in_list", "too_long", "too_short", "wrong_form",
                                "out_of_range"}  # fmt: skip


def test_a_number_that_leads_a_path_or_is_large_is_not_shown():
    faults = field_faults([{"type": "x", "loc": ("body", "subject", 123456789)}], KNOWN)
    assert faults[0].field == "body.subject.*"
    assert field_faults([{"type": "x", "loc": (12,)}], KNOWN)[0].field == "*"
    assert field_faults([{"type": "json_invalid", "loc": ("body", 12)}], KNOWN)[0].field == "body"


def test_routes_document_problems_by_status():
    responses = openapi_problems(Problem.LOG_UNAVAILABLE, Problem.NOT_READY, Problem.REFUSED)
    assert set(responses) == {403, 503}
    schema = responses[503]["content"]["application/problem+json"]["schema"]
    assert schema["properties"]["type"]["enum"] == [
        "urn:cuvar:problem:log_unavailable",
        "urn:cuvar:problem:not_ready",
    ]
