# SPDX-License-Identifier: EUPL-1.2
"""A person as one register holds him: what two registers' records are compared by.

Values are as written; nothing is normalised here. `person_of` is the one place that reads texts.
No text of a person leaves by a `repr` or an error's message.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from anonymise.errors import LinkageError

_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_COUNTRY: Final = re.compile(r"[A-Za-z]{3}")
_SEXES: Final = {"": None, "x": None, "u": None, "m": "M", "f": "F"}
_EARLIEST: Final = 1800
_LATEST: Final = 2200


@dataclass(frozen=True, slots=True, repr=False)
class BirthDate:
    """A date of birth as written; the day, or month and day, may be unknown.

    Attributes:
        year: Four digits.
        month: 1 to 12, or unknown.
        day: Day of that month, or unknown; unknown where the month is.

    Raises:
        LinkageError: there is no such date.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if not _EARLIEST <= self.year <= _LATEST or (self.month is None and self.day is not None):
            raise LinkageError("the date of birth is none; write it as 1990-07-22, 1990-07 or 1990")
        try:
            date(self.year, self.month or 1, self.day or 1)
        except ValueError:
            raise LinkageError("the date of birth is none; correct its month or day") from None

    @property
    def certain(self) -> bool:
        """Whether day and month tell anything: they are known and not 1 January."""
        return self.day is not None and (self.month, self.day) != (1, 1)

    def __repr__(self) -> str:
        return "BirthDate(redacted)"


@dataclass(frozen=True, slots=True, repr=False)
class LinkagePerson:
    """A person to link; any part may be missing.

    Attributes:
        given_names: Texts as written, in any script.
        surnames: Texts as written, in any script.
        sex: "M", "F" or unknown.
        birth: The date of birth, whole or in part, or unknown.
        nationalities: ISO 3166-1 alpha-3 codes.
        documents: Numbers of identity and travel documents.
        places: Places that hold for life or for long: of birth, or an address.
    """

    given_names: tuple[str, ...] = ()
    surnames: tuple[str, ...] = ()
    sex: str | None = None
    birth: BirthDate | None = None
    nationalities: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "LinkagePerson(redacted)"


def person_of(
    *,
    given_names: str,
    surnames: str,
    sex: str,
    date_of_birth: str,
    nationality: str,
    document_number: str,
) -> LinkagePerson:
    """The person of a row of texts, any of which may be empty.

    Args:
        given_names: All given names, in any script.
        surnames: All surnames, in any script.
        sex: M, F, or X or U where it is not known.
        date_of_birth: 1990-07-22, 1990-07, 1990, or with 00 for an unknown month or day.
        nationality: Alpha-3 codes, several divided by a semicolon.
        document_number: Numbers, several divided by a semicolon.

    Raises:
        LinkageError: a text can't be read; the message names the field.
    """
    if sex.strip().lower() not in _SEXES:
        raise LinkageError("sex is neither M nor F; leave it empty where it is not known")
    nations = _listed(nationality)
    if not all(_COUNTRY.fullmatch(nation) for nation in nations):
        raise LinkageError("nationality is no alpha-3 code of ISO 3166-1; write it like AFG")
    return LinkagePerson(
        given_names=(given_names,) if given_names.strip() else (),
        surnames=(surnames,) if surnames.strip() else (),
        sex=_SEXES[sex.strip().lower()],
        birth=_birth(date_of_birth.strip()),
        nationalities=tuple(nation.upper() for nation in nations),
        documents=_listed(document_number),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for one in text.split(";") if (part := one.strip()))


def _birth(text: str) -> BirthDate | None:
    if not text:
        return None
    match = _DATE.fullmatch(text)
    if match is None:
        raise LinkageError("date_of_birth is no date; write it as 1990-07-22, 1990-07 or 1990")
    year, month, day = (int(part or 0) for part in match.groups())
    try:
        return BirthDate(year, month or None, day or None)
    except LinkageError:
        raise LinkageError("date_of_birth is no day of the calendar; correct the row") from None
