# SPDX-License-Identifier: EUPL-1.2
"""What the OpenAPI document says of the review calls and their answers."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from gateway.problems import Problem, openapi_problems

_REF: Final = "#/components/schemas/{model}"
_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"dpop": []}]
_HEADERS: Final = {
    "Audit-Entry": {
        "description": "origin/index of the step's log entry",
        "schema": {"type": "string"},
    }
}
_SUMMARIES: Final = {
    "alert": "Raise an alert about entries of the own country's log",
    "question": "Put a question to the officer whom an alert is about",
    "answer": "Answer a question that was put to oneself",
    "close": "Close an alert: justified, unjustified or withdrawn",
    "read": "Record that the log was read with a tool of one's own",
}
_KNOWN: Final = (
    Problem.INVALID_TOKEN,
    Problem.TOO_MANY,
    Problem.INTERNAL,
    Problem.LOG_UNAVAILABLE,
    Problem.IDENTITY_UNAVAILABLE,
    Problem.NOT_READY,
    Problem.TIMED_OUT,
)


class StepTaken(BaseModel):
    """A step of a review that stands in the log; of a reading, only the correlation is told."""

    correlation: str
    alert: str | None = Field(None, description="id of the alert, for the steps that follow")
    state: Literal["open", "asked", "answered", "closed"] | None = None
    due: str | None = Field(None, description="when the next step is due")


class ReviewedAccess(BaseModel):
    """An access that one is asked about, without the person concerned."""

    at: str
    action: str
    owner: str
    dataset: str
    purpose: str


class ReviewQuestion(BaseModel):
    """A question of a data-protection officer."""

    alert: str
    country: str = Field(description="whose data-protection officer asks")
    state: Literal["asked", "answered"]
    due: str | None
    question: str = Field(description="empty when it can't be read any more and is to be put anew")
    accesses: list[ReviewedAccess] = Field(description="at most 50")


class ReviewQuestions(BaseModel):
    """The questions to whoever asks."""

    correlation: str
    questions: list[ReviewQuestion]


ANSWERS: Final = (StepTaken, ReviewQuestions)


def step_docs(name: str, call: type[BaseModel]) -> dict[str, Any]:
    """Keyword arguments of a step's route."""
    problems = [
        *_KNOWN,
        Problem.QUESTION_TOO_LARGE,
        Problem.MALFORMED_QUESTION,
        Problem.NOT_FOUND,
        Problem.NO_RULES,
    ]
    if name != "read":
        problems.append(Problem.OUT_OF_ORDER)
    if name != "answer":
        problems += [Problem.INSUFFICIENT_AUTHENTICATION, Problem.NOT_ENTITLED]
    return {
        "summary": _SUMMARIES[name],
        "responses": {
            200: {
                "description": "Taken, and in the log",
                "content": _content(StepTaken),
                "headers": _HEADERS,
            },
            **openapi_problems(*problems),
        },
        "openapi_extra": {
            "requestBody": {"required": True, "content": _content(call)},
            "security": _SECURITY,
        },
    }


def mine_docs() -> dict[str, Any]:
    """Keyword arguments of the route that shows one's own questions."""
    return {
        "summary": "The questions that data-protection officers put to oneself",
        "responses": {
            200: {
                "description": "Those not closed yet",
                "content": _content(ReviewQuestions),
                "headers": _HEADERS,
            },
            **openapi_problems(*_KNOWN),
        },
        "openapi_extra": {"security": _SECURITY},
    }


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
