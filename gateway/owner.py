# SPDX-License-Identifier: EUPL-1.2
"""One owner's part of an answer: duties, fetch, second pass, treatment.

Called once per owner that the first pass allowed. Every way out is an `Outcome`; a failure of
the register, of a key or of the state database is "unavailable", and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson

from anonymise import AnonymiseError, Domain, Hit, Keyring, epoch_of
from gateway.crowds import Crowds
from gateway.duties import Shape, reason_missing, shape_of, unknown_duties
from gateway.entries import EntryWriter
from gateway.errors import GatewayError
from gateway.facts import FactRegister, RecordFacts
from gateway.facts.record import RecordContext
from gateway.family_links import LINKED, linked
from gateway.inquiry import Inquiry
from gateway.linkage.candidates import NotIndexedError
from gateway.linkage.consulting import Consulting, Matched, Step
from gateway.logbook import Logbook
from gateway.onward import OnwardMarks
from gateway.outcome import Outcome, Withheld, refused, withheld_by
from gateway.paging import ORDER, page_of
from gateway.population import Populations
from gateway.pseudonym_domains import CODED, bridge_note, own_cases, undeclared
from gateway.questions import (
    ConsultQuestion,
    CountQuestion,
    ListQuestion,
    ReidentifyQuestion,
)
from gateway.settings import ViewsSettings
from gateway.shaping import empty, led_nowhere, marked, rules, strength, tells_identity, unavailable
from gateway.signals import Phase
from gateway.sources import (
    Everything,
    Fetch,
    Page,
    Record,
    Source,
    SourceQuestionError,
    SourceUnavailableError,
)
from gateway.state import IssuedCaseNumbers
from gateway.subjects import GrantError, NobodyError, SubjectError, Subjects
from gateway.tables import Tables
from gateway.tracing import Tracing
from gateway.treatment import Allowed, Released, SecondPass, Treatments, release
from gateway.views import RowPlan, granted_cells
from gateway.witness.watching import Witnessing
from policies import Decision, Truth

_BUNDLE: Final = "sealed_bundle"
_NO_COURT_KEY: Final = "no court key"
_NO_REASON: Final = "reason too short"
_SPARE: Final = 30  # read beyond the cap: some candidates may not survive the second pass
_CLOCKS: Final = frozenset({"retain_until"})  # of the entry's detail, whatever the rules ask


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts an owner's answer is made of."""

    sources: Mapping[str, Source]
    facts: FactRegister
    subjects: Subjects
    consulting: Consulting
    keyring: Keyring
    case_numbers: IssuedCaseNumbers
    populations: Populations
    crowds: Crowds
    views: ViewsSettings
    tables: Tables
    logbook: Logbook
    entries: EntryWriter
    onward: OnwardMarks
    tracing: Tracing
    witnessing: Witnessing


