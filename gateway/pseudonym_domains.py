# SPDX-License-Identifier: EUPL-1.2
"""Pseudonym domains as the rules state them (GDP-30), and the bridge between two of their epochs.

A coded row goes only to a recipient and for a purpose of which the rules say from whom attribution
is withheld. Numbers change with the quarter; for continuing care an asker may name a number of an
earlier one, openly, for a person in his own case load, and learns this quarter's. ADR 0030.
"""

from dataclasses import replace
from typing import Final

from anonymise import epoch_of
from gateway.facts import FactRegister
from gateway.inquiry import Inquiry
from gateway.questions import ConsultQuestion, ReadQuestion, TraceQuestion
from gateway.sources import Page
from policies import Decision, Truth

CODED: Final = frozenset({"pseudonym", "generalised"})
"""The views whose rows stand for persons without naming them."""

_NO_DOMAIN: Final = "no pseudonym domain"
_BRIDGE: Final = "epoch bridge"


def undeclared(inquiry: Inquiry, decision: Decision) -> str | None:
    """The refusal of coded rows whose domain the rules do not state."""
    if CODED.isdisjoint(str(cell.view) for cell in decision.granted.values()):
        return None
    stated = inquiry.snapshot.vocabulary.domain_of(inquiry.asker.org, inquiry.asked.purpose)
    return None if stated is not None else _NO_DOMAIN


def bridged_epoch(inquiry: Inquiry) -> str | None:
    """The earlier quarter of the case number that a question names, None where there is none."""
    asked = inquiry.asked
    if not isinstance(asked, ReadQuestion | TraceQuestion | ConsultQuestion):
        return None
    epoch = None if asked.reference is None else asked.reference.epoch
    return None if epoch == epoch_of(inquiry.now.date()) else epoch


def bridge_note(inquiry: Inquiry) -> str:
    """Said in answer and sealed detail alike, whether or not the number leads to anybody."""
    earlier = bridged_epoch(inquiry)
    return "" if earlier is None else f"{_BRIDGE} {earlier} to {epoch_of(inquiry.now.date())}"


def own_cases(facts: FactRegister, inquiry: Inquiry, owner: str, page: Page) -> Page:
    """The page; of a bridged question only those persons who are surely the asker's own cases."""
    if bridged_epoch(inquiry) is None:
        return page
    scope = inquiry.scope(owner)

    def own(person: str | None) -> bool:
        if not person:
            return False
        truth = facts.truth(
            "assigned_case", replace(scope, person=person), inquiry.now, harmful=False
        )
        return truth is Truth.TRUE

    return replace(page, records=tuple(record for record in page.records if own(record.person)))
