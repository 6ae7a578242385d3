# SPDX-License-Identifier: EUPL-1.2
"""A table as a sheet or a chart, where the question asks for one.

Only a plain answer of one owner is printed so; a refusal, a register that does not answer, and an
answer with conditions, a mark or an end that must be read with it, stay JSON.
"""

from typing import Final

from anonymise.statistics import chart, layout_of, sheet
from gateway.inquiry import Inquiry
from gateway.outcome import Outcome
from gateway.questions import AnyQuestion, CountQuestion

MEDIA_TYPE: Final = "application/json"
_PRINTED: Final = {"csv": "text/csv; charset=utf-8; header=present", "svg": "image/svg+xml"}


def media_of(outcome: Outcome, asked: AnyQuestion) -> str:
    """The media type in which this part of an answer leaves."""
    if not isinstance(asked, CountQuestion) or outcome.status != "answered":
        return MEDIA_TYPE
    shape = outcome.shape
    if shape is not None and (shape.conditions or shape.watermark or shape.expires or shape.sealed):
        return MEDIA_TYPE
    if asked.format == "svg" and outcome.table is None:
        return MEDIA_TYPE  # centres have no bars
    return _PRINTED.get(asked.format, MEDIA_TYPE)


def printed(outcome: Outcome, inquiry: Inquiry) -> bytes:
    """The sheet or the chart."""
    asked, table = inquiry.asked, outcome.table
    if isinstance(asked, CountQuestion) and asked.format == "svg" and table is not None:
        title = f"{outcome.owner}: {table.layout.replace('_', ' ')}, {inquiry.now:%Y-%m-%d}"
        drawn = chart(layout_of(table.layout), title, table.figures, outcome.note)
        return drawn.encode()
    rows = [row for result in outcome.results for row in result.rows]
    if table is not None:
        words = [name for name in ("meaning",) if rows and name in rows[0]]
        names = [*table.columns, *words, "count"]
    else:
        names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [["" if row.get(name) is None else str(row[name]) for name in names] for row in rows]
    return sheet([names, *lines]).encode()
