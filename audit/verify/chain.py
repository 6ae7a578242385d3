# SPDX-License-Identifier: EUPL-1.2
"""How a log begins and ends, and how neighbouring logs join (docs/formats/log.md, section 1).

The first entry of a log says what came before it, the closing one what comes after. A predecessor
that is at hand must have the root that the opening entry names, at the size that it names. Logs of
the first store format have no such entries; pure.
"""

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from audit.errors import NoteError
from audit.event import Envelope, Link
from audit.shards import parse_origin
from audit.verify.report import Fault, Finding, Findings, Report
from audit.vocabulary import Kind

UNOPENED = "the first entry is not the opening of a log"
_OPENINGS = (Kind.OPENING, Kind.CHECKPOINT_GAP)


@dataclass(frozen=True, slots=True)
class Mark:
    """A root that the log must have had at a size, and who says so."""

    size: int
    root: bytes
    who: str
    gap: bool = False
    """whether it says that the log was restored or damaged, and how much of it is lost"""

    @property
    def differs(self) -> str:
        """What to tell where the log had another root."""
        return (
            f"the first {self.size} entries are not those of {self.who}:"
            " one of them was changed, dropped, added or moved since"
        )

    def cut(self, size: int) -> str:
        """What to tell where the log is shorter."""
        return (
            f"the log has {size} entries, {self.who} {self.size}:"
            " entries were cut off, or an old copy was put in place"
        )


@dataclass(slots=True)
class Frame:
    """First and last entry as they pass by. One verification has one."""

    opening: Link | None = None
    closing: Link | None = None
    closed: int | None = field(default=None)

    def entry(self, index: int, envelope: Envelope, findings: Findings) -> None:
        """Take note of an opening or closing entry."""
        if envelope.kind is Kind.OPENING and index:
            findings.entry(index, "a log opens once: this opening is not its first entry")
        if not index and envelope.kind in _OPENINGS:
            self.opening = envelope.link
        if envelope.kind is Kind.CLOSING and self.closed is None:
            self.closing, self.closed = envelope.link, index

    def first(self, envelope: Envelope | None, findings: Findings) -> None:
        """The first entry of a log that must open."""
        if envelope is not None and envelope.kind not in _OPENINGS:
            findings.entry(0, UNOPENED)

    def end(self, size: int, findings: Findings) -> None:
        """The last entry was seen."""
        if self.closed is not None and self.closed + 1 < size:
            told = f"it stands behind the closing entry {self.closed}: a closed log goes on"
            findings.entry(self.closed + 1, told)


def marks_of(firsts: Mapping[str, Envelope | None]) -> dict[str, list[Mark]]:
    """What the opening entries of these logs ask of their predecessors, by predecessor."""
    found: dict[str, list[Mark]] = {}
    for origin, first in firsts.items():
        link = None if first is None else first.link
        if first is None or link is None or link.size is None or link.root is None:
            continue
        told, gap = f"the opening entry of {origin}", first.kind is Kind.CHECKPOINT_GAP
        mark = Mark(link.size, bytes.fromhex(link.root), told, gap=gap)
        found.setdefault(link.log, []).append(mark)
    return found


def cut_off(marks: Sequence[Mark], size: int, findings: Findings) -> None:
    """Tell which of these roots lie beyond the end of a log of this size.

    What the opening entry of a successor declares lost is told as that, up to the size it names; a
    log that somebody saw larger than it owns to, or otherwise, was cut off all the same.
    """
    gap = max((mark for mark in marks if mark.gap), key=lambda mark: mark.size, default=None)
    for mark in marks:
        if mark.size <= size:
            continue
        if gap is None or mark.size > gap.size:
            findings.log(mark.cut(size))
        elif mark.size == gap.size and mark.root != gap.root:
            findings.log(mark.differs)
        elif mark is gap:
            told = f"entries {size} to {gap.size - 1} are lost, as {gap.who} declares"
            findings.log(told, Fault.LOST)


def joined(reports: Sequence[Report], gaps: frozenset[str]) -> list[Report]:
    """The reports with what does not fit between neighbours that were both read.

    Args:
        reports: one for each log.
        gaps: logs that begin with a gap: their predecessor was restored or damaged and need not be
            closed.
    """
    known = {report.origin: report for report in reports}
    older = _older(list(known))
    told: list[Report] = []
    for report in reports:
        link = report.opening
        before = known.get(link.log) if link is not None else None
        fault = _beside(link, older[report.origin]) if report.origin in older else None
        if fault is None and link is not None and before is not None:
            gap = report.origin in gaps
            fault = _went_on(link, before) if gap else _unfit(report, link, before)
        found = (*report.findings, *([Finding(None, fault)] if fault else []))
        told.append(replace(report, findings=found))
    return told


def _older(origins: Sequence[str]) -> dict[str, str]:
    """For each log the next older one of its country among these, where there is one."""
    named = {}
    for origin in origins:
        with contextlib.suppress(NoteError):  # the one log of an older gateway
            named[origin] = parse_origin(origin)
    line = sorted(named, key=lambda origin: (named[origin].key_name, named[origin].age))
    pairs = itertools.pairwise(line)
    return {new: old for old, new in pairs if named[old].key_name == named[new].key_name}


def _beside(link: Link | None, older: str) -> str | None:
    """A country's logs are one line: each comes after the one before it, and none beside it.

    A log that stood beside the others could allow what they forbid, such as erasing under a hold.
    """
    if link is None:
        return f"the log {older} is older, and its first entry names none before it"
    with contextlib.suppress(NoteError):
        if parse_origin(link.log).age >= parse_origin(older).age:
            return None
    return f"its first entry names {link.log} before it, and {older} lies between: one too many"


def _went_on(link: Link, before: Report) -> str | None:
    """A log that was given up takes no more entries: its successor says how many it had at most."""
    if link.size is not None and before.size > link.size:
        return (
            f"its first entry says that {before.origin} ended with {link.size} entries, and that"
            f" has {before.size}: one went on beside the other"
        )
    return None


def _unfit(report: Report, link: Link, before: Report) -> str | None:
    if not before.closed or before.closing is None:
        return f"the log {before.origin} before it has no closing entry"
    if before.closing.log != report.origin:
        return f"the log {before.origin} says that {before.closing.log} comes after it"
    if link.size != before.size:
        return f"the log {before.origin} before it has {before.size} entries, not {link.size}"
    return None
