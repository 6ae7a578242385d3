# SPDX-License-Identifier: EUPL-1.2
"""The pure pieces that one owner's outcome is put together from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.inquiry import Inquiry
from gateway.outcome import Outcome, Result, Withheld, refused
from gateway.pseudonym_domains import CODED
from gateway.questions import FindQuestion
from gateway.sources import Record
from gateway.subjects import GrantError, NobodyError
from gateway.treatment import Released
from policies import Decision

_NOBODY: Final = CODED | {"count"}


def strength(inquiry: Inquiry, owner: str, record: Record) -> str:
    """How surely a record found is of the person asked for: by number or by many keys, or not."""
    asked = inquiry.asked
    if owner in inquiry.candidates:
        return inquiry.candidates[owner].grade(record.surrogate).value
    subject = asked.subject if isinstance(asked, FindQuestion) else None
    exact = subject is not None and (subject.doc_number or subject.biometric_ref)
    return "strong" if exact else "possible"


def marked(results: tuple[Result, ...], mark: Mapping[str, str]) -> tuple[Result, ...]:
    """The rows with the ban that travels with each of them."""
    if not mark:
        return results
    return tuple(replace(r, rows=[{**row, **mark} for row in r.rows]) for r in results)


def rules(base: Outcome, released: Released) -> tuple[str, ...]:
    """The lines that an outcome rests on, after the second pass."""
    if not released.rules:
        return base.rules
    stopped = {rule for cell in base.withheld for rule in cell.rules}
    return tuple(sorted({*released.rules, *stopped}))


def led_nowhere(base: Outcome, decision: Decision, error: NobodyError | GrantError) -> Outcome:
    """What a reference that leads nowhere, or a grant that is spent, is answered with."""
    if isinstance(error, GrantError):
        return refused(base.owner, tuple(Withheld(c, ("F62",)) for c in decision.granted))
    return replace(base, results=empty(decision))


def tells_identity(inquiry: Inquiry, decision: Decision) -> bool:
    """Whether the answer would tell who somebody is, or that a named person is known."""
    views = {cell.view for cell in decision.granted.values()}
    return inquiry.asked.dataset != "log" and not views <= _NOBODY


def unavailable(base: Outcome, reason: str) -> Outcome:
    """The outcome of an owner whose register, keys or state gave no full answer."""
    return replace(base, status="unavailable", reason=reason)


def empty(decision: Decision) -> tuple[Result, ...]:
    """A result without rows for every view that was granted."""
    by_view: dict[str, list[str]] = {}
    for category, cell in decision.granted.items():
        by_view.setdefault(str(cell.view), []).append(category)
    return tuple(Result(view, tuple(sorted(cats)), []) for view, cats in sorted(by_view.items()))
