# SPDX-License-Identifier: EUPL-1.2
"""The logs over HTTP: which there are, their signed heads, and proofs of single entries.

Everything here is without persons and for anybody with an identity: a receipt or a consistency
proof tells hashes only. What the entries say is read through the log dataset, by those whom the
rules let.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from starlette.responses import Response

from audit import AuditLog, NoteError, ProofError
from audit.shards import parse_origin
from gateway.problems import Problem, ProblemError, openapi_problems
from gateway.runtime import Runtime

_PATH: Final = "/v1/logs"
_NUMBER: Final = r"(0|[1-9][0-9]{0,14})"
_RECEIPT: Final = re.compile(rf"(.+)/receipts/{_NUMBER}")
_CONSISTENCY: Final = re.compile(rf"(.+)/consistency/{_NUMBER}/{_NUMBER}")
_CHECKPOINT: Final = re.compile(r"(.+)/checkpoint")
_PLAIN: Final = "text/plain; charset=utf-8"
_SUMMARY: Final = "A log's checkpoint, a receipt of an entry, or a consistency proof"
_TOLD: Final = (
    "`<log>/checkpoint`: the signed head (C2SP tlog-checkpoint), with the witnesses' lines where "
    "they saw it. `<log>/receipts/<index>`: the proof that an entry is in the log (C2SP "
    "tlog-proof). `<log>/consistency/<old>/<new>`: one base64 hash a line (RFC 6962 2.1.2); with "
    "two signed checkpoints it shows that nothing below the older one was changed."
)


def add_log_routes(
    app: FastAPI, runtime: Runtime, standing: Callable[[Request], Awaitable[None]]
) -> None:
    """Add them; `standing` refuses strangers and whoever is over the limits."""
    problems = openapi_problems(
        Problem.INVALID_TOKEN,
        Problem.NOT_FOUND,
        Problem.TOO_MANY,
        Problem.LOG_UNAVAILABLE,
        Problem.IDENTITY_UNAVAILABLE,
        Problem.NOT_READY,
        Problem.TIMED_OUT,
    )

    @app.get(
        _PATH,
        responses=dict(problems),
        operation_id="logs",
        summary="The logs kept here, their sizes and verifier keys",
    )
    async def logs(request: Request) -> Response:
        await standing(request)
        listed = [_listed(runtime, origin) for origin in runtime.log.origins]
        return Response(orjson.dumps({"logs": listed}), media_type="application/json")

    @app.get(
        f"{_PATH}/{{path:path}}",
        responses={**dict(problems), 200: _documented()},
        operation_id="log",
        summary=_SUMMARY,
        description=_TOLD,
    )
    async def log(request: Request, path: str) -> Response:
        await standing(request)
        try:
            return await _answer(runtime, path)
        except (NoteError, ProofError):
            raise ProblemError(Problem.NOT_FOUND) from None


def _documented() -> dict[str, Any]:
    return {"description": "The proof", "content": {"text/plain": {"schema": {"type": "string"}}}}


def _listed(runtime: Runtime, origin: str) -> dict[str, object]:
    log = runtime.log.log(origin)
    return {
        "log": origin,
        "country": parse_origin(origin).country,
        "size": log.size,
        "closed": log.closed,
        "vkey": runtime.log.signer(origin).vkey,
    }


def _log(runtime: Runtime, origin: str) -> AuditLog:
    if origin not in runtime.log.origins:
        raise ProofError("no such log")
    return runtime.log.log(origin)


async def _answer(runtime: Runtime, path: str) -> Response:
    """The resource under `/v1/logs/`.

    Raises:
        NoteError, ProofError: there is none.
        LogUnavailableError: the log does not answer.
    """
    if found := _RECEIPT.fullmatch(path):
        return _text(await _log(runtime, found[1]).receipt(int(found[2])))
    if found := _CHECKPOINT.fullmatch(path):
        log = _log(runtime, found[1])
        return _text(await log.checkpoint())
    if found := _CONSISTENCY.fullmatch(path):
        hashes = await _log(runtime, found[1]).consistency(int(found[2]), int(found[3]))
        return _text("".join(base64.b64encode(one).decode("ascii") + "\n" for one in hashes))
    raise ProofError("no such resource")


def _text(content: str) -> Response:
    return Response(content, media_type=_PLAIN)
