# SPDX-License-Identifier: EUPL-1.2
"""A leaked copy as it turns up: perhaps opened and saved by a spreadsheet program on the way.

Such programs write semicolons or tabs for commas, a mark before the first letter, UTF-16, lines of
empty cells, quotes around the note. What they make of values (dates, numbers) can't be undone; it
costs rows of the evidence, not the answer. `release.trace` reads it.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

from anonymise.errors import PublicationError
from anonymise.release.cells import unescaped
from anonymise.release.read import PARQUET, header_of, text_of

MOST: Final = 200_000  # rows looked at; more tell nothing new
_SEPARATORS: Final = ",;\t"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_FEWEST_LETTERS: Final = 3


@dataclass(frozen=True, slots=True)
class Leaked:
    """Its first rows as text, every one as long as the header."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def columns(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Some columns of it."""
        places = [self.header.index(name) for name in names]
        return [tuple(row[place] for place in places) for row in self.rows]


def read_leaked(path: Path) -> Leaked:
    """Read a leaked copy.

    Args:
        path: A Parquet file by its name's ending; anything else is read as text in columns.

    Raises:
        ReleaseError: The Parquet file can't be read.
        PublicationError: The text can't.
    """
    if path.suffix == PARQUET:
        header = header_of(path)
        return Leaked(header, text_of(path).head(MOST).fill_null("").collect().rows())
    try:
        with path.open("rb") as file:
            encoding = "utf-16" if file.read(2) in _UTF_16 else "utf-8-sig"
        with path.open(encoding=encoding, errors="replace", newline="") as lines:
            return _read(lines)
    except (OSError, UnicodeError, csv.Error, StopIteration):
        raise PublicationError(
            f"{path.name} can't be read as a table; save it as CSV with its header line"
        ) from None


def _read(lines: Iterator[str]) -> Leaked:
    first = next(line for line in lines if not _is_note(line))
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=separator)
    header = tuple(unescaped(cell.strip()) for cell in next(reader))
    width = len(header)
    rows = [
        tuple(unescaped(cell) for cell in (*row, *[""] * width)[:width])
        for row in islice(reader, MOST)
        if any(row)
    ]
    return Leaked(header, rows)


def _is_note(line: str) -> bool:
    """The note, quoted or not, a line that names the separator, or one of empty cells."""
    bare = line.strip().lstrip('"')
    return bare.startswith(("#", "sep=")) or not bare.strip(_SEPARATORS + '"')
