# SPDX-License-Identifier: EUPL-1.2
"""What a register answers: records in the common form, and the traits that guards are read from.

A trait of `None` is unknown, never "no": an unasked, unmapped, empty or undecodable value all read
as `None`, so that a deny line fires and an allow line stops (access matrix §1.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime

__all__ = ["NEVER", "TRAITS", "Page", "Record", "Traits", "Value"]

Value = str | int | bool | date | datetime | tuple[str, ...] | None

NEVER = date.min
"""`reflection_until` of a person for whom the register records that no reflection period runs."""


@dataclass(frozen=True, slots=True, repr=False)
class Traits:
    """Facts about a person and a record, in common form; `None` is unknown.

    Countries are ISO 3166 alpha-2 ("XX" stateless). An empty tuple says that the register records
    "none" (a declared persecutor that does not exist); unknown stays `None`.
    """

    date_of_birth: date | None = None
    dob_precision: str | None = None
    """day, month, year or unknown"""
    nationalities: tuple[str, ...] | None = None
    habitual_residence: tuple[str, ...] | None = None
    declared_persecutor: tuple[str, ...] | None = None
    deceased: bool | None = None
    blocked: bool | None = None
    naturalised: bool | None = None
    unaccompanied: bool | None = None
    guardian_record: bool | None = None
    best_interest: bool | None = None
    trafficking: bool | None = None
    claim_pending: bool | None = None
    protection_marked: bool | None = None
    reflection_until: date | None = None
    provenance: str | None = None
    """national, eurodac, aid_body or abroad"""
    received_from: str | None = None
    """the state that a value came from, when provenance is abroad"""
    retain_until: date | None = None
    """last day on which the record may be used"""
    notice_given: bool | None = None
    centre: str | None = None
    compartment: str | None = None
    retention_class: str | None = None

    def __repr__(self) -> str:
        return "Traits(<redacted>)"


TRAITS: tuple[str, ...] = tuple(field.name for field in fields(Traits))
"""Every trait's name, in the order of `Traits`."""


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """One record. `values` holds the asked fields that the register maps, by field id."""

    person: str | None
    record: str
    surrogate: bytes | None
    """16 bytes, or None when the register has none for this person"""
    values: Mapping[str, Value]
    traits: Traits

    def __repr__(self) -> str:
        return "Record(<redacted>)"


@dataclass(frozen=True, slots=True)
class Page:
    """Records in the order of their keys; `next` is what to pass as `after`, None at the end."""

    records: tuple[Record, ...]
    next: str | None = None
