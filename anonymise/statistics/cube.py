# SPDX-License-Identifier: EUPL-1.2
"""The cells of a table and the margins that are sums of them.

A reader who knows how a table is built knows which cells each margin adds up; so does every
program here, from this one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anonymise.errors import TableError
from anonymise.statistics.layouts import ALL, Key, Layout


@dataclass(frozen=True, slots=True)
class Tie:
    """An equation beside the margins: these figures, so many times each, add up to `total`."""

    parts: Mapping[Key, int]
    total: int = 0


@dataclass(frozen=True, slots=True)
class Cube:
    """Which figures a table, or several over the same people, have.

    Attributes:
        cells: keys of the cells in which anybody is, sorted.
        margins: key of a margin -> keys of its cells.
        ties: what else holds between them, and everybody knows.
        public: figures that are known exactly from elsewhere, published here or not.
        hidden: cells and margins that stand in no table; nobody is told them.
    """

    cells: tuple[Key, ...]
    margins: Mapping[Key, tuple[Key, ...]]
    ties: tuple[Tie, ...] = ()
    public: Mapping[Key, int] = field(default_factory=dict)
    hidden: frozenset[Key] = frozenset()

    @property
    def all(self) -> tuple[Key, ...]:
        """Keys of all cells and margins, also of those that stand in no table."""
        return (*self.cells, *self.margins)

    @property
    def figures(self) -> tuple[Key, ...]:
        """Keys of all figures, cells before margins."""
        return tuple(key for key in self.all if key not in self.hidden)

    def counts(self, cells: Mapping[Key, int]) -> dict[Key, int]:
        """The exact count of every cell and margin."""
        sums = {key: sum(cells[cell] for cell in parts) for key, parts in self.margins.items()}
        return {**{key: cells[key] for key in self.cells}, **sums}


def cube_of(layout: Layout, cells: Mapping[Key, int]) -> Cube:
    """The cube of a layout over exact counts; empty cells are no part of it.

    Raises:
        TableError: A key is not of the layout, or a count is no number of units.
    """
    for key, count in cells.items():
        if len(key) != len(layout.columns) or ALL in key:
            raise TableError(
                f"a cell has another key than {' x '.join(layout.columns)}; take out the margins"
            )
        if type(count) is not int or count < 0:  # bool and Decimal are no counts
            raise TableError("a cell holds something that is not a count; refuse the table")
    present = tuple(sorted(key for key, count in cells.items() if count))
    margins: dict[Key, list[Key]] = {}
    if layout.additive:
        for kept in layout.margins:
            for key in present:
                margins.setdefault(layout.margin(key, kept), []).append(key)
    known = {layout.margin(key, kept) for kept in layout.public for key in present}
    return Cube(
        present,
        {key: tuple(parts) for key, parts in margins.items()},
        public={key: sum(cells[cell] for cell in margins[key]) for key in sorted(known)},
    )
