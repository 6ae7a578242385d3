# SPDX-License-Identifier: EUPL-1.2
"""A table as comma-separated values (RFC 4180), for a spreadsheet.

A text that a spreadsheet would take for a formula is quoted with an apostrophe: registers hold
codes, but nobody vouches for every one of them.
"""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet(rows: Iterable[Sequence[str]]) -> str:
    """Rows as text, the first the names of the columns."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([[_plain(cell) for cell in row] for row in rows])
    return text.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
