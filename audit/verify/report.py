# SPDX-License-Identifier: EUPL-1.2
"""What the verifier says: findings, and the exit status that follows from them."""

from dataclasses import dataclass, field
from enum import IntEnum

from audit.event import Link

MAX_FINDINGS = 1000


class Fault(IntEnum):
    """What a finding is about; the number is the exit status of `python -m audit.verify`."""

    LOG = 1
    """entries, tiles, head or checkpoint do not fit"""
    WITNESS = 3
    """too few witnesses of the trust policy cosigned"""
    DETAIL = 4
    """sealed details were deleted that no erasure entry accounts for, or that were held"""
    LOST = 7
    """entries at the end are gone, as the first entry of the log's successor declares"""


GRAVEST_FIRST = (Fault.LOG, Fault.LOST, Fault.DETAIL, Fault.WITNESS)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and with which entry; None where it concerns the log as a whole."""

    index: int | None
    what: str
    fault: Fault = Fault.LOG


@dataclass(frozen=True, slots=True)
class Report:
    """What the verifier found.

    Attributes:
        size: entries read.
        root: root recomputed over them; 32 zero bytes if a missing entry's hash is unknown.
        findings: at most 1,000 about entries in their order, then those about the whole log.
        more: findings about entries beyond those.
        erased: entries whose detail was deleted; a fault where no erasure entry accounts for it.
        unchecked: entries with a detail that this copy does not hold, so nothing is said of it.
        origin: the log.
        opening: the link of its first entry, to its predecessor.
        closing: the link of its closing entry, to its successor.
        closed: whether its last entry is a closing one.
        witnesses: the witnesses of the policy that cosigned, None where no policy was given.
        witnessed: entries under the checkpoint that they cosigned.
        unsigned: erasures on an order that do not seal who signed it; no fault, but look at them.
    """

    size: int
    root: bytes
    findings: tuple[Finding, ...]
    more: int = 0
    erased: int = 0
    unchecked: int = 0
    origin: str = ""
    opening: Link | None = None
    closing: Link | None = None
    closed: bool = False
    witnesses: tuple[str, ...] | None = None
    witnessed: int = 0
    unsigned: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.findings

    @property
    def status(self) -> int:
        """0 whole, else the gravest fault: the log itself, entries lost, details, witnesses."""
        found = {finding.fault for finding in self.findings}
        return next((fault.value for fault in GRAVEST_FIRST if fault in found), 0)


@dataclass(slots=True)
class Findings:
    """Findings as they come; only the verification that made it adds to it."""

    entries: list[Finding] = field(default_factory=list)
    whole: list[Finding] = field(default_factory=list)
    more: int = 0

    def entry(self, index: int, what: str, fault: Fault = Fault.LOG) -> None:
        """Something about one entry."""
        if len(self.entries) < MAX_FINDINGS:
            self.entries.append(Finding(index, what, fault))
        elif fault is Fault.LOG and all(one.fault is not Fault.LOG for one in self.entries):
            self.entries[-1] = Finding(index, what, fault)  # the status must tell the gravest
            self.more += 1
        else:
            self.more += 1

    def log(self, what: str, fault: Fault = Fault.LOG) -> None:
        """Something about the log as a whole."""
        self.whole.append(Finding(None, what, fault))

    def told(self) -> tuple[Finding, ...]:
        """All of them, entries first and in their order."""
        return (*sorted(self.entries, key=lambda one: one.index or 0), *self.whole)
