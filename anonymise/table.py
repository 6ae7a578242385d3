# SPDX-License-Identifier: EUPL-1.2
"""Protected tables: counts that cannot be subtracted into a person.

Duties min_cell_10 and min_cell_20; law rules GDP-36, GDP-38. Cells under the threshold are left
out, all others are rounded to the nearest multiple of it, and there are no margins. So any two
published figures, of one table or of two, differ by nothing or by at least the threshold.

A cell left out looks exactly like a cell that never was: naming it as "under 10" would tell that
somebody is there. The table says its threshold instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from anonymise.errors import TableError

SMALLEST_THRESHOLD = 5


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    """A table that may be published.

    Attributes:
        cells: (key, rounded count), sorted by key; keys of one length, counts multiples of
            `minimum` and never below it.
        minimum: The threshold, and the step of the rounding.
    """

    cells: tuple[tuple[tuple[str, ...], int], ...]
    minimum: int

    @property
    def note(self) -> str:
        """What a reader must know about the figures."""
        return (
            f"cells under {self.minimum} are left out, as are empty ones; "
            f"the others are rounded to multiples of {self.minimum}"
        )


def protect_table(cells: Mapping[tuple[str, ...], int], *, minimum: int) -> ProtectedTable:
    """Suppress and round a table of persons.

    Args:
        cells: Key -> persons, every person in one cell only; no totals.
        minimum: Threshold of the strictest duty, at least 5.

    Raises:
        TableError: Threshold too small, a count that is no whole number of persons, or keys of
            different length (a margin among the cells).
    """
    if isinstance(minimum, bool) or minimum < SMALLEST_THRESHOLD:
        raise TableError(f"a table needs a threshold of at least {SMALLEST_THRESHOLD}")
    if len({len(key) for key in cells}) > 1:
        raise TableError("all cells of a table need keys of one length; take out the margins")
    for count in cells.values():
        if type(count) is not int or count < 0:  # bool and Decimal are no counts
            raise TableError("a cell holds something that is not a count; refuse the table")
    kept = sorted((key, count) for key, count in cells.items() if count >= minimum)
    return ProtectedTable(tuple((key, _rounded(count, minimum)) for key, count in kept), minimum)


def _rounded(count: int, step: int) -> int:
    """Nearest multiple, the half upwards."""
    return (2 * count + step) // (2 * step) * step
