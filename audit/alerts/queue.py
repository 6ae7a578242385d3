# SPDX-License-Identifier: EUPL-1.2
"""The queue of alerts, folded from the log alone: open, asked, answered, closed.

Each step is an entry (`alert`, `alert-question`, `alert-answer`, `alert-closed`) that names what it
is about and carries the alert's id as its correlation; its text is sealed. Whoever holds the
envelopes can rebuild the queue, so nobody, its keeper included, can lose or reorder a step unseen.
A step that fits no alert as it stands moves nothing and is counted as odd. An entry can name
entries of its own log only: of a log that was closed since, the sealed part says which.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from audit.alerts.scan import Past
from audit.event import Envelope
from audit.vocabulary import Kind

ANSWER_DUE: Final = timedelta(days=7)
CLOSE_DUE: Final = timedelta(days=30)
STEPS: Final = frozenset({Kind.ALERT, Kind.ALERT_QUESTION, Kind.ALERT_ANSWER, Kind.ALERT_CLOSED})


class State(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What an alert is closed with; `unjustified` opens a breach (GDP-11)."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"
    WITHDRAWN = "withdrawn"


_FROM: Final[Mapping[Kind, frozenset[State]]] = {
    Kind.ALERT_QUESTION: frozenset({State.OPEN, State.ASKED, State.ANSWERED}),
    Kind.ALERT_ANSWER: frozenset({State.ASKED}),
    Kind.ALERT_CLOSED: frozenset({State.OPEN, State.ASKED, State.ANSWERED}),
}
_TO: Final[Mapping[Kind, State]] = {
    Kind.ALERT: State.OPEN,
    Kind.ALERT_QUESTION: State.ASKED,
    Kind.ALERT_ANSWER: State.ANSWERED,
    Kind.ALERT_CLOSED: State.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One alert.

    Attributes:
        alert: its id, the correlation of its steps.
        log: where it was raised; the entries of `about` stand there too.
        country: whose data-protection officer raised it.
        due: when the next step is: of the officer while asked, else of the data-protection officer.
        steps: log and number of its steps' entries, in order.
        rule: from the sealed part, empty where that is not open; so are `unit` and `outcome`.
    """

    alert: str
    log: str
    country: str
    about: tuple[str, ...]
    state: State
    raised: datetime
    moved: datetime
    due: datetime | None
    steps: tuple[tuple[str, int], ...]
    rule: str = ""
    unit: str = ""
    outcome: str = ""
    finding: str = field(default="", repr=False)
    """id that the scan gave it, so that it is not raised twice"""

    def overdue(self, now: datetime) -> bool:
        """Whether the next step is late."""
        return self.due is not None and now >= self.due


def fits(state: State | None, kind: Kind) -> bool:
    """Whether a step can follow; None is an alert that is not there yet."""
    if state is None:
        return kind is Kind.ALERT
    return state in _FROM.get(kind, frozenset())


def moved(
    item: Item | None, index: int, envelope: Envelope, detail: Mapping[str, Any] | None = None
) -> Item | None:
    """The alert after one step; None when the step does not fit.

    Args:
        item: as it stood.
        index: of the step's entry.
        envelope: of the step.
        detail: its sealed part, where it is open.
    """
    state = None if item is None else item.state
    if envelope.kind not in STEPS or envelope.correlation is None or envelope.requester is None:
        return None
    if not fits(state, envelope.kind):
        return None
    told = _told(detail)
    if item is None:
        return Item(
            alert=envelope.correlation,
            log=envelope.log,
            country=envelope.requester.country,
            about=envelope.about,
            state=State.OPEN,
            raised=envelope.t,
            moved=envelope.t,
            due=envelope.t + CLOSE_DUE,
            steps=((envelope.log, index),),
            rule=told.get("rule", ""),
            unit=told.get("unit", ""),
            finding=told.get("finding", ""),
        )
    same = item.about if envelope.log == item.log else ()
    if envelope.about != same or not _by(item, envelope):
        return None
    to = _TO[envelope.kind]
    return replace(
        item,
        state=to,
        moved=envelope.t,
        due=_due(item, to, envelope.t),
        steps=(*item.steps, (envelope.log, index)),
        outcome=told.get("outcome", item.outcome),
    )


def _by(item: Item, envelope: Envelope) -> bool:
    """Only the country that raised an alert asks and closes; the officer asked may be of any."""
    if envelope.kind is Kind.ALERT_ANSWER or envelope.requester is None:
        return True
    return envelope.requester.country == item.country


def _due(item: Item, to: State, at: datetime) -> datetime | None:
    match to:
        case State.CLOSED:
            return None
        case State.ASKED:
            return at + ANSWER_DUE
        case _:
            return item.raised + CLOSE_DUE


def _told(detail: Mapping[str, Any] | None) -> dict[str, str]:
    step = detail.get("step") if detail is not None else None
    if not isinstance(step, dict):
        return {}
    return {name: value for name, value in step.items() if isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of a step: number, envelope, and the sealed part where it is open."""

    index: int
    envelope: Envelope
    detail: Mapping[str, Any] | None = field(default=None, repr=False)


class Queue:
    """All alerts of one country's logs, taken oldest log first; all is owned by `take`."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        """Go on from alerts as they stood."""
        self.items: dict[str, Item] = {item.alert: item for item in items}
        self.odd: list[tuple[str, int]] = []

    def take(self, step: Step) -> Item | None:
        """One entry more; the alert that it moved, None when it moved none."""
        if step.envelope.kind not in STEPS:
            return None
        before = self.items.get(step.envelope.correlation or "")
        after = moved(before, step.index, step.envelope, step.detail)
        if after is None:
            self.odd.append((step.envelope.log, step.index))
        else:
            self.items[after.alert] = after
        return after

    def past(self) -> list[Past]:
        """Closed alerts whose sealed part was open, newest first."""
        closed = [item for item in self.items.values() if item.state is State.CLOSED and item.rule]
        closed.sort(key=lambda item: item.moved, reverse=True)
        return [Past(item.alert, item.rule, item.unit, item.outcome) for item in closed]

    def findings(self) -> frozenset[str]:
        """What a scan found and somebody raised already."""
        return frozenset(item.finding for item in self.items.values() if item.finding)
