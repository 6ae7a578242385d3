# SPDX-License-Identifier: EUPL-1.2
"""Grants to turn one case number back: which of what is attested as `reid_granted` is one.

A grant names the one number that may be turned back and the two people who agreed to it, of two
organisations, neither of them the asker's; it is short. What is attested otherwise grants nothing:
a grant that names no number would be good for a number of the asker's own choice. A doubt or a no
restricts whatever it leaves out. Law rule GDP-39; docs/formats/facts.md section 4. Pure.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from anonymise import AnonymiseError, format_case_no, parse_case_no
from gateway.facts.attestation import Attestation, Scope
from gateway.facts.register import FactRegister, strictest
from policies import Truth

REID_GRANTED: Final = "reid_granted"
LONGEST_GRANT: Final = timedelta(days=7)
_APPROVERS: Final = 2
_APPROVER: Final = re.compile(r"([A-Z][A-Z0-9-]{0,15})/[^\s/+]{1,64}")


def canonical_number(text: str) -> str | None:
    """A case number as it is issued, whatever way it was typed; None where it is none."""
    try:
        parsed = parse_case_no(text)
        return format_case_no(parsed.country, parsed.number)
    except AnonymiseError:
        return None


def approving(by_unit: str) -> tuple[str, ...] | None:
    """The organisations of those who approved, from "BA-DO/ana+BA-SA/boris"; None if unreadable."""
    found = [_APPROVER.fullmatch(part.strip()) for part in by_unit.split("+")]
    known = [match.group(1) for match in found if match is not None]
    return tuple(known) if len(known) == len(found) else None


def is_grant(attestation: Attestation, scope: Scope, organisations: Collection[str]) -> bool:
    """Whether an attestation grants turning back the one number of this scope.

    Args:
        attestation: one of `reid_granted`.
        scope: of the question; `person` is the case number, as it is issued.
        organisations: those that the rules know.
    """
    approved_by = frozenset(approving(attestation.by_unit) or ())
    return (
        attestation.truth is Truth.TRUE
        and bool(scope.person)
        and attestation.scope.person == scope.person
        and len(approved_by) >= _APPROVERS
        and approved_by <= frozenset(organisations)
        and scope.org not in approved_by
        and attestation.valid_to - attestation.valid_from <= LONGEST_GRANT
    )


def grants(
    register: FactRegister, scope: Scope, now: datetime, organisations: Collection[str]
) -> list[Attestation]:
    """Those in force for the number of this scope; none while anything restricts."""
    if reid_granted(register, scope, now, organisations) is not Truth.TRUE:
        return []
    found = register.matching(REID_GRANTED, scope, now)
    return [one for one in found if is_grant(one, scope, organisations)]


def reid_granted(
    register: FactRegister, scope: Scope, now: datetime, organisations: Collection[str]
) -> Truth:
    """The fact for the number of this scope."""
    if not register.fresh:
        return Truth.POSSIBLE
    counted = [
        one.truth
        for one in register.matching(REID_GRANTED, scope, now)
        if one.truth is not Truth.TRUE or is_grant(one, scope, organisations)
    ]
    return strictest(counted, harmful=False)
