# SPDX-License-Identifier: EUPL-1.2
"""Who asks in the demonstration; none of them exists."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.facts import Attestation, Scope
from policies import Truth

CASE: Final = "DEMO-2026-17"
REASON: Final = "Demonstration: identity of a person standing at the counter"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One asker and what his systems attest about him."""

    title: str
    officer: str
    org: str
    country: str
    role: str
    unit: str


BORDER: Final = DemoPerson(
    "border officer, Bosnia and Herzegovina", "demo-border", "BA-BP", "BA", "border_officer", "BP-1"
)
CASEWORKER: Final = DemoPerson(
    "humanitarian caseworker, UNHCR in Sarajevo", "demo-aid", "UNHCR", "BA", "caseworker", "SJJ-1"
)
OPERATOR: Final = DemoPerson(
    "system operator, Bosnia and Herzegovina", "demo-operator", "BA-OP", "BA", "operator", "OP-1"
)

ASYLUM: Final = DemoPerson(
    "asylum officer, Croatia", "demo-asylum", "HR-AS", "HR", "asylum_officer", "AS-1"
)


def attestations(person: str, now: datetime, life: timedelta) -> list[Attestation]:
    """What the capture station and the consent and case registers attest about `person`."""

    def one(fact: str, scope: Scope) -> Attestation:
        start = now - timedelta(minutes=1)
        return Attestation(fact, Truth.TRUE, scope, start, now + life, source="demonstration")

    aid = Scope(org=CASEWORKER.org, owner="BA", purpose="humanitarian_assistance", case_no=CASE)
    assigned = Scope(aid.org, CASEWORKER.officer, aid.owner, aid.purpose, aid.case_no, person)
    return [
        one("presence", Scope(org=BORDER.org, officer=BORDER.officer)),
        one("case_number", Scope(org=BORDER.org, case_no=CASE)),
        one("case_number", aid),
        one("case_number", Scope(org=ASYLUM.org, case_no=CASE)),
        one("claim_here", Scope(org=ASYLUM.org)),
        one("assigned_case", assigned),
        one("consent_given", Scope(aid.org, "", aid.owner, aid.purpose, "", person)),
    ]
