# SPDX-License-Identifier: EUPL-1.2
"""The only reader of rule files: docs/formats/rules.md, section "Notation".

Strict on purpose. casbin's own readers lose lines and columns without a word (a byte-order mark, a
quote, a semicolon, a remark after the effect), and a lost deny line is an open door. Here every
deviation is a problem with file and line, and nothing is repaired. Every loader in this package
relies on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from policies.errors import Problems

NONE = "-"
"""A cell that says "nothing"; an empty cell is refused."""

EVERY = "*"
AND = " + "
BUT = " but "
_FORBIDDEN = frozenset("\"'`;<>#\\|!&=")
_BRACKETS_AND_QUOTES = frozenset(("Ps", "Pe", "Pi", "Pf"))
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, by column name; `line` counts from 1 and the header is line 1."""

    file: str
    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def items(self, column: str) -> tuple[str, ...]:
        """The parts of a list cell ("a + b"); nothing for "-"."""
        return split_items(self.cells[column])


def split_items(cell: str) -> tuple[str, ...]:
    """The parts of "a + b"; nothing for "-". Stuck parts ("a+b") stay one unknown word."""
    return () if cell == NONE else tuple(cell.split(AND))


def read_table(
    files: Mapping[str, bytes], name: str, header: tuple[str, ...], problems: Problems
) -> list[Row]:
    """The lines of one file, without those that were refused into `problems`."""
    raw = files.get(name)
    if raw is None:
        problems.add(name, 0, "is missing; without it no rule is used")
        return []
    text = _decode(raw, name, problems)
    if text is None:
        return []
    lines = text.split("\n")
    if lines.pop() != "":
        problems.add(name, len(lines) + 1, "the last line must end with a line feed")
        return []
    if not lines or tuple(lines[0].split(",")) != header:
        problems.add(name, 1, f"the header must be exactly {','.join(header)}")
        return []
    rows = _rows(lines[1:], name, header, problems)
    if len(lines) == 1:
        problems.add(name, 0, "holds no line; an empty file is refused")
    return rows


def read_day(row: Row, column: str, problems: Problems) -> date | None:
    """A date written exactly as 2026-11-24; None for "-"."""
    if row[column] == NONE:
        return None
    try:
        day = date.fromisoformat(row[column])
    except ValueError:
        day = None
    if day is None or day.isoformat() != row[column]:
        problems.add(row.file, row.line, f"{column} must be a date like 2026-11-24, or -")
        return None
    return day


def _decode(raw: bytes, name: str, problems: Problems) -> str | None:
    if raw.startswith(_BOM):
        problems.add(name, 1, "starts with a byte-order mark; save it as UTF-8 without one")
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.add(name, line, "is not UTF-8")
        return None


def _rows(lines: list[str], name: str, header: tuple[str, ...], problems: Problems) -> list[Row]:
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=2):
        fault = _fault(line, len(header))
        if fault is None and line in seen:
            fault = f"repeats line {seen[line]}"
        if fault is not None:
            problems.add(name, number, fault)
            continue
        seen[line] = number
        rows.append(Row(name, number, dict(zip(header, line.split(","), strict=True))))
    return rows


def _fault(line: str, width: int) -> str | None:
    """Why a line is refused, or None."""
    if not line:
        return "is empty"
    for char in dict.fromkeys(line):
        if char in _FORBIDDEN or unicodedata.category(char) in _BRACKETS_AND_QUOTES:
            return f"holds the character {char}; quotes, brackets, remarks and ; are refused"
        if char != " " and unicodedata.category(char)[0] in "CZ":
            return f"holds the invisible character U+{ord(char):04X}"
    cells = line.split(",")
    if len(cells) != width:
        return f"has {len(cells)} columns instead of {width}"
    for cell in cells:
        if cell != cell.strip() or not cell:
            return "has an empty cell or a space at the edge of one; write - for nothing"
    return None
