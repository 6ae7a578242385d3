# SPDX-License-Identifier: EUPL-1.2
"""The HTTP face: `/v1`, health, metrics, OpenAPI.

One handler serves every action: who asks, then what, then the pipeline. Bodies are read by
the models of `questions`, after the asker is known, so that a stranger's bytes are never
parsed; every failure on the way is an entry before it is an answer.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from audit import AuditError, Kind, LogCorruptError, LogUnavailableError, SealError
from gateway.answers import Reply
from gateway.asker import nobody
from gateway.correlation import correlation_of
from gateway.entries import Occasion
from gateway.identity import Principal, TokenError
from gateway.identity.request import request_proof
from gateway.logs import Event
from gateway.metrics import METRICS_MEDIA_TYPE
from gateway.openapi import API_WORDS, DESCRIPTION, action_docs, extend_document
from gateway.policy.routes import add_policy_routes
from gateway.problem_handlers import field_faults, install_problem_handlers, token_problem
from gateway.problems import Problem, ProblemError
from gateway.questions import ACTIONS, AnyQuestion
from gateway.reviews.routes import add_review_routes
from gateway.ruleset import NoRulesError
from gateway.runtime import Runtime
from gateway.signals import Phase
from gateway.tracing import NATIVE_TELEMETRY_OFF
from gateway.transparency import add_log_routes
from gateway.web.edge import Edge

_HEADERS_ADDED: Final = 5.0
_Model = TypeVar("_Model", bound=BaseModel)


def create_app(runtime: Runtime) -> Edge:
    """The application over opened parts; its lifespan starts and drains them."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with runtime.running():
            yield

    app = FastAPI(
        title="Čuvar",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        telemetry=NATIVE_TELEMETRY_OFF,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    desk = _Desk(runtime)
    for action, model in ACTIONS.items():
        app.router.add_api_route(
            f"/v1/{action}",
            desk.asking(action, model),
            methods=["POST"],
            operation_id=action,
            route_class_override=_Direct,
            **action_docs(action, model),
        )
    add_log_routes(app, runtime, desk, desk.standing)
    policy = add_policy_routes(app, runtime, desk, _Direct)
    runtime.closing.callback(policy.close)
    add_review_routes(app, runtime, desk, _Direct)
    _add_operations(app, runtime)
    extend_document(app)
    install_problem_handlers(
        app,
        {
            TokenError: token_problem,
            LogUnavailableError: _log_problem,
            LogCorruptError: _log_problem,
            SealError: _log_problem,
            NoRulesError: lambda _: ProblemError(Problem.NO_RULES, retry_after_s=_HEADERS_ADDED),
        },
    )
    return runtime.edge(app)


class _Direct(APIRoute):
    """A route whose handler reads the request itself: FastAPI has no parameters to solve.

    Documented like any other; only the solving, which cost as much as a decision, is left out.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler as it was given."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class _Desk:
    """What every asking route does before the pipeline."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def asking(
        self, action: str, model: type[AnyQuestion]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler of one action."""

        async def ask(request: Request) -> Response:
            correlation = correlation_of(request.scope) or ""
            tracing = self.runtime.tracing
            with tracing.span(Phase.REQUEST, correlation=correlation, action=action):
                with tracing.span(Phase.IDENTITY):
                    principal = await self.principal(request)
                    await self.within_rate(request, principal)
                with tracing.span(Phase.QUESTION):
                    asked = await self.parsed(request, model, principal)
                reply = await self._answered(request, action, principal, asked)
            response = Response(reply.body, reply.status, media_type=reply.media_type)
            response.raw_headers.extend(reply.headers)
            return response

        return ask

    async def _answered(
        self, request: Request, action: str, principal: Principal, asked: AnyQuestion
    ) -> Reply:
        correlation = correlation_of(request.scope) or ""
        try:
            return await self.runtime.pipeline.answer(action, principal, asked, correlation)
        except (ProblemError, TokenError, AuditError):
            raise
        except NoRulesError:
            await self.note(request, Kind.ERROR, "no rules", principal)
            raise
        except Exception:
            await self.note(request, Kind.ERROR, "internal error", principal)
            raise

    async def principal(self, request: Request) -> Principal:
        """Who sends this request; a refusal is recorded, and a flood of them is turned away.

        Raises:
            TokenError: no acceptable proof of identity.
            ProblemError: too many such refusals from one address.
        """
        runtime = self.runtime
        try:
            proof = request_proof(request.scope, origin=runtime.public_url, proxy=runtime.proxy)
            return await runtime.verifier.verify(proof)
        except TokenError as error:
            client = request.client.host if request.client else ""
            allowance = runtime.strangers.take(client, 1)
            if not allowance.allowed:
                raise ProblemError(
                    Problem.TOO_MANY, retry_after_s=allowance.retry_after_s
                ) from None
            correlation = correlation_of(request.scope)
            runtime.events.warning(
                Event.TOKEN_REFUSED, correlation=correlation, fault=error.fault.value
            )
            reason = str(error.fault).replace("_", " ")
            await self.note(request, Kind.AUTHENTICATION, reason, None)
            raise

    async def standing(self, request: Request) -> Principal:
        """Somebody known, not suspended, within the limits; else recorded.

        Raises:
            TokenError: unknown or suspended.
            ProblemError: over a limit.
        """
        principal = await self.principal(request)
        try:
            self.runtime.verifier.require_standing(principal)
        except TokenError:
            await self.note(request, Kind.DENIAL, "suspended asker", principal)
            raise
        await self.within_rate(request, principal)
        return principal

    async def within_rate(self, request: Request, principal: Principal) -> None:
        """Count this request.

        Raises:
            ProblemError: over a limit; recorded.
        """
        runtime = self.runtime
        allowance = runtime.limits.ask(principal.issuer, principal.officer, principal.org)
        if not allowance.allowed:
            runtime.metrics.limited()
            runtime.events.warning(
                Event.LIMITED,
                correlation=correlation_of(request.scope),
                organisation=principal.org,
                retry_after_s=math.ceil(allowance.retry_after_s),
            )
            await self.note(request, Kind.DENIAL, "rate limit", principal)
            raise ProblemError(Problem.TOO_MANY, retry_after_s=allowance.retry_after_s)

    async def parsed(self, request: Request, model: type[_Model], principal: Principal) -> _Model:
        """The body as one of the API's models.

        Raises:
            ProblemError: it is none; recorded.
        """
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await request.body()
        try:
            if media_type != "application/json":
                faults = [{"field": "body", "reason": "not_json"}]
            else:
                return model.model_validate_json(body)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
            found = field_faults([{**e, "loc": ("body", *e["loc"])} for e in errors], API_WORDS)
            faults = [{"field": fault.field, "reason": fault.reason} for fault in found]
        await self.note(request, Kind.DENIAL, "malformed question", principal)
        raise ProblemError(Problem.MALFORMED_QUESTION, members={"faults": faults})

    async def note(
        self, request: Request, kind: Kind, reason: str, principal: Principal | None
    ) -> None:
        """Record a request that came to nothing; `reason` is our own words."""
        runtime = self.runtime
        occasion = Occasion(
            policy=runtime.keeper.digest,
            correlation=correlation_of(request.scope) or "",
            at=runtime.clock(),
            action="",
        )
        asker = None if principal is None else nobody(principal)
        await runtime.pipeline.fail(occasion, kind, reason, asker)


def _add_operations(app: FastAPI, runtime: Runtime) -> None:
    """Health, readiness and metrics: for machines, and without anything personal."""

    @app.get("/healthz", operation_id="health", summary="The process runs")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get(
        "/readyz",
        operation_id="ready",
        summary="Whether questions can be answered, and what is missing",
        responses={503: {"description": "Not ready; the members say why"}},
    )
    async def ready() -> Response:
        return runtime.readiness()

    if runtime.settings.telemetry.metrics:

        @app.get(
            "/metrics",
            operation_id="metrics",
            summary="Prometheus metrics",
            response_class=PlainTextResponse,
        )
        async def metrics() -> Response:
            return Response(runtime.render_metrics(), media_type=METRICS_MEDIA_TYPE)


def _log_problem(error: AuditError) -> ProblemError:
    retry = getattr(error, "retry_after", None) or _HEADERS_ADDED
    return ProblemError(Problem.LOG_UNAVAILABLE, retry_after_s=retry)
