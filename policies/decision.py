# SPDX-License-Identifier: EUPL-1.2
"""What was decided: per category the granted view, every deciding line, and why not more.

A refusal is a value, not an exception. `Cell.nameable` tells which reasons already held before any
record was looked at; only those may be told to the asker, because the others would reveal that a
record exists. The gateway's pipeline and the log envelope rely on both types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

NO_OWNER_LINE = "no owner line"
NO_ASKING_LINE = "no asking line"
TERM = "Q-TERM"
"""A line that would have allowed it is spent or has lapsed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One category of one owner.

    Attributes:
        category: the category decided.
        view: the granted view, or None.
        rules: ids of every matching allow line at the granted view, of both rule sets.
        refused: why the wanted view was not granted: ids of every matching deny line; else
            "no owner line", "no asking line"; else a check that failed before any line ("Q-ROLE").
        duties: union over all lines in `rules`.
        nameable: the part of `refused` that rests on facts of the question alone.
    """

    category: str
    view: str | None
    rules: tuple[str, ...]
    refused: tuple[str, ...]
    duties: frozenset[str]
    nameable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One owner's answer to one question; a category that is not in `cells` is refused.

    What follows from the cells is worked out once, since decisions are remembered and each is
    read many times.

    Attributes:
        owner: the country whose data it is.
        cells: every category asked.
        granted: the cells with a view.
        duties: everything the gateway must do for the granted cells.
        rules: deciding lines: those that granted a cell, and those that refused one, in cell order.
    """

    owner: str
    cells: Mapping[str, Cell]
    granted: Mapping[str, Cell] = field(init=False, repr=False, compare=False)
    duties: frozenset[str] = field(init=False, repr=False, compare=False)
    rules: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        granted = {k: c for k, c in self.cells.items() if c.view is not None}
        rules: dict[str, None] = {}
        for cell in self.cells.values():
            rules.update(dict.fromkeys(cell.refused if cell.view is None else cell.rules))
        object.__setattr__(self, "granted", MappingProxyType(granted))
        duties = frozenset[str]().union(*(cell.duties for cell in granted.values()))
        object.__setattr__(self, "duties", duties)
        object.__setattr__(self, "rules", tuple(rules))

    @property
    def allowed(self) -> bool:
        """Whether anything is granted at all."""
        return bool(self.granted)


def term_ended(decision: Decision, without_terms: Decision) -> Decision:
    """The decision, with TERM as reason where only the end of a line's term refuses."""
    cells = {
        name: replace(cell, refused=(TERM,), nameable=(TERM,))
        if cell.view is None and without_terms.cells[name].view is not None
        else cell
        for name, cell in decision.cells.items()
    }
    return Decision(decision.owner, MappingProxyType(cells))
