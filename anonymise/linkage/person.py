# SPDX-License-Identifier: EUPL-1.2
"""Stand-in until the grammar is merged: the types alone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A date of birth as written."""

    year: int
    month: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class LinkagePerson:
    """A person to link."""

    given_names: tuple[str, ...] = ()
    surnames: tuple[str, ...] = ()
    sex: str | None = None
    birth: BirthDate | None = None
    nationalities: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


def person_of(
    *,
    given_names: str,
    surnames: str,
    sex: str,
    date_of_birth: str,
    nationality: str,
    document_number: str,
) -> LinkagePerson:
    """A person from texts."""
    birth = None
    if date_of_birth:
        birth = BirthDate(*(int(part) for part in date_of_birth.split("-")))
    return LinkagePerson(
        (given_names,) if given_names else (),
        (surnames,) if surnames else (),
        sex or None,
        birth,
        (nationality,) if nationality else (),
        (document_number,) if document_number else (),
    )
