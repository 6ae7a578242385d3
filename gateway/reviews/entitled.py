# SPDX-License-Identifier: EUPL-1.2
"""Who may take part in a review: decided by the rules, as any other look at the log is.

A step about entries is for whoever the rules let read their sealed part for oversight, in the role
of the data-protection officer, and only in his own country's log; to say that he read the log, the
envelopes are enough. An officer needs no rule to answer what he is asked.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from gateway.asker import Asker
from gateway.facts import FactRegister, Scope, question_facts
from gateway.inquiry import Rules
from gateway.terms import Terms
from policies import Question, Truth

DETAIL: Final = "log_detail"
ENVELOPE: Final = "log_envelope"
REVIEWER: Final = "dpo"
_PURPOSE: Final = "oversight"


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Asks the rules."""

    facts: FactRegister
    terms: Terms

    async def in_force(self, rules: Rules, today: date) -> Rules:
        """The rules without the lines whose term is over."""
        return rules.without(await self.terms.lines_over(rules.snapshot, today))

    async def may(
        self, asker: Asker, country: str, category: str, rules: Rules, now: datetime
    ) -> bool:
        """Whether the asker may read this category of a country's log, as a party of an entry."""
        snapshot = (await self.in_force(rules, now.date())).snapshot
        purpose = snapshot.vocabulary.purposes.get(_PURPOSE)
        if purpose is None or country not in snapshot.vocabulary.countries:
            return False
        question = Question(
            role=asker.role,
            org=asker.org,
            country=asker.country,
            action="read",
            dataset="log",
            owners=(country,),
            categories=(category,),
            view="full",
            purpose=_PURPOSE,
            basis=min(purpose.bases),
            named=False,
        )
        scope = Scope(
            org=asker.org, officer=asker.principal.officer, owner=country, purpose=_PURPOSE
        )
        facts = question_facts(snapshot, self.facts, asker.facts, scope, now, question)
        first = snapshot.decide(question, {country: facts})[country]
        party = Truth.TRUE if asker.country == country else Truth.FALSE
        again = snapshot.decide_record(question, country, {**facts, "log_party": party})
        return category in first.granted and category in again.granted
