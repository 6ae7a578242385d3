# SPDX-License-Identifier: EUPL-1.2
"""One question explained: allowed or not, every condition in order, every line, the nearest miss.

The same words for `cuvar policy explain` and the HTTP call. Nothing here looks at a record: facts
about the question that are not stated are false, facts about a record are as if nothing stood
against the asker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from policies import Snapshot, Truth
from policies.checks import BASIS, CELL, KIND, NAMED, ROLE, WORD
from policies.explain import CellExplanation, Condition, Explanation, NearMiss
from policies.line import Line
from policies.vocabulary import Vocabulary

_CHECKS: Final[Mapping[str, tuple[str, str]]] = {
    WORD: ("every word is in the vocabulary", "a word is not in the vocabulary"),
    KIND: (
        "this organisation may hold that role there",
        "this organisation may not hold that role, or not in that country",
    ),
    ROLE: ("this role may state that purpose", "this role may not state that purpose"),
    BASIS: (
        "the legal basis is one of that purpose",
        "the legal basis is not one of that purpose",
    ),
    CELL: ("this can be asked at all", "no such dataset, category, view and action can be asked"),
    NAMED: ("one person is named, where that is needed", "exactly one person must be named"),
}
_SIDES: Final[Mapping[str, tuple[str, str]]] = {
    "owner allow": ("{owner} allows it", "no line of {owner} allows it"),
    "owner deny": (
        "no line of {owner} or of the common floor forbids it",
        "{owner} or the common floor forbids it",
    ),
    "asking allow": ("{org} may ask it", "no line lets {org} ask it"),
    "asking deny": ("no line forbids {org} to ask it", "{org} is forbidden to ask it"),
}
_DENIED: Final = "deny"


def stated_facts(
    vocabulary: Vocabulary, sure: Iterable[str], maybe: Iterable[str]
) -> dict[str, Truth]:
    """A truth for every fact: what is stated, and the rest as this module's text says."""
    facts = {
        guard.id: Truth.TRUE if guard.about == "record" and not guard.harmful else Truth.FALSE
        for guard in vocabulary.guards.values()
        if not guard.derived
    }
    facts |= dict.fromkeys(maybe, Truth.POSSIBLE)
    return facts | dict.fromkeys(sure, Truth.TRUE)


def first_basis(vocabulary: Vocabulary, purpose: str) -> str:
    """The basis that counts when none is stated; "" for an unknown purpose."""
    known = vocabulary.purposes.get(purpose)
    return "" if known is None else known.bases[0]


def home_of(vocabulary: Vocabulary, org: str) -> str:
    """The country of an organisation when none is stated; "" for one that has stations."""
    known = vocabulary.organisations.get(org)
    return "" if known is None or known.stations else known.country


def explain_document(rules: Snapshot, found: Explanation) -> dict[str, object]:
    """The explanation for machines, with the sentences for people beside it."""
    return {
        "owner": found.owner,
        "allowed": found.decision.allowed,
        "duties": sorted(found.decision.duties),
        "checks": [_condition(one) for one in found.checks],
        "cells": [_cell(found, cell) for cell in found.cells],
        "told": list(explain_lines(rules, found)),
    }


def _cell(found: Explanation, cell: CellExplanation) -> dict[str, object]:
    return {
        "category": cell.category,
        "view": cell.view,
        "granted": cell.granted,
        "duties": sorted(found.decision.cells[cell.category].duties),
        "conditions": [_condition(one) for one in cell.conditions],
        "nearest": None if cell.nearest is None else _nearest(cell.nearest),
    }


def _condition(one: Condition) -> dict[str, object]:
    return {"id": one.id, "holds": one.holds, "lines": [_line(line) for line in one.lines]}


def _nearest(miss: NearMiss) -> dict[str, object]:
    return {"line": _line(miss.line), "column": miss.column, "needed": list(miss.needed)}


def _line(line: Line) -> dict[str, object]:
    return {
        "id": line.id,
        "file": line.file,
        "line": line.number,
        "effect": line.eft,
        "law": list(line.law),
    }


def explain_lines(rules: Snapshot, found: Explanation) -> Iterator[str]:
    """The explanation in sentences."""
    asked = found.question
    answer = "allowed" if found.decision.allowed else "refused"
    yield (
        f"{asked.role} of {asked.org} in {asked.country} asks {found.owner}: {asked.action}"
        f" {asked.dataset}, wanting {asked.view}, for {asked.purpose} on {asked.basis}: {answer}."
    )
    for check in found.checks:
        yield f"{_mark(check.holds)} {_CHECKS[check.id][0 if check.holds else 1]} ({check.id})"
    for cell in found.cells:
        yield from _cell_lines(rules.vocabulary, found, cell)


def _cell_lines(words: Vocabulary, found: Explanation, cell: CellExplanation) -> Iterator[str]:
    decided = found.decision.cells[cell.category]
    yield f"{cell.category}: {cell.view}" if cell.granted else f"{cell.category}: refused"
    for one in cell.conditions:
        yield f"  {_mark(one.holds)} {_said(found, one)}"
        if one.id.endswith(_DENIED):
            yield from (f"      {line.id}: {_because(words, line)}" for line in one.lines)
    if cell.granted and cell.view != found.question.view:
        yield f"  not {found.question.view}: {', '.join(decided.refused)}"
    if decided.duties:
        yield f"  with duties: {', '.join(sorted(decided.duties))}"
    if cell.nearest is not None:
        yield f"  nearest: {_missed(words, cell.nearest)}"


def _mark(holds: bool) -> str:  # noqa: FBT001 - a truth, no switch
    return "✓" if holds else "✕"


def _said(found: Explanation, one: Condition) -> str:
    if one.id in _CHECKS:
        return f"{_CHECKS[one.id][0 if one.holds else 1]} ({one.id})"
    lines = ", ".join(_place(line) for line in one.lines)
    yes, no = _SIDES[one.id]
    said = (yes if one.holds else no).format(owner=found.owner, org=found.question.org)
    return f"{said}: {lines}" if lines else said


def _because(words: Vocabulary, line: Line) -> str:
    """Under which facts a denial speaks, all of them being at least possible."""
    if not line.guards:
        return "whatever the facts"
    return "because, surely or possibly, " + "; ".join(_meaning(words, g) for g in line.guards)


def _place(line: Line) -> str:
    return f"{line.id} ({line.file}:{line.number}; {', '.join(line.law)})"


def _missed(words: Vocabulary, miss: NearMiss) -> str:
    line = _place(miss.line)
    if miss.line.eft == _DENIED:
        needed = " or ".join(_meaning(words, name) for name in miss.needed)
        return f"{line} forbids it, unless it is sure not to be so: {needed}" if needed else line
    if miss.column == "guards":
        needed = "; ".join(_meaning(words, name) for name in miss.needed)
        return f"{line} would allow it if this were sure: {needed}"
    return f"{line} would allow it with another {miss.column}: {', '.join(miss.needed)}"


def _meaning(words: Vocabulary, name: str) -> str:
    if name in words.guards:
        return f"{name} ({words.guards[name].meaning})"
    positives = words.negatives.get(name, ())
    meant = " or ".join(words.guards[one].meaning for one in positives)
    return f"{name} (not: {meant})"
