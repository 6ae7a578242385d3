# SPDX-License-Identifier: EUPL-1.2
"""Every way a question can fail, as RFC 9457 problem documents. docs/errors.md lists them.

The set is closed. A problem says what kind of thing is wrong and what to do, and never repeats
anything the client sent: not a value, and not the name of an unknown field either, because
somebody's name may have been typed there (GDPR Art. 5(1)(f)).

Who relies on it: pipeline.py raises `ProblemError`; problem_handlers.py makes every error of the
application one; web/edge.py answers with `problem_response` where no route is reached.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
from starlette.responses import Response

from gateway.errors import GatewayError

__all__ = [
    "PROBLEM_MEDIA_TYPE",
    "Problem",
    "ProblemError",
    "ProblemType",
    "openapi_problems",
    "problem_response",
]

PROBLEM_MEDIA_TYPE = "application/problem+json"
_URN = "urn:cuvar:problem:"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of failure: its name in the URN, HTTP status, title and what to do."""

    name: str
    status: int
    title: str
    advice: str

    @property
    def urn(self) -> str:
        """The `type` member."""
        return _URN + self.name


class Problem(Enum):
    """The closed set of failures."""

    INVALID_TOKEN = ProblemType(
        "invalid_token",
        401,
        "The access token is missing or not accepted",
        "Get a new token from an issuer this gateway trusts, bound to your client certificate or "
        "DPoP key, and send it in the Authorization header.",
    )
    INSUFFICIENT_AUTHENTICATION = ProblemType(
        "insufficient_authentication",
        401,
        "This question needs a stronger or fresher login",
        "Log in again as the WWW-Authenticate header asks (RFC 9470) and repeat the question.",
    )
    REFUSED = ProblemType(
        "refused",
        403,
        "The rules do not allow this question",
        "The member `owners` names the rules that refused. Ask for less, for another purpose, or "
        "the data-protection officer of the owner.",
    )
    NOT_ENTITLED = ProblemType(
        "not_entitled",
        403,
        "None of your roles may make this call",
        "Policy calls and reviews are for data-protection officers and supervisors. Anybody may "
        "have a question of his own organisation and role explained, and answer what he is asked.",
    )
    UNKNOWN_ROUTE = ProblemType(
        "unknown_route",
        404,
        "There is nothing at this address",
        "See /openapi.json for the addresses. Identifiers never travel in an address.",
    )
    NOT_FOUND = ProblemType(
        "not_found",
        404,
        "There is no such thing, or it is not yours to see",
        "Check the reference. The gateway does not say which of the two it is.",
    )
    METHOD_NOT_ALLOWED = ProblemType(
        "method_not_allowed",
        405,
        "This address does not take this method",
        "Use a method named in the Allow header.",
    )
    OUT_OF_ORDER = ProblemType(
        "out_of_order",
        409,
        "This step does not fit where the alert stands",
        "An answer follows a question, and nothing follows the end. See the alert's steps in the "
        "log; the gateway tells no more of an alert than its state.",
    )
    QUESTION_TOO_LARGE = ProblemType(
        "question_too_large",
        413,
        "The question is larger than this gateway reads",
        "Ask about fewer things at once.",
    )
    MALFORMED_QUESTION = ProblemType(
        "malformed_question",
        422,
        "The question could not be understood",
        "The member `faults` names each field and its fault. What was sent is not repeated.",
    )
    TOO_MANY = ProblemType(
        "too_many",
        429,
        "You or your organisation asked too much in too short a time",
        "Wait as long as the Retry-After header says.",
    )
    INTERNAL = ProblemType(
        "internal",
        500,
        "The gateway failed",
        "Nothing was released. Tell the operator the `instance` of this answer.",
    )
    LOG_UNAVAILABLE = ProblemType(
        "log_unavailable",
        503,
        "The transparency log cannot take entries now",
        "Nothing is released while the log is not writable. Wait as Retry-After says and repeat.",
    )
    IDENTITY_UNAVAILABLE = ProblemType(
        "identity_unavailable",
        503,
        "The access token cannot be judged now",
        "It may be good: keys or revocations are not at hand. Wait as Retry-After says and repeat.",
    )
    NOT_READY = ProblemType(
        "not_ready",
        503,
        "The gateway is starting or stopping",
        "Wait as Retry-After says and repeat.",
    )
    NO_RULES = ProblemType(
        "no_rules",
        503,
        "No rule set is valid today",
        "Nothing is decided without rules. The operator sees at /readyz what is missing.",
    )
    TIMED_OUT = ProblemType(
        "timed_out",
        503,
        "The question took longer than the gateway's time limit",
        "Nothing was released. Ask fewer owners at once or repeat later.",
    )


class ProblemError(GatewayError):
    """A failure on its way to the client; the message is the problem's title only.

    Args:
        problem: Which kind.
        members: Further members of the document. They must hold the gateway's own words only.
        retry_after_s: Seconds for the Retry-After header, rounded up.
        headers: Further response headers, in the gateway's own words (challenges, nonces).
    """

    def __init__(
        self,
        problem: Problem,
        *,
        members: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(problem.value.title)
        self.problem = problem
        self.members = members or {}
        self.retry_after_s = retry_after_s
        self.headers = headers or {}

    def response(self, correlation: str | None) -> Response:
        """The answer over HTTP."""
        headers = dict(self.headers)
        if self.retry_after_s is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after_s)))
        return problem_response(
            self.problem, correlation=correlation, members=self.members, headers=headers
        )


def problem_response(
    problem: Problem,
    *,
    correlation: str | None,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem document as a response that no cache keeps."""
    kind = problem.value
    document: dict[str, Any] = {
        **(members or {}),
        "type": kind.urn,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.advice,
    }
    if correlation is not None:
        document["instance"] = f"urn:uuid:{correlation}"
    return Response(
        orjson.dumps(document),
        status_code=kind.status,
        headers={**(headers or {}), "cache-control": "no-store"},
        media_type=PROBLEM_MEDIA_TYPE,
    )


def openapi_problems(*problems: Problem) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can answer with these problems."""
    by_status: dict[int | str, list[ProblemType]] = {}
    for problem in problems:
        by_status.setdefault(problem.value.status, []).append(problem.value)
    return {
        status: {
            "description": "; ".join(kind.title for kind in kinds),
            "content": {PROBLEM_MEDIA_TYPE: {"schema": _schema(kinds)}},
        }
        for status, kinds in by_status.items()
    }


def _schema(kinds: Sequence[ProblemType]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "enum": [kind.urn for kind in kinds]},
            "title": {"type": "string"},
            "status": {"type": "integer", "enum": sorted({kind.status for kind in kinds})},
            "detail": {"type": "string"},
            "instance": {"type": "string", "format": "uri"},
        },
    }
