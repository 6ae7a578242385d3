# SPDX-License-Identifier: EUPL-1.2
"""The way of a question (architecture 3): the only place where the three rooms meet.

Identity has been established by the caller; from there: facts, decide, fetch, facts of each
record, decide again, treat, record, answer. Nothing leaves before its entries are durable, and
whatever goes wrong on the way ends in a refusal or in "unavailable", never in more.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import accumulate
from time import perf_counter
from typing import Final

from audit import Journal, Kind, Position
from gateway.answers import Reply, answer_of, part_of
from gateway.asker import Asker, asker_of, nobody
from gateway.deciding import Allowed, asked_of, decided, secret_of, withheld_whole, wrong_basis
from gateway.entries import EntryWriter, Occasion
from gateway.errors import GatewayError
from gateway.facts import FactRegister, question_facts
from gateway.identity import Principal, StepUp, TokenError
from gateway.inquiry import Inquiry, Rules, inquiry_of
from gateway.limits import Allowance, Limits
from gateway.linkage.flag import Flags
from gateway.linkage.telling import is_flag
from gateway.metrics import Metrics
from gateway.onward import RULE as ONWARD
from gateway.onward import Mark, MarkError, OnwardMarks
from gateway.outcome import Outcome, refused
from gateway.owner import OwnerDesk
from gateway.printing import media_of
from gateway.problems import Problem, ProblemError
from gateway.questions import AnyQuestion, ConsultQuestion
from gateway.signals import Outcome as Ending
from gateway.signals import Phase
from gateway.store import StoreError
from gateway.subjects import SubjectError, Subjects
from gateway.terms import Terms, permitted, spent_by
from gateway.tracing import Tracing
from policies import Snapshot, Truth
from policies.decision import TERM

_BASIS: Final = "Q-BASIS"
_ROLE: Final = "Q-ROLE"
_CELL: Final = "Q-CELL"
_SUSPENDED: Final = "F01"
_NO_ANSWER: Final = frozenset({"refused", "unavailable"})
_NO_STEP_UP: Final = StepUp(())
_APPROVALS: Final = ("verified", "supervisor_ok", "owner_approval", "reid_granted", "court_order")


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a question meets on its way."""

    rules: Callable[[], Rules]
    facts: FactRegister
    subjects: Subjects
    terms: Terms
    onward: OnwardMarks
    flags: Flags
    desk: OwnerDesk
    entries: EntryWriter
    log: Journal
    clock: Callable[[], datetime]
    limits: Limits
    metrics: Metrics
    tracing: Tracing
    step_ups: Mapping[str, StepUp]
    suspended: Callable[[Principal], str]


