# SPDX-License-Identifier: EUPL-1.2
"""Makes every error of the application a problem document that echoes nothing.

FastAPI's own answers repeat the submitted value (422), the address (redirects) or a text of
whoever raised. Here a field path is shown only as far as it consists of the API's own words,
taken from the OpenAPI document; the kind of fault comes from a closed list. An error class that
nobody listed is `internal`: the client learns nothing, and nothing was released.

Who relies on it: app.py, once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.correlation import correlation_of
from gateway.identity import TokenError
from gateway.problems import Problem, ProblemError, problem_response

__all__ = ["FieldFault", "field_faults", "install_problem_handlers", "token_problem"]

_RETRY_S = 5.0
_STEP_UP = "insufficient_user_authentication"
_UNAVAILABLE = 503
_UNREADABLE: Mapping[str, Any] = {"faults": [{"field": "body", "reason": "refused_value"}]}
_MOST_FAULTS = 16
_MOST_INDEX = 999
_UNKNOWN = "*"


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One fault of a question: `field` in the API's own words, `reason` from a closed list."""

    field: str
    reason: str


# pydantic's error types → the closed list of reasons; whatever is not listed is "refused_value".
_REASONS: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "json_invalid": "not_json",
    "enum": "not_in_list",
    "literal_error": "not_in_list",
    "union_tag_invalid": "not_in_list",
    "union_tag_not_found": "missing",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "too_long": "too_long",
    "too_short": "too_short",
    "string_pattern_mismatch": "wrong_form",
    "date_from_datetime_parsing": "wrong_form",
    "date_parsing": "wrong_form",
    "datetime_parsing": "wrong_form",
    "datetime_from_date_parsing": "wrong_form",
    "uuid_parsing": "wrong_form",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
}


def field_faults(
    errors: Sequence[Mapping[str, Any]], known: frozenset[str]
) -> tuple[FieldFault, ...]:
    """Validation errors in the API's own words; at most sixteen.

    Args:
        errors: As pydantic gives them; only `type` and `loc` are read.
        known: The words of the API. Any other step of a path becomes `*`.
    """
    faults = [
        FieldFault(_path(error.get("loc", ()), known), _reason(str(error.get("type", ""))))
        for error in errors[:_MOST_FAULTS]
    ]
    return tuple(dict.fromkeys(faults))


def _reason(kind: str) -> str:
    if kind in _REASONS:
        return _REASONS[kind]
    return "wrong_type" if kind.endswith(("_type", "_attributes_type")) else "refused_value"


def _path(loc: Sequence[Any], known: frozenset[str]) -> str:
    steps: list[str] = []
    for step in loc:
        # INVARIANT: nothing outside `known` and small list positions is ever shown; a JSON key, a
        # query parameter or a position may be something that the client made up.
        if isinstance(step, str) and step in known:
            steps.append(step)
        elif type(step) is int and 0 <= step <= _MOST_INDEX and steps:
            steps.append(str(step))
        else:
            steps.append(_UNKNOWN)
    if steps[:1] == ["body"] and steps[1:2] and steps[1].isdigit():
        steps = ["body"]  # a position inside text that is no JSON
    return ".".join(steps) or _UNKNOWN


def _api_words(app: FastAPI) -> frozenset[str]:
    """Every property and parameter name in the app's own OpenAPI document."""
    words = {"body", "query", "path", "header", "cookie"}
    document = app.openapi()
    for schema in document.get("components", {}).get("schemas", {}).values():
        words.update(schema.get("properties", {}))
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            words.update(parameter["name"] for parameter in operation.get("parameters", ()))
    return frozenset(words)


_BY_STATUS: Mapping[int, Problem] = {
    400: Problem.MALFORMED_QUESTION,
    401: Problem.INVALID_TOKEN,
    404: Problem.UNKNOWN_ROUTE,
    405: Problem.METHOD_NOT_ALLOWED,
    406: Problem.MALFORMED_QUESTION,
    413: Problem.QUESTION_TOO_LARGE,
    415: Problem.MALFORMED_QUESTION,
    422: Problem.MALFORMED_QUESTION,
    429: Problem.TOO_MANY,
    503: Problem.NOT_READY,
}


def install_problem_handlers(
    app: FastAPI, translations: Mapping[type[Exception], Callable[[Any], ProblemError]]
) -> None:
    """Make every failure of the app a problem document.

    Args:
        app: The application; build it with `redirect_slashes=False`, since a redirect's
            Location would repeat the address.
        translations: Error class → how it becomes a `ProblemError` (tokens, the log). An error
            class that is not listed answers `internal`.
    """

    async def on_validation(request: Request, error: Exception) -> Response:
        errors = error.errors() if isinstance(error, RequestValidationError) else ()
        faults = field_faults(errors, _api_words(app))
        members = {"faults": [{"field": f.field, "reason": f.reason} for f in faults]}
        return ProblemError(Problem.MALFORMED_QUESTION, members=members).response(
            correlation_of(request.scope)
        )

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 0
        problem = _BY_STATUS.get(status, Problem.INTERNAL)
        allow = (error.headers or {}).get("Allow") if isinstance(error, HTTPException) else None
        return problem_response(
            problem,
            correlation=correlation_of(request.scope),
            members=_UNREADABLE if problem is Problem.MALFORMED_QUESTION else None,
            headers={"allow": allow} if allow and problem is Problem.METHOD_NOT_ALLOWED else None,
        )

    async def on_problem(request: Request, error: Exception) -> Response:
        if not isinstance(error, ProblemError):
            return await on_unexpected(request, error)
        return error.response(correlation_of(request.scope))

    async def on_unexpected(request: Request, _: Exception) -> Response:
        return problem_response(Problem.INTERNAL, correlation=correlation_of(request.scope))

    def translated(translate: Callable[[Any], ProblemError]) -> Any:
        async def on_translated(request: Request, error: Exception) -> Response:
            return translate(error).response(correlation_of(request.scope))

        return on_translated

    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(Exception, on_unexpected)
    for error_class, translate in translations.items():
        app.add_exception_handler(error_class, translated(translate))


def token_problem(error: TokenError) -> ProblemError:
    """How a refused token is told: a challenge (RFC 6750, 9449, 9470), or try again later."""
    if error.status == _UNAVAILABLE:
        return ProblemError(Problem.IDENTITY_UNAVAILABLE, retry_after_s=_RETRY_S)
    step_up = error.code == _STEP_UP
    problem = Problem.INSUFFICIENT_AUTHENTICATION if step_up else Problem.INVALID_TOKEN
    return ProblemError(problem, headers=error.headers)
