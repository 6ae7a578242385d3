# SPDX-License-Identifier: EUPL-1.2
"""Linear programs, solved by HiGHS: the one place that knows the solver.

A program is loaded once and solved many times with other costs or bounds; HiGHS goes on from the
last basis, so a solution costs a fraction of a millisecond. HiGHS is imported when the first
program is made, since only statistics need it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anonymise.errors import TableError

INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Row:
    """One equation: the columns' coefficients and what they add up to, from `low` to `high`."""

    parts: Mapping[int, float]
    low: float
    high: float


class Program:
    """Columns between bounds, under equations; `_solver` is owned by this object's one thread."""

    def __init__(self, lower: Sequence[float], upper: Sequence[float], rows: Sequence[Row]) -> None:
        import highspy

        self._size = len(lower)
        self._sense = (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize)
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._endless = highspy.HighsModelStatus.kUnbounded
        made: Any = highspy.Highs  # its stub leaves the constructor untyped
        self._solver = made()
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
            self._solver.setOptionValue(option, value)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = self._size, len(rows)
        program.col_cost_ = np.zeros(self._size)
        program.col_lower_, program.col_upper_ = np.array(lower), np.array(upper)
        program.row_lower_ = np.array([row.low for row in rows])
        program.row_upper_ = np.array([row.high for row in rows])
        matrix = program.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kRowwise
        matrix.start_ = np.cumsum([0, *(len(row.parts) for row in rows)], dtype=np.int32)
        matrix.index_ = np.array([place for row in rows for place in row.parts], dtype=np.int32)
        matrix.value_ = np.array([value for row in rows for value in row.parts.values()])
        self._solver.passModel(program)
        self._costs: dict[int, float] = {}

    def bound(self, column: int, lower: float, upper: float) -> None:
        """Change one column's bounds."""
        self._solver.changeColBounds(column, lower, upper)

    def cost(self, costs: Mapping[int, float]) -> None:
        """The whole cost from here on; columns that are not named cost nothing."""
        changed = {
            column: costs.get(column, 0.0)
            for column in self._costs.keys() | costs.keys()
            if self._costs.get(column, 0.0) != costs.get(column, 0.0)
        }
        for column, value in changed.items():
            self._solver.changeColCost(column, value)
        self._costs = dict(costs)

    def solved(self, *, most: bool = False) -> tuple[float, np.ndarray[Any, np.dtype[np.float64]]]:
        """The least cost, or the most, which may be infinite, and the columns' values there.

        Raises:
            TableError: There is no solution; the table must be refused.
        """
        self._solver.changeObjectiveSense(self._sense[most])
        self._solver.run()
        status = self._solver.getModelStatus()
        if status == self._endless:
            return (INFINITE if most else -INFINITE), np.empty(0)
        if status != self._optimal:
            raise TableError("the program over this table has no solution; refuse the table")
        value = float(self._solver.getInfo().objective_function_value)
        return value, np.array(self._solver.getSolution().col_value)
