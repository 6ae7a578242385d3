# SPDX-License-Identifier: EUPL-1.2
"""What the OpenAPI document says about questions and answers.

Bodies are parsed by the handler itself (see app.py), so their schemas are added here from the
very models that parse them; answers have a shape that the rules decide, described once.
"""

from typing import Any, Final, Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from gateway.policy.calls import CALLS
from gateway.policy.described import PolicyAnswer, PolicyStanding
from gateway.problems import Problem, openapi_problems
from gateway.questions import ACTIONS
from gateway.reviews.calls import CALLS as REVIEW_CALLS
from gateway.reviews.described import ANSWERS as REVIEW_ANSWERS

DESCRIPTION: Final = (
    "Questions about people in national registers, answered within the rules of the country "
    "that owns the data, of the asker's own country, and of the common floor. Every answer and "
    "refusal stands in a signed log before it leaves; its receipt is named in the headers."
)
_REF: Final = "#/components/schemas/{model}"


class ResultRows(BaseModel):
    """Rows that share one view; keys are `category.field`, as released."""

    view: Literal["full", "pseudonym", "generalised", "hit", "count"]
    categories: list[str]
    rows: list[dict[str, Any]]
    held_back: int | None = Field(
        None,
        description="of `generalised`: rows of this page that are not told, because too few "
        "people look like them in all that you may see",
    )


class WithheldCategory(BaseModel):
    """A category that was asked and not given, and the rules that said so."""

    category: str
    rules: list[str]


class MatchFeature(BaseModel):
    """One thing that was compared; nothing in it is a value of the record."""

    feature: str
    state: str
    words: str


class MatchAnswer(BaseModel):
    """How surely the person behind a token is the one asked for."""

    grade: Literal["strong", "possible", "none"]
    features: list[MatchFeature]
    decides: str = Field(description="that no decision may rest on this alone")
    confirm: str | None = Field(None, description="a human at the asker has to confirm it first")


class OwnerAnswer(BaseModel):
    """One owner's part of the answer.

    `answered` with no rows means: nothing that you may know of. `unavailable` never means that.
    """

    owner: str
    status: Literal["answered", "refused", "unavailable", "too_many"]
    results: list[ResultRows]
    withheld: list[WithheldCategory]
    conditions: list[str] = Field(description="what the recipient is bound by")
    next: str | None = Field(description="cursor of the next page")
    reason: str | None = Field(
        None,
        description="of `unavailable`: timeout, down, open (left alone after failures), wrong (its "
        "mapping does not fit), busy, no_register, no_dpo_key, "
        "unwitnessed_log (no witness saw its log for too long), no_index (it sent no blind keys "
        "of this epoch and grammar), or an error's name",
    )
    flag: Literal["strong", "possible", "none", "unavailable", "not_asked"] | None = Field(
        None, description="of a find with view hit"
    )
    match: MatchAnswer | None = Field(None, description="of a consultation with a subject")
    note: str | None = None
    expires: str | None = Field(None, description="day after which the rows may not be used")
    watermark: str | None = Field(None, description="mark that ties the rows to their recipient")


class Answer(BaseModel):
    """An answer; the log entry of each owner's part is named in the Audit-Entry headers."""

    correlation: str
    policy: str = Field(description="digest of the rule set that decided")
    owners: list[OwnerAnswer]
    not_asked: list[str] | None = Field(
        None, description="of a find with view hit: countries that the question left out"
    )


_SUMMARIES: Final = {
    "find": "Is this one named person known, here or elsewhere?",
    "read": "One record of the own country by reference",
    "list": "Several records of the own country, page by page",
    "count": "Reception centres and protected statistics",
    "consult": "The reasoned second step abroad: the record behind a hit",
    "trace": "Family links, for restoring contact",
    "reidentify": "The person behind one case number, where two organisations granted it",
}
_PROBLEMS: Final = openapi_problems(
    Problem.INVALID_TOKEN,
    Problem.INSUFFICIENT_AUTHENTICATION,
    Problem.REFUSED,
    Problem.QUESTION_TOO_LARGE,
    Problem.MALFORMED_QUESTION,
    Problem.TOO_MANY,
    Problem.INTERNAL,
    Problem.LOG_UNAVAILABLE,
    Problem.IDENTITY_UNAVAILABLE,
    Problem.NOT_READY,
    Problem.NO_RULES,
    Problem.TIMED_OUT,
)


def action_docs(action: str, model: type[BaseModel]) -> dict[str, Any]:
    """Keyword arguments of an action's route."""
    content = {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
    answers = {"application/json": {"schema": {"$ref": _REF.format(model="Answer")}}}
    if action == "count":
        answers |= {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "image/svg+xml")}
    return {
        "summary": _SUMMARIES[action],
        "responses": {
            200: {
                "description": "Per owner: rows, or why there are none",
                "content": answers,
                "headers": {
                    "Audit-Entry": {
                        "description": "origin/index of each owner's log entry, in order",
                        "schema": {"type": "string"},
                    }
                },
            },
            **_PROBLEMS,
        },
        "openapi_extra": {
            "requestBody": {"required": True, "content": content},
            "security": [{"bearer": []}, {"dpop": []}],
        },
    }


def _schemas() -> dict[str, Any]:
    asked = (*ACTIONS.values(), *CALLS, *REVIEW_CALLS.values())
    told = (Answer, PolicyAnswer, PolicyStanding, *REVIEW_ANSWERS)
    models = [(model, "validation") for model in asked]
    answers = [(model, "serialization") for model in told]
    _, top = models_json_schema(
        [*models, *answers],  # type: ignore[list-item]
        ref_template=_REF,
    )
    found: dict[str, Any] = top["$defs"]
    return found


def _words(schemas: dict[str, Any]) -> frozenset[str]:
    names = {"body"}
    for schema in schemas.values():
        names.update(schema.get("properties", {}))
    return frozenset(names)


SCHEMAS: Final = _schemas()
API_WORDS: Final = _words(SCHEMAS)
"""Every field name of the API: the only words that a fault may name."""


def extend_document(app: FastAPI) -> None:
    """Make the app's OpenAPI document complete."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = plain()
            components = made.setdefault("components", {})
            components.setdefault("schemas", {}).update(SCHEMAS)
            components["securitySchemes"] = {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "RFC 9068 JWT, bound by RFC 8705",
                },
                "dpop": {"type": "http", "scheme": "dpop", "bearerFormat": "RFC 9068 + RFC 9449"},
            }
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
