# SPDX-License-Identifier: EUPL-1.2
"""From a table to what recoding needs: distinct tuples of codes, with counts.

The table is streamed. Values go straight into the codes of their hierarchies, and equal rows are
counted together, so that memory grows with the number of distinct tuples and not with the rows: a
hundred million rows pass through a laptop. Rows come out in the order of their codes, whatever
order the table had, so that the same table always makes the same release, by whichever engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.recode import Rows

if TYPE_CHECKING:
    import polars as pl

CSV, PARQUET = ".csv", ".parquet"
ALL: Final = ""  # the only table of a release that is made within no column
_COUNT: Final = "cuvar_count"
_MOST_VALUES: Final = 4096


@dataclass(frozen=True, slots=True)
class Extract:
    """A table, counted.

    Attributes:
        tables: Value of the column `within`, or "" -> its rows; sorted by value.
        values: What the sensitive codes stand for.
        dropped: Columns of the table that are not released.
        size: Rows in all.
    """

    tables: Mapping[str, Rows]
    values: tuple[str, ...]
    dropped: tuple[str, ...]
    size: int


def read_extract(path: Path, columns: Columns, hierarchies: Sequence[Hierarchy]) -> Extract:
    """Read and count a table.

    Args:
        path: A CSV file in UTF-8 with a header, or a Parquet file.
        columns: Which columns are released.
        hierarchies: One for each quasi-identifier, in their order.

    Raises:
        ReleaseError: No such file, or one that fits neither columns nor hierarchies; the message
            names column and row, never a value.
        ReleaseExtraError: polars is not installed.
    """
    need_polars()
    import polars as pl

    columns.check()
    header = header_of(path)
    columns.check_header(header, path.name)
    leaves = {
        name: hierarchy.leaves
        for name, hierarchy in zip(columns.quasi_identifiers, hierarchies, strict=True)
    }
    try:
        frame = (
            _coded(path, columns, leaves)
            .group_by(columns.published)
            .agg(pl.len().alias(_COUNT))
            .collect(engine="streaming")
        )
    except pl.exceptions.PolarsError:
        raise ReleaseError(_diagnosis(path, leaves)) from None
    if not frame.height:
        raise ReleaseError(f"{path.name} has no rows; there is nothing to release")
    _check_missing(frame, columns, path.name)
    return _extract(frame, columns, tuple(n for n in header if n not in columns.published))


def header_of(path: Path) -> tuple[str, ...]:
    """The names of a table's columns.

    Raises:
        ReleaseError: It can't be read.
    """
    import polars as pl

    try:
        return tuple(text_of(path).collect_schema().names())
    except (OSError, pl.exceptions.PolarsError):
        raise ReleaseError(
            f"{path.name} can't be read as a table; name a CSV file in UTF-8 with a header line, "
            "or a Parquet file"
        ) from None


def text_of(path: Path, names: Sequence[str] | None = None) -> "pl.LazyFrame":
    """A table lazily, every column as text; only some of them where named.

    Lines before the header that begin with `#` are passed over: a published copy has one.

    Raises:
        ReleaseError: Its name ends in neither .csv nor .parquet, or it isn't there.
    """
    import polars as pl

    ending_of(path)
    if not path.is_file():
        raise ReleaseError(f"there is no file {path.name}; check its path")
    if path.suffix == PARQUET:
        return (
            pl.scan_parquet(path)
            .select(pl.all() if names is None else pl.col(names))
            .cast(pl.String)
        )
    with path.open("rb") as file:
        noted = file.read(1) == b"#"
    frame = pl.scan_csv(path, infer_schema=False, skip_lines=int(noted))
    return frame if names is None else frame.select(names)


def ending_of(path: Path) -> str:
    """`.csv` or `.parquet`.

    Raises:
        ReleaseError: Neither.
    """
    if path.suffix not in {CSV, PARQUET}:
        raise ReleaseError(f"{path.name}: a table's name ends in .csv or .parquet")
    return path.suffix


def _coded(path: Path, columns: Columns, leaves: Mapping[str, tuple[str, ...]]) -> "pl.LazyFrame":
    """The released columns, quasi-identifiers as codes; text is never kept for them."""
    import polars as pl

    types: dict[str, pl.DataType] = {name: pl.Enum(known) for name, known in leaves.items()}
    types |= {n: pl.Categorical() for n in (columns.sensitive, columns.within) if n is not None}
    if path.suffix == PARQUET:
        return text_of(path, columns.published).cast(types)  # type: ignore[arg-type]
    return pl.scan_csv(path, infer_schema=False, schema_overrides=types).select(columns.published)


def _diagnosis(path: Path, leaves: Mapping[str, tuple[str, ...]]) -> str:
    """Why a table could not be read: the first column with a value that its hierarchy lacks."""
    import polars as pl

    try:
        for name, known in leaves.items():
            strange = pl.col(name).is_not_null() & ~pl.col(name).is_in(list(known))
            found = (
                text_of(path, (name,))
                .select(strange.sum().alias("rows"), strange.arg_max().alias("first"))
                .collect(engine="streaming")
            )
            rows, first = found.row(0)
            if rows:
                return (
                    f"{path.name}, column {name}: {rows:,} rows hold a value that hierarchy "
                    f"{name}.csv lacks, first in row {first + 1:,} below the header; mend the "
                    "table, or add the value to the hierarchy"
                )
    except pl.exceptions.PolarsError:
        pass
    return (
        f"{path.name} can't be read to its end; a CSV file has the same columns in every line, "
        "in UTF-8"
    )


def _check_missing(frame: "pl.DataFrame", columns: Columns, source: str) -> None:
    import polars as pl

    for name in columns.published:
        missing = frame.filter(pl.col(name).is_null())[_COUNT].sum()
        if missing:
            raise ReleaseError(
                f"{source}, column {name}: {missing:,} rows hold no value; fill in a word for "
                "unknown that the hierarchy has, or leave these rows out"
            )


def _extract(frame: "pl.DataFrame", columns: Columns, dropped: tuple[str, ...]) -> Extract:
    values, sensitive = _ranked(frame, columns.sensitive)
    places, place = _ranked(frame, columns.within)
    codes = np.column_stack(
        [
            frame[name].to_physical().to_numpy().astype(np.int32)
            for name in columns.quasi_identifiers
        ]
    )
    counts = frame[_COUNT].to_numpy().astype(np.int64)
    order = np.lexsort((sensitive, *codes.T[::-1], place))
    codes, sensitive, counts, place = codes[order], sensitive[order], counts[order], place[order]
    ends = np.searchsorted(place, np.arange(len(places) + 1))
    tables = {
        name: Rows(
            codes=codes[start:stop],
            sensitive=sensitive[start:stop] if columns.sensitive is not None else None,
            counts=counts[start:stop],
        )
        for name, start, stop in zip(places, ends[:-1], ends[1:], strict=True)
    }
    return Extract(
        tables, values if columns.sensitive is not None else (), dropped, int(counts.sum())
    )


def _ranked(frame: "pl.DataFrame", name: str | None) -> tuple[tuple[str, ...], np.ndarray]:
    """The distinct values of a column, sorted, and each row's place among them."""
    import polars as pl

    if name is None:
        return (ALL,), np.zeros(frame.height, np.int32)
    values = tuple(sorted(frame[name].unique().cast(pl.String).to_list()))
    check_values(name, values)
    ranks = frame[name].cast(pl.String).cast(pl.Enum(values)).to_physical().to_numpy()
    return values, ranks.astype(np.int32)


def check_values(name: str, values: Sequence[str]) -> None:
    """Refuse values that cannot be published as they are.

    Raises:
        ReleaseError: So many that they would name people, or one with a line break.
    """
    if len(values) > _MOST_VALUES:
        raise ReleaseError(
            f"column {name} has {len(values):,} values; over {_MOST_VALUES:,} it would name people "
            "by itself, so coarsen it beforehand"
        )
    if any("\n" in value or "\r" in value for value in values):
        raise ReleaseError(f"column {name} has a value with a line break; mend the table")
