# SPDX-License-Identifier: EUPL-1.2
"""Values that a spreadsheet program would run: they go out with an apostrophe before them.

The same as in tables of counts (`anonymise.statistics.sheet`); docs/formats/release.md, section 4.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_PATTERN: Final = r"^[=+\-@\t\r]"


def escaped(frame: "pl.DataFrame") -> "pl.DataFrame":
    """A frame of text, header included, with what begins like a formula told as text."""
    import polars as pl

    told = [
        pl.when(pl.col(name).str.contains(_PATTERN))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in frame.columns
    ]
    frame = frame.with_columns(told)
    return frame.rename({name: f"'{name}" for name in frame.columns if name.startswith(FORMULA)})


def unescaped(text: str) -> str:
    """The reverse."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
