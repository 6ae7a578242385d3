# SPDX-License-Identifier: EUPL-1.2
"""Whose copy leaked: a copy, or a part of one, held against the records of a draft's copies.

It needs neither the draft nor the whole copy, only rows in the order in which they stood, or tags.
Three tags or fifteen distinct rows are enough; `watermark` says when an answer is sure.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anonymise.errors import PublicationError
from anonymise.release.columns import TAG
from anonymise.release.leaked import read_leaked
from anonymise.release.manifest import Draft
from anonymise.release.watermark import Likeness, Mark, liken


@dataclass(frozen=True, slots=True)
class Suspect:
    """One published copy, and how far the leaked one looks like it."""

    recipient: str
    purpose: str
    expires: str
    entry: str
    log: str
    likeness: Likeness


def trace(leaked: Path, draft: Draft, names: Sequence[str]) -> tuple[Suspect, ...]:
    """Hold a leaked copy against every published one; the likeliest first.

    Args:
        leaked: A CSV or Parquet file with a header, as it was found.
        draft: The release that the copies were made of.
        names: The columns that were published.

    Raises:
        ReleaseError: The leaked copy can't be read.
        PublicationError: There are no records, or they are damaged.
    """
    table = read_leaked(leaked)
    tagged = TAG in table.header
    tags = [tag for (tag,) in table.columns((TAG,)) if tag] if tagged else []
    whole = set(names) <= set(table.header)
    rows = table.columns(tuple(names)) if whole else []
    if not tagged and not whole:
        raise PublicationError(
            f"{leaked.name} has neither tags nor all published columns; give it the header "
            + ",".join(names)
        )
    found = [_suspect(path, rows, tags) for path in _records(draft)]
    return tuple(
        sorted(found, key=lambda s: (s.likeness.tags, s.likeness.deviations), reverse=True)
    )


def _records(draft: Draft) -> list[Path]:
    found = sorted(draft.publications.glob("*.json"))
    if not found:
        raise PublicationError(
            f"{draft.kept.name} has no record of a published copy; the sealed details of the "
            "log's entries of kind export hold them too"
        )
    return found


def _suspect(path: Path, rows: Sequence[tuple[str, ...]], tags: Sequence[str]) -> Suspect:
    try:
        record = json.loads(path.read_bytes())
        mark, issued = Mark(bytes.fromhex(record["mark"])), int(record["rows"])
        named = {n: str(record[n]) for n in ("recipient", "purpose", "expires", "entry", "log")}
    except (OSError, ValueError, KeyError, TypeError):
        raise PublicationError(
            f"record {path.name} is damaged; the sealed detail of that entry holds it too"
        ) from None
    return Suspect(**named, likeness=liken(mark, rows, tags, issued))
