# SPDX-License-Identifier: EUPL-1.2
"""Reports as text and as JSON, for this verifier and for the gateway's command."""

import sys
from collections.abc import Sequence
from typing import Any

from audit.verify.report import GRAVEST_FIRST, Fault, Finding, Report

_EACH = 65_536


def progress(done: int, size: int) -> None:
    """Count entries on a terminal; a file or a pipe gets nothing."""
    if sys.stderr.isatty() and (done == size or done % _EACH == 0):
        sys.stderr.write(f"\r{done:,} of {size:,} entries" + "\n" * (done == size))
        sys.stderr.flush()


def as_document(report: Report) -> dict[str, Any]:
    """A report for machines."""
    return {
        "ok": report.ok,
        "status": report.status,
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "closed": report.closed,
        "erased": report.erased,
        "unchecked": report.unchecked,
        "witnesses": None if report.witnesses is None else list(report.witnesses),
        "witnessed": report.witnessed,
        "findings": [
            {"index": f.index, "what": f.what, "fault": f.fault.name.lower()}
            for f in report.findings
        ],
        "more": report.more,
        "unsigned_orders": list(report.unsigned),
    }


def as_lines(report: Report) -> list[str]:
    """A report for people: what is wrong, first entry first, then the verdict."""
    lines = [_line(finding) for finding in report.findings]
    if report.more:
        lines.append(f"and {report.more} more")
    if report.unchecked:
        lines.append(
            f"{report.unchecked} sealed details are not in this copy: nothing said of them"
        )
    lines += [
        f"entry {index}: it erases on an order and does not seal who signed it; ask for the order"
        for index in report.unsigned
    ]
    if report.witnesses:
        told = ", ".join(report.witnesses)
        lines.append(f"witnessed by {told} up to {report.witnessed} entries")
    lines.append(
        f"{_verdict(report)}: {report.origin}, {report.size} entries,"
        f" {report.erased} erased details, root {report.root.hex()}"
    )
    return lines


def _line(finding: Finding) -> str:
    where = "log" if finding.index is None else f"entry {finding.index}"
    return f"{where}: {finding.what}"


def _verdict(report: Report) -> str:
    match report.status:
        case Fault.LOG:
            return "NOT WHOLE"
        case Fault.LOST:
            return "ENTRIES LOST, AS DECLARED"
        case Fault.DETAIL:
            return "DETAILS MISSING"
        case Fault.WITNESS:
            return "NOT WITNESSED ENOUGH"
    return "whole"


def worst(reports: Sequence[Report]) -> int:
    """The exit status for several logs."""
    found = {report.status for report in reports}
    return next((fault.value for fault in GRAVEST_FIRST if fault in found), 0)
