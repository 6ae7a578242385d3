# SPDX-License-Identifier: EUPL-1.2
"""Making a release: read, hold rows back, recode, write.

Deterministic: the same table, columns, hierarchies, limits and seed make the same bytes. With a
column `within`, each of its values is a table of its own, recoded one after the other, so that sets
of people stay national and memory is that of the largest. The file takes its name last, when the
rest of the draft stands; `anonymise.release.check` and `publish` take it from there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from anonymise.release.columns import Columns, read_hierarchies
from anonymise.release.control import Line, Words, control_lines, hold_back, known_lines
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.keeping import Targets, keep
from anonymise.release.manifest import Draft, Manifest, digest
from anonymise.release.measure import Held, Loss, class_sizes, held, loss
from anonymise.release.placing import placed, refuse_taken
from anonymise.release.placing import replace as put
from anonymise.release.published import Published, labelled, published, write_table
from anonymise.release.read import Extract, ending_of, read_extract
from anonymise.release.recode import Demand, recode
from anonymise.release.report import report
from anonymise.release.summary import summarise
from anonymise.release.verdict import Found, Limits

if TYPE_CHECKING:
    import polars as pl

CONTROL: Final = 2000
_FEWEST_LEFT: Final = 20  # of so many rows, one may be held back

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a release is to be.

    Attributes:
        columns: Published ones.
        limits: What it must keep to.
        method: `local` publishes each class as finely as it can; `global` coarsens a column in
            one way for all rows, which is easier to count with and loses more.
        most_suppressed: The share of rows that may be left out, as a last resort.
        control: Rows to hold back for the attacks; at most one in twenty is.
        steps: Search steps a row; more lose less and take longer.
        seed: Of draws and search.
    """

    columns: Columns
    limits: Limits
    method: Literal["local", "global"] = "local"
    most_suppressed: float = 0.0
    control: int = CONTROL
    steps: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A release that was made."""

    draft: Draft
    manifest: Manifest
    found: Found


@dataclass(frozen=True, slots=True)
class _Part:
    """One table of the release: its name, its rows, what they cost, and whom to attack."""

    name: str
    rows: Published
    loss: Loss
    held: Held
    sizes: NDArray[np.int64]
    known: list[tuple[Line, Line]]
    control: list[Line]


def create(source: Path, folder: Path, wish: Wish, out: Path, progress: Progress) -> Made:
    """Make a release.

    Args:
        source: The table: CSV or Parquet.
        folder: Of the hierarchies.
        wish: What it is to be.
        out: Where its file goes; `.csv` or `.parquet`.
        progress: Told the stage, how much of it is done, and how much there is.

    Raises:
        ReleaseError: It cannot be made, and nothing stands at `out`.
    """
    ending_of(out)
    refuse_taken(out)
    need_polars()
    hierarchies = read_hierarchies(folder, wish.columns)
    progress("reading", 0, 1)
    extract = read_extract(source, wish.columns, hierarchies)
    progress("reading", 1, 1)
    parts = [*recoded(extract, hierarchies, wish, progress)]
    draft = Draft(out)
    with placed(out) as beside:
        _write(beside, parts, extract, hierarchies, wish, progress)
        found = _found(parts)
        made = _made(draft, extract, parts, wish, found)
        manifest = replace(
            made.manifest,
            sha256=digest(beside),
            hierarchies={
                name: digest(folder / f"{name}.csv") for name in wish.columns.quasi_identifiers
            },
        )
        made = replace(made, manifest=manifest)
        known = [pair for p in parts for pair in p.known]
        targets = Targets(
            known=[was for was, _ in known],
            shown=[told for _, told in known],
            control=[line for p in parts for line in p.control],
        )
        keep(draft, folder, wish.columns, targets)
        put(draft.manifest_path, manifest.encode())
        put(draft.report_path, report(out.name, manifest, found, None).encode())
    return made


def recoded(
    extract: Extract, hierarchies: Sequence[Hierarchy], wish: Wish, progress: Progress
) -> Iterator[_Part]:
    """The tables of a release, one after the other."""
    demand = Demand(
        k=wish.limits.k,
        l=wish.limits.l,
        t=wish.limits.t,
        method=wish.method,
        most_suppressed=wish.most_suppressed,
        steps=wish.steps,
        seed=wish.seed,
    )
    share = min(wish.control / extract.size, 1 / _FEWEST_LEFT)
    words = Words(hierarchies, extract.values)
    for number, (name, rows) in enumerate(extract.tables.items()):
        generator = np.random.default_rng((wish.seed, number))
        many = round(share * int(rows.counts.sum()))
        released, control = hold_back(rows, many, generator)
        stage = f"recoding {name}".rstrip()
        recoding = recode(released, hierarchies, demand, partial(progress, stage))
        yield _Part(
            name,
            published(released, recoding),
            loss(recoding, hierarchies, wish.limits.k),
            held(released, recoding),
            class_sizes(recoding),
            known_lines(released, recoding, many, words, generator),
            control_lines(control, words),
        )


def _write(
    path: Path,
    parts: Sequence[_Part],
    extract: Extract,
    hierarchies: Sequence[Hierarchy],
    wish: Wish,
    progress: Progress,
) -> None:
    whole = sum(int(p.rows.counts.sum()) for p in parts)
    done = 0

    def written(rows: int) -> None:
        nonlocal done
        done += rows
        progress("writing", done, whole)

    def tables() -> Iterator[tuple["pl.DataFrame", NDArray[np.int64]]]:
        for one in parts:
            frame = labelled(one.rows, wish.columns, hierarchies, extract.values, one.name)
            yield frame, one.rows.counts

    write_table(path, tables(), written)


def _found(parts: Sequence[_Part]) -> Found:
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
    draft: Draft,
    extract: Extract,
    parts: Sequence[_Part],
    wish: Wish,
    found: Found,
) -> Made:
    summary = summarise([p.rows for p in parts], [p.loss for p in parts], found, wish.limits.k)
    manifest = Manifest(
        sha256="",
        rows=found.rows,
        read=extract.size,
        held_back=sum(len(p.control) for p in parts),
        columns=wish.columns,
        dropped=extract.dropped,
        limits=wish.limits,
        method=wish.method,
        steps=wish.steps,
        seed=wish.seed,
        hierarchies={},
        summary=summary,
    )
    return Made(draft, manifest, found)
