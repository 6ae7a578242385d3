# SPDX-License-Identifier: EUPL-1.2
"""What the OpenAPI document says of the policy calls and their answers."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from gateway.problems import Problem, openapi_problems

_REF: Final = "#/components/schemas/{model}"
_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"dpop": []}]
_KNOWN: Final = (
    Problem.INVALID_TOKEN,
    Problem.TOO_MANY,
    Problem.INTERNAL,
    Problem.LOG_UNAVAILABLE,
    Problem.IDENTITY_UNAVAILABLE,
    Problem.NOT_READY,
    Problem.TIMED_OUT,
)


class DraftProblem(BaseModel):
    """One thing wrong in a draft; line 0 means the file as a whole."""

    file: str
    line: int
    message: str


class PolicyAnswer(BaseModel):
    """The answer of a policy call; its log entry is named in the header Audit-Entry."""

    correlation: str
    policy: str = Field(description="digest of the rules in force")
    draft: str | None = Field(description="digest of the draft; null when it is refused")
    problems: list[DraftProblem] = Field(description="why the draft is refused, at most 200")
    result: dict[str, Any] | None = Field(
        description="the document of the verb, as `cuvar policy VERB --json` prints it"
    )


class CountryRules(BaseModel):
    """How far one country's own file is."""

    country: str
    lines: int
    unverified: int


class PolicyStanding(BaseModel):
    """The rules in force."""

    digest: str
    on: str = Field(description="the day for which they were read")
    countries: list[CountryRules]


def verb_docs(name: str, summary: str, call: type[BaseModel]) -> dict[str, Any]:
    """Keyword arguments of a verb's route."""
    answer = _content(PolicyAnswer)
    return {
        "summary": summary,
        "description": f"As `cuvar policy {name}`, under a draft laid over the rules in force.",
        "responses": {
            200: {
                "description": "The verb's document, or what is wrong with the draft",
                "content": answer,
                "headers": {
                    "Audit-Entry": {
                        "description": "origin/index of the call's log entry",
                        "schema": {"type": "string"},
                    }
                },
            },
            **openapi_problems(
                *_KNOWN,
                Problem.INSUFFICIENT_AUTHENTICATION,
                Problem.NOT_ENTITLED,
                Problem.QUESTION_TOO_LARGE,
                Problem.MALFORMED_QUESTION,
            ),
        },
        "openapi_extra": {
            "requestBody": {"required": True, "content": _content(call)},
            "security": _SECURITY,
        },
    }


def standing_docs() -> dict[str, Any]:
    """Keyword arguments of the route that says what is in force."""
    return {
        "summary": "The rules in force: digest, day, and each country's share",
        "responses": {
            200: {"description": "What is in force", "content": _content(PolicyStanding)},
            **openapi_problems(*_KNOWN),
        },
        "openapi_extra": {"security": _SECURITY},
    }


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
