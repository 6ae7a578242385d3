# SPDX-License-Identifier: EUPL-1.2
"""What is signed of a rule folder: one manifest for each part, as exact bytes.

A part is what one signer answers for: `common` (model, floor, vocabulary, agreements, invariants,
examples), the folder of a country, or the folder of an international body. A manifest names every
file of its part with size and SHA-256, a version that only rises, the days on which it is valid,
and the common manifest that it was written against. docs/formats/rule-signatures.md has the form;
`gateway.ruleset` signs it and checks who signed. Nothing here knows a key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from policies.errors import Problems

FORMAT = "cuvar-rules-manifest/1"
COMMON = "common"
MODEL = "model.conf"
NOTHING = "-"
MOST_VERSION = 999_999_999

_COUNTRY = r"[A-Z]{2}"
_BODY = r"INT/[A-Z][A-Z0-9-]{1,15}"
PART = re.compile(rf"{COMMON}|{_COUNTRY}|{_BODY}", re.ASCII)
SIGNER = re.compile(rf"{_COUNTRY}|{_BODY}", re.ASCII)
_INSIDE = re.compile(rf"({_COUNTRY}|{_BODY})/[^/]+", re.ASCII)
_SEAL = re.compile(
    rf"manifest|signatures/{_COUNTRY}|(?:{_COUNTRY}|{_BODY})/(?:manifest|signature)", re.ASCII
)
_HEAD = (
    ("part", PART),
    ("version", re.compile(r"[1-9][0-9]{0,8}", re.ASCII)),
    ("from", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)),
    ("to", re.compile(r"-|[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)),
    ("common", re.compile(r"-|[0-9a-f]{64}", re.ASCII)),
)
_FILE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,8}) ([A-Za-z0-9_./-]{1,200})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of a part: SHA-256 in hex, bytes, and its name within the rule folder."""

    digest: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one signature covers.

    Attributes:
        part: `common`, a country's id, or `INT/` and a body's id.
        version: rises with every change; an older one is never taken again.
        start: first day on which the part is valid; `end` the last, or None.
        common: SHA-256, hex, of the common manifest it stands on; None for `common` itself.
        files: every file of the part, by name.
    """

    part: str
    version: int
    start: date
    end: date | None
    common: str | None
    files: tuple[Listed, ...]

    def valid(self, day: date) -> bool:
        """Whether the part may decide on this day."""
        return self.start <= day and (self.end is None or day <= self.end)


def is_seal(name: str) -> bool:
    """Whether a file is a manifest or a signature, which no manifest lists."""
    return _SEAL.fullmatch(name) is not None


def manifest_name(part: str) -> str:
    """Where the manifest of a part lies in the folder."""
    return "manifest" if part == COMMON else f"{part}/manifest"


def signature_name(part: str, signer: str) -> str:
    """Where the signature of a part by one signer lies in the folder."""
    return f"signatures/{signer}" if part == COMMON else f"{part}/signature"


def part_of(name: str) -> str:
    """The part that a file belongs to: whatever lies in no signer's folder is common."""
    found = _INSIDE.fullmatch(name)
    return COMMON if found is None else found.group(1)


def files_of(files: Mapping[str, bytes], part: str) -> tuple[Listed, ...]:
    """Every file of a part as it stands, by name; for `common` the caller adds the model."""
    held = {name: raw for name, raw in files.items() if not is_seal(name) and part_of(name) == part}
    return tuple(Listed(digest_of(held[name]), len(held[name]), name) for name in sorted(held))


def digest_of(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def write_manifest(manifest: Manifest) -> bytes:
    """The exact bytes of a manifest; its values must have the form that `read_manifest` takes."""
    lines = [
        FORMAT,
        f"part {manifest.part}",
        f"version {manifest.version}",
        f"from {manifest.start.isoformat()}",
        f"to {NOTHING if manifest.end is None else manifest.end.isoformat()}",
        f"common {manifest.common or NOTHING}",
        *(f"{file.digest} {file.size} {file.name}" for file in manifest.files),
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def read_manifest(data: bytes, file: str, problems: Problems) -> Manifest | None:
    """Read a manifest; None, with problems noted, for all that the writer would not write."""
    lines = _lines(data, file, problems)
    if lines is None:
        return None
    head = _head(lines, file, problems)
    listed = _listed(lines, file, problems)
    if head is None or listed is None:
        return None
    manifest = _built(head, listed, file, problems)
    if manifest is not None and write_manifest(manifest) != data:
        problems.add(file, 0, "is not in the exact form of a manifest")
        return None
    return manifest


def _lines(data: bytes, file: str, problems: Problems) -> list[str] | None:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        problems.add(file, 0, "a manifest holds ASCII only")
        return None
    lines = text.split("\n")
    if lines[0] != FORMAT:
        problems.add(file, 1, f"the first line of a manifest is {FORMAT}")
        return None
    if lines.pop() != "":
        problems.add(file, len(lines) + 1, "the last line does not end with a line feed")
        return None
    return lines


def _head(lines: list[str], file: str, problems: Problems) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for place, (name, pattern) in enumerate(_HEAD, start=1):
        line = lines[place] if place < len(lines) else ""
        value = line.removeprefix(f"{name} ")
        if value == line or pattern.fullmatch(value) is None:
            problems.add(file, place + 1, f'"{name}" and its value must stand here')
        else:
            found[name] = value
    return found if len(found) == len(_HEAD) else None


def _listed(lines: list[str], file: str, problems: Problems) -> tuple[Listed, ...] | None:
    first = len(_HEAD) + 1
    found: list[Listed] = []
    for number, line in enumerate(lines[first:], start=first + 1):
        match = _FILE.fullmatch(line)
        if match is None:
            problems.add(file, number, "a file is listed as SHA-256, size and name")
            return None
        listed = Listed(match.group(1), int(match.group(2)), match.group(3))
        if found and found[-1].name >= listed.name:
            problems.add(file, number, "files are listed once, in the order of their names")
            return None
        found.append(listed)
    if not found:
        problems.add(file, 0, "lists no file")
        return None
    return tuple(found)


def _built(
    head: Mapping[str, str], listed: tuple[Listed, ...], file: str, problems: Problems
) -> Manifest | None:
    start, end = _day(head["from"]), _day(head["to"])
    if start is None:
        problems.add(file, 4, "from is no day of the calendar")
        return None
    if head["to"] != NOTHING and (end is None or end < start):
        problems.add(file, 5, "to is no day of the calendar, or lies before from")
        return None
    if (head["common"] == NOTHING) != (head["part"] == COMMON):
        problems.add(file, 6, "every part but common names the common manifest it stands on")
        return None
    common = None if head["common"] == NOTHING else head["common"]
    return Manifest(head["part"], int(head["version"]), start, end, common, listed)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def compare(manifest: Manifest, held: tuple[Listed, ...], where: str, problems: Problems) -> None:
    """Note every file of a part that is not exactly as its manifest says."""
    signed = {file.name: file for file in manifest.files}
    present = {file.name: file for file in held}
    for name in sorted(signed.keys() | present.keys()):
        if name not in present:
            problems.add(name, 0, f"is missing; {where} names it")
        elif name not in signed:
            problems.add(name, 0, f"is not in {where}; it was added after the signing")
        elif signed[name] != present[name]:
            problems.add(name, 0, f"is not as {where} says; it was changed after the signing")
