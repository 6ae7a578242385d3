# SPDX-License-Identifier: EUPL-1.2
"""Greedy cutting on all processors, to the same classes as on one.

A block is cut by its own rows alone, so two blocks can be cut at once, and classes are numbered by
where they come to stand: neither says anything of who was quicker. `release.local` starts with it.
"""

import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

import numpy as np

from anonymise.release.loops.greedy import Cuts, cut_blocks
from anonymise.release.loops.tables import I32, I64, Costs, Limits, Units

_SMALL: Final = 20_000  # units that one thread has cut before another would have begun
_SHARES: Final = 32

_Span = tuple[int, int]


def cut(units: Units, costs: Costs, cuts: Cuts, limits: Limits) -> I64:
    """The class of every unit; the whole table meets the limits beforehand."""
    n = len(units.weight)
    order, ends = np.arange(n, dtype=np.int32), np.zeros(n, np.int32)

    def some(span: _Span) -> list[_Span]:
        """A large block is cut once, a smaller one to the end; what is left to be cut."""
        size = span[1] - span[0]
        stop = size - 1 if size > max(n // _SHARES, _SMALL) else 0
        return cut_blocks(units, (costs, cuts), limits, order, ends, (*span, stop))[1:]

    threads = len(os.sched_getaffinity(0)) if n > _SMALL else 1
    with ThreadPoolExecutor(threads) as pool:
        going: set[Future[list[_Span]]] = {pool.submit(some, (0, n))}
        while going:
            done, going = wait(going, return_when=FIRST_COMPLETED)
            going |= {pool.submit(some, span) for span in _spans(done)}
    return _numbered(order, ends)


def _spans(done: set[Future[list[_Span]]]) -> Iterator[_Span]:
    """What was handed back, the largest first."""
    spans = [span for one in done for span in one.result()]
    yield from sorted(spans, key=lambda span: span[0] - span[1])


def _numbered(order: I32, ends: I32) -> I64:
    """Classes from the last block to the first, as one thread that cuts the later half first."""
    place = np.cumsum(ends, dtype=np.int64)
    cls = np.empty(len(order), np.int64)
    cls[order] = place[-1] - place
    return cls
