# SPDX-License-Identifier: EUPL-1.2
"""The hit view: registered or not, where, how surely; never who.

First step of a look-up across a border (Reg (EU) 2019/818 Art 22; law rules INT-01, EUR-16). Its
shape is closed: strength, owner, person_category, month, token. The duty `hit_bare` takes the
category and the month away; the token says nothing about the person and opens only the reasoned
second step, so it stays where one was issued.
"""

from dataclasses import dataclass, field
from datetime import date

from anonymise.errors import ContextError

# The same as context.Value, which cannot be imported from below it.
Value = str | int | date | tuple[str, ...] | None

STRENGTHS = frozenset({"sure", "possible"})
PERSON_CATEGORIES = frozenset({"ASY", "IRR", "ILL", "SAR", "RSA", "RSX", "RSN", "TMP"})
OUTPUTS = ("strength", "owner", "person_category", "month", "token")


@dataclass(frozen=True, slots=True)
class Hit:
    """One match in one register, before it is shaped.

    Attributes:
        strength: "sure" or "possible".
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
    bare: bool = False,
) -> dict[str, Value]:
    """The hit as the asker receives it; an unknown category or date stays None.

    Raises:
        ContextError: The strength is not one of the closed list.
    """
    if hit.strength not in STRENGTHS:
        raise ContextError("a hit was given a strength outside sure/possible; the hit is withheld")
    shaped: dict[str, Value] = {"strength": hit.strength, "owner": hit.owner}
    if not bare:
        known = isinstance(person_category, str) and person_category in PERSON_CATEGORIES
        shaped["person_category"] = person_category if known else None
        shaped["month"] = (
            registered_at.strftime("%Y-%m") if isinstance(registered_at, date) else None
        )
    if hit.token is not None:
        shaped["token"] = hit.token
    return shaped
