# SPDX-License-Identifier: EUPL-1.2
"""Making a release: read, hold rows back, recode, write.

Deterministic: the same table, columns, hierarchies, limits and seed make the same bytes, on this
machine or on another engine. With a column `within`, each of its values is a table of its own, so
that sets of people stay national. The file takes its name last, when the rest of the draft stands;
`anonymise.release.check` and `publish` take it from there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anonymise.errors import ReleaseError
from anonymise.release.columns import read_hierarchies
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.keeping import Targets, clear, keep
from anonymise.release.manifest import Draft, Manifest
from anonymise.release.part import Part, Progress, Recoder, Wish
from anonymise.release.placing import digest, digest_of_table, placed, refuse_taken
from anonymise.release.placing import replace as put
from anonymise.release.published import labelled, write_table
from anonymise.release.read import ending_of, read_extract
from anonymise.release.report import report
from anonymise.release.summary import summarise
from anonymise.release.verdict import Found

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Made:
    """A release that was made."""

    draft: Draft
    manifest: Manifest
    found: Found


@dataclass(frozen=True, slots=True)
class Recoded:
    """What an engine gives back.

    Attributes:
        recoder: What the tables were recoded with.
        dropped: Columns of the table that are not released.
        parts: The tables, in the order of their names.
    """

    recoder: Recoder
    dropped: tuple[str, ...]
    parts: Iterator[Part]


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 of the release, of the table that it was made of, and of what stays in the house."""

    file: str
    table: str
    kept: Mapping[str, str]


Engine = Callable[[Path, Sequence[Hierarchy], Wish, Progress], Recoded]


def here(source: Path, hierarchies: Sequence[Hierarchy], wish: Wish, progress: Progress) -> Recoded:
    """The engine of this machine: the table is streamed, its tuples recoded one table at a time."""
    progress("reading", 0, 1)
    extract = read_extract(source, wish.columns, hierarchies)
    progress("reading", 1, 1)
    recoder = Recoder(wish, hierarchies, extract.values, extract.size)
    parts = (
        recoder.part(number, name, rows, progress)
        for number, (name, rows) in enumerate(extract.tables.items())
    )
    return Recoded(recoder, extract.dropped, parts)


def create(
    source: Path, folder: Path, wish: Wish, out: Path, progress: Progress, engine: Engine = here
) -> Made:
    """Make a release.

    Args:
        source: The table: CSV or Parquet.
        folder: Of the hierarchies.
        wish: What it is to be.
        out: Where its file goes; `.csv` or `.parquet`.
        progress: Told the stage, how much of it is done, and how much there is.
        engine: Where it is read and recoded.

    Raises:
        ReleaseError: It cannot be made, and nothing stands at `out`.
    """
    ending_of(out)
    refuse_taken(out)
    need_polars()
    draft = Draft(out)
    clear(draft)
    before = _state(source)
    with ThreadPoolExecutor(1) as beside_it:
        told = beside_it.submit(digest_of_table, source)
        recoded = engine(source, read_hierarchies(folder, wish.columns), wish, progress)
        parts = [*recoded.parts]
        table = told.result()
    if before != _state(source):
        raise ReleaseError(f"{source.name} was changed while it was read; make the release anew")
    with placed(out) as beside:
        sha256 = _write(beside, parts, recoded.recoder, progress)
        known = [pair for p in parts for pair in p.known]
        targets = Targets(
            known=[was for was, _ in known],
            shown=[told for _, told in known],
            control=[line for p in parts for line in p.control],
        )
        kept = keep(draft, folder, wish.columns, targets)
        made = _made(draft, recoded, parts, folder, Digests(sha256, table, kept))
        put(draft.manifest_path, made.manifest.encode())
        put(draft.report_path, report(out.name, made.manifest, made.found, None).encode())
    return made


def _state(source: Path) -> tuple[int, ...]:
    """What changes when a file does."""
    try:
        found = source.stat()
    except OSError:
        raise ReleaseError(f"there is no file {source.name}; check its path") from None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _write(
    path: Path,
    parts: Sequence[Part],
    recoder: Recoder,
    progress: Progress,
) -> str:
    whole = sum(int(p.rows.counts.sum()) for p in parts)
    done = 0

    def written(rows: int) -> None:
        nonlocal done
        done += rows
        progress("writing", done, whole)

    def tables() -> Iterator[tuple["pl.DataFrame", NDArray[np.int64]]]:
        for one in parts:
            frame = labelled(
                one.rows, recoder.wish.columns, recoder.hierarchies, recoder.values, one.name
            )
            yield frame, one.rows.counts

    return write_table(path, tables(), written)


def _found(parts: Sequence[Part]) -> Found:
    """What must stand in the file; the gate looks there."""
    sizes = np.concatenate([one.sizes for one in parts])
    size, many = np.unique(sizes, return_counts=True)
    secrets = [one.held.l for one in parts if one.held.l is not None]
    distances = [one.held.t for one in parts if one.held.t is not None]
    return Found(
        rows=int(sizes.sum()),
        suppressed=0,
        classes=len(sizes),
        k=int(size[0]),
        l=min(secrets, default=None),
        t=max(distances, default=None),
        sizes=tuple(zip(size.tolist(), many.tolist(), strict=True)),
    )


def _made(
    draft: Draft, recoded: Recoded, parts: Sequence[Part], folder: Path, digests: Digests
) -> Made:
    wish, found = recoded.recoder.wish, _found(parts)
    summary = summarise([p.rows for p in parts], [p.loss for p in parts], found, wish.limits.k)
    manifest = Manifest(
        sha256=digests.file,
        rows=found.rows,
        read=recoded.recoder.size,
        held_back=sum(len(p.control) for p in parts),
        columns=wish.columns,
        dropped=recoded.dropped,
        limits=wish.limits,
        method=wish.method,
        steps=wish.steps_for(recoded.recoder.size),
        seed=wish.seed,
        hierarchies={
            name: digest(folder / f"{name}.csv") for name in wish.columns.quasi_identifiers
        },
        source=digests.table,
        kept=digests.kept,
        control=wish.control,
        most_suppressed=wish.most_suppressed,
        summary=summary,
    )
    return Made(draft, manifest, found)
