# SPDX-License-Identifier: EUPL-1.2
"""What has been found out about everybody in a view: how coarse it must be, and what may be told.

Made by `gathering.gather` from all rows that the recipient may see, used by `ViewPlan` for each
page of them. Holds treated values only, none as the register has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anonymise.value import Value

Told = tuple[Value, ...]
ANY = "any"
WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Crowd:
    """The shape of one generalised view.

    Attributes:
        outputs: The plan's columns, in order; a crowd of another plan is refused.
        steps: For each column, the step of its ladder that is told (see `ladder`).
        classes: The quasi-identifier values, as told, that enough persons share.
        counts: The crowd's own counts, in place of the context's.
        named: Whether the asker named the person; then a row that not enough persons share is
            told without its quasi-identifiers, and otherwise held back.
        rows: How many rows were gathered.
        held: How many of them are held back.
    """

    outputs: tuple[str, ...]
    steps: tuple[int, ...]
    classes: frozenset[Told] = field(repr=False)
    counts: Mapping[str, Mapping[str, int]] = field(repr=False)
    named: bool = False
    rows: int = 0
    held: int = 0
