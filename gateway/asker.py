# SPDX-License-Identifier: EUPL-1.2
"""The asker of one question: a principal in one of its roles.

The token says who somebody is and which roles he may use; the question says in which of them
he asks. A national job title in the token counts as the common role that his own country's
roles.csv gives it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.facts.question import AskerFacts
from gateway.identity import Principal, StepUp
from policies import Snapshot, Truth

_BY_STATUS: Final = {"true": Truth.TRUE, "possible": Truth.POSSIBLE, "false": Truth.FALSE}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, in which role, and what identity settled about it."""

    principal: Principal
    role: str
    facts: AskerFacts

    @property
    def org(self) -> str:
        """The asker's organisation id."""
        return self.principal.org

    @property
    def country(self) -> str:
        """The asker's country (duty station for international bodies)."""
        return self.principal.country


def held_roles(principal: Principal, snapshot: Snapshot) -> frozenset[str]:
    """The common roles behind the token's roles and national job titles."""
    titles = snapshot.job_titles(principal.org)
    return frozenset(titles.get(role, role) for role in principal.roles)


def asker_of(
    principal: Principal,
    stated: str | None,
    snapshot: Snapshot,
    now: datetime,
    *,
    step_up: StepUp,
    suspended: str,
) -> Asker | None:
    """The asker in the stated role, or in the only one held; None when he does not hold it."""
    held = held_roles(principal, snapshot)
    role = next(iter(held)) if stated is None and len(held) == 1 else stated
    if role is None or role not in held:
        return None
    fresh = step_up.strong_login(principal, now.timestamp())
    return Asker(
        principal=principal,
        role=role,
        facts=AskerFacts(
            country=principal.country,
            unit=principal.unit or "",
            strong_login=Truth.TRUE if fresh else Truth.FALSE,
            suspended=_BY_STATUS.get(suspended, Truth.POSSIBLE),
        ),
    )


def nobody(principal: Principal) -> Asker:
    """A known principal in no role of its own: refused, and recorded as that."""
    unknown = AskerFacts(principal.country, principal.unit or "", Truth.FALSE, Truth.POSSIBLE)
    return Asker(principal, "", unknown)
