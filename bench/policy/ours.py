# SPDX-License-Identifier: EUPL-1.2
"""Our compiled rule set and the stock casbin enforcer, as the bench asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.policy.cases import Case, Cell
from policies.line import Line
from policies.masks import RuleSet
from policies.matcher import stock_enforcer

NAME = "ours"
STOCK = "stock casbin"


class Ours:
    """The rule set alone: no question checks, no second rule set, no cache of decisions."""

    def __init__(
        self, conf: str, lines: Sequence[Line], groups: Mapping[str, frozenset[str]]
    ) -> None:
        self.rules = RuleSet(conf, lines, groups)

    def decisions(self, cases: Sequence[Case]) -> list[bool]:
        """Each case alone."""
        allowed = self.rules.allowed
        return [allowed(request, facts) for request, facts in cases]

    def questions(self, cases: Sequence[Case], cells: Sequence[Cell]) -> list[list[bool]]:
        """All cells of each case in one call."""
        allowed = self.rules.allowed_cells
        return [allowed(request, cells, facts) for request, facts in cases]


class Stock:
    """The same lines in an enforcer as casbin makes it."""

    def __init__(
        self, conf: str, lines: Sequence[Line], groups: Mapping[str, frozenset[str]]
    ) -> None:
        self._enforce = stock_enforcer(conf, lines, groups).enforce

    def decisions(self, cases: Sequence[Case]) -> list[bool]:
        """Each case alone."""
        enforce = self._enforce
        return [enforce(*request, facts.sure, facts.maybe) for request, facts in cases]

    def questions(self, cases: Sequence[Case], cells: Sequence[Cell]) -> list[list[bool]]:
        """All cells of each case, one after another: `batch_enforce` is that same loop."""
        return [
            self.decisions(
                [
                    case._replace(request=case.request._replace(dataset=d, category=c))
                    for d, c in cells
                ]
            )
            for case in cases
        ]
