# SPDX-License-Identifier: EUPL-1.2
"""A recoding as what is published: distinct rows of labels, each with how often it stands.

Rows are written in the order of their labels' codes, and suppressed rows not at all: where a row
stands in a release tells nothing of where it stood in the register. Memory holds each distinct
row once; a row that a thousand people share is formatted once and written a thousand times.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from anonymise.release.columns import Columns
from anonymise.release.distinct import distinct, distinct_boxes
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.placing import digest
from anonymise.release.read import CSV, ending_of
from anonymise.release.recode import Recoding, Rows
from anonymise.release.sink import Sink

if TYPE_CHECKING:
    import polars as pl

CHUNK: Final = 1 << 18  # rows formatted at once
_PIECE: Final = 1 << 14  # rows put together at once, so that they are still near when written
Written = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Published:
    """The rows of one table of a release.

    Attributes:
        boxes: For each distinct row and quasi-identifier, the lo and hi of its node.
        sensitive: For each distinct row the code of its sensitive value, or None.
        counts: How often each distinct row stands in the release.
    """

    boxes: NDArray[np.int32]
    sensitive: NDArray[np.int32] | None
    counts: NDArray[np.int64]


def published(rows: Rows, recoding: Recoding) -> Published:
    """Put together what looks alike; suppressed rows are left out."""
    kept = recoding.cls >= 0
    row, take, cls = recoding.row[kept], recoding.take[kept], recoding.cls[kept]
    _, rank = distinct_boxes(recoding.boxes)  # ascending by their codes
    keys: list[NDArray[np.integer[Any]]] = [rank[cls]]
    widths = [len(recoding.boxes)]
    if rows.sensitive is not None:
        keys.append(rows.sensitive[row])
        widths.append(int(rows.sensitive.max(initial=0)) + 1)
    first, where = distinct(keys, widths)
    counts = np.zeros(len(first), np.int64)
    np.add.at(counts, where, take)
    return Published(
        boxes=recoding.boxes[cls[first]],
        sensitive=rows.sensitive[row[first]] if rows.sensitive is not None else None,
        counts=counts,
    )


def labelled(
    rows: Published,
    columns: Columns,
    hierarchies: Sequence[Hierarchy],
    values: Sequence[str],
    within: str,
) -> "pl.DataFrame":
    """The distinct rows as text, in the order of the published columns."""
    need_polars()
    import polars as pl

    made: dict[str, pl.Series] = {}
    if columns.within is not None:
        made[columns.within] = pl.Series([within]).new_from_index(0, len(rows.counts))
    for place, hierarchy in enumerate(hierarchies):
        made[columns.quasi_identifiers[place]] = _labels(rows.boxes[:, place], hierarchy)
    if columns.sensitive is not None and rows.sensitive is not None:
        made[columns.sensitive] = pl.Series(values, dtype=pl.String).gather(rows.sensitive)
    return pl.DataFrame(made)


def _labels(ranges: NDArray[np.int32], hierarchy: Hierarchy) -> "pl.Series":
    import polars as pl

    width = len(hierarchy.leaves)
    first, place = distinct([ranges[:, 0], ranges[:, 1]], [width, width])
    labels = [hierarchy.label(int(lo), int(hi)) for lo, hi in ranges[first]]
    return pl.Series(labels, dtype=pl.String).gather(place)


def write_table(
    path: Path, tables: Iterator[tuple["pl.DataFrame", NDArray[np.int64]]], written: Written
) -> str:
    """Write distinct rows as often as they count, as CSV or Parquet by the path's ending.

    Gives the file's SHA-256 in hex.

    Args:
        path: A new file.
        tables: Distinct rows and their counts, table by table; all with the same columns.
        written: Told how many rows were added.
    """
    if ending_of(path) == CSV:
        return _write_csv(path, tables, written)
    _write_parquet(path, tables, written)
    return digest(path)


def _write_csv(
    path: Path, tables: Iterator[tuple["pl.DataFrame", NDArray[np.int64]]], written: Written
) -> str:
    """Rows are put together, digested and written side by side, a piece at a time."""
    with path.open("wb", buffering=0) as file, Sink(file) as sink:
        header = False
        for frame, counts in tables:
            if not header:
                sink.put(frame.head(0).write_csv().encode())
                header = True
            for part, many in _chunks(frame, counts):
                lines = part.write_csv(include_header=False).encode().splitlines(keepends=True)
                for start, stop in _pieces(many):
                    often = zip(lines[start:stop], many[start:stop], strict=True)
                    sink.put(b"".join([line * n for line, n in often]))
                written(sum(many))
        return sink.digest()


def _pieces(many: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Distinct rows by which about `_PIECE` rows are written."""
    ends = np.cumsum(many)
    start = 0
    while start < len(many):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PIECE, side="right")))
        yield start, stop
        start = stop


def _write_parquet(
    path: Path, tables: Iterator[tuple["pl.DataFrame", NDArray[np.int64]]], written: Written
) -> None:
    import polars as pl
    from polars.io.plugins import register_io_source

    first, counts = next(tables)

    def rows(
        columns: list[str] | None, _where: object, _limit: object, _batch: object
    ) -> Iterator[pl.DataFrame]:
        for frame, often in _with(first, counts, tables):
            for part, many in _chunks(frame, often):
                made = part[np.repeat(np.arange(part.height), many)]
                yield made if columns is None else made.select(columns)
                written(made.height)

    register_io_source(rows, schema=first.schema).sink_parquet(path, compression="zstd")


def _with(
    first: "pl.DataFrame",
    counts: NDArray[np.int64],
    rest: Iterator[tuple["pl.DataFrame", NDArray[np.int64]]],
) -> Iterator[tuple["pl.DataFrame", NDArray[np.int64]]]:
    yield first, counts
    yield from rest


def _chunks(
    frame: "pl.DataFrame", counts: NDArray[np.int64]
) -> Iterator[tuple["pl.DataFrame", list[int]]]:
    """Distinct rows, with how often to write each, so that no chunk writes far over `CHUNK`."""
    ends = np.cumsum(counts)
    start = 0
    while start < frame.height:
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + CHUNK, side="right")))
        if stop == start + 1 and counts[start] > CHUNK:
            left = int(counts[start])
            while left:
                yield frame[start:stop], [min(left, CHUNK)]
                left -= min(left, CHUNK)
        else:
            yield frame[start:stop], counts[start:stop].tolist()
        start = stop
