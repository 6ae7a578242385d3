# SPDX-License-Identifier: EUPL-1.2
"""The hit view: registered or not, where, how surely; never who.

First step of a look-up across a border (Reg (EU) 2019/818 Art 22; law rules INT-01, EUR-16). Its
shape is closed: strength, owner, person_category, month, token. The duty `hit_bare` takes the
category and the month away; the token says nothing about the person and opens only the reasoned
second step, so it stays where one was issued.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from anonymise.coarse import month
from anonymise.errors import ContextError
from anonymise.value import Value

STRENGTHS = frozenset({"strong", "possible"})
PERSON_CATEGORIES: frozenset[Value] = frozenset(
    {"ASY", "IRR", "ILL", "SAR", "RSA", "RSX", "RSN", "TMP"}
)
OUTPUTS = ("strength", "owner", "person_category", "month", "token")
BARE = ("strength", "owner", "token")


@dataclass(frozen=True, slots=True)
class Hit:
    """One match in one register, before it is shaped.

    Attributes:
        strength: "strong" or "possible".
        owner: Country id of the register.
        token: Opaque handle for the second step, or None where none was issued.
    """

    strength: str
    owner: str
    token: str | None = field(default=None, repr=False)


def shape_hit(
    hit: Hit,
    *,
    person_category: Value = None,
    registered_at: Value = None,
    told: Collection[str] = OUTPUTS,
) -> dict[str, Value]:
    """The hit as the asker receives it; an unknown category or date stays None.

    Args:
        hit: The match.
        person_category: Code of the closed list.
        registered_at: Date, of which the month is told.
        told: Which of `OUTPUTS` the asker may know; `BARE` under the duty hit_bare.

    Raises:
        ContextError: The strength is not one of the closed list.
    """
    if hit.strength not in STRENGTHS:
        raise ContextError(
            "a hit was given a strength outside strong/possible; the hit is withheld"
        )
    shaped: dict[str, Value] = {
        "strength": hit.strength,
        "owner": hit.owner,
        "person_category": person_category if person_category in PERSON_CATEGORIES else None,
        "month": month(registered_at),
    }
    if hit.token is not None:
        shaped["token"] = hit.token
    return {output: value for output, value in shaped.items() if output in told}
