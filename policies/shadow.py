# SPDX-License-Identifier: EUPL-1.2
"""Shadow mode: one in N decisions is made again by stock casbin, and the stricter answer counts.

Compiled decisions equal casbin's (ADR 0003); this watches that on the questions that are really
asked. A difference is told to the caller, who raises an alarm, and can only take away. Stock
enforcers are slow and not safe between threads, so they are made when they are first needed and
asked under a lock. `policies.snapshot` relies on it when the gateway's settings ask for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from threading import Lock
from types import MappingProxyType

from policies import checks
from policies.decision import Cell, Decision
from policies.engine import Engine, Side
from policies.facts import Known
from policies.masks import RuleSet
from policies.matcher import StockEnforcer, stock_enforcer
from policies.question import Question

DIFFERS = "Q-SHADOW"
"""Stands where a rule id would: stock casbin does not allow what the compiled rules allow."""


class Shadow:
    """Checks decisions of one engine; give each snapshot its own."""

    def __init__(self, conf: str, one_in: int, tell: Callable[[], None]) -> None:
        """`tell` is called for each decision that differs, from whatever thread decides.

        Raises:
            ValueError: `one_in` is not at least 1.
        """
        if one_in < 1:
            raise ValueError("shadow one_in must be at least 1")
        self._conf = conf
        self._one_in = one_in
        self._tell = tell
        self._turn = count(1)
        self._lock = Lock()
        self._judges: dict[int, tuple[RuleSet, StockEnforcer]] = {}

    def watch(
        self, engine: Engine, question: Question, owner: str, known: Known, decision: Decision
    ) -> Decision:
        """The decision, or a stricter one when it is this question's turn and casbin differs."""
        if next(self._turn) % self._one_in:
            return decision
        sides = engine.sides(question, owner)
        cells: dict[str, Cell] = {}
        differs = False
        for name, cell in decision.cells.items():
            views = checks.views(engine.vocabulary, question, name)
            if checks.named_refusal(engine.vocabulary, question) is not None:
                views = ()
            judged = self._judged(engine, question, owner, sides, known, (name, views))
            if judged != cell.view:
                differs = True
            cells[name] = cell if judged == cell.view else _stricter(cell, judged, views)
        if not differs:
            return decision
        self._tell()
        return Decision(owner, MappingProxyType(cells))

    def _judged(
        self,
        engine: Engine,
        question: Question,
        owner: str,
        sides: tuple[Side, ...],
        known: Known,
        cell: tuple[str, tuple[str, ...]],
    ) -> str | None:
        """The strongest view of one category that stock casbin allows on every side."""
        category, views = cell
        with self._lock:
            for view in views:
                what = (question.dataset, category, view, question.action, question.purpose)
                if all(
                    self._judge(engine, side.rules).enforce(
                        question.role, side.asker, owner, *what, known.sure, known.maybe
                    )
                    for side in sides
                ):
                    return view
        return None

    def _judge(self, engine: Engine, rules: RuleSet) -> StockEnforcer:
        found = self._judges.get(id(rules))
        if found is None:
            judge = stock_enforcer(self._conf, rules.in_force, engine.vocabulary.groups)
            # The set is kept beside its judge, so that its id stays its own.
            found = self._judges[id(rules)] = (rules, judge)
        return found[1]


def _stricter(cell: Cell, judged: str | None, views: tuple[str, ...]) -> Cell:
    """The compiled cell when casbin would give more; nothing at all when it would give less."""
    if cell.view is None or (judged is not None and views.index(judged) < views.index(cell.view)):
        return cell
    nothing = frozenset[str]()
    return replace(
        cell, view=None, rules=(), refused=(DIFFERS,), duties=nothing, nameable=(DIFFERS,)
    )
