# SPDX-License-Identifier: EUPL-1.2
"""`/v1/reviews`: alerts over the log, for data-protection officers and the officers they ask."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from audit import AuditError, Kind, Position
from gateway.answers import receipts
from gateway.correlation import correlation_of
from gateway.entries import Occasion
from gateway.identity import Principal, TokenError
from gateway.policy.routes import Reception
from gateway.problems import Problem, ProblemError
from gateway.reviews.calls import CALLS, MINE, PATH
from gateway.reviews.described import mine_docs, step_docs
from gateway.reviews.desk import ReviewDesk, Taken
from gateway.ruleset import NoRulesError
from gateway.runtime import Runtime
from gateway.store import StoreError

_RETRY_S: Final = 5.0


class _Routes:
    """From requests to the desk and back."""

    def __init__(self, runtime: Runtime, reception: Reception) -> None:
        self._runtime, self._reception = runtime, reception
        self._desk = ReviewDesk(runtime, reception)

    def taking(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """The handler of one step."""
        step: Any = {
            "alert": self._desk.raise_alert,
            "question": self._desk.ask,
            "answer": self._desk.answer,
            "close": self._desk.close,
            "read": self._desk.read,
        }[name]

        async def take(request: Request) -> Response:
            principal = await self._reception.standing(request)
            call = await self._reception.parsed(request, CALLS[name], principal)

            async def work() -> Taken:
                taken: Taken = await step(request, principal, call)
                return taken

            taken = await self._guarded(request, principal, work)
            correlation = correlation_of(request.scope) or ""
            body = orjson.dumps({"correlation": correlation, **taken.told})
            return _answer(body, taken.position)

        return take

    async def mine(self, request: Request) -> Response:
        """The questions to whoever asks; that he looked is an entry before he sees them."""
        principal = await self._reception.standing(request)

        async def work() -> Response:
            asker, found = await self._desk.mine(principal)
            correlation = correlation_of(request.scope) or ""
            body = orjson.dumps({"correlation": correlation, "questions": found})
            occasion = Occasion(
                policy=self._runtime.keeper.digest,
                correlation=correlation,
                at=self._runtime.clock(),
                action=MINE,
            )
            query = {"command": "own questions"}
            digest = hashlib.sha256(body).hexdigest()
            position = await self._runtime.pipeline.review(occasion, asker, query, digest)
            return _answer(body, position)

        response: Response = await self._guarded(request, principal, work)
        return response

    async def _guarded(
        self, request: Request, principal: Principal, work: Callable[[], Awaitable[Any]]
    ) -> Any:
        """What comes to nothing for a reason of the gateway's own is an entry too."""
        note = self._reception.note
        try:
            return await work()
        except (ProblemError, TokenError, AuditError):
            raise
        except NoRulesError:
            await note(request, Kind.ERROR, "no rules", principal)
            raise
        except StoreError:
            await note(request, Kind.ERROR, "no state", principal)
            raise ProblemError(Problem.NOT_READY, retry_after_s=_RETRY_S) from None
        except Exception:
            await note(request, Kind.ERROR, "internal error", principal)
            raise


def _answer(body: bytes, position: Position) -> Response:
    response = Response(body, media_type="application/json")
    response.raw_headers.extend(receipts([position]))
    return response


def add_review_routes(
    app: FastAPI, runtime: Runtime, reception: Reception, route: type[APIRoute]
) -> None:
    """Add the routes."""
    routes = _Routes(runtime, reception)
    for name, call in CALLS.items():
        app.router.add_api_route(
            f"{PATH}/{name}",
            routes.taking(name),
            methods=["POST"],
            operation_id=f"reviews_{name}",
            route_class_override=route,
            **step_docs(name, call),
        )
    app.router.add_api_route(
        f"{PATH}/{MINE}",
        routes.mine,
        methods=["GET"],
        operation_id=f"reviews_{MINE}",
        route_class_override=route,
        **mine_docs(),
    )
