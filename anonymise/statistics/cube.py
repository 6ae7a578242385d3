# SPDX-License-Identifier: EUPL-1.2
"""The cells of a table and the margins that are sums of them.

A reader who knows how a table is built knows which cells each margin adds up; so does every
program here, from this one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from anonymise.errors import TableError
from anonymise.statistics.layouts import ALL, Key, Layout


@dataclass(frozen=True, slots=True)
class Cube:
    """Which figures a table has.

    Attributes:
        cells: keys of the cells in which anybody is, sorted.
        margins: key of a margin -> keys of its cells.
    """

    cells: tuple[Key, ...]
    margins: Mapping[Key, tuple[Key, ...]]

    @property
    def figures(self) -> tuple[Key, ...]:
        """Keys of all figures, cells before margins."""
        return (*self.cells, *self.margins)

    def counts(self, cells: Mapping[Key, int]) -> dict[Key, int]:
        """The exact count of every figure."""
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
    return Cube(present, {key: tuple(parts) for key, parts in margins.items()})
