# SPDX-License-Identifier: EUPL-1.2
"""Facts about the question: access matrix 1.5, rows marked q.

The token answers `strong_login`, the block list `suspended`, the agreements file
`agreement_in_force` and `liaison_agreement`; everything else is attested by the system that
owns it. Approvals count only when they come from another unit than the asker's (EUR-20); a grant
to turn a case number back only for the number that it names (`gateway.facts.grants`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.facts.attestation import Scope
from gateway.facts.grants import REID_GRANTED, reid_granted
from gateway.facts.register import FactRegister, strictest
from policies import Question, Snapshot, Truth

_BY_AGREEMENT: Final = {
    "agreement_in_force": "readmission",
    "sharing_agreement": "sharing",
    "liaison_agreement": "liaison",
}
"""The kind of agreement that answers a fact; a liaison one is the asker's organisation's own."""
_OTHER_UNIT: Final = frozenset({"verified", "supervisor_ok"})


@dataclass(frozen=True, slots=True)
class AskerFacts:
    """What identity already settled about the asker."""

    country: str
    unit: str
    strong_login: Truth
    suspended: Truth


def question_facts(
    snapshot: Snapshot,
    register: FactRegister,
    asker: AskerFacts,
    scope: Scope,
    now: datetime,
    question: Question,
) -> dict[str, Truth]:
    """The question facts on which some rule could turn for one owner, keyed by the guard's name.

    `scope.owner` is the owner; `scope.person` is empty for a person named but not yet found, and
    the case number where one is to be turned back.
    """
    known: dict[str, Truth] = {}
    for name in snapshot.relevant_guards(question, scope.owner):
        guard = snapshot.vocabulary.guards[name]
        if guard.about != "question" or guard.derived:
            continue
        if name == "strong_login":
            known[name] = asker.strong_login
        elif name == "suspended":
            known[name] = asker.suspended
        elif name in _BY_AGREEMENT:
            kind = _BY_AGREEMENT[name]
            party = scope.org if kind == "liaison" else asker.country
            stated = snapshot.agreement(kind, party, scope.owner, now.date(), question)
            known[name] = _in_force(register, name, scope, now, stated)
        elif name == "same_unit":
            known[name] = _same_unit(register, asker, scope, now)
        elif name == REID_GRANTED:
            organisations = snapshot.vocabulary.organisations
            known[name] = reid_granted(register, scope, now, organisations)
        else:
            known[name] = _attested(register, name, asker, scope, now, harmful=guard.harmful)
    return known


def _in_force(
    register: FactRegister, name: str, scope: Scope, now: datetime, stated: Truth
) -> Truth:
    """The agreements file speaks; a denunciation or doubt attested since then makes it stricter."""
    since = [a.truth for a in register.matching(name, scope, now)]
    return strictest([stated, *since], harmful=False)


def _attested(
    register: FactRegister,
    name: str,
    asker: AskerFacts,
    scope: Scope,
    now: datetime,
    *,
    harmful: bool,
) -> Truth:
    if name == "case_number" and not scope.case_no:
        return Truth.FALSE
    if name not in _OTHER_UNIT:
        return register.truth(name, scope, now, harmful=harmful)
    if not register.fresh:
        return Truth.POSSIBLE
    # A yes from within the asker's own unit is no yes; one from nobody in particular is doubt.
    truths = [
        Truth.POSSIBLE
        if attestation.truth is Truth.TRUE and not attestation.by_unit
        else attestation.truth
        for attestation in register.matching(name, scope, now)
        if not (asker.unit and attestation.by_unit == asker.unit)
    ]
    return strictest(truths, harmful=harmful)


def _same_unit(register: FactRegister, asker: AskerFacts, scope: Scope, now: datetime) -> Truth:
    if not register.fresh:
        return Truth.POSSIBLE
    stated = [a.truth for a in register.matching("same_unit", scope, now)]
    for approval in register.matching("verified", scope, now):
        if not approval.by_unit or not asker.unit:
            stated.append(Truth.POSSIBLE)
        elif approval.by_unit == asker.unit:
            stated.append(Truth.TRUE)
    return strictest(stated, harmful=True)
