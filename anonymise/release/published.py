# SPDX-License-Identifier: EUPL-1.2
"""A recoding as what is published: distinct rows of labels, each with how often it stands.

Rows are written in the order of their labels' codes, and suppressed rows not at all: where a row
stands in a release tells nothing of where it stood in the register. Memory holds each distinct
row once; a row that a thousand people share is formatted once and written a thousand times.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from anonymise.release.columns import Columns
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.placing import digest
from anonymise.release.read import CSV, ending_of
from anonymise.release.recode import Recoding, Rows

if TYPE_CHECKING:
    import polars as pl

CHUNK: Final = 1 << 18  # rows formatted at once
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
    row, take = recoding.row[kept], recoding.take[kept]
    boxes = recoding.boxes[recoding.cls[kept]]
    keys = [*boxes.reshape(len(boxes), -1).T]
    if rows.sensitive is not None:
        keys.append(rows.sensitive[row])
    order = np.lexsort(keys[::-1])
    differs = np.ones(len(order), bool)
    if len(order):
        differs[1:] = False
        for key in keys:
            ordered = key[order]
            differs[1:] |= ordered[1:] != ordered[:-1]
    first = np.flatnonzero(differs)
    return Published(
        boxes=boxes[order[first]],
        sensitive=rows.sensitive[row[order[first]]] if rows.sensitive is not None else None,
        counts=np.add.reduceat(take[order], first) if len(first) else take[:0],
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
    distinct, place = np.unique(
        ranges[:, 0].astype(np.int64) * width + ranges[:, 1], return_inverse=True
    )
    labels = [hierarchy.label(int(r) // width, int(r) % width) for r in distinct]
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
    """The next rows are formatted while the last ones go to the file."""
    with path.open("wb", buffering=0) as file, ThreadPoolExecutor(1) as writer:
        going = writer.submit(lambda: None)
        told = hashlib.sha256()
        header = False
        for frame, counts in tables:
            if not header:
                _write_all(file, told, frame.head(0).write_csv().encode())
                header = True
            for part, many in _chunks(frame, counts):
                lines = part.write_csv(include_header=False).encode().splitlines(keepends=True)
                content = b"".join([line * n for line, n in zip(lines, many, strict=True)])
                going.result()
                going = writer.submit(_write_all, file, told, content)
                written(sum(many))
        going.result()
    return told.hexdigest()


def _write_all(file: FileIO, told: "hashlib._Hash", content: bytes) -> None:
    """A raw file may take less than it is given."""
    told.update(content)
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


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
