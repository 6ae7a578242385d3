# SPDX-License-Identifier: EUPL-1.2
"""What the pipeline asks of one register: one dataset, some columns, one selector.

The selectors are closed and none knows a wildcard (access matrix, Q-NAMED). Whoever names a person
holds identity, so these types print nothing of it. Relied on by gateway.pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

__all__ = [
    "ByReference",
    "BySurrogate",
    "BySurrogates",
    "Everything",
    "Fetch",
    "NamedPerson",
    "Selector",
]


@dataclass(frozen=True, slots=True, repr=False)
class NamedPerson:
    """One named person. A record fits when any complete criterion fits.

    Complete criteria: the biometric reference; the document number; or a date of birth together
    with every name given (surnames, forenames or both). Names may be in any script.
    """

    surnames: str | None = None
    forenames: str | None = None
    date_of_birth: date | None = None
    doc_number: str | None = None
    biometric_ref: str | None = None

    def __repr__(self) -> str:
        return "NamedPerson(<redacted>)"


@dataclass(frozen=True, slots=True, repr=False)
class ByReference:
    """The register's own key of a person (all its records) or of one record."""

    kind: Literal["person", "record"]
    ref: str

    def __repr__(self) -> str:
        return f"ByReference({self.kind}, <redacted>)"


@dataclass(frozen=True, slots=True, repr=False)
class BySurrogate:
    """The person's random 128-bit surrogate (16 bytes), as a reversed pseudonym gives it."""

    value: bytes

    def __repr__(self) -> str:
        return "BySurrogate(<redacted>)"


@dataclass(frozen=True, slots=True, repr=False)
class BySurrogates:
    """Several persons by surrogate, 1 to 64, as a blind index leads to them."""

    values: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"BySurrogates({len(self.values)}, <redacted>)"


@dataclass(frozen=True, slots=True, repr=False)
class Everything:
    """All records, or those of one centre, or those of the listed persons.

    `persons=()` selects nothing; `persons=None` sets no such limit.
    """

    centre: str | None = None
    persons: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        listed = "any" if self.persons is None else len(self.persons)
        return f"Everything(centre={self.centre!r}, persons={listed})"


Selector = NamedPerson | ByReference | BySurrogate | BySurrogates | Everything


@dataclass(frozen=True, slots=True)
class Fetch:
    """One page of one dataset.

    `fields` are field ids ("category.field"), `traits` names of `Traits` members; nothing else is
    read but keys. `today` is the date against which retention is held. `limit` is 1 to 1000.
    `after` is the previous page's `next`. A field that the register does not map is left out.
    """

    dataset: str
    fields: frozenset[str]
    traits: frozenset[str]
    selector: Selector
    today: date
    limit: int
    after: str | None = None