class Pipeline:
    """Answers questions of known principals."""

    def __init__(self, parts: Parts) -> None:
        """`parts` are open and healthy; each may fail later, which restricts."""
        self._parts = parts

    async def answer(
        self, action: str, principal: Principal, asked: AnyQuestion, correlation: str
    ) -> Reply:
        """Answer one question.

        Raises:
            ProblemError: refused by every owner, over a limit, or the subject can't be used.
            LogUnavailableError: the entry could not be made durable; nothing may leave.
        """
        parts = self._parts
        now = parts.clock()
        rules = parts.rules()
        rules = rules.without(await parts.terms.lines_over(rules.snapshot, now.date()))
        held = self.asker(principal, asked.role, rules.snapshot)
        asker = held or nobody(principal)
        inquiry = inquiry_of(action, asker, asked, rules, now, correlation)
        await self._within_looks(inquiry)
        began = perf_counter()
        with parts.tracing.span(Phase.DECIDE):
            stop = _ROLE if held is None else wrong_basis(inquiry)
            if stop is not None:
                outcomes = [refused(owner, withheld_whole(inquiry, stop)) for owner in asked.owners]
                return await self._record(inquiry, outcomes, {})
            lent = await self._lent(inquiry)
            lenders = frozenset(mark.owner for mark in lent)
            inquiry = await permitted(inquiry, lenders, parts.facts, parts.terms)
            banned = await self._banned(inquiry, lent)
            if banned:
                return await self._record(inquiry, banned, {})
            facts = await self._facts(inquiry)
            allowed, outcomes = decided(inquiry, facts)
            owners = [one.owner for one in allowed]
            inquiry = await parts.flags.looked_up(inquiry, owners)
        ready = perf_counter()
        parts.metrics.phase(Phase.DECIDE, ready - began)
        try:
            outcomes += await self._collect(inquiry, allowed)
        except SubjectError as error:
            raise await self._malformed(inquiry, "subject", error) from None
        parts.metrics.phase(Phase.FETCH, perf_counter() - ready)
        outcomes.sort(key=lambda outcome: asked.owners.index(outcome.owner))
        return await self._record(inquiry, outcomes, facts)

    def asker(self, principal: Principal, stated: str | None, rules: Snapshot) -> Asker | None:
        """The principal in one of his roles; None when he does not hold it."""
        parts = self._parts
        return asker_of(
            principal,
            stated,
            rules,
            parts.clock(),
            step_up=parts.step_ups.get(principal.issuer, _NO_STEP_UP),
            suspended=parts.suspended(principal),
        )

    def challenge(self, principal: Principal) -> TokenError:
        """What tells a client which stronger login to ask its issuer for."""
        return self._parts.step_ups.get(principal.issuer, _NO_STEP_UP).challenge(principal)

    async def _malformed(self, inquiry: Inquiry, field: str, error: GatewayError) -> ProblemError:
        """The refusal of a question that names something that can't be used; recorded."""
        occasion = self.occasion(inquiry)
        await self.fail(occasion, Kind.DENIAL, "malformed question", inquiry.asker)
        fault = {"field": field, "reason": str(error)}
        return ProblemError(Problem.MALFORMED_QUESTION, members={"faults": [fault]})

    async def _lent(self, inquiry: Inquiry) -> tuple[Mark, ...]:
        """The stated marks under which this asker may ask this only with their owner's consent."""
        try:
            return self._parts.onward.lent(inquiry)
        except MarkError as error:
            raise await self._malformed(inquiry, "received", error) from None

    async def _banned(self, inquiry: Inquiry, lent: Sequence[Mark]) -> list[Outcome]:
        """Refusals when the question rests on records that were passed on; their owners hear it."""
        parts = self._parts
        banned = parts.onward.banned(inquiry, lent)
        if not banned:
            return []
        told = frozenset({"notify_owner"})
        withheld = withheld_whole(inquiry, ONWARD)
        elsewhere = sorted({mark.owner for mark in banned} - set(inquiry.asked.owners))
        occasion = self.occasion(inquiry)
        alarms = [
            entry
            for owner in elsewhere
            for entry in parts.entries.outcome(
                occasion,
                inquiry.asker,
                replace(refused(owner, withheld), duties=told),
                secret_of(inquiry, owner, parts.facts, sha256(b"").hexdigest()),
                None,
            )
        ]
        if alarms:
            await parts.log.append(alarms)
        return [replace(refused(o, withheld), duties=told) for o in inquiry.asked.owners]

    def occasion(self, inquiry: Inquiry) -> Occasion:
        """What all entries of this question share.

        Only words of the rules are named: a word that they do not know may be somebody's name.
        """
        asked, words = inquiry.asked, inquiry.snapshot.vocabulary
        purpose, dataset = words.purposes.get(asked.purpose), words.datasets.get(asked.dataset)
        return Occasion(
            policy=inquiry.snapshot.digest,
            correlation=inquiry.correlation,
            at=inquiry.now,
            action=inquiry.action,
            dataset=None if dataset is None else asked.dataset,
            categories=frozenset() if dataset is None else frozenset(dataset.categories),
            purpose=None if purpose is None else asked.purpose,
            basis=asked.basis if purpose is not None and asked.basis in purpose.bases else None,
            owners=frozenset(words.countries),
        )

    async def fail(
        self, occasion: Occasion, kind: Kind, reason: str, asker: Asker | None = None
    ) -> None:
        """Record a question that never reached a decision.

        Raises:
            LogUnavailableError: it can't be recorded; answer that instead.
        """
        parts = self._parts
        await parts.log.append([parts.entries.failure(occasion, kind, reason, asker)])

    async def review(
        self, occasion: Occasion, asker: Asker, query: Mapping[str, object], answer: str
    ) -> Position:
        """Record a look at the rules or at what they did, before its answer leaves.

        Raises:
            LogUnavailableError: it can't be recorded; nothing may leave.
        """
        parts = self._parts
        pending = parts.entries.review(occasion, asker, query, answer)
        return (await parts.log.append([pending]))[0]

    async def _facts(self, inquiry: Inquiry) -> dict[str, dict[str, Truth]]:
        """The facts about the question that some rule could turn on, by owner."""
        facts = {
            owner: question_facts(
                inquiry.snapshot,
                self._parts.facts,
                inquiry.asker.facts,
                inquiry.scope(owner),
                inquiry.now,
                inquiry.question,
            )
            for owner in inquiry.asked.owners
        }
        if isinstance(inquiry.asked, ConsultQuestion) and inquiry.asked.token is not None:
            await self._token_fact(inquiry, inquiry.asked.token, facts)
        return facts

    async def _token_fact(
        self, inquiry: Inquiry, token: str, facts: Mapping[str, dict[str, Truth]]
    ) -> None:
        for owner, known in facts.items():
            live = await self._parts.subjects.token_live(inquiry, owner, token)
            if known.get("hit_token") is not Truth.TRUE:
                known["hit_token"] = live

    async def _collect(self, inquiry: Inquiry, allowed: Sequence[Allowed]) -> list[Outcome]:
        """Ask every allowed owner side by side."""
        desk = self._parts.desk
        if len(allowed) == 1:
            one = allowed[0]
            return [await desk.outcome(inquiry, one.owner, one.decision, one.facts)]
        asking = (desk.outcome(inquiry, one.owner, one.decision, one.facts) for one in allowed)
        return list(await asyncio.gather(*asking))

    async def _record(
        self,
        inquiry: Inquiry,
        outcomes: Sequence[Outcome],
        facts: Mapping[str, Mapping[str, Truth]],
    ) -> Reply:
        """Make every entry durable, then let the answer go."""
        parts = self._parts
        if self._suspended_meanwhile(inquiry):
            outcomes = [
                refused(outcome.owner, withheld_whole(inquiry, _SUSPENDED)) for outcome in outcomes
            ]
        outcomes = [await self._counted(inquiry, outcome) for outcome in outcomes]
        occasion = self.occasion(inquiry)
        await self._within_volume(inquiry, occasion, outcomes)
        with parts.tracing.span(Phase.RECORD):
            bodies = [part_of(outcome, inquiry) for outcome in outcomes]
            sides = [
                parts.entries.outcome(
                    occasion,
                    inquiry.asker,
                    outcome,
                    secret_of(inquiry, outcome.owner, parts.facts, sha256(body).hexdigest()),
                    asked_of(occasion, inquiry.question, outcome.owner, facts),
                )
                for outcome, body in zip(outcomes, bodies, strict=True)
            ]
            began = perf_counter()
            positions = await parts.log.append([entry for both in sides for entry in both])
            first = accumulate((len(both) for both in sides[:-1]), initial=0)
            positions = [positions[place] for place in first]
            parts.metrics.phase(Phase.RECORD, perf_counter() - began)
        for outcome in outcomes:
            empty = outcome.status == "answered" and not outcome.count
            ending = Ending.EMPTY if empty else _ENDINGS.get(outcome.status, Ending.FAILED)
            parts.metrics.answer(inquiry.action, occasion.dataset or "", outcome.owner, ending)
        challenge = self.challenge(inquiry.asker.principal)
        media_type = media_of(outcomes[0], inquiry.asked)
        return answer_of(
            inquiry, occasion, outcomes, bodies, positions, challenge, media_type=media_type
        )

    def _suspended_meanwhile(self, inquiry: Inquiry) -> bool:
        """Whether the asker was suspended, or may have been, since the decision."""
        if inquiry.asker.facts.suspended is not Truth.FALSE:
            return False  # the rules have heard it
        return self._parts.suspended(inquiry.asker.principal) != "false"

    async def _counted(self, inquiry: Inquiry, outcome: Outcome) -> Outcome:
        """The outcome, once it counts as a use of the lines that gave it; else a refusal."""
        if outcome.status in _NO_ANSWER:
            return outcome
        counted = spent_by(inquiry, outcome, self._parts.facts)
        try:
            spent = not await self._parts.terms.spend(counted, inquiry.now.date())
        except StoreError:
            spent = True
        return refused(outcome.owner, withheld_whole(inquiry, TERM)) if spent else outcome

    async def _within_volume(
        self, inquiry: Inquiry, occasion: Occasion, outcomes: Sequence[Outcome]
    ) -> None:
        if inquiry.asked.dataset == _OVERSIGHT:
            return  # who answers for a log must be able to read all of it; each page is an entry
        principal = inquiry.asker.principal
        released = sum(outcome.count for outcome in outcomes)
        allowance = self._parts.limits.release(principal.issuer, principal.officer, released)
        await self._within(allowance, "volume limit", inquiry, occasion)

    async def _within_looks(self, inquiry: Inquiry) -> None:
        """Count a look for one person across a border, before anything is decided about it."""
        asked, principal = inquiry.asked, inquiry.asker.principal
        if is_flag(inquiry) or (isinstance(asked, ConsultQuestion) and asked.subject is not None):
            allowance = self._parts.limits.look(principal.issuer, principal.officer)
            await self._within(allowance, "search limit", inquiry, self.occasion(inquiry))

    async def _within(
        self, allowance: Allowance, limit: str, inquiry: Inquiry, occasion: Occasion
    ) -> None:
        if not allowance.allowed:
            self._parts.metrics.limited()
            await self.fail(occasion, Kind.DENIAL, limit, inquiry.asker)
            raise ProblemError(Problem.TOO_MANY, retry_after_s=allowance.retry_after_s)


_OVERSIGHT: Final = "log"
_ENDINGS: Final = {
    "answered": Ending.ANSWERED,
    "refused": Ending.REFUSED,
    "unavailable": Ending.UNAVAILABLE,
    "too_many": Ending.ANSWERED,
}
