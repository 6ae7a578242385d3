# SPDX-License-Identifier: EUPL-1.2
"""Reports of `policies/` as JSON documents: docs/formats/policy-reports.md.

One form for `--json` and for HTTP. Nothing is worked out here; sets become sorted lists, so that
equal reports are equal bytes.
"""

from collections.abc import Mapping
from typing import Any

from policies.conditions import Access, Ways
from policies.difference import Change, Difference
from policies.lint import Finding
from policies.matrix import Matrix
from policies.render import Rendering
from policies.sentences import groups, sentence
from policies.soundness import Soundness
from policies.vocabulary import Vocabulary

Document = dict[str, Any]


def of_soundness(report: Soundness) -> Document:
    """The document of `cuvar policy check`."""
    return {
        "sound": report.sound,
        "digest": report.digest,
        "lines": report.lines,
        "examples": report.examples,
        "invariants": report.invariants,
        "findings": [_finding(finding) for finding in report.findings],
        "failed_examples": [
            {
                "id": failure.example.id,
                "file": failure.example.file,
                "line": failure.example.line,
                "expected": dict(failure.example.expected),
                "views": dict(failure.views),
                "rules": list(failure.rules),
                "duties": sorted(failure.duties),
            }
            for failure in report.failures
        ],
        "broken_invariants": [
            {
                "id": counter.invariant.id,
                "file": counter.invariant.file,
                "line": counter.invariant.line,
                "statement": counter.invariant.statement,
                "counterexample": str(counter),
            }
            for counter in report.counterexamples
        ],
    }


def _finding(finding: Finding) -> Document:
    return {
        "severity": "fault" if finding.fault else "note",
        "kind": finding.oddity.value,
        "file": finding.file,
        "line": finding.line,
        "rule": finding.rule,
        "others": list(finding.others),
        "message": finding.message,
    }


def of_difference(found: Difference, words: Vocabulary) -> Document:
    """The document of `cuvar policy diff`; `words` is the vocabulary of the newer rules."""
    return {
        "before": found.before,
        "after": found.after,
        "files": list(found.files),
        "sentences": [
            {
                "kind": group.kind.name.lower(),
                "text": sentence(group, words),
                "accesses": group.count,
                "rules": list(group.lines),
            }
            for group in groups(found, words)
        ],
        "fields": [
            {
                "dataset": field.dataset,
                "field": field.field,
                "view": field.view,
                "before": field.before,
                "after": field.after,
            }
            for field in found.fields
        ],
        "accesses": [_change(change) for change in found.changes],
    }


def _change(change: Change) -> Document:
    return {
        "kind": change.kind.name.lower(),
        **change.atom._asdict(),
        "before": _access(change.before),
        "after": _access(change.after),
    }


def _access(access: Access | None) -> Document | None:
    if access is None:
        return None
    return {
        "ways": _ways(access.ways),
        "duties": _duties(access.duties, access.ways),
        "rules": [line.id for line in access.lines],
    }


def _ways(ways: Ways) -> list[list[str]]:
    return sorted(sorted(way) for way in ways)


def _duties(duties: Mapping[str, Ways], ways: Ways) -> Document:
    """By duty, "always" or the ways in which it comes."""
    return {d: "always" if found == ways else _ways(found) for d, found in duties.items()}


def of_matrix(found: Matrix) -> Document:
    """The document of `cuvar policy matrix`; a pair of role and data without a cell is refused."""
    return {
        "digest": found.digest,
        "owner": found.owner,
        "purpose": found.purpose,
        "scope": found.scope,
        "roles": list(found.roles),
        "data": list(found.data),
        "cells": [
            {
                "role": role,
                "data": data,
                "view": seen.view,
                "views": list(seen.views),
                "actions": list(seen.actions),
                "askers": list(seen.askers),
                "needs": [list(need) for need in seen.needs],
                "duties": list(seen.duties),
                "rules": list(seen.rules),
                "law": list(seen.law),
            }
            for (role, data), seen in sorted(found.cells.items())
        ],
    }


def of_rendering(found: Rendering) -> Document:
    """The document of `cuvar policy render`."""
    return {
        "country": found.country,
        "language": found.language,
        "draft": True,
        "digest": found.digest,
        "files": [
            {
                "name": file.name,
                "sha256": file.digest,
                "lines": [
                    {
                        "id": sentence.line.id,
                        "line": sentence.line.number,
                        "law": list(sentence.line.law),
                        found.language: sentence.local,
                        "en": sentence.english,
                    }
                    for sentence in file.sentences
                ],
            }
            for file in found.files
        ],
    }
