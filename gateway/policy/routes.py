# SPDX-License-Identifier: EUPL-1.2
"""`/v1/policy`: the policy verbs for data-protection officers and supervisors, over HTTP.

An officer of any kind may have a question of his own organisation and role explained. Each call,
answered or not, is an entry before its answer leaves. The work runs in a thread of its own, at most
two at once, within a time limit. Drafts come and go with the call: nothing here changes a rule, and
no private key ever comes to the gateway; signing is a command on the signer's own machine.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event as Flag
from typing import Final, Protocol, TypeVar

import orjson
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from audit import Kind
from gateway.answers import receipts
from gateway.asker import Asker, held_roles
from gateway.correlation import correlation_of
from gateway.entries import Occasion
from gateway.identity import Principal
from gateway.policy.calls import Draft, ExplainCall
from gateway.policy.described import standing_docs, verb_docs
from gateway.policy.verbs import (
    PATH,
    VERBS,
    Document,
    Verb,
    Work,
    laid_over,
    problems_of,
    signatures_of,
    standing,
)
from gateway.problems import Problem, ProblemError
from gateway.runtime import Runtime
from policies import PolicyError, Snapshot, Truth

_EVERYWHERE: Final = "joint_supervisor"
ENTITLED: Final = (_EVERYWHERE, "dpo", "supervisor")  # the first that is held counts
_READS_LOG: Final = "replay"
_AT_ONCE: Final = 2
_RETRY_S: Final = 5.0
_MARGIN: Final = 0.8  # of a request's time: the entry and the answer need the rest
_M = TypeVar("_M", bound=BaseModel)


class Reception(Protocol):
    """What every route does before its own work; `gateway.app` has it."""

    async def standing(self, request: Request) -> Principal:
        """Somebody known, not suspended, within the limits; a refusal is recorded."""

    async def parsed(self, request: Request, model: type[_M], principal: Principal) -> _M:
        """The body; a refusal is recorded."""

    async def note(
        self, request: Request, kind: Kind, reason: str, principal: Principal | None
    ) -> None:
        """Record a call that came to nothing."""


class PolicyDesk:
    """Answers the policy verbs; `_busy` counts the threads at work and is owned by the loop."""

    def __init__(self, runtime: Runtime, reception: Reception) -> None:
        """Use the running gateway's own rules and log."""
        self._runtime = runtime
        self._reception = reception
        self._limit_s = runtime.settings.gateway.request_timeout_s * _MARGIN
        self._pool = ThreadPoolExecutor(_AT_ONCE, "policy")
        self._busy = 0

    def close(self) -> None:
        """Take no more work; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def asking(self, name: str, verb: Verb) -> Callable[[Request], Awaitable[Response]]:
        """The handler of one verb."""

        async def ask(request: Request) -> Response:
            principal = await self._reception.standing(request)
            call = await self._reception.parsed(request, verb.call, principal)
            rules = self._runtime.rules().snapshot
            asker = await self._entitled(request, principal, rules, name, call)
            work = self._work(rules, asker)
            answer = await self._answer(request, principal, verb, call, work)
            document = {
                "correlation": correlation_of(request.scope) or "",
                "policy": rules.digest,
                **answer,
            }
            return await self._recorded(request, asker, name, call, orjson.dumps(document))

        return ask

    async def standing(self, request: Request) -> Response:
        """What is in force, for anybody known and in good standing."""
        await self._reception.standing(request)
        return _json(orjson.dumps(standing(self._runtime.rules().snapshot, self._signatures())))

    async def _entitled(
        self, request: Request, principal: Principal, rules: Snapshot, name: str, call: Draft
    ) -> Asker:
        """The asker in the role that entitles him.

        Raises:
            ProblemError: none does, or reading the log needs a stronger login.
        """
        role = entitling_role(principal, rules, call)
        asker = None if role is None else self._runtime.pipeline.asker(principal, role, rules)
        if asker is None:
            await self._reception.note(request, Kind.DENIAL, "not entitled", principal)
            raise ProblemError(Problem.NOT_ENTITLED)
        if name == _READS_LOG and asker.facts.strong_login is not Truth.TRUE:
            await self._reception.note(request, Kind.DENIAL, "weak login", principal)
            challenge = self._runtime.pipeline.challenge(principal)
            raise ProblemError(Problem.INSUFFICIENT_AUTHENTICATION, headers=challenge.headers)
        return asker

    def _work(self, rules: Snapshot, asker: Asker) -> Work:
        return Work(
            rules=rules,
            draft=rules,
            log=self._runtime.settings.log.url.get_secret_value(),
            party=None if asker.role == _EVERYWHERE else asker.country,
            signatures=self._signatures(),
            stop=Flag(),
        )

    def _signatures(self) -> Document:
        return signatures_of(self._runtime.keeper.standing())

    async def _answer(
        self, request: Request, principal: Principal, verb: Verb, call: Draft, work: Work
    ) -> Document:
        """The verb's document, or what is wrong with the draft.

        Raises:
            ProblemError: no thread is free, the time is over, or a stated fact is none.
        """
        note = self._reception.note
        try:
            return await self._in_thread(lambda: answered(verb, call, work), work.stop)
        except TimeoutError:
            await note(request, Kind.ERROR, "time limit", principal)
            raise ProblemError(Problem.TIMED_OUT, retry_after_s=_RETRY_S) from None
        except _BusyError:
            await note(request, Kind.DENIAL, "rate limit", principal)
            raise ProblemError(Problem.TOO_MANY, retry_after_s=_RETRY_S) from None
        except PolicyError:
            await note(request, Kind.DENIAL, "malformed question", principal)
            faults = [{"field": f"body.{name}", "reason": "not_in_list"} for name in verb.names]
            raise ProblemError(Problem.MALFORMED_QUESTION, members={"faults": faults}) from None
        except Exception:
            await note(request, Kind.ERROR, "internal error", principal)
            raise

    async def _in_thread(self, work: Callable[[], Document], stop: Flag) -> Document:
        if self._busy >= _AT_ONCE:
            raise _BusyError
        self._busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._free)
        try:
            async with asyncio.timeout(self._limit_s):
                # Shielded: a thread cannot be cancelled, so its place is taken until it ends.
                return await asyncio.shield(future)
        finally:
            stop.set()

    def _free(self, done: asyncio.Future[Document]) -> None:
        self._busy -= 1
        if not done.cancelled():
            done.exception()  # looked at: whoever waited may be gone

    async def _recorded(
        self, request: Request, asker: Asker, name: str, call: Draft, body: bytes
    ) -> Response:
        """The answer, once its entry is durable.

        Raises:
            LogUnavailableError: it could not be made durable; nothing may leave.
        """
        runtime = self._runtime
        occasion = Occasion(
            policy=runtime.rules().snapshot.digest,
            correlation=correlation_of(request.scope) or "",
            at=runtime.clock(),
            action=name,
        )
        query = {"verb": name, **call.model_dump(mode="json", exclude={"files"})}
        query["files"] = {
            file: None if text is None else hashlib.sha256(text.encode()).hexdigest()
            for file, text in call.files.items()
        }
        answer = hashlib.sha256(body).hexdigest()
        position = await runtime.pipeline.review(occasion, asker, query, answer)
        response = _json(body)
        response.raw_headers.extend(receipts([position]))
        return response


class _BusyError(Exception):
    """Every thread for such work is taken; never leaves this module."""


def entitling_role(principal: Principal, rules: Snapshot, call: Draft) -> str | None:
    """The role in which a call may be made; None when there is none.

    Whoever is no overseer may have explained what concerns his own organisation and role, from
    facts that he states himself: that tells nothing about a record.
    """
    held = fitting_roles(principal, rules)
    for role in ENTITLED:
        if role in held:
            return role
    if not isinstance(call, ExplainCall) or call.files or call.role not in held:
        return None
    own = call.org == principal.org and call.country in (None, principal.country)
    return call.role if own else None


def fitting_roles(principal: Principal, rules: Snapshot) -> frozenset[str]:
    """The roles that he holds and that his organisation may hold where he speaks (Q-KIND)."""
    org = rules.vocabulary.organisations.get(principal.org)
    if org is None or (not org.stations and principal.country != org.country):
        return frozenset()
    held = held_roles(principal, rules)
    return frozenset(role for role in held if rules.vocabulary.may_hold(org, role))


def answered(verb: Verb, call: Draft, work: Work) -> Document:
    """The members of an answer: the digest of the draft, its problems, or the result."""
    try:
        draft = laid_over(work.rules, call.files)
    except PolicyError as error:
        return {"draft": None, "problems": problems_of(error), "result": None}
    result = verb.run(replace(work, draft=draft), call)
    return {"draft": draft.digest, "problems": [], "result": result}


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def add_policy_routes(
    app: FastAPI, runtime: Runtime, reception: Reception, route: type[APIRoute]
) -> PolicyDesk:
    """Add the routes; the caller closes the desk when the application ends."""
    desk = PolicyDesk(runtime, reception)
    for name, verb in VERBS.items():
        app.router.add_api_route(
            f"{PATH}/{name}",
            desk.asking(name, verb),
            methods=["POST"],
            operation_id=f"policy_{name}",
            route_class_override=route,
            **verb_docs(name, verb.summary, verb.call),
        )
    app.router.add_api_route(
        PATH,
        desk.standing,
        methods=["GET"],
        operation_id="policy",
        route_class_override=route,
        **standing_docs(),
    )
    return desk
