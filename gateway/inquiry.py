# SPDX-License-Identifier: EUPL-1.2
"""One question on its way: who asks, what was asked, under which rules, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from gateway.asker import Asker
from gateway.facts import Attestation, Scope
from gateway.facts.grants import canonical_number
from gateway.linkage.candidates import Candidates
from gateway.questions import AnyQuestion, ConsultQuestion, FindQuestion, ReidentifyQuestion
from gateway.views import RowPlans
from policies import Question, Snapshot


class Rules:
    """A rule snapshot with what is derived from it; replaced as a whole."""

    def __init__(self, snapshot: Snapshot, whole: Snapshot | None = None) -> None:
        """Caches live and die with the snapshot, so no answer mixes two rule sets.

        `whole` is the snapshot with the lines whose term is over, when some were taken out.
        """
        self.snapshot = snapshot
        self.whole = whole
        self.without = lru_cache(maxsize=64)(self._without)
        self.plans = RowPlans(snapshot)
        self.guards = lru_cache(maxsize=8192)(snapshot.relevant_guards)
        self.record_guards = lru_cache(maxsize=8192)(self._record_guards)

    def _without(self, over: frozenset[str]) -> "Rules":
        return Rules(self.snapshot.without(over), self.snapshot) if over else self

    def _record_guards(self, question: Question, owner: str) -> tuple[tuple[str, bool], ...]:
        guards = self.snapshot.vocabulary.guards
        return tuple(
            (name, guards[name].harmful)
            for name in sorted(self.guards(question, owner))
            if guards[name].about == "record"
        )


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Everything about one question that does not depend on the owner.

    Attributes:
        held: by owner, the counted permissions that it may rest on; taken once, before it is
            decided, so that what others use up meanwhile can't hide what this one owes.
        over: keys of those that had ended by then.
        lenders: whose records it comes from and whose consent it takes (`gateway.onward`).
        candidates: by owner, whom the blind index leads to; an owner without is not indexed.
    """

    action: str
    asker: Asker
    asked: AnyQuestion
    rules: Rules
    question: Question
    now: datetime
    correlation: str
    held: Mapping[str, tuple[Attestation, ...]] = field(default_factory=dict)
    over: frozenset[str] = frozenset()
    lenders: frozenset[str] = frozenset()
    candidates: Mapping[str, Candidates] = field(default_factory=dict, repr=False)

    @property
    def snapshot(self) -> Snapshot:
        """The rules in force for this question from its first step to its last."""
        return self.rules.snapshot

    def scope(self, owner: str) -> Scope:
        """Whom attested facts must be about, but for the person.

        Of a number that is to be turned back, the number itself: a grant names it.
        """
        return Scope(
            org=self.asker.org,
            officer=self.asker.principal.officer,
            owner=owner,
            purpose=self.asked.purpose,
            case_no=self.asked.case_no or "",
            person=_number(self.asked),
            over=self.over,
        )

    def guards(self, owner: str) -> frozenset[str]:
        """The facts that some rule of this owner or of the asker's side could turn on."""
        return self.rules.guards(self.question, owner)


def _number(asked: AnyQuestion) -> str:
    if not isinstance(asked, ReidentifyQuestion) or asked.reference.kind != "case_number":
        return ""
    return canonical_number(asked.reference.ref) or ""


def inquiry_of(
    action: str, asker: Asker, asked: AnyQuestion, rules: Rules, now: datetime, correlation: str
) -> Inquiry:
    """The inquiry for a parsed question."""
    named = isinstance(asked, ConsultQuestion) or (
        isinstance(asked, FindQuestion) and asked.named()
    )
    question = Question(
        role=asker.role,
        org=asker.org,
        country=asker.country,
        action=action,
        dataset=asked.dataset,
        owners=tuple(asked.owners),
        categories=tuple(asked.categories),
        view=asked.view,
        purpose=asked.purpose,
        basis=asked.basis,
        named=named,
    )
    return Inquiry(action, asker, asked, rules, question, now, correlation)
