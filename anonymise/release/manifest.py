# SPDX-License-Identifier: EUPL-1.2
"""What is remembered of a release beside it: docs/formats/release.md, section 2.

The draft of a release is four things: the file; `FILE.release.json`, this manifest; `FILE.html`,
the report; and the folder `FILE.kept`, which never leaves the house: known rows, control rows and
the hierarchies, for the attacks of the gate, and the records of the copies that were published.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from anonymise.errors import ReleaseError
from anonymise.release.columns import Columns
from anonymise.release.placing import digest
from anonymise.release.summary import Summary
from anonymise.release.verdict import Limits

FORMAT: Final = "cuvar-release-2"
_LONGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A release's manifest.

    Attributes:
        sha256: Of the file, in hex.
        rows: That it holds.
        read: Rows of the table that it was made of.
        held_back: Rows that were left out for the attacks.
        columns: Published ones.
        dropped: Columns of the table that were not released.
        limits: What it was made to keep to.
        method: local or global.
        steps: Search steps a row.
        seed: Of every draw and search.
        hierarchies: Column -> SHA-256 of its file.
        source: SHA-256 of the table, in hex.
        kept: Table of the folder that stays in the house -> SHA-256 of it.
        control: Rows that were asked to be held back.
        most_suppressed: The share of rows that might be left out.
        summary: What was lost.
    """

    sha256: str
    rows: int
    read: int
    held_back: int
    columns: Columns
    dropped: tuple[str, ...]
    limits: Limits
    method: str
    steps: float
    seed: int
    hierarchies: Mapping[str, str]
    source: str
    kept: Mapping[str, str]
    control: int
    most_suppressed: float
    summary: Summary

    def encode(self) -> bytes:
        """The file's content."""
        document = {"format": FORMAT, **asdict(self)}
        return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Draft:
    """A release that was made and is not published, by the path of its file."""

    path: Path

    @property
    def manifest_path(self) -> Path:
        """Where its manifest stands."""
        return self.path.with_name(f"{self.path.name}.release.json")

    @property
    def report_path(self) -> Path:
        """Where its report stands."""
        return self.path.with_name(f"{self.path.name}.html")

    @property
    def kept(self) -> Path:
        """The folder that never leaves the house."""
        return self.path.with_name(f"{self.path.name}.kept")

    @property
    def hierarchies(self) -> Path:
        """The hierarchies that it was made with."""
        return self.kept / "hierarchies"

    @property
    def publications(self) -> Path:
        """Records of published copies."""
        return self.kept / "publications"

    def manifest(self) -> Manifest:
        """Read its manifest, and hold the file against it.

        Raises:
            ReleaseError: No manifest, a damaged one, or a file that is not the one it speaks of.
        """
        if not self.path.is_file():
            raise ReleaseError(f"there is no file {self.path.name}; check its path")
        try:
            with self.manifest_path.open("rb") as file:
                read = _parse(json.loads(file.read(_LONGEST)))
        except OSError:
            raise ReleaseError(
                f"{self.manifest_path.name} can't be read; a release is made by "
                "`cuvar release create`"
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ReleaseError(
                f"{self.manifest_path.name} is damaged or of another version; make the release anew"
            ) from None
        if digest(self.path) != read.sha256:
            raise ReleaseError(
                f"{self.path.name} was changed after it was made; make the release anew"
            )
        return read


def _parse(document: Mapping[str, Any]) -> Manifest:
    members = dict(document)
    if members.pop("format") != FORMAT:
        raise ValueError(FORMAT)
    columns = members["columns"]
    members["columns"] = Columns(
        tuple(columns["quasi_identifiers"]), columns["sensitive"], columns["within"]
    )
    members["limits"] = Limits(**members["limits"])
    members["dropped"] = tuple(members["dropped"])
    members["summary"] = _summary(members["summary"])
    return Manifest(**members)


def _summary(members: Mapping[str, Any]) -> Summary:
    lists = {name: tuple(members[name]) for name in ("by_column", "exact")}
    return Summary(**{**members, **lists})
