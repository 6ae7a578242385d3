# SPDX-License-Identifier: EUPL-1.2
"""The parts of an envelope as values (docs/formats/log.md, section 2); no person is in them.

`audit.envelope` writes and reads them; everybody who makes an entry fills them.
"""

from dataclasses import dataclass
from datetime import datetime

from audit.vocabulary import Kind, Operation, Status, Verdict

VERSION = 3  # earlier ones are read for ever: the first lacks `asked` and what the third added


@dataclass(frozen=True, slots=True)
class Requester:
    """Country, organisation and role that asked; never the officer."""

    country: str
    org: str
    role: str | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Country whose data were asked for, and the dataset."""

    country: str
    dataset: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What else a question must state to be decided again: docs/formats/log.md, "Asked".

    Attributes:
        action: find, read, list, count, consult, trace or reidentify.
        view: the wanted view.
        categories: those asked; () is all of the dataset.
        named: whether exactly one person was named.
        sure: facts about the question that were true.
        maybe: those that were only possible. Facts about a record never stand here.
    """

    action: str
    view: str
    categories: tuple[str, ...]
    named: bool
    sure: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """The neighbour of a log: its predecessor in the first entry, its successor in the last.

    Attributes:
        log: the neighbour's origin.
        size: entries of the predecessor, None for a successor.
        root: hex root of the predecessor at that size, None for a successor.
    """

    log: str
    size: int | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One event. Lists are written sorted and without repetition; None is written as null.

    `t` is what the caller's clock said; the log puts its own time of sequencing in its place.
    `about` names entries of the same log, `erase` the month after which the detail goes (EUR-30).
    `v` is below 3 only on entries read from an older log.
    """

    id: str
    kind: Kind
    t: datetime
    log: str
    requester: Requester | None = None
    owner: Owner | None = None
    op: Operation | None = None
    purpose: str | None = None
    basis: str | None = None
    asked: Asked | None = None
    about: tuple[str, ...] = ()
    erase: str | None = None
    link: Link | None = None
    decision: Verdict = Verdict.NONE
    view: str | None = None
    fields: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    policy: str | None = None
    duties: tuple[str, ...] = ()
    count: int | None = None
    status: Status
    correlation: str | None = None
    detail: str | None = None
    keys: tuple[str, ...] = ()
    v: int = VERSION
