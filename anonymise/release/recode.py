# SPDX-License-Identifier: EUPL-1.2
"""Recoding: which rows share a class, and the box of hierarchy nodes that each class is told as.

`local` recoding forms classes row by row, so that one row may say 30-39 and another 20-39; it loses
least. `global` recoding takes one level of each hierarchy for the whole table, which is easier to
tabulate, and may drop rows that stay alone. Both promise the same: every class has at least k rows
and at least l different sensitive values, and where t is given a distribution of these no farther
than t from that of all published rows (docs/anonymisation/recoding.md). The promise is checked
again on the result before it is handed out. The same table, demand and seed give the same recoding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anonymise.errors import RecodingError
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.measure import shortfall

SUPPRESSED = -1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A table as distinct rows.

    Attributes:
        codes: [row, quasi-identifier] leaf codes of the hierarchies.
        sensitive: Code of each row's sensitive value, from 0; None where there is none.
        counts: How often each row stands in the table.
    """

    codes: NDArray[np.int32]
    sensitive: NDArray[np.int32] | None
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Demand:
    """What is demanded of a recoding.

    Attributes:
        k: Rows of every class at least; 2 or more.
        l: Distinct sensitive values of every class at least.
        t: Largest distance of a class's sensitive values from the table's, all values being
            equally far apart; None asks nothing.
        method: One box for each class, or one level of each hierarchy for all.
        most_suppressed: Share of the rows that `global` may drop; `local` never drops any.
        steps: Search steps of `local` for each row that is not yet told exactly; 0 is greedy alone.
        seed: Of the search.
    """

    k: int
    l: int = 1  # noqa: E741 - the name that the literature gives it
    t: float | None = None
    method: Literal["local", "global"] = "local"
    most_suppressed: float = 0.0
    steps: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a demand that protects nobody or means nothing."""
        if self.k < 2:  # noqa: PLR2004 - a class of one row is the row
            raise RecodingError("k must be 2 or more; 10 is this project's default")
        if self.l < 1 or self.l > self.k:
            raise RecodingError("l must be from 1 to k; raise k first")
        if self.t is not None and not 0.0 < self.t <= 1.0:
            raise RecodingError("t must be above 0 and at most 1; leave it out to ask nothing")
        if not 0.0 <= self.most_suppressed < 1.0:
            raise RecodingError("the share of suppressed rows must be from 0 to below 1")
        if not 0.0 <= self.steps <= 1000.0:  # noqa: PLR2004
            raise RecodingError("search steps a row must be from 0 to 1000; 3 is already thorough")
        if not 0 <= self.seed < 1 << 63:
            raise RecodingError("the seed must be a whole number from 0 to below 2^63")

    @property
    def reads_sensitive(self) -> bool:
        """Whether classes depend on the sensitive value."""
        return self.l > 1 or self.t is not None


@dataclass(frozen=True, slots=True, eq=False)
class Recoding:
    """What is published: which rows in which class, and how each class is told.

    Attributes:
        row: Entry -> distinct row of the table.
        cls: Entry -> class; `SUPPRESSED` for rows that are dropped.
        take: Entry -> how many of the distinct row's rows it speaks of.
        boxes: [class, quasi-identifier, (lo, hi)] leaf codes; each pair is a hierarchy node, and no
            two classes have the same box.
    """

    row: NDArray[np.int32]
    cls: NDArray[np.int32]
    take: NDArray[np.int64]
    boxes: NDArray[np.int32]


def recode(
    rows: Rows,
    hierarchies: Sequence[Hierarchy],
    demand: Demand,
    progress: Progress | None = None,
) -> Recoding:
    """Recode a table.

    Args:
        rows: The table.
        hierarchies: One for each column of `rows.codes`, in its order.
        demand: What every class must meet.
        progress: Told (steps done, steps in all) now and then.

    Raises:
        RecodingError: Rows and hierarchies do not fit, or no recoding meets the demand.
        ReleaseExtraError: numba is not installed.
    """
    _check(rows, hierarchies, demand)
    if demand.method == "global":
        from anonymise.release.full import recode_globally

        found = recode_globally(rows, hierarchies, demand, progress)
    else:
        from anonymise.release.local import recode_locally

        found = recode_locally(rows, hierarchies, demand, progress)
    lacking = shortfall(rows, found, demand)
    if lacking:  # INVARIANT: the loops never let this happen
        raise RecodingError(f"the recoding does not meet the demand: {lacking}; report this")
    return found


def _check(rows: Rows, hierarchies: Sequence[Hierarchy], demand: Demand) -> None:
    if rows.codes.ndim != 2 or rows.codes.shape[1] != len(hierarchies) or not hierarchies:  # noqa: PLR2004
        raise RecodingError(
            "the rows need one column of codes for each hierarchy, and one at least"
        )
    if len(rows.counts) != len(rows.codes) or (len(rows.counts) and rows.counts.min() < 1):
        raise RecodingError("every distinct row needs a count of one or more")
    for a, hierarchy in enumerate(hierarchies):
        column = rows.codes[:, a]
        if len(column) and not 0 <= column.min() <= column.max() < len(hierarchy.leaves):
            raise RecodingError(
                f"column {hierarchy.name} holds codes that its hierarchy does not know; "
                "add the missing values to the hierarchy"
            )
    if demand.reads_sensitive:
        if rows.sensitive is None:
            raise RecodingError("l and t speak of a sensitive column; name one, or ask for k alone")
        if len(rows.sensitive) != len(rows.codes) or rows.sensitive.min(initial=0) < 0:
            raise RecodingError("every distinct row needs a code of its sensitive value, from 0")
        if len(np.unique(rows.sensitive)) < demand.l:
            raise RecodingError("the table has fewer than l different sensitive values; lower l")
    if rows.counts.sum() < demand.k:
        raise RecodingError("the table has fewer than k rows; publish nothing of it")
