# SPDX-License-Identifier: EUPL-1.2
"""Reports as Markdown that a person reads; the same figures as in their JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from audit.review.disclosures import DisclosureList
from audit.review.month import PeriodReport
from audit.review.reports import PoliceReport, Sampled

_HOW_DRAWN: Final = (
    "the entries whose SHA-256 over seed, log and index is smallest."
    " For the supervisor only: it names people."
)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(_cell(value) for value in row)} |" for row in rows), ""]


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def _counts(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    lines: list[str] = []
    for name, found in counts.items():
        lines += [
            f"## {name[0].upper()}{name[1:]}",
            "",
            *_table(["what", "entries"], found.items()),
        ]
    return lines


def period_page(report: PeriodReport, country: str | None = None) -> str:
    """The period report."""
    when = report.month or "all months"
    whose = "all countries of this log" if country is None else country
    return "\n".join(
        [
            f"# Log {report.log}, {when}, {whose}",
            "",
            f"{report.entries:,} entries; the files hold {report.size:,} entries of the log.",
            "",
            *_counts(report.counts),
        ]
    )


def police_page(report: PoliceReport) -> str:
    """The law-enforcement report."""
    figures = [
        ("requests", report.requests),
        ("entries", report.entries),
        ("identifications", report.identifications),
        ("refused", report.refused),
        ("urgent procedure", report.urgent),
        ("urgent and refused", report.refused_urgencies),
        ("records of children under 14, or perhaps", report.children),
        ("details read", report.opened),
        ("details not readable with this key, or erased", report.unread),
    ]
    demanded = [(name, report.present[name], report.missing[name]) for name in report.present]
    logs = [(origin, first, last) for origin, (first, last) in report.logs.items()]
    return "\n".join(
        [
            f"# Law-enforcement requests, {report.country}",
            "",
            f"From {report.since} to {report.until}, without the last moment.",
            "",
            *_table(["log", "from entry", "to entry"], logs),
            "## Figures",
            "",
            *_table(["what", "number"], figures),
            *_counts(report.counts),
            "## What each record must hold (Regulation (EU) 2024/1358, Art. 51(2))",
            "",
            "Missing means that the entry does not say it, not that it was not done.",
            "",
            *_table(["demanded", "present", "missing"], demanded),
            "## Sample for the supervisor",
            "",
            f"Drawn with the seed `{report.seed}`: {_HOW_DRAWN}",
            "",
            *(line for drawn in report.sample for line in _drawn(drawn)),
        ]
    )


def _drawn(drawn: Sampled) -> list[str]:
    asked = f"{drawn.t}, {drawn.org} asked {drawn.owner} under {drawn.basis}"
    lines = [
        f"### {drawn.log}, entry {drawn.index}",
        "",
        f"{asked}: {drawn.decision}, {drawn.status} ({', '.join(drawn.rules)})",
        "",
    ]
    if drawn.detail is None:
        return [*lines, "The detail is not readable with this key, or it was erased.", ""]
    told = [
        (name, drawn.detail[name])
        for name in ("officer", "unit", "case_no", "offence", "reason", "approvals", "persons")
        if drawn.detail.get(name)
    ]
    lines += _table(["what", "recorded"], told)
    if drawn.missing:
        lines += [f"Missing: {', '.join(drawn.missing)}.", ""]
    return lines


def disclosure_page(found: DisclosureList) -> str:
    """What a person is told of who consulted her data."""
    head = ["when", "what for", "who", "unit", "legal basis", "what was given", "receipt"]
    if found.with_officers:
        head.append("officer")
    rows = []
    for line in found.lines:
        given = ", ".join(line.categories) or "nothing"
        row = [line.t, line.purpose, f"{line.org} ({line.country})", line.unit, line.basis, given]
        row.append(line.receipt_name)
        if found.with_officers:
            row.append(line.officer or "")
        rows.append(row)
    return "\n".join(
        [
            "# Who consulted the data",
            "",
            *_table(head, rows),
            found.notice,
            "",
        ]
    )
