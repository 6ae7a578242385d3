# SPDX-License-Identifier: EUPL-1.2
"""Runs the worked examples of a rule folder against its own rules (docs/formats/rules.md).

An example that fails means that either the lawyer's expectation or a line is wrong; nobody guesses
which. `cuvar policy check` and the tests rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from policies.examples import Example
from policies.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Failure:
    """One example with what came of it instead."""

    example: Example
    views: Mapping[str, str | None]
    rules: tuple[str, ...]
    duties: frozenset[str]

    def __str__(self) -> str:
        example = self.example
        got = ", ".join(f"{name} {view or 'refused'}" for name, view in self.views.items())
        return f"{example.file}:{example.line}: {example.id} gives {got} by {', '.join(self.rules)}"


def failures(snapshot: Snapshot, more: tuple[Example, ...] = ()) -> tuple[Failure, ...]:
    """Every example, of the folder and of `more`, that comes out otherwise than its row says."""
    found = []
    for example in (*snapshot.examples, *more):
        decision = snapshot.decide_record(example.question, example.owner, example.facts)
        views = {name: cell.view for name, cell in decision.cells.items()}
        if (
            views != example.expected
            or example.decided_by not in (None, frozenset(decision.rules))
            or example.duties not in (None, decision.duties)
        ):
            found.append(Failure(example, views, decision.rules, decision.duties))
    return tuple(found)
