# SPDX-License-Identifier: EUPL-1.2
"""Links between two records, in four colours; a machine makes white and yellow, people the rest.

Regulation (EU) 2019/818, Articles 28 and 30 to 33 (INT-11). A link is a statement about records,
never a reason for an act by itself (INT-16). Who keeps links and tells whom is not its matter.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from anonymise.errors import AnonymiseError
from anonymise.linkage.similarity import Sameness

SHORTEST_REASON: Final = 30  # letters, as for the duty log_reason


class LinkError(AnonymiseError):
    """The link can't become that; the message says why."""


class Colour(StrEnum):
    """Articles 30 to 33."""

    WHITE = "white"
    YELLOW = "yellow"
    GREEN = "green"
    RED = "red"


class Agreement(StrEnum):
    """Of the biometric data, or of the travel documents, of two records."""

    SAME = "same"
    DIFFERENT = "different"
    ABSENT = "absent"
    """one side has none, or they were not compared"""


class Verdict(StrEnum):
    """What a person found."""

    ONE_PERSON = "one person"
    TWO_PERSONS = "two persons"
    UNJUSTIFIED = "unjustified use"
    """one person under several identities, or two persons with one, and no lawful reason"""


_BY_PEOPLE: Final = {
    Verdict.ONE_PERSON: Colour.WHITE,
    Verdict.TWO_PERSONS: Colour.GREEN,
    Verdict.UNJUSTIFIED: Colour.RED,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a machine can say of two records."""

    identity: Sameness
    biometrics: Agreement = Agreement.ABSENT
    document: Agreement = Agreement.ABSENT


@dataclass(frozen=True, slots=True)
class Link:
    """One link. Whoever decided it is named by an opaque id; reasons stand in the sealed log.

    Attributes:
        colour: its colour now.
        decided_by: who decided it, or None where a machine made it.
        severed: when it was found wrong; a severed link says nothing any more.
    """

    colour: Colour
    made_at: datetime
    decided_by: str | None = None
    severed: datetime | None = None

    @property
    def by_machine(self) -> bool:
        """Whether nobody has looked at it yet."""
        return self.decided_by is None


def automatic(evidence: Evidence) -> Colour | None:
    """The colour that a machine may give; None where records are not linked (Art. 28(3) and (4)).

    White and yellow only: green and red say what a person found.
    """
    alike = evidence.identity is not Sameness.DIFFERENT
    match evidence.biometrics:
        case Agreement.SAME:
            return Colour.WHITE if alike else Colour.YELLOW
        case Agreement.DIFFERENT:
            doubtful = evidence.identity is Sameness.SAME or evidence.document is Agreement.SAME
            return Colour.YELLOW if doubtful else None
        case Agreement.ABSENT:
            if evidence.document is not Agreement.SAME:
                return None
            return Colour.WHITE if alike else Colour.YELLOW


def decide(link: Link, verdict: Verdict, by: str, reason: str, at: datetime) -> Link:
    """The link as a person decided it.

    Args:
        link: any that is not severed; a decision may be taken again on new evidence (Art. 33(5)).
        verdict: what the person found.
        by: the deciding officer, as an opaque id.
        reason: the justification that Articles 31 to 33 ask for, 30 letters at least.
        at: now.

    Raises:
        LinkError: the link is severed, nobody is named, or the reason is too short.
    """
    _may_act(link, by, reason)
    return replace(link, colour=_BY_PEOPLE[verdict], decided_by=by, made_at=at)


def sever(link: Link, by: str, reason: str, at: datetime) -> Link:
    """The link cut, because it was wrong (Art. 28(9), 32(7), 33(5)); whoever got it must be told.

    Raises:
        LinkError: it is severed already, nobody is named, or the reason is too short.
    """
    _may_act(link, by, reason)
    return replace(link, decided_by=by, severed=at)


def tells_person(link: Link) -> bool:
    """Whether the person is told in writing: red, and white by a human (INT-13)."""
    return link.colour is Colour.RED or (link.colour is Colour.WHITE and not link.by_machine)


def _may_act(link: Link, by: str, reason: str) -> None:
    if link.severed is not None:
        raise LinkError("this link was severed; a new one is made from new evidence")
    if not by:
        raise LinkError("a person decides a link; name the officer")
    if len(reason.strip()) < SHORTEST_REASON:
        raise LinkError(f"say why, in {SHORTEST_REASON} letters at least")
