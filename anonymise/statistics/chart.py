# SPDX-License-Identifier: EUPL-1.2
"""A table as a bar chart (SVG 1.1), readable without a script and by a screen reader.

Shows the first margin of the layout, or the cells where it has none. What is left out is not drawn;
the note under the bars says so.
"""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from anonymise.statistics.layouts import ALL, NEEDS, Key, Layout

MOST_BARS = 40
WIDTH = 720
_LEFT, _ROW, _BAR, _TOP, _FOOT = 260, 22, 14, 56, 40
_COLOUR = "#1f5f8b"
_NOTE = 110


def chart(layout: Layout, title: str, figures: Sequence[tuple[Key, int]], note: str) -> str:
    """Draw a table of cells and margins; `title` and `note` are any text."""
    bars = _bars(layout, figures)
    most = max((count for _, count in bars), default=1) or 1
    room = WIDTH - _LEFT - 70
    told = _wrapped(note)
    height = _TOP + _ROW * max(1, len(bars)) + _FOOT + 14 * len(told)
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif">',
        f"<title>{_safe(title)}</title><desc>{_safe(note)}</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="30" font-size="16" fill="#111111">{_safe(title)}</text>',
    ]
    if not bars:
        parts.append(f'<text x="16" y="{_TOP + 14}" fill="#444444">no figure may be shown</text>')
    for place, (label, count) in enumerate(bars):
        y = _TOP + _ROW * place
        length = max(1, round(room * count / most))
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{_safe(label)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{length}" height="{_BAR}" fill="{_COLOUR}"/>',
            f'<text x="{_LEFT + length + 6}" y="{y + 12}">{count}</text>',
        ]
    first = _TOP + _ROW * max(1, len(bars)) + 24
    parts += [
        f'<text x="16" y="{first + 14 * at}" font-size="11" fill="#444444">{_safe(line)}</text>'
        for at, line in enumerate(told)
    ]
    return "".join((*parts, "</svg>"))


def _bars(layout: Layout, figures: Sequence[tuple[Key, int]]) -> list[tuple[str, int]]:
    chosen = [one for one in figures if ALL not in one[0]]
    if layout.margins:
        chosen = [one for one in figures if _is_of(layout, one[0], layout.margins[0])] or chosen
    if len(chosen) > MOST_BARS:
        chosen = sorted(sorted(chosen, key=lambda one: -one[1])[:MOST_BARS])
    return [(_label(layout, key), count) for key, count in chosen]


def _is_of(layout: Layout, key: Key, kept: tuple[str, ...]) -> bool:
    """Whether a margin keeps just these columns."""
    return all(
        (part == ALL) is (column not in kept)
        for column, part in zip(layout.columns, key, strict=True)
    )


def _label(layout: Layout, key: Key) -> str:
    words = [
        NEEDS.get(part, part) if column == "need" else part
        for column, part in zip(layout.columns, key, strict=True)
        if part != ALL
    ]
    return ", ".join(words)


def _wrapped(note: str) -> list[str]:
    lines, line = [], ""
    for word in note.split():
        if line and len(line) + 1 + len(word) > _NOTE:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _safe(text: str) -> str:
    """Text between tags; what XML 1.0 has no sign for is left out."""
    return escape("".join(sign for sign in text if sign.isprintable()))
