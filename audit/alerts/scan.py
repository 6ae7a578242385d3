# SPDX-License-Identifier: EUPL-1.2
"""One pass over a log: subtract what is explained, apply the rules, draw the sample.

Pure: opened entries and context go in, alerts come out, in the same order for the same input. An
alert is a reason to look, never a finding about an officer; what became of similar ones is shown
beside it, so that the reviewer measures the rule as well.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from audit.alerts.about_conduct import BULK, OFF_HOURS, SWEEP
from audit.alerts.about_persons import COLLEAGUE, PROTECTED, SELF
from audit.alerts.about_purpose import DRIFT, NO_FOLLOW_UP
from audit.alerts.access import Access
from audit.alerts.declared import Rule, Signal, Tried, View, tried
from audit.alerts.sample import Seed

RULES: Final = (PROTECTED, SELF, COLLEAGUE, OFF_HOURS, BULK, SWEEP, NO_FOLLOW_UP, DRIFT)
SAMPLE: Final = "sample"
_REASONS: Final = 2
_SIMILAR: Final = 3


@dataclass(frozen=True, slots=True)
class Past:
    """What an earlier alert was closed with."""

    alert: str
    rule: str
    unit: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to look at.

    Attributes:
        id: the same whenever the same thing is found again with the same key.
        rule: id of the rule, or `sample`.
        entries: numbers of the entries concerned, in their log.
        score: 1 to 100; 0 for the sample.
        reasons: the two weightiest, in words.
        tried: every explanation of the rule, and why it did not hold.
        similar: what alerts of the same rule and unit were closed with, newest first.
    """

    id: str
    rule: str
    log: str
    entries: tuple[int, ...]
    at: str
    issuer: str = field(repr=False)
    officer: str = field(repr=False)
    unit: str
    score: int
    reasons: tuple[str, ...]
    tried: tuple[Tried, ...]
    similar: tuple[Past, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """What came of a pass.

    Attributes:
        alerts: the weightiest first.
        sample: drawn from the accesses of which no alert speaks.
        accesses: how many were looked at.
        explained: by explanation, how many accesses it explains.
        explained_at_all: how many accesses something explains.
        signals_without: by rule, how many signals there were without any explanation subtracted.
    """

    alerts: tuple[Alert, ...]
    sample: tuple[Alert, ...]
    accesses: int
    explained: Mapping[str, int]
    explained_at_all: int
    signals_without: Mapping[str, int]


def scan(view: View, seed: Seed, past: Sequence[Past] = (), rules: Sequence[Rule] = RULES) -> Scan:
    """All alerts over these accesses, and the sample of the rest.

    Args:
        view: accesses of one log and what else is known.
        seed: of the reviewing officer's key.
        past: closed alerts, newest first.
        rules: all of them but in tests.
    """
    alerts: list[Alert] = []
    explained: Counter[str] = Counter()
    somehow: set[int] = set()
    without: dict[str, int] = {}
    for rule in rules:
        covered = {one.id: one.covers(view) for one in rule.explanations}
        explained.update({name: len(found) for name, found in covered.items()})
        gone = frozenset[int]().union(*covered.values())
        somehow |= gone
        without[rule.id] = sum(1 for _ in rule.find(view, view.accesses))
        rest = [access for access in view.accesses if access.index not in gone]
        why_not = tried(rule, view.context)
        alerts += [
            _alert(view, seed, rule.id, signal, why_not, past) for signal in rule.find(view, rest)
        ]
    alerts.sort(key=lambda alert: (-alert.score, alert.entries, alert.rule))
    flagged = {entry for alert in alerts for entry in alert.entries}
    unflagged = (a for a in view.accesses if a.index not in flagged and seed.draws(a.leaf))
    return Scan(
        alerts=tuple(alerts),
        sample=tuple(_drawn(view, seed, unflagged, past)),
        accesses=len(view.accesses),
        explained=dict(sorted(explained.items())),
        explained_at_all=len(somehow),
        signals_without=without,
    )


def _drawn(
    view: View, seed: Seed, accesses: Iterable[Access], past: Sequence[Past]
) -> Iterable[Alert]:
    for access in accesses:
        signal = Signal((access,), 0, ("drawn at random from what no rule flagged",))
        yield _alert(view, seed, SAMPLE, signal, (), past)


def _alert(
    view: View,
    seed: Seed,
    rule: str,
    signal: Signal,
    why_not: tuple[Tried, ...],
    past: Sequence[Past],
) -> Alert:
    first = signal.accesses[0]
    similar = [one for one in past if (one.rule, one.unit) == (rule, first.unit)]
    return Alert(
        id=seed.name(rule, view.log, signal.key or str(first.index)),
        rule=rule,
        log=view.log,
        entries=tuple(access.index for access in signal.accesses),
        at=first.at.isoformat(timespec="seconds"),
        issuer=first.issuer,
        officer=first.subject,
        unit=first.unit,
        score=signal.score,
        reasons=signal.reasons[:_REASONS],
        tried=why_not,
        similar=tuple(similar[:_SIMILAR]),
    )
