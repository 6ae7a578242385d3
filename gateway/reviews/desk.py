# SPDX-License-Identifier: EUPL-1.2
"""The steps of a review: who may take which, and the entry before each (issue item 9).

A data-protection officer raises, asks and closes in his own country's log, never about himself;
only the officer asked answers. What a step needs is looked at first; then its entry is made
durable; then the queue follows the log. Refusals are entries too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from fastapi import Request

from audit import Kind, NoteError, Position
from audit.alerts import Item, fits
from audit.shards import parse_origin
from gateway.asker import Asker, nobody
from gateway.correlation import correlation_of
from gateway.identity import Principal
from gateway.policy.routes import ENTITLED, Reception, fitting_roles
from gateway.problems import Problem, ProblemError
from gateway.reviews.calls import AlertCall, AnswerCall, AskCall, CloseCall, OfficerAsked, ReadCall
from gateway.reviews.concerned import Concerned, NotConcernedError, concerned
from gateway.reviews.entitled import DETAIL, ENVELOPE, REVIEWER
from gateway.reviews.entries import StepEntry
from gateway.reviews.queue import Kept
from gateway.reviews.secrecy import SecrecyError
from gateway.runtime import Runtime
from policies import Truth

_NOT_LISTED: Final = "not_in_list"


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken: where its entry stands, and what the caller is told."""

    position: Position
    told: Mapping[str, object] = field(repr=False)


