# SPDX-License-Identifier: EUPL-1.2
"""A published copy: a draft's rows in a recipient's own order and with its own tags.

A copy is written whole beside its name, then told to the caller, who makes it an entry of the log,
and only when that is durable takes its name. So a name never stands for part of a copy, and no copy
stands that the log does not know; a process killed in between leaves an entry that says more than
happened, which is the safe way round.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from anonymise.errors import PublicationError
from anonymise.release.cells import escaped
from anonymise.release.columns import TAG
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import ANY
from anonymise.release.manifest import Draft, Manifest
from anonymise.release.part import Progress
from anonymise.release.placing import digest, placed, replace
from anonymise.release.published import CHUNK
from anonymise.release.read import CSV, ending_of, text_of
from anonymise.release.watermark import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

MARK: Final = "cuvar-release"
_COUNT: Final = "cuvar_count"
_SECRET: Final = 32


@dataclass(frozen=True, slots=True)
class Ticket:
    """For whom a copy is, and until when.

    Attributes:
        owner: The country whose data it is.
        recipient: The organisation.
        purpose: Why it gets it.
        expires: The last day on which it may be held.
        entry: The identity of its entry in the log.
        log: That log's origin.
    """

    owner: str
    recipient: str
    purpose: str
    expires: date
    entry: str
    log: str


@dataclass(frozen=True, slots=True, repr=False)
class Copy:
    """A copy that was written.

    Attributes:
        ticket: For whom.
        draft: SHA-256 of the draft that it was made of.
        sha256: Of the copy itself.
        rows: That it holds.
        mark: Its keys.
    """

    ticket: Ticket
    draft: str
    sha256: str
    rows: int
    mark: Mark

    def record(self) -> bytes:
        """What the house remembers, its keys included."""
        members = {
            **asdict(self.ticket),
            "expires": self.ticket.expires.isoformat(),
            "draft": self.draft,
            "sha256": self.sha256,
            "rows": self.rows,
            "mark": self.mark.secret.hex(),
        }
        return json.dumps({"format": "cuvar-publication-1", **members}, indent=1).encode() + b"\n"


def note(ticket: Ticket, manifest: Manifest) -> str:
    """The line that a copy carries for honest eyes: docs/formats/release.md, section 4."""
    limits = manifest.limits
    parts = {
        "owner": ticket.owner,
        "recipient": ticket.recipient,
        "purpose": ticket.purpose,
        "expires": ticket.expires.isoformat(),
        "k": limits.k,
        "l": limits.l,
        "entry": ticket.entry,
        "log": ticket.log,
    }
    return f"{MARK} 1 " + " ".join(f"{name}={value}" for name, value in parts.items())


def publish(
    draft: Draft,
    manifest: Manifest,
    ticket: Ticket,
    out: Path,
    told: Callable[[Copy], None],
    progress: Progress,
) -> Copy:
    """Write a recipient's copy of a draft that passed the gate.

    Args:
        draft: The release; `check` has just passed it.
        manifest: Its manifest.
        ticket: For whom.
        out: Where the copy goes.
        told: Makes it an entry of the log; it returns when the entry is durable.
        progress: Told the stage.

    Raises:
        ReleaseError: The name is taken, or the folder cannot be written.
    """
    ending_of(out)
    mark = Mark(secrets.token_bytes(_SECRET))
    with placed(out) as beside:
        _require_same(draft, manifest)
        _write(draft, manifest, note(ticket, manifest), mark, beside, progress)
        _require_same(draft, manifest)  # nor was it exchanged while it was read
        copy = Copy(ticket, manifest.sha256, digest(beside), manifest.rows, mark)
        if not draft.publications.is_dir():
            raise PublicationError(f"{draft.kept.name} was lost; make the release anew")
        replace(draft.publications / f"{ticket.entry}.json", copy.record())
        told(copy)
    return copy


def _require_same(draft: Draft, manifest: Manifest) -> None:
    """The file is still the one that the gate counted and attacked."""
    if digest(draft.path) != manifest.sha256:
        raise PublicationError(f"{draft.path.name} was exchanged after the gate; check it anew")


def _write(
    draft: Draft, manifest: Manifest, line: str, mark: Mark, path: Path, progress: Progress
) -> None:
    need_polars()
    import polars as pl

    names = manifest.columns.published
    distinct = (
        text_of(draft.path, names)
        .filter(~pl.all_horizontal(pl.col(manifest.columns.quasi_identifiers) == ANY))
        .group_by(names)
        .agg(pl.len().alias(_COUNT))
        .collect(engine="streaming")
    )
    if int(distinct[_COUNT].sum()) != manifest.rows:
        raise PublicationError(
            f"{draft.path.name} holds other rows than were counted; make the release anew"
        )
    ranks = [mark.rank(row) for row in distinct.select(names).iter_rows()]
    distinct = distinct.with_columns(pl.Series("cuvar_rank", ranks)).sort("cuvar_rank")
    places = np.repeat(np.arange(distinct.height), distinct[_COUNT].to_numpy())
    tags = mark.tags(len(places))
    plain = distinct.select(names)

    def parts() -> "Iterator[pl.DataFrame]":
        for start in range(0, len(places), CHUNK):
            chosen = slice(start, start + CHUNK)
            tagged = pl.Series(TAG, tags[chosen].astype(f"U{tags.dtype.itemsize}"))
            yield plain[places[chosen]].with_columns(tagged)
            progress("publishing", min(start + CHUNK, len(places)), len(places))

    if ending_of(path) == CSV:
        with path.open("wb") as file:
            file.write(f"# {line}\n".encode())
            for number, part in enumerate(parts()):
                file.write(escaped(part).write_csv(include_header=not number).encode())
        return
    from polars.io.plugins import register_io_source

    def source(columns: list[str] | None, *_rest: object) -> "Iterator[pl.DataFrame]":
        return parts() if columns is None else (part.select(columns) for part in parts())

    schema = {**plain.schema, TAG: pl.String()}
    register_io_source(source, schema=schema).sink_parquet(path, metadata={MARK: line})
