# SPDX-License-Identifier: EUPL-1.2
"""What stays in the house of a release: `FILE.kept`, mode 0700, docs/formats/release.md section 3.

It holds rows of real people as they are in the register, and is worth as much protection as that.
Without it the gate has nobody to attack, and a release that was not attacked is not published.
"""

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns, read_hierarchies
from anonymise.release.control import Line
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.manifest import Draft, Manifest
from anonymise.release.placing import digest

TABLES: Final = ("known", "shown", "control")


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom the attacks look for: rows as text, quasi-identifiers first, then the sensitive value.

    Attributes:
        known: Rows that are in the release, as they are in the table.
        shown: The same, as they are published; in the same order.
        control: Rows that are not in the release.
    """

    known: Sequence[Line]
    shown: Sequence[Line]
    control: Sequence[Line]


def keep(draft: Draft, hierarchies: Path, columns: Columns, targets: Targets) -> dict[str, str]:
    """Write the folder of a draft; the digest of each of its tables.

    Raises:
        ReleaseError: It cannot be written, or an older one holds what must not be lost.
    """
    place = draft.kept
    clear(draft)
    try:
        place.mkdir(mode=0o700)
        draft.hierarchies.mkdir()
        draft.publications.mkdir()
        for name in columns.quasi_identifiers:
            shutil.copyfile(hierarchies / f"{name}.csv", draft.hierarchies / f"{name}.csv")
        for name in TABLES:
            write_lines(place / f"{name}.csv", _header(columns), getattr(targets, name))
    except OSError as error:
        reason = error.strerror or "it failed"
        raise ReleaseError(f"{place.name} cannot be written: {reason}") from error
    return {name: digest(place / f"{name}.csv") for name in TABLES}


def clear(draft: Draft) -> None:
    """Remove the folder that a killed `create` left; nothing else, and never a record.

    Raises:
        ReleaseError: The folder holds records of published copies, or what is not ours.
    """
    place = draft.kept
    if not (place.is_symlink() or place.exists()):
        return
    try:
        if place.is_symlink():
            raise NotADirectoryError
        if draft.publications.exists():
            draft.publications.rmdir()  # fails when it holds a record
        if draft.hierarchies.is_dir():
            for path in draft.hierarchies.glob("*.csv"):
                path.unlink()
            draft.hierarchies.rmdir()
        for name in TABLES:
            (place / f"{name}.csv").unlink(missing_ok=True)
        place.rmdir()
    except OSError:
        raise ReleaseError(
            f"{place.name} holds records of published copies, or files of others, and is not "
            "removed: without the records no leaked copy is traced; move it, or name another file"
        ) from None


def kept(draft: Draft, manifest: Manifest) -> tuple[tuple[Hierarchy, ...], Targets]:
    """Read the folder of a draft.

    Raises:
        ReleaseError: It was lost or changed; then the release must be made anew.
    """
    hierarchies = read_hierarchies(draft.hierarchies, manifest.columns)
    for name, sha256 in manifest.hierarchies.items():
        if digest(draft.hierarchies / f"{name}.csv") != sha256:
            raise ReleaseError(f"hierarchy {name}.csv was changed; make the release anew")
    for name in TABLES:
        if digest(draft.kept / f"{name}.csv") != manifest.kept.get(name):
            raise ReleaseError(f"{draft.kept.name}/{name}.csv was changed; make the release anew")
    read = [_read(draft, name, manifest) for name in TABLES]
    if len(read[0]) != len(read[1]):
        raise ReleaseError(f"{draft.kept.name} is damaged; make the release anew")
    return hierarchies, Targets(*read)


def write_lines(path: Path, header: Line, lines: Iterable[Line]) -> None:
    """Write a small CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *lines])


def _header(columns: Columns) -> Line:
    return (*columns.quasi_identifiers, *((columns.sensitive,) if columns.sensitive else ()))


def _read(draft: Draft, name: str, manifest: Manifest) -> list[Line]:
    wanted = _header(manifest.columns)
    try:
        with (draft.kept / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = [tuple(line) for line in csv.reader(file, strict=True)]
        if header == wanted and all(len(line) == len(wanted) for line in lines):
            return lines
    except (OSError, ValueError, csv.Error):
        pass
    raise ReleaseError(
        f"{draft.kept.name} was lost or damaged, so the release can't be attacked; make it anew"
    )
