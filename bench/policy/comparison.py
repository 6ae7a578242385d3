# SPDX-License-Identifier: EUPL-1.2
"""One rule set, all engines: the same answers first, then the time that each needs.

Engines take turns within each round; figures are medians, and ratios are medians of the rounds'
ratios. Engines in this process are timed in seconds of CPU, which other work on the machine does
not lengthen; the server in seconds on the wall. What an engine is handed is prepared beforehand in
the form that is quickest for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from time import thread_time

from bench.figure import Figure, at_least, at_most, median_ratio, turns
from bench.policy import cedar, cerbos, ours
from bench.policy.cases import Asking, asking
from bench.policy.cedar import Cedar
from bench.policy.lines import lines
from bench.policy.ours import Ours, Stock
from policies.snapshot import RuleBook

BAR_LINES = 1_000
BAR_STOCK = 5_000  # times stock casbin, one decision with guards
BAR_CELLS = 8  # decisions that one question of 54 cells may cost
ROUTE = "  Cerbos server, a call that decides nothing"
_TURN = {ours.NAME: 200, ours.STOCK: 1, cedar.NAME: 2, cerbos.NAME: 2, ROUTE: 2}
_CLOCKS = dict.fromkeys((ours.NAME, ours.STOCK, cedar.NAME), thread_time)
_WHOLE_TURN = {**_TURN, ours.NAME: 50}
Jobs = dict[str, Callable[[], list[bool]]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked of a rule set of so many lines, so that stock casbin ends in time."""

    lines: int
    cases: int
    rounds: int
    questions: int
    question_rounds: int


SIZES = (Size(100, 60, 9, 6, 3), Size(1_000, 60, 9, 3, 5), Size(10_000, 12, 3, 1, 1))


def compare(book: RuleBook, size: Size) -> list[Figure]:
    """The table of one rule set.

    Raises:
        AssertionError: an engine answered otherwise than stock casbin; nothing is timed then.
    """
    rule_lines, groups = lines(book, size.lines), book.vocabulary.groups
    mine, stock = (kind(book.conf, rule_lines, groups) for kind in (Ours, Stock))
    asked = asking(book, mine.rules, size.cases)
    cedar_set = Cedar(rule_lines, groups)
    with ExitStack() as stack:
        server = stack.enter_context(cerbos.running(rule_lines, groups))
        few = asked.whole[: size.questions]
        prepared = {
            "cedar": [cedar_set.asked(case) for case in asked.cases],
            "cedar cells": [cedar_set.question(case, asked.cells) for case in few],
            "cerbos": [server.asked(case) for case in asked.cases],
            "cerbos cells": [server.question(case, asked.cells) for case in few],
        }
        single: Jobs = {
            ours.NAME: lambda: mine.decisions(asked.cases),
            ours.STOCK: lambda: stock.decisions(asked.cases),
            cedar.NAME: lambda: [cedar_set.allowed(one) for one in prepared["cedar"]],
            cerbos.NAME: lambda: [server.allowed(one) for one in prepared["cerbos"]],
        }
        whole: Jobs = {
            ours.NAME: lambda: _flat(mine.questions(few, asked.cells)),
            ours.STOCK: lambda: _flat(stock.questions(few, asked.cells)),
            cedar.NAME: lambda: _flat(
                [cedar_set.allowed_cells(one) for one in prepared["cedar cells"]]
            ),
            cerbos.NAME: lambda: _flat(
                [server.allowed_cells(one) for one in prepared["cerbos cells"]]
            ),
        }
        return [
            *_same_answers(size, asked, single, whole),
            *_decisions(
                size,
                single,
                lambda: [server.nothing() for _ in asked.cases],
                cedar_set.evaluated_us,
            ),
            *_questions(size, whole, len(few)),
            *_ratio_of_cells(size, mine, asked),
        ]


def _same_answers(size: Size, asked: Asking, single: Jobs, whole: Jobs) -> list[Figure]:
    """Every engine against stock casbin, before anything is timed."""
    found = single[ours.STOCK]()
    for jobs in (single, whole):
        answers = {name: job() for name, job in jobs.items()}
        differing = [name for name, got in answers.items() if got != answers[ours.STOCK]]
        assert not differing, f"{size.lines} lines: {', '.join(differing)} answered otherwise"
    count = len(found) + len(asked.cells) * size.questions
    head = f"{size.lines:,} lines"
    return [
        Figure(f"{head}: same answers of four engines", count, "decisions"),
        Figure("  of the single decisions allowed", sum(found), "decisions"),
    ]


def _decisions(
    size: Size, single: Jobs, route: Callable[[], object], evaluated_us: list[int]
) -> list[Figure]:
    """One decision of each engine, and how many times ours the others take."""
    jobs: dict[str, Callable[[], object]] = {**single, ROUTE: route}
    taken = turns(jobs, rounds=size.rounds, repeats=_TURN, clocks=_CLOCKS)
    head = f"{size.lines:,} lines, one decision"
    figures = [
        Figure(f"{head}: {name}", median(times) / size.cases * 1e6, "us")
        for name, times in taken.items()
        if name != ROUTE
    ]
    figures.append(Figure("  cedarpy, evaluation alone", median(evaluated_us), "us"))
    figures.append(Figure(ROUTE, median(taken[ROUTE]) / size.cases * 1e6, "us"))
    for name in (ours.STOCK, cedar.NAME, cerbos.NAME):
        ratio = median_ratio(taken[name], taken[ours.NAME])
        if name == ours.STOCK and size.lines == BAR_LINES:
            figures.append(at_least(f"  {name} over ours", ratio, "x", BAR_STOCK))
        else:
            figures.append(Figure(f"  {name} over ours", ratio, "x"))
    return figures


def _questions(size: Size, whole: Jobs, questions: int) -> list[Figure]:
    """54 cells of one question, by the call that each engine has for many."""
    taken = turns(whole, rounds=size.question_rounds, repeats=_WHOLE_TURN, clocks=_CLOCKS)
    head = f"{size.lines:,} lines, 54 cells in one call"
    return [
        *(
            Figure(f"{head}: {name}", median(times) / questions * 1e6, "us")
            for name, times in taken.items()
        ),
        *(
            Figure(f"  {name} over ours", median_ratio(taken[name], taken[ours.NAME]), "x")
            for name in (ours.STOCK, cedar.NAME, cerbos.NAME)
        ),
    ]


def _ratio_of_cells(size: Size, mine: Ours, asked: Asking) -> list[Figure]:
    """Ours alone: a question of 54 cells against its one decision, of the same questions."""
    taken = turns(
        {
            "one": lambda: mine.decisions(asked.whole),
            "cells": lambda: mine.questions(asked.whole, asked.cells),
        },
        rounds=15,
        repeats={"one": 200, "cells": 40},
        clocks=dict.fromkeys(("one", "cells"), thread_time),
    )
    ratio = median_ratio(taken["cells"], taken["one"])
    name = f"{size.lines:,} lines, ours: 54 cells over one decision"
    if size.lines == BAR_LINES:
        return [at_most(name, ratio, "x", BAR_CELLS)]
    return [Figure(name, ratio, "x")]


def _flat(answers: list[list[bool]]) -> list[bool]:
    return [answer for some in answers for answer in some]
