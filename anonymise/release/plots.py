# SPDX-License-Identifier: EUPL-1.2
"""Plots as SVG, written by hand: no script, no font, no address; they print and stay readable.

Every plot has its figures as text too, for readers who do not see it (WCAG 2.2, 1.1.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 640
_ROW: Final = 26
_LABEL: Final = 190
_VALUE: Final = 90
_COLOUR: Final = "#1f5673"
_LIMIT: Final = "#a32020"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is, how long from 0 to 1, and the figure in words."""

    label: str
    length: float
    told: str


def bars(title: str, rows: Sequence[Bar], limit: float | None = None) -> str:
    """Horizontal bars.

    Args:
        title: What is shown.
        rows: From the top.
        limit: Where to draw a line that no bar should cross, from 0 to 1.
    """
    height = _ROW * len(rows) + 8
    span = _WIDTH - _LABEL - _VALUE
    drawn = [_bar(row, 4 + _ROW * place, span) for place, row in enumerate(rows)]
    if limit is not None:
        x = _LABEL + span * min(limit, 1.0)
        drawn.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}" stroke="{_LIMIT}" '
            'stroke-width="2" stroke-dasharray="4 3"/>'
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>{escape(title)}</title>'
        f"{''.join(drawn)}</svg>"
    )


def _bar(row: Bar, top: int, span: int) -> str:
    length = span * min(max(row.length, 0.0), 1.0)
    middle = top + 15
    return (
        f'<text x="{_LABEL - 8}" y="{middle}" text-anchor="end">{escape(row.label)}</text>'
        f'<rect x="{_LABEL}" y="{top + 3}" width="{length:.1f}" height="16" fill="{_COLOUR}"/>'
        f'<text x="{_LABEL + span + 8}" y="{middle}">{escape(row.told)}</text>'
    )
