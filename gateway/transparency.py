# SPDX-License-Identifier: EUPL-1.2
"""The logs over HTTP: which there are, their signed heads, proofs of entries, and their tiles.

Checkpoints, proofs and hash tiles are without persons and for anybody with an identity. What the
entries say is read through the log dataset, or in bundles (`gateway.publishing`), by those whom
the rules let.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from starlette.responses import Response

from audit import AuditLog, NoteError, ProofError
from audit.errors import LayoutError
from audit.shards import parse_origin
from gateway.identity import Principal
from gateway.policy.routes import Reception
from gateway.problems import Problem, ProblemError, openapi_problems
from gateway.publishing import Publishing
from gateway.runtime import Runtime

_PATH: Final = "/v1/logs"
_NUMBER: Final = r"(0|[1-9][0-9]{0,14})"
_RECEIPT: Final = re.compile(rf"receipts/{_NUMBER}", re.ASCII)
_CONSISTENCY: Final = re.compile(rf"consistency/{_NUMBER}/{_NUMBER}", re.ASCII)
_CHECKPOINT: Final = "checkpoint"
_SHORTLY: Final = "private, max-age=2"
_PLAIN: Final = "text/plain; charset=utf-8"
_SUMMARY: Final = "A log's checkpoint, a receipt of an entry, or a consistency proof"
_TOLD: Final = (
    "`<log>/checkpoint`: the newest head that witnesses cosigned (C2SP tlog-checkpoint), or the "
    "newest one where there is none; `?signed=log` gives the newest, signed by the log alone. "
    "`<log>/receipts/<index>`: the proof that an entry is in the log (C2SP tlog-proof). "
    "`<log>/consistency/<old>/<new>`: one base64 hash a line (RFC 6962 2.1.2); with two signed "
    "checkpoints it shows that nothing below the older one was changed. "
    "`<log>/tile/<level>/<n>[.p/<w>]`: tiles of hashes (C2SP tlog-tiles). "
    "`<log>/tile/entries/<n>[.p/<w>]`: 256 envelopes, for those who may read the whole log; "
    "`<log>/details/<n>[.p/<w>]`: their sealed details, for the country's own data-protection "
    "officer. Each bundle given out is an entry."
)


def add_log_routes(
    app: FastAPI,
    runtime: Runtime,
    reception: Reception,
    standing: Callable[[Request], Awaitable[Principal]],
) -> None:
    """Add them; `standing` refuses strangers and whoever is over the limits."""
    publishing = Publishing(runtime, reception)
    problems = openapi_problems(
        Problem.INVALID_TOKEN,
        Problem.NOT_ENTITLED,
        Problem.NOT_FOUND,
        Problem.UNKNOWN_ROUTE,  # a path with a line feed is none of the router's
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
        principal = await standing(request)
        try:
            log, rest = _split(runtime, path)
            proof = await _proof(runtime, log, rest, request.query_params.get("signed"))
            return proof or await publishing.resource(request, principal, log, rest)
        except (LayoutError, NoteError, ProofError):
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


def _split(runtime: Runtime, path: str) -> tuple[AuditLog, str]:
    """The log that a path names, and what it asks of it.

    Raises:
        ProofError: no log of this gateway.
    """
    for origin in runtime.log.origins:
        if path.startswith(f"{origin}/"):
            return runtime.log.log(origin), path.removeprefix(f"{origin}/")
    raise ProofError("no such log")


async def _proof(runtime: Runtime, log: AuditLog, rest: str, signed: str | None) -> Response | None:
    """A checkpoint or proof; None where something else is asked.

    Raises:
        ProofError: there is none for these numbers.
        LogUnavailableError: the log does not answer.
    """
    if found := _RECEIPT.fullmatch(rest):
        return _text(await log.receipt(int(found[1])))
    if rest == _CHECKPOINT:
        cosigned = None if signed == "log" else await runtime.log.cosigned(log.origin)
        note = await log.checkpoint() if cosigned is None else cosigned.note
        return _text(note, _SHORTLY)
    if found := _CONSISTENCY.fullmatch(rest):
        hashes = await log.consistency(int(found[1]), int(found[2]))
        return _text("".join(base64.b64encode(one).decode("ascii") + "\n" for one in hashes))
    return None


def _text(content: str, cached: str = "no-store") -> Response:
    return Response(content, media_type=_PLAIN, headers={"cache-control": cached})
