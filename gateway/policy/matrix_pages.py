# SPDX-License-Identifier: EUPL-1.2
"""A matrix as terminal text, CSV, HTML and SVG.

HTML and SVG stand alone, run no script, and say in words what colours say. Every value is escaped,
also words of a vocabulary that somebody else wrote.
"""

import csv
import io
from html import escape
from typing import Final

from policies.matrix import Matrix, Seen
from policies.vocabulary import Vocabulary

_COLOURS: Final = {
    "full": "#b3261e",
    "pseudonym": "#9a5b00",
    "generalised": "#1b6e3c",
    "hit": "#274b8f",
    "count": "#4b4b78",
}
_OTHER: Final = "#333333"
_WIDTH: Final = 100
_STYLE: Final = """body{font:16px/1.45 system-ui,sans-serif;margin:2rem;color:#111;background:#fff}
table{border-collapse:collapse}caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top}
th{background:#f2f2f2}td.no{color:#595959}a{color:#0b4f9c}dt{font-weight:600;margin-top:.8rem}
@media print{body{margin:0;font-size:10pt}a{color:inherit;text-decoration:none}}"""


def title(found: Matrix) -> str:
    """What the table is about."""
    return f"{found.owner}, {found.purpose}, {found.scope}: the strongest view, facts at their best"


def as_text(found: Matrix) -> str:
    """A table for a terminal of 100 columns; more roles than fit go into further tables."""
    first = max(map(len, found.data))
    lines = [title(found)]
    roles = list(found.roles)
    while roles:
        room, taken = _WIDTH - first, 0
        while taken < len(roles) and (not taken or room >= len(roles[taken]) + 2):
            room -= max(len(roles[taken]), len("generalised")) + 2
            taken += 1
        shown, roles = roles[:taken], roles[taken:]
        widths = [max(len(role), len("generalised")) for role in shown]
        lines += ["", _row("", first, shown, widths)]
        for data in found.data:
            views = [_view(found, role, data) for role in shown]
            lines.append(_row(data, first, views, widths))
    return "\n".join(lines)


def _row(name: str, first: int, cells: list[str], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join((name.ljust(first), *padded)).rstrip()


def _view(found: Matrix, role: str, data: str) -> str:
    seen = found.cells.get((role, data))
    return seen.view if seen is not None else "·"


def as_csv(found: Matrix) -> str:
    """One row for each role and category; refused ones too."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["owner", "purpose", "scope", "role", "data", "view", "rules", "law"])
    for role in found.roles:
        for data in found.data:
            seen = found.cells.get((role, data))
            rest = ("refused", "", "")
            if seen is not None:
                rest = (seen.view, " + ".join(seen.rules), " + ".join(seen.law))
            table.writerow([found.owner, found.purpose, found.scope, role, data, *rest])
    return file.getvalue()


def as_html(found: Matrix, words: Vocabulary) -> str:
    """A page: the table, and below it for each cell when, by which lines and on what law."""
    head = "".join(f'<th scope="col">{escape(role)}</th>' for role in found.roles)
    rows, notes = [], []
    for number, data in enumerate(found.data):
        cells = []
        for place, role in enumerate(found.roles):
            seen = found.cells.get((role, data))
            name = f"c{number}-{place}"
            if seen is None:
                cells.append('<td class="no">refused</td>')
                continue
            cells.append(
                f'<td><a href="#{name}" title="{escape(", ".join(seen.rules))}" '
                f'style="color:{_colour(seen)}">{escape(seen.view)}</a></td>'
            )
            notes.append(_note(name, role, data, seen))
        rows.append(f'<tr><th scope="row">{escape(data)}</th>{"".join(cells)}</tr>')
    laws = sorted({law for seen in found.cells.values() for law in seen.law})
    sources = "".join(_law(law, words) for law in laws)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title(found))}</title><style>{_STYLE}</style></head><body>
<h1>Who sees what</h1>
<table><caption>{escape(title(found))}</caption>
<thead><tr><td></td>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>
<h2>Cells</h2><dl>{"".join(notes)}</dl>
<h2>Law</h2><dl>{sources}</dl>
<p>Rules {escape(found.digest)}</p></body></html>
"""


def _note(name: str, role: str, data: str, seen: Seen) -> str:
    laws = ", ".join(f'<a href="#law-{escape(law)}">{escape(law)}</a>' for law in seen.law)
    needs = " or ".join(" + ".join(need) or "always" for need in seen.needs)
    told = (
        f"{', '.join(seen.views)}; by {', '.join(seen.actions)}; when {needs}; "
        f"with {', '.join(seen.duties) or 'no duty'}; asked by {', '.join(seen.askers)}; "
        f"lines {', '.join(seen.rules)}; "
    )
    return f'<dt id="{name}">{escape(role)}, {escape(data)}</dt><dd>{escape(told)}law {laws}</dd>'


def _law(law: str, words: Vocabulary) -> str:
    row = words.law.get(law)
    told = f"{row.source}: {row.meaning}" if row is not None else ""
    return f'<dt id="law-{escape(law)}">{escape(law)}</dt><dd>{escape(told)}</dd>'


def as_svg(found: Matrix) -> str:
    """A picture of the table; each cell says its lines and law in its title."""
    left, top, width, height = 250, 60, 150, 26
    wide = left + width * len(found.roles) + 20
    high = top + height * (len(found.data) + 1) + 20
    parts = [f'<text x="10" y="28" font-size="15" font-weight="600">{escape(title(found))}</text>']
    for place, role in enumerate(found.roles):
        x = left + place * width
        parts.append(f'<text x="{x + 6}" y="{top + 18}" font-weight="600">{escape(role)}</text>')
    for number, data in enumerate(found.data):
        y = top + (number + 1) * height
        parts.append(f'<text x="10" y="{y + 18}">{escape(data)}</text>')
        for place, role in enumerate(found.roles):
            seen, x = found.cells.get((role, data)), left + place * width
            parts.append(_square(seen, f"{role}, {data}", (x, y), (width, height)))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" '
        f'aria-label="{escape(title(found))}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _square(seen: Seen | None, name: str, at: tuple[int, int], size: tuple[int, int]) -> str:
    (x, y), (width, height) = at, size
    fill = "#f2f2f2" if seen is None else _colour(seen)
    told = f"{name}: refused"
    if seen is not None:
        told = f"{name}: {seen.view}; lines {', '.join(seen.rules)}; law {', '.join(seen.law)}"
    ink, word = ("#595959", "·") if seen is None else ("#ffffff", seen.view)
    return (
        f'<g><title>{escape(told)}</title><rect x="{x}" y="{y}" width="{width - 2}" '
        f'height="{height - 2}" fill="{fill}"/><text x="{x + 6}" y="{y + 17}" fill="{ink}">'
        f"{escape(word)}</text></g>"
    )


def _colour(seen: Seen) -> str:
    return _COLOURS.get(seen.view, _OTHER)
