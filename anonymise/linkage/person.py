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
