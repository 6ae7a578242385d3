# SPDX-License-Identifier: EUPL-1.2
"""Peeling: rows that are many alike leave a costly class and are told exactly.

Of a class whose box is wider than one tuple, a tuple that meets the limits by itself leaves as a
class of its own where the rest still meets them, or stays in part where only k asks for it.
"""

import numpy as np

from anonymise.release.compiled import compiled, inner
from anonymise.release.loops.tables import I32, I64, Limits, Units, diverse


@inner
def _counts(units: Units, members: I32, weight: I64, counts: I64) -> int:
    counts[:] = 0
    total = 0
    for u in members:
        counts[units.sensitive[u]] += weight[u]
        total += weight[u]
    return total


@inner
def _alike(units: Units, members: I32, start: int) -> int:
    """Where the run of equal tuples that begins at `start` ends."""
    stop = start + 1
    while stop < members.shape[0] and np.array_equal(
        units.codes[members[start]], units.codes[members[stop]]
    ):
        stop += 1
    return stop


@compiled
def peel(units: Units, limits: Limits, order: I32, begin: I64, left: I64) -> None:
    """Take out of `left` what leaves its class.

    Args:
        units: Sorted by their codes.
        limits: What every class must meet.
        order: Units by class, within a class by number.
        begin: Class g holds order[begin[g]:begin[g + 1]].
        left: Rows of each unit that stay; all of them beforehand.
    """
    values = limits.share.shape[0]
    rest, own = np.zeros(values, np.int64), np.zeros(values, np.int64)
    for g in range(begin.shape[0] - 1):
        members = order[begin[g] : begin[g + 1]]
        total = _counts(units, members, left, rest)
        start = 0
        while start < members.shape[0]:
            stop = _alike(units, members, start)
            mine = _counts(units, members[start:stop], left, own)
            remain = total - mine
            if mine >= limits.k and diverse(limits, own, mine):
                if remain == 0 or (remain >= limits.k and diverse(limits, rest - own, remain)):
                    left[members[start:stop]] = 0
                    rest -= own
                    total = remain
                elif values == 1 and remain < limits.k and mine - (limits.k - remain) >= limits.k:
                    left[members[start]] = limits.k - remain
                    total = limits.k
            start = stop
