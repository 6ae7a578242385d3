# SPDX-License-Identifier: EUPL-1.2
"""What was decided: per category the granted view, every deciding line, and why not more.

A refusal is a value, not an exception. `Cell.nameable` tells which reasons already held before any
record was looked at; only those may be told to the asker, because the others would reveal that a
record exists. The gateway's pipeline and the log envelope rely on both types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

NO_OWNER_LINE = "no owner line"
NO_ASKING_LINE = "no asking line"


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
    """One owner's answer to one question; a category that is not in `cells` is refused."""

    owner: str
    cells: Mapping[str, Cell]

    @property
    def granted(self) -> Mapping[str, Cell]:
        """The cells with a view."""
        return MappingProxyType({k: c for k, c in self.cells.items() if c.view is not None})

    @property
    def allowed(self) -> bool:
        """Whether anything is granted at all."""
        return any(cell.view is not None for cell in self.cells.values())

    @property
    def duties(self) -> frozenset[str]:
        """Everything the gateway must do for the granted cells."""
        return frozenset[str]().union(*(cell.duties for cell in self.granted.values()))

    @property
    def rules(self) -> tuple[str, ...]:
        """Deciding lines: those that granted a cell, and those that refused one, in cell order."""
        found: dict[str, None] = {}
        for cell in self.cells.values():
            found.update(dict.fromkeys(cell.refused if cell.view is None else cell.rules))
        return tuple(found)
