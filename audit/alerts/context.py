# SPDX-License-Identifier: EUPL-1.2
"""What a data-protection officer knows and the log does not: rosters, cases, lists of persons.

Everything is optional. `None` means that nobody said anything: it never explains an access and is
never a sign against one. docs/formats/review-context.md says where each comes from.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from audit.alerts.access import Access, Searched


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment up to and without another."""

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies within."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a list, as far as the list says: reference at an owner, document, name, birth."""

    owner: str = ""
    reference: str = field(default="", repr=False)
    named: Searched = field(default_factory=Searched)

    def is_referred_to(self, access: Access) -> bool:
        """Whether the owner's reference, or the number of a document, is this person's own."""
        referred = access.persons | {access.searched.reference}
        if self.reference and self.owner == access.owner and self.reference in referred:
            return True
        return bool(self.named.document) and self.named.document == access.searched.document

    def is_named(self, access: Access) -> bool:
        """Whether name and birth as typed are this person's; an unknown birth agrees with any."""
        theirs, typed = self.named, access.searched
        if not theirs.surnames or theirs.surnames != typed.surnames:
            return False
        if theirs.forenames and typed.forenames and theirs.forenames != typed.forenames:
            return False
        if theirs.born and typed.born:
            return theirs.born == typed.born
        return bool(theirs.forenames and typed.forenames)


@dataclass(frozen=True, slots=True)
class Officer:
    """A registered user: who he is as an officer, and as a person."""

    officer: str = field(repr=False)
    unit: str
    person: Person


@dataclass(frozen=True, slots=True)
class Relative:
    """Somebody close to an officer."""

    officer: str = field(repr=False)
    person: Person


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that an officer or a whole unit was told to do: empty members fit anything."""

    officer: str = field(repr=False)
    unit: str
    purpose: str
    span: Span

    def covers(self, access: Access) -> bool:
        """Whether this access falls under it."""
        return (
            (not self.officer or self.officer == access.officer)
            and (not self.unit or self.unit == access.unit)
            and (not self.purpose or self.purpose == access.purpose)
            and self.span.holds(access.at)
        )


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the own case system: to whom it is assigned, and about whom it is."""

    case_no: str = field(repr=False)
    duty: Duty
    person: Person

    def covers(self, access: Access) -> bool:
        """Whether the access names this case, by one to whom it is assigned, about its person."""
        return (
            bool(self.case_no)
            and self.case_no == access.case_no
            and self.duty.covers(access)
            and self.is_about(access)
        )

    def is_about(self, access: Access) -> bool:
        """Whether everything released was about the case's person."""
        if not self.person.is_referred_to(access):
            return False
        return not (access.persons - {self.person.reference})


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that was said; None where nothing was."""

    protected: tuple[Person, ...] | None = None
    officers: tuple[Officer, ...] | None = None
    relatives: tuple[Relative, ...] | None = None
    surnames: dict[str, int] | None = field(default=None, repr=False)
    """folded surname: one in how many people bears it"""
    rosters: tuple[Duty, ...] | None = None
    swaps: tuple[Duty, ...] | None = None
    vetting: tuple[Duty, ...] | None = None
    campaigns: tuple[Duty, ...] | None = None
    orders: tuple[Duty, ...] | None = None
    postings: tuple[Duty, ...] | None = None
    cases: tuple[Case, ...] | None = None
    actions: dict[str, tuple[datetime, ...]] | None = field(default=None, repr=False)
    """case number: when something was done in it"""
    reasons: frozenset[tuple[str, int]] | None = None
    """log and entry of hits that were not followed up, with a reason on file"""

    def shifts(self, officer: str) -> Iterator[Duty]:
        """The roster's shifts of one officer."""
        return (duty for duty in self.rosters or () if duty.officer == officer)


def covered(duties: Iterable[Duty] | None, access: Access) -> bool:
    """Whether one of these covers an access; what nobody said covers nothing."""
    return any(duty.covers(access) for duty in duties or ())