class OwnerDesk:
    """Works out one owner's outcome."""

    def __init__(self, desk: Desk) -> None:
        """All parts are open; each may fail later."""
        self._desk = desk

    async def outcome(
        self, inquiry: Inquiry, owner: str, decision: Decision, facts: Mapping[str, Truth]
    ) -> Outcome:
        """What this owner's register answers, within what the first pass allowed."""
        duties = decision.duties
        withheld = withheld_by(decision)
        stop = self._duty_stop(duties, inquiry) or undeclared(inquiry, decision)
        if stop is not None:
            cells = (*withheld, *(Withheld(c, (stop,)) for c in decision.granted))
            return refused(owner, cells)
        base = Outcome(
            owner,
            "answered",
            withheld=withheld,
            rules=decision.rules,
            duties=duties,
            shape=shape_of(duties, inquiry.now.date()),
            note=bridge_note(inquiry),
        )
        barred = self._barred(inquiry, owner, decision)
        if barred is not None:
            return unavailable(base, barred)
        try:
            answered = await self._answered(inquiry, base, decision, facts)
            return self._bundled(inquiry, answered)
        except (SourceUnavailableError, NotIndexedError) as error:
            return unavailable(base, error.reason)
        except (NobodyError, GrantError) as error:
            return led_nowhere(base, decision, error)
        except SubjectError:
            raise
        except SourceQuestionError as error:
            raise SubjectError(str(error)) from None
        except (GatewayError, AnonymiseError) as error:
            return unavailable(base, type(error).__name__)

    def _barred(self, inquiry: Inquiry, owner: str, decision: Decision) -> str | None:
        """Why nothing may leave although the rules allow it."""
        if not self._desk.entries.can_seal(owner):
            return "no_dpo_key"
        if self._desk.witnessing.blocks(owner) and tells_identity(inquiry, decision):
            return "unwitnessed_log"
        return None

    def _duty_stop(self, duties: frozenset[str], inquiry: Inquiry) -> str | None:
        """The duty that can't be fulfilled, and so refuses the answer."""
        if unknown_duties(duties):
            return "Q-DUTY"
        if _BUNDLE in duties and not self._desk.entries.can_seal_to_court(inquiry.asker.org):
            return _NO_COURT_KEY
        return _NO_REASON if reason_missing(duties, inquiry.asked.reason) else None

    def _bundled(self, inquiry: Inquiry, outcome: Outcome) -> Outcome:
        """The rows sealed to the court that ordered them; nothing else of them leaves."""
        if outcome.shape is None or not outcome.shape.sealed or not outcome.count:
            return outcome
        sealed = [
            replace(
                result,
                rows=[
                    {
                        "sealed": self._desk.entries.bundle(
                            inquiry.asker.org, orjson.dumps(result.rows)
                        )
                    }
                ],
            )
            for result in outcome.results
            if result.rows
        ]
        return replace(outcome, results=tuple(sealed))

    async def _answered(
        self, inquiry: Inquiry, base: Outcome, decision: Decision, facts: Mapping[str, Truth]
    ) -> Outcome:
        desk = self._desk
        dataset = inquiry.asked.dataset
        if dataset == "log":
            return await desk.logbook.outcome(inquiry, base, decision, facts)
        source = desk.sources.get(base.owner)
        if source is None or (dataset not in source.datasets and dataset != "statistics"):
            return unavailable(base, "no_register")
        if isinstance(inquiry.asked, CountQuestion):
            return await desk.tables.outcome(inquiry, base, source)
        return await self._rows(inquiry, base, decision, facts, source)

    async def _rows(
        self,
        inquiry: Inquiry,
        base: Outcome,
        decision: Decision,
        facts: Mapping[str, Truth],
        source: Source,
    ) -> Outcome:
        desk = self._desk
        shape = base.shape or shape_of(base.duties, inquiry.now.date())
        allowed = self._allowed(inquiry, base.owner, decision, facts)
        plan = inquiry.rules.plans.of(
            inquiry.asked.dataset,
            granted_cells(decision),
            frozenset(inquiry.asked.fields),
            shape.hidden,
            shape.bare_hit,
        )
        with desk.tracing.span(Phase.FETCH, owner=base.owner):
            wanted = await self._wanted(inquiry, base.owner, plan, allowed, shape)
            page = await self._page(inquiry, base.owner, plan, wanted, source)
            page = own_cases(self._desk.facts, inquiry, base.owner, page)
            tools = await self._tools(inquiry, base.owner, plan, page.records, source)
            held = await desk.consulting.held(inquiry, source)
            if wanted is not None:
                listed = isinstance(inquiry.asked, ListQuestion)
                tools = await desk.crowds.around(
                    page, wanted, plan, tools, source, inquiry.now, listed=listed
                )
        with desk.tracing.span(Phase.TREAT, owner=base.owner):
            second = SecondPass(inquiry.snapshot, allowed)
            released = await release(page.records, second, plan, tools, inquiry.now)
        known = any(result.rows for result in released.results)
        matched = await desk.consulting.matched(inquiry, base, held, known=known)
        if matched is not None and matched.step is not Step.TELL:
            return await self._untold(inquiry, base, decision, matched, released)
        shaped = await self._shaped(inquiry, base, decision, shape, page, released)
        told = matched is not None and shaped.status == "answered"
        return replace(shaped, match=matched.match) if told and matched is not None else shaped

    async def _untold(
        self,
        inquiry: Inquiry,
        base: Outcome,
        decision: Decision,
        matched: Matched,
        released: Released,
    ) -> Outcome:
        """A consultation after whose comparison nothing of the record is told.

        That its person was compared is recorded where the answer tells that there is a match.
        """
        token = inquiry.asked.token if isinstance(inquiry.asked, ConsultQuestion) else None
        if (
            matched.step is Step.END
            and token is not None
            and not await self._desk.subjects.spend(inquiry, base.owner, token)
        ):
            return refused(base.owner, tuple(Withheld(c, ("F12",)) for c in decision.granted))
        untold = replace(base, results=empty(decision), match=matched.match, seen=released.seen)
        if not matched.match.found:
            return untold
        lines = rules(base, released)
        return replace(untold, rules=lines, persons=released.persons, ends=released.ends)

    def _allowed(
        self,
        inquiry: Inquiry,
        owner: str,
        decision: Decision,
        facts: Mapping[str, Truth],
    ) -> Allowed:
        principal = inquiry.asker.principal
        context = RecordContext(
            asker_country=principal.country,
            abroad=principal.country != owner,
            postings=frozenset(principal.postings),
            today=inquiry.now.date(),
        )
        guards = inquiry.rules.record_guards(inquiry.question, owner)
        return Allowed(
            question=inquiry.question,
            owner=owner,
            decision=decision,
            question_facts=facts,
            record_facts=RecordFacts(guards, context, self._desk.facts, inquiry.scope(owner)),
        )

    async def _wanted(
        self, inquiry: Inquiry, owner: str, plan: RowPlan, allowed: Allowed, shape: Shape
    ) -> Fetch | None:
        """What to read; None when it would surely be nobody."""
        asked = inquiry.asked
        selector = await self._desk.subjects.selector(inquiry, owner)
        if isinstance(selector, Everything):
            if selector.persons == ():
                return None
            if selector.centre is not None and not plan.may_filter(
                selector.centre, inquiry.asker.principal.postings
            ):
                raise SubjectError(
                    "these rows do not tell the centre, so it can't be asked for either; "
                    "leave the field centre out"
                )
        return Fetch(
            dataset=asked.dataset,
            fields=plan.fields,
            traits=allowed.record_facts.traits | _CLOCKS,
            selector=selector,
            today=inquiry.now.date(),
            limit=asked.limit if isinstance(asked, ListQuestion) else shape.candidates + _SPARE,
            after=self._desk.subjects.position(inquiry, owner),
        )

    async def _page(
        self, inquiry: Inquiry, owner: str, plan: RowPlan, wanted: Fetch | None, source: Source
    ) -> Page:
        """The records; a list of coded rows in an order that only its recipient has."""
        if wanted is None:
            return Page(())
        if CODED.isdisjoint(part.view for part in plan.parts):
            return await source.fetch(wanted)
        epoch = epoch_of(inquiry.now.date())
        ring = self._desk.keyring
        domain = ring.domain(owner, inquiry.asker.org, inquiry.asked.purpose, epoch)
        cipher = ring.domain_cipher(domain)
        return await page_of(wanted, source, lambda person: cipher.code(ORDER, person))

    async def _tools(
        self,
        inquiry: Inquiry,
        owner: str,
        plan: RowPlan,
        records: Sequence[Record],
        source: Source,
    ) -> Treatments:
        desk = self._desk
        views = {part.view for part in plan.parts}
        today = inquiry.now.date()
        coded = bool(views & CODED)
        parts = (owner, inquiry.asker.org, inquiry.asked.purpose, epoch_of(today))
        domain = desk.keyring.domain(*parts) if coded else Domain(*parts)
        population = await desk.populations.of(owner) if coded else None
        tools = Treatments(
            domain=domain,
            cipher=desk.keyring.domain_cipher(domain) if coded else None,
            case_numbers=desk.case_numbers,
            counts={} if population is None else population.counts,
            places={} if population is None else population.places,
            hits=self._hits(inquiry, owner, records) if "hit" in views else {},
            linked={},
            anonymity=desk.views.held_to(inquiry.asker.org),
        )
        if "pseudonym" in views and LINKED in plan.fields:
            return replace(tools, linked=await linked(inquiry, records, tools, source))
        return tools

    def _hits(self, inquiry: Inquiry, owner: str, records: Sequence[Record]) -> Mapping[str, Hit]:
        return {
            record.record: Hit(
                strength=strength(inquiry, owner, record),
                owner=owner,
                token=self._desk.subjects.token(inquiry, owner, record.person)
                if record.person
                else None,
            )
            for record in records
        }

    async def _shaped(
        self,
        inquiry: Inquiry,
        base: Outcome,
        decision: Decision,
        shape: Shape,
        page: Page,
        released: Released,
    ) -> Outcome:
        asked = inquiry.asked
        listed = isinstance(asked, ListQuestion)
        rows = sum(len(result.rows) for result in released.results)
        if not listed and rows > shape.candidates:
            return replace(base, status="too_many", reason="too_many")
        token = asked.token if isinstance(asked, ConsultQuestion) and rows else None
        if token and not await self._desk.subjects.spend(inquiry, base.owner, token):
            return refused(base.owner, tuple(Withheld(c, ("F12",)) for c in decision.granted))
        # A grant to turn a number back was spent when it was turned back.
        single = shape.single_use and not isinstance(asked, ReidentifyQuestion)
        if single and rows and not await self._desk.subjects.spend_grant(inquiry):
            return refused(base.owner, tuple(Withheld(c, ("F62",)) for c in decision.granted))
        after = page.next if listed else None
        mark = self._desk.onward.marked(inquiry, base)
        return replace(
            base,
            results=marked(released.results, mark) or empty(decision),
            rules=rules(base, released),
            released=released.fields,
            persons=released.persons,
            seen=released.seen,
            ends=released.ends,
            next=None if after is None else self._desk.subjects.cursor(inquiry, base.owner, after),
        )
