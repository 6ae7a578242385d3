# SPDX-License-Identifier: EUPL-1.2
"""What a view is given: rows in the common model, and the facts about the recipient's domain.

Every part of `ViewContext` may be missing, and a missing part never widens a view: without
counts a rare value counts as rare, without places a place has no region, without codes a group
has no code. Built by the gateway, once for each owner and answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from anonymise.anonymity import Anonymity
from anonymise.crowd import Crowd
from anonymise.hit import Hit


@dataclass(frozen=True, slots=True)
class ViewContext:
    """What the treatments of one answer may look at beside the row itself.

    Attributes:
        today: The day on which ages are reckoned.
        case_nos: One case number for each row, in the rows' order; the pseudonym view needs it.
        coded: (field id, value) -> the code of that group or linked person in this domain.
        counts: Field id -> fine form -> persons sharing it among all whom the recipient may see
            (not only this page); the forms are those that `treatment.tally` counts.
        anonymity: What this recipient's row views are held to.
        crowd: Everybody whom the recipient may see; the generalised view needs it.
        places: Name or code of a place or centre -> its region.
        randbelow: n -> a secret, uniform number below n; the generalised view shuffles by it.
        hits: One hit for each row; the hit view needs it.
    """

    today: date
    case_nos: Sequence[str] | None = field(default=None, repr=False)
    coded: Callable[[str, str], str | None] | None = field(default=None, repr=False)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)
    anonymity: Anonymity = field(default_factory=Anonymity)
    crowd: Crowd | None = field(default=None, repr=False)
    places: Mapping[str, str] = field(default_factory=dict, repr=False)
    randbelow: Callable[[int], int] | None = field(default=None, repr=False)
    hits: Sequence[Hit] | None = field(default=None, repr=False)
