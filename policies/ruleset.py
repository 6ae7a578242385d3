# SPDX-License-Identifier: EUPL-1.2
"""Reads and checks `floor.csv`, `CC/rules.csv` and `asking.csv`: docs/formats/rules.md, "Lines".

The floor holds only denials, a country's folder governs only its own data and its own askers, an
allow line cites law and can really match something. Whatever breaks one of these is refused with
file and line, because casbin itself would read it without a word. `policies.loader` relies on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from policies.errors import Problems
from policies.line import COLUMNS, Line
from policies.table import EVERY, Row, read_table
from policies.vocabulary import CellKey, Vocabulary
from policies.zones import Zones

_RULE_ID = re.compile(r"[A-Z]+-[A-Z]{1,2}[0-9]{1,2}[a-z]?\Z")
_FLOOR_ID = re.compile(r"F[0-9]{2}\Z")
_STATUS = ("verified", "unverified")
_Words = tuple[str, ...]
_Shape = tuple[_Words, _Words, _Words, _Words]


class Source(Enum):
    """What a file of lines may do."""

    FLOOR = "floor"
    OWNER = "owner"
    ASKING = "asking"


class LineReader:
    """Reads files of lines; ids are unique over all files that one reader has read."""

    def __init__(
        self, files: Mapping[str, bytes], vocabulary: Vocabulary, problems: Problems
    ) -> None:
        self._files = files
        self._words = vocabulary
        self._problems = problems
        self._seen: dict[str, str] = {}
        self._shapes: dict[_Shape, bool] = {}

    def read(self, file: str, source: Source, folder: str | None) -> tuple[Line, ...]:
        """The lines of one file; `folder` is the country or organisation that signs it."""
        zones = Zones(self._words, folder)
        rows = read_table(self._files, file, COLUMNS, self._problems)
        lines = []
        for row in rows:
            line = self._line(row, zones)
            if line is not None and self._accepts(line, source, folder, zones):
                lines.append(line)
        return tuple(lines)

    def _refuse(self, row: Row | Line, message: str) -> None:
        number = row.line if isinstance(row, Row) else row.number
        self._problems.add(row.file, number, message)

    def _line(self, row: Row, zones: Zones) -> Line | None:
        datasets = zones.dataset(row["dataset"])
        categories: dict[str, None] = {}
        if not isinstance(datasets, str):
            known = self._words.datasets
            for name in known if datasets == (EVERY,) else datasets:
                categories.update(dict.fromkeys(known[name].categories))
        guards = (*self._words.guards, *self._words.negatives)
        columns: dict[str, tuple[str, ...] | str] = {
            "role": zones.plain(row["role"], (*self._words.roles, *self._words.groups)),
            "org": zones.org(row["org"]),
            "owner": zones.plain(row["owner"], self._words.countries),
            "dataset": datasets,
            "category": zones.plain(row["category"], categories),
            "view": zones.plain(row["view"], self._words.views),
            "action": zones.plain(row["action"], self._words.actions),
            "purpose": zones.purpose(row["purpose"]),
            "guards": _or_none(zones, row["guards"], guards),
            "duties": _or_none(zones, row["duties"], self._words.duties),
            "law": zones.plain(row["law"], self._words.law),
        }
        parts = {name: part for name, part in columns.items() if not isinstance(part, str)}
        for name, part in columns.items():
            if isinstance(part, str):
                self._refuse(row, f"{name} {part}")
            elif part == (EVERY,) and name in ("role", "guards", "duties", "law"):
                self._refuse(row, f"{name} cannot be {EVERY}")
        if len(parts) != len(columns):
            return None
        return Line(
            row.file,
            row.line,
            row["id"],
            eft=row["eft"],
            status=row["status"],
            note=row["note"],
            **parts,
        )

    def _accepts(self, line: Line, source: Source, folder: str | None, zones: Zones) -> bool:
        faults = [
            *self._identity_faults(line, source, folder),
            *self._reach_faults(line, source, folder, zones),
        ]
        if line.eft == "allow":
            faults += self._allow_faults(line)
        elif line.eft != "deny":
            faults.append("eft must be exactly allow or deny")
        elif line.duties:
            faults.append("a deny line carries no duty")
        for fault in faults:
            self._refuse(line, fault)
        return not faults

    def _identity_faults(self, line: Line, source: Source, folder: str | None) -> list[str]:
        faults = []
        if source is Source.FLOOR:
            if not _FLOOR_ID.match(line.id):
                faults.append("the id of a floor line is F and two digits")
            if line.status != "common":
                faults.append("the status of a floor line is common")
        else:
            asking = line.id.startswith(f"{folder}-Q")
            if (
                not _RULE_ID.match(line.id)
                or not line.id.startswith(f"{folder}-")
                or asking != (source is Source.ASKING)
            ):
                letter = "Q…" if source is Source.ASKING else "O, X, A, B, V or N…"
                faults.append(f"the id must be {folder}-{letter}")
            if line.status not in _STATUS:
                faults.append("status must be verified or unverified")
        if line.id in self._seen:
            faults.append(f"the id {line.id} is used in {self._seen[line.id]} too")
        self._seen.setdefault(line.id, f"{line.file}:{line.number}")
        return faults

    def _reach_faults(
        self, line: Line, source: Source, folder: str | None, zones: Zones
    ) -> list[str]:
        match source:
            case Source.FLOOR:
                faults = [] if line.eft == "deny" else ["the floor holds only denials"]
                if line.owner != (EVERY,) or line.org != (EVERY,):
                    faults.append("a floor line is for every owner and every organisation")
                return faults
            case Source.OWNER:
                return [] if line.owner == (folder,) else [f"the owner must be {folder}"]
            case Source.ASKING:
                if zones.own.issuperset(line.org):
                    return []
                return [f"the org must be of {folder}; nobody asks in another's name"]

    def _allow_faults(self, line: Line) -> list[str]:
        faults = [
            f"an allow line names its {name}"
            for name in ("org", "dataset", "purpose")
            if getattr(line, name) == (EVERY,)
        ]
        guards = self._words.guards
        faults += [
            f"an allow line depends on positive facts only, not on {guard}"
            for guard in line.guards
            if guard not in guards or guards[guard].harmful
        ]
        groups = [role for role in line.role if role in self._words.groups]
        faults += [f"an allow line names roles, not the group {group}" for group in groups]
        if not faults:
            faults += self._purpose_faults(line)
            if not self._can_match(line):
                faults.append("can never match: no such dataset, category, view and action")
        return faults

    def _purpose_faults(self, line: Line) -> list[str]:
        faults = []
        holders = [self._words.organisations[name.partition("/")[0]] for name in line.org]
        for role in line.role:
            if not any(role in self._words.purposes[p].roles for p in line.purpose):
                faults.append(f"{role} may state none of its purposes")
            if not any(self._words.may_hold(org, role) for org in holders):
                faults.append(f"no organisation of the line may hold the role {role}")
        purposes = self._words.purposes
        faults += [
            f"none of its roles may state {purpose}"
            for purpose in line.purpose
            if purposes[purpose].roles.isdisjoint(line.role)
        ]
        return faults

    def _can_match(self, line: Line) -> bool:
        """Whether each named dataset, category, view and action has a cell with the others."""
        shape = (line.dataset, line.category, line.view, line.action)
        if shape not in self._shapes:
            self._shapes[shape] = _can_match(shape, self._words.cells)
        return self._shapes[shape]


def _can_match(shape: _Shape, cells: frozenset[CellKey]) -> bool:
    fitting = [
        cell
        for cell in cells
        if all(p == (EVERY,) or word in p for p, word in zip(shape, cell, strict=True))
    ]
    reached = [set(words) for words in zip(*fitting, strict=True)]
    return bool(reached) and all(
        p == (EVERY,) or words.issuperset(p) for p, words in zip(shape, reached, strict=True)
    )


def _or_none(
    zones: Zones, cell: str, words: Mapping[str, object] | tuple[str, ...]
) -> tuple[str, ...] | str:
    return () if cell == "-" else zones.plain(cell, words)
