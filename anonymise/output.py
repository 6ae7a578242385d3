# SPDX-License-Identifier: EUPL-1.2
"""One output column of a view, and the fields that make it. Used by `view` and `gathering`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from anonymise.column import held, mapped
from anonymise.context import ViewContext
from anonymise.passing import as_code
from anonymise.treatment import FULL, Treatment
from anonymise.value import Row, Value


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view; it has more than one field only where they join."""

    output: str
    treatment: Treatment
    fields: tuple[str, ...]

    def treated(self, view: str, rows: Sequence[Row], context: ViewContext) -> list[Value]:
        """The column's values in a full or pseudonym view, one for each row."""
        if self.treatment.name == "keep":
            values = held(self.fields[0], rows)
            return values if view == FULL else mapped(as_code, values)
        return self.at(self.treatment, rows, context)

    def at(self, step: Treatment, rows: Sequence[Row], context: ViewContext) -> list[Value]:
        """The column's values under one step of its ladder."""
        first, *others = self.fields
        treated = step.column(first, rows, context)
        if not others:
            return treated
        more = (step.column(field, rows, context) for field in others)
        return [_any_yes(answers) for answers in zip(treated, *more, strict=True)]


def rows_of(outputs: Sequence[str], columns: Sequence[Sequence[Value]]) -> list[dict[str, Value]]:
    """Columns of one length as rows."""
    # Copies of one row have their final size at once; a growing dict would cost half as much again.
    blank: dict[str, Value] = dict.fromkeys(outputs)
    rows = [blank.copy() for _ in columns[0]] if columns else []
    for output, values in zip(outputs, columns, strict=True):
        for row, value in zip(rows, values, strict=True):
            row[output] = value
    return rows


def _any_yes(answers: Collection[Value]) -> str:
    """One answer from several flags: yes if any is, else unknown if any is, else no."""
    return next((word for word in ("yes", "unknown") if word in answers), "no")
