# SPDX-License-Identifier: EUPL-1.2
"""Decisions: ours against stock casbin, Cedar and the Cerbos server, on the same lines and cases.

Rule sets of 100, 1,000 and 10,000 lines in the shape of the shipped ones, with guards, wildcards
and role groups; then the shipped set itself. Bars at 1,000 lines: one decision 5,000 times as fast
as stock casbin, 54 cells of one question for the price of eight decisions; and the whole decision
space of the nine countries in half a second. How each line is translated and what can't be compared
stands in docs/performance.md.
"""

from bench.figure import Figure

NAME = "policy"


def run() -> list[Figure]:
    """Measure everything; no answer may differ between engines."""
    # The peers are installed for this bench alone; the other benches run without them.
    from bench.policy.comparison import SIZES, compare
    from bench.policy.shipped import measure, shipped

    snapshot = shipped()
    figures = []
    for size in SIZES:
        figures += compare(snapshot.book, size)
    return [*figures, *measure(snapshot)]