class ReviewDesk:
    """Takes steps."""

    def __init__(self, runtime: Runtime, reception: Reception) -> None:
        """Use the running gateway's own rules, logs and state."""
        self._runtime, self._reviews = runtime, runtime.reviews
        self._reception = reception

    async def raise_alert(self, request: Request, principal: Principal, call: AlertCall) -> Taken:
        """Put an alert into the queue."""
        asker = await self._reviewer(request, principal)
        if call.log not in self._runtime.log.origins or _country(call.log) != asker.country:
            raise await self._refused(request, principal, Problem.NOT_FOUND, "no such log")
        officer = await self._other(request, principal, call.officer)
        try:
            entries = await concerned(self._runtime.log.log(call.log), call.about)
        except NotConcernedError:
            raise await self._fault(request, principal, "about") from None
        alert = correlation_of(request.scope) or ""
        step = {
            "name": "alert",
            "log": call.log,
            "rule": call.rule,
            "unit": call.unit,
            "finding": call.finding or "",
            "text": call.text,
        }
        told = {
            "step": step,
            "score": call.score,
            "about": call.about,
            "concerns": call.officer.model_dump(),
        }
        async with self._reviews.queue.turn:
            await self._reviews.queue.catch_up(asker.country)
            entry = self._step(Kind.ALERT, asker.country, (call.log, call.about), alert)
            position = await self._write(entry, entries, asker, told)
            return await self._taken(position, alert, asker.country, officer, None)

    async def ask(self, request: Request, principal: Principal, call: AskCall) -> Taken:
        """Put a question to the officer."""
        asker = await self._reviewer(request, principal)
        async with self._reviews.queue.turn:
            kept = await self._own(request, principal, call.alert, Kind.ALERT_QUESTION)
            officer = await self._about(request, principal, kept, call.officer)
            hidden = self._reviews.secrecy.hide(call.alert, call.text)
            told = {
                "step": {"name": "question", "text": call.text},
                "concerns": call.officer.model_dump(),
            }
            position = await self._follow(Kind.ALERT_QUESTION, kept.item, asker, told)
            return await self._taken(position, call.alert, kept.item.country, officer, hidden)

    async def answer(self, request: Request, principal: Principal, call: AnswerCall) -> Taken:
        """Answer what one was asked."""
        queue = self._reviews.queue
        async with queue.turn:
            mine = self._pseudonym(principal)
            kept = await queue.kept(call.alert)
            if kept is not None:
                await queue.catch_up(kept.item.country)
                kept = await queue.kept(call.alert)
            if kept is None or kept.officer != mine:
                raise await self._refused(request, principal, Problem.NOT_FOUND, "no such alert")
            await self._fitting(request, principal, kept, Kind.ALERT_ANSWER)
            told = {"step": {"name": "answer", "text": call.text}}
            position = await self._follow(Kind.ALERT_ANSWER, kept.item, nobody(principal), told)
            return await self._taken(position, call.alert, kept.item.country, mine, None)

    async def close(self, request: Request, principal: Principal, call: CloseCall) -> Taken:
        """Close an alert; whom it was about and what he was asked is forgotten."""
        asker = await self._reviewer(request, principal)
        async with self._reviews.queue.turn:
            kept = await self._own(request, principal, call.alert, Kind.ALERT_CLOSED)
            await self._about(request, principal, kept, call.officer)
            told = {"step": {"name": "closed", "outcome": call.outcome, "text": call.text}}
            position = await self._follow(Kind.ALERT_CLOSED, kept.item, asker, told)
            return await self._taken(position, call.alert, kept.item.country, None, None)

    async def mine(self, principal: Principal) -> tuple[Asker, list[dict[str, object]]]:
        """What one is asked and may still answer, or has answered and is not yet closed."""
        queue, mine = self._reviews.queue, self._pseudonym(principal)
        for country in sorted({kept.item.country for kept in await queue.of_officer(mine)}):
            async with queue.turn:
                await queue.catch_up(country)
        found = [await self._shown(kept) for kept in await queue.of_officer(mine) if kept.question]
        return nobody(principal), found

    async def read(self, request: Request, principal: Principal, call: ReadCall) -> Taken:
        """Record that somebody entitled read the log with a tool of his own."""
        if call.last < call.first:
            raise await self._fault(request, principal, "last")
        asker = await self._overseer(request, principal, call.country)
        log = self._runtime.log
        if call.log not in log.origins or _country(call.log) != call.country:
            raise await self._refused(request, principal, Problem.NOT_FOUND, "no such log")
        if call.last >= log.log(call.log).size:
            raise await self._fault(request, principal, "last")
        span = str(call.first) if call.first == call.last else f"{call.first}-{call.last}"
        correlation = correlation_of(request.scope) or ""
        entry = self._step(Kind.REVIEW, call.country, (call.log, [span]), correlation)
        query = {"command": call.command, "log": call.log, "entries": span, **call.query}
        parties = frozenset({asker.country, call.country})
        told = {"query": query, "answer": ""}
        position = await self._write(entry, Concerned(parties, ()), asker, told)
        return Taken(position, {})

    # Who ------------------------------------------------------------------------------------

    def _pseudonym(self, principal: Principal) -> bytes:
        return self._reviews.secrecy.officer(principal.issuer, principal.officer)

    async def _reviewer(self, request: Request, principal: Principal) -> Asker:
        """The data-protection officer of his own country's log."""
        return await self._entitled(request, principal, (REVIEWER,), principal.country, DETAIL)

    async def _overseer(self, request: Request, principal: Principal, country: str) -> Asker:
        return await self._entitled(request, principal, ENTITLED, country, ENVELOPE)

    async def _entitled(
        self,
        request: Request,
        principal: Principal,
        roles: tuple[str, ...],
        country: str,
        category: str,
    ) -> Asker:
        runtime, rules = self._runtime, self._runtime.rules()
        held = fitting_roles(principal, rules.snapshot)
        role = next((role for role in roles if role in held), None)
        asker = None if role is None else runtime.pipeline.asker(principal, role, rules.snapshot)
        may = self._reviews.entitlement.may
        if asker is not None and await may(asker, country, category, rules, runtime.clock()):
            return asker
        if asker is not None and asker.facts.strong_login is not Truth.TRUE:
            await self._reception.note(request, Kind.DENIAL, "weak login", principal)
            challenge = runtime.pipeline.challenge(principal)
            raise ProblemError(Problem.INSUFFICIENT_AUTHENTICATION, headers=challenge.headers)
        raise await self._refused(request, principal, Problem.NOT_ENTITLED, "not entitled")

    async def _other(self, request: Request, principal: Principal, who: OfficerAsked) -> bytes:
        """The pseudonym of an officer who is not the reviewer himself."""
        officer = self._reviews.secrecy.officer(who.issuer, who.officer)
        if officer == self._pseudonym(principal):
            raise await self._refused(request, principal, Problem.NOT_ENTITLED, "own case")
        return officer

    async def _about(
        self, request: Request, principal: Principal, kept: Kept, stated: OfficerAsked | None
    ) -> bytes:
        """Whom an alert is about: known here, or stated anew where that was lost; never oneself."""
        officer = kept.officer
        if stated is not None:
            officer = await self._other(request, principal, stated)
        if officer is None or (kept.officer is not None and officer != kept.officer):
            raise await self._fault(request, principal, "officer")
        if officer == self._pseudonym(principal):
            raise await self._refused(request, principal, Problem.NOT_ENTITLED, "own case")
        return officer

    async def _own(self, request: Request, principal: Principal, alert: str, kind: Kind) -> Kept:
        """An alert of the reviewer's own country that this step fits."""
        await self._reviews.queue.catch_up(principal.country)
        kept = await self._reviews.queue.kept(alert)
        if kept is None or kept.item.country != principal.country:
            raise await self._refused(request, principal, Problem.NOT_FOUND, "no such alert")
        await self._fitting(request, principal, kept, kind)
        return kept

    async def _fitting(
        self, request: Request, principal: Principal, kept: Kept, kind: Kind
    ) -> None:
        if not fits(kept.item.state, kind):
            raise await self._refused(request, principal, Problem.OUT_OF_ORDER, "out of order")

    async def _refused(
        self, request: Request, principal: Principal, problem: Problem, reason: str
    ) -> ProblemError:
        """The refusal to raise, once it is recorded."""
        await self._reception.note(request, Kind.DENIAL, reason, principal)
        return ProblemError(problem)

    async def _fault(self, request: Request, principal: Principal, name: str) -> ProblemError:
        await self._reception.note(request, Kind.DENIAL, "malformed question", principal)
        faults = [{"field": f"body.{name}", "reason": _NOT_LISTED}]
        return ProblemError(Problem.MALFORMED_QUESTION, members={"faults": faults})

    # What -----------------------------------------------------------------------------------

    def _step(
        self, kind: Kind, country: str, about: tuple[str, list[str]], correlation: str
    ) -> StepEntry:
        """A step in the country's open log; entries of a closed one are named when sealed only."""
        log, spans = about
        current = self._runtime.log.current(country)
        return StepEntry(
            kind=kind,
            log=current,
            about=tuple(spans) if current == log else (),
            correlation=correlation,
            policy=self._runtime.rules().snapshot.digest,
            parties=frozenset({country}),
        )

    async def _follow(
        self, kind: Kind, item: Item, asker: Asker, told: Mapping[str, object]
    ) -> Position:
        entries = await concerned(self._runtime.log.log(item.log), item.about)
        step = self._step(kind, item.country, (item.log, list(item.about)), item.alert)
        return await self._write(step, entries, asker, told)

    async def _write(
        self, step: StepEntry, entries: Concerned, asker: Asker, told: Mapping[str, object]
    ) -> Position:
        parties = step.parties | entries.parties
        whole = replace(step, parties=parties, told=told)
        return await self._reviews.entries.write(whole, asker)

    async def _taken(
        self,
        position: Position,
        alert: str,
        country: str,
        officer: bytes | None,
        question: bytes | None,
    ) -> Taken:
        """The queue follows the entry; what only the state database has is kept or gone."""
        queue = self._reviews.queue
        await queue.catch_up(country)
        if officer is not None:
            await queue.remember(alert, officer, question)
        kept = await queue.kept(alert)
        if kept is None:
            raise ProblemError(Problem.INTERNAL)
        due = kept.item.due
        return Taken(
            position,
            {
                "alert": alert,
                "state": kept.item.state.value,
                "due": None if due is None else due.isoformat(timespec="seconds"),
            },
        )

    async def _shown(self, kept: Kept) -> dict[str, object]:
        item = kept.item
        try:
            question = self._reviews.secrecy.show(item.alert, kept.question or b"")
        except SecrecyError:
            question = ""  # kept under another keyset: it must be put again
        entries = await concerned(self._runtime.log.log(item.log), item.about)
        return {
            "alert": item.alert,
            "country": item.country,
            "state": item.state.value,
            "due": None if item.due is None else item.due.isoformat(timespec="seconds"),
            "question": question,
            "accesses": entries.shown,
        }


def _country(origin: str) -> str | None:
    try:
        return parse_origin(origin).country
    except NoteError:
        return None
