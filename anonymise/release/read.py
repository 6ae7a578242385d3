# SPDX-License-Identifier: EUPL-1.2
"""From a table to what recoding needs: distinct tuples of codes, with counts.

The table is streamed. Values go straight into the codes of their hierarchies, and equal rows are
counted together, so that memory grows with the number of distinct tuples and not with the rows: a
hundred million rows pass through a laptop. Rows come out in the order of their codes, whatever
order the table had, so that the same table always makes the same release, by whichever engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns
from anonymise.release.distinct import ROOM, packed
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import Codes, Hierarchy
from anonymise.release.recode import Rows

if TYPE_CHECKING:
    import polars as pl

CSV, PARQUET = ".csv", ".parquet"
ALL: Final = ""  # the only table of a release that is made within no column
_COUNT: Final = "cuvar_count"
_KEY: Final = "cuvar_key"
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
    packs = _packs(leaves)
    words = [name for name in (columns.within, columns.sensitive) if name is not None]
    try:
        frame = (
            _coded(path, columns, leaves)
            .select(*(_key(pack).alias(f"{_KEY}{n}") for n, pack in enumerate(packs)), *words)
            .group_by(pl.all())
            .agg(pl.len().alias(_COUNT))
            .collect(engine="streaming")
        )
    except pl.exceptions.PolarsError:
        raise ReleaseError(_diagnosis(path, leaves)) from None
    if not frame.height:
        raise ReleaseError(f"{path.name} has no rows; there is nothing to release")
    if frame.select(pl.any_horizontal(pl.all().is_null().any())).item():
        raise ReleaseError(_missing(path, columns))
    dropped = tuple(name for name in header if name not in columns.published)
    return _extract(frame, columns, packs, dropped)


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


def _missing(path: Path, columns: Columns) -> str:
    """Which column holds no value, and in how many rows."""
    counts = text_of(path, columns.published).null_count().collect(engine="streaming").row(0)
    name, rows = next(pair for pair in zip(columns.published, counts, strict=True) if pair[1])
    return (
        f"{path.name}, column {name}: {rows:,} rows hold no value; fill in a word for "
        "unknown that the hierarchy has, or leave these rows out"
    )


def _packs(leaves: Mapping[str, tuple[str, ...]]) -> list[list[tuple[str, int]]]:
    """Columns with how many leaves each has, so that the codes of a group fit one number."""
    packs: list[list[tuple[str, int]]] = [[]]
    room = 1
    for name, known in leaves.items():
        if room * len(known) >= ROOM:
            packs.append([])
            room = 1
        packs[-1].append((name, len(known)))
        room *= len(known)
    return packs


def _key(pack: Sequence[tuple[str, int]]) -> "pl.Expr":
    """The codes of some columns as one number: one column is grouped faster than eight."""
    import polars as pl

    key = pl.lit(0, pl.Int64)
    for name, width in pack:
        key = key * width + pl.col(name).to_physical().cast(pl.Int64)
    return key


def _codes(keys: Sequence[NDArray[np.int64]], packs: Sequence[Sequence[tuple[str, int]]]) -> Codes:
    """The reverse of `_key`."""
    made = np.empty((len(keys[0]), sum(len(pack) for pack in packs)), np.int32)
    place = made.shape[1]
    for key, pack in zip(reversed(keys), reversed(packs), strict=True):
        for _, width in reversed(pack):
            place -= 1
            left = key // width
            made[:, place] = key - left * width
            key = left  # noqa: PLW2901 - what the next column is taken from
    return made


def _extract(
    frame: "pl.DataFrame",
    columns: Columns,
    packs: Sequence[Sequence[tuple[str, int]]],
    dropped: tuple[str, ...],
) -> Extract:
    values, sensitive = _ranked(frame, columns.sensitive)
    places, place = _ranked(frame, columns.within)
    keys = [frame[f"{_KEY}{n}"].to_numpy() for n in range(len(packs))]
    rooms = [prod(width for _, width in pack) for pack in packs]
    order = np.lexsort(packed([place, *keys, sensitive], [len(places), *rooms, len(values)])[::-1])
    codes = _codes([key[order] for key in keys], packs)
    counts = frame[_COUNT].to_numpy().astype(np.int64)[order]
    sensitive, place = sensitive[order], place[order]
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
        ReleaseError: So many that they would name people, one with a line break, or two that say
            the same.
    """
    if len(values) > _MOST_VALUES:
        raise ReleaseError(
            f"column {name} has {len(values):,} values; over {_MOST_VALUES:,} it would name people "
            "by itself, so coarsen it beforehand"
        )
    if any("\n" in value or "\r" in value for value in values):
        raise ReleaseError(f"column {name} has a value with a line break; mend the table")
    if len({plain(value) for value in values}) < len(values):
        raise ReleaseError(
            f"column {name} has values that differ in spelling only, such as capitals or spaces; "
            "write each one way"
        )


def plain(value: str) -> str:
    """What a value says, however it is spelt: NFKC, case folded, no spaces around it."""
    return " ".join(normalize("NFKC", value).casefold().split())
