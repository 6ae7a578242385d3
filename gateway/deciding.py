# SPDX-License-Identifier: EUPL-1.2
"""The pure steps of a question: the first decision, and what its entries say of it.

`gateway.pipeline` calls them in order and does what has an effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from audit import Asked
from gateway.entries import Occasion, Secret
from gateway.facts import FactRegister
from gateway.facts.grants import REID_GRANTED, is_grant
from gateway.inquiry import Inquiry
from gateway.outcome import Outcome, Withheld, refused, withheld_by
from gateway.subjects import query_of
from policies import Decision, Question, Truth, term_ended

_BASIS: Final = "Q-BASIS"
_CELL: Final = "Q-CELL"
_APPROVALS: Final = ("verified", "supervisor_ok", "owner_approval", "reid_granted", "court_order")


@dataclass(frozen=True, slots=True)
class Allowed:
    """An owner whose rules allow something, with the facts that it rests on."""

    owner: str
    decision: Decision
    facts: Mapping[str, Truth]


def decided(
    inquiry: Inquiry, facts: Mapping[str, Mapping[str, Truth]]
) -> tuple[list[Allowed], list[Outcome]]:
    """The first pass: what each owner's rules allow, before any data is touched."""
    decisions = inquiry.snapshot.decide(inquiry.question, facts)
    if inquiry.rules.whole is not None:
        before = inquiry.rules.whole.decide(inquiry.question, facts)
        decisions = {owner: term_ended(d, before[owner]) for owner, d in decisions.items()}
    allowed: list[Allowed] = []
    outcomes: list[Outcome] = []
    for owner in inquiry.asked.owners:
        decision = decisions.get(owner)
        if decision is not None and decision.allowed:
            allowed.append(Allowed(owner, decision, facts[owner]))
        else:
            withheld = () if decision is None else withheld_by(decision)
            outcomes.append(refused(owner, withheld or withheld_whole(inquiry, _CELL)))
    return allowed, outcomes


def asked_of(
    occasion: Occasion, question: Question, owner: str, facts: Mapping[str, Mapping[str, Truth]]
) -> Asked | None:
    """The question as it reached the rules; None when it did not, or says a word of its own."""
    if owner not in facts or owner not in occasion.owners:
        return None
    if None in {occasion.dataset, occasion.purpose, occasion.basis}:
        return None
    if not occasion.categories.issuperset(question.categories):
        return None
    known = facts[owner].items()
    return Asked(
        action=question.action,
        view=question.view,
        categories=tuple(sorted(question.categories)),
        named=question.named,
        sure=tuple(sorted([name for name, truth in known if truth is Truth.TRUE])),
        maybe=tuple(sorted([name for name, truth in known if truth is Truth.POSSIBLE])),
    )


def wrong_basis(inquiry: Inquiry) -> str | None:
    """The rule that a legal basis breaks which is none of the purpose; None if it breaks none."""
    purpose = inquiry.snapshot.vocabulary.purposes.get(inquiry.asked.purpose)
    known = purpose is None or inquiry.asked.basis in purpose.bases
    return None if known else _BASIS


def withheld_whole(inquiry: Inquiry, rule: str) -> tuple[Withheld, ...]:
    """Everything that was asked, withheld under one rule."""
    return tuple(Withheld(category, (rule,)) for category in inquiry.asked.categories or ("*",))


def secret_of(inquiry: Inquiry, owner: str, facts: FactRegister, answer: str) -> Secret:
    """What of a question only data-protection officers may read; `answer` is a digest."""
    scope, organisations = inquiry.scope(owner), inquiry.snapshot.vocabulary.organisations
    approvals = tuple(
        f"{name}:{attestation.by_unit}:{attestation.source}"
        for name in _APPROVALS
        if name in inquiry.guards(owner)
        for attestation in facts.matching(name, scope, inquiry.now)
        if name != REID_GRANTED or is_grant(attestation, scope, organisations)
    )
    return Secret(
        case_no=inquiry.asked.case_no,
        reason=inquiry.asked.reason,
        query=query_of(inquiry.asked),
        approvals=approvals,
        answer=answer,
    )
