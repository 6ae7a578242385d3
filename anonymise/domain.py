# SPDX-License-Identifier: EUPL-1.2
"""Pseudonym domains: within one, the same person has the same pseudonym; across two, none joins.

EDPB Guidelines 01/2025 (law rules GDP-30, GDP-33). A domain is one owner country's data given to
one recipient organisation for one purpose in one calendar quarter. docs/formats/pseudonym.md §2.
"""

import re
from dataclasses import dataclass
from datetime import date

from anonymise.errors import DomainError

COUNTRY = re.compile(r"[A-Z]{2}")
_RECIPIENT = re.compile(r"[A-Z][A-Z0-9-]{0,31}")
_PURPOSE = re.compile(r"[a-z][a-z_]{0,63}")
EPOCH = re.compile(r"[0-9]{4}q[1-4]")
MOST_VERSIONS = 9_999


def epoch_of(day: date) -> str:
    """The quarter of a day: "2026q4"."""
    return f"{day.year:04}q{(day.month + 2) // 3}"


def epoch_after(epoch: str) -> str:
    """The quarter that follows a quarter.

    Raises:
        DomainError: it is no quarter.
    """
    if not EPOCH.fullmatch(epoch):
        raise DomainError("an epoch is a quarter, written like 2026q4")
    year, quarter = int(epoch[:4]), int(epoch[5])
    return f"{year + quarter // 4:04}q{quarter % 4 + 1}"


@dataclass(frozen=True, slots=True)
class Domain:
    """One pseudonym domain.

    Attributes:
        country: Owner of the data, "BA".
        recipient: Organisation id of the asker, "UNHCR".
        purpose: Purpose name, "humanitarian_assistance".
        epoch: Quarter, "2026q4"; see `epoch_of`.
        version: Of the country's root key that serves it; `Keyring.domain` knows which.

    Raises:
        DomainError: A part is missing or not of that form.
    """

    country: str
    recipient: str
    purpose: str
    epoch: str
    version: int = 1

    def __post_init__(self) -> None:
        for name, form in (
            ("country", COUNTRY),
            ("recipient", _RECIPIENT),
            ("purpose", _PURPOSE),
            ("epoch", EPOCH),
        ):
            if not form.fullmatch(getattr(self, name)):
                raise DomainError(f"the domain's {name} is missing or malformed; no pseudonyms")
        if not 1 <= self.version <= MOST_VERSIONS:
            raise DomainError("the domain's version is none of a root key; no pseudonyms")

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """The parts in the order in which the key derivation binds them, before the version."""
        return (self.country, self.recipient, self.purpose, self.epoch)
