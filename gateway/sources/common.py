# SPDX-License-Identifier: EUPL-1.2
"""The common model's types: what kind of value each field and each trait holds.

Which fields exist at all is said by the policies' vocabulary and passed in when a mapping is
loaded; this table says only how a field's value is typed. A field that is not here is text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["PERSONAL", "Kind", "field_kind", "trait_kind"]

PERSONAL: Final = frozenset(
    {"persons", "registrations", "asylum", "stays", "protection", "family", "readmissions"}
)
"""Datasets whose records belong to a person."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`codes` names the closed list of a coded value; `many` says that the value is a tuple."""

    type: Literal["text", "date", "bool", "int", "code"] = "text"
    codes: str = ""
    many: bool = False


_TEXT: Final = Kind()
_DATE: Final = Kind("date")
_BOOL: Final = Kind("bool", "yesno")
_INT: Final = Kind("int")
_COUNTRY: Final = Kind("code", "country")
_COUNTRIES: Final = Kind("code", "country", many=True)
_SEX: Final = Kind("code", "sex")

_FIELDS: Final[dict[Kind, str]] = {
    _DATE: """
        persons.biographic.date_of_birth persons.document.doc_expiry
        registrations.record.registered_at registrations.record.biometrics_taken_at
        registrations.record.transmitted_at registrations.record.notice_given_at
        registrations.record.retain_until registrations.travel.event_date
        registrations.travel.left_territory_on registrations.travel.removed_on
        asylum.asylum.applied_on asylum.asylum.transfer_arrival_on asylum.asylum.status_granted_on
        stays.accommodation.arrived_on stays.accommodation.leaves_on
        protection.protection.reflection_until protection.protection.best_interest_on
        readmissions.biographic.date_of_birth readmissions.document.valid_until
        readmissions.document.issued_on readmissions.record.requested_on
        readmissions.record.reply_due_on readmissions.record.transfer_due_on
        centres.aggregate.as_of""",
    _BOOL: """
        persons.document.doc_alert persons.security.security_flag
        registrations.travel.avrr_granted asylum.asylum.protection_marked
        asylum.asylum.rejected_no_right_to_remain stays.protection.separate_room
        protection.protection.trafficking_mark family.family.contact_consent
        centres.aggregate.open""",
    _INT: """
        stays.biographic.age centres.aggregate.capacity centres.aggregate.occupied
        centres.aggregate.free_beds centres.aggregate.free_family
        centres.aggregate.free_lone_child""",
    _COUNTRY: """
        persons.document.doc_issuer registrations.travel.origin_state
        asylum.asylum.responsible_state asylum.asylum.relocation_state
        protection.protection.declared_persecutor readmissions.biographic.nationality""",
    _COUNTRIES: """
        persons.biographic.nationalities readmissions.biographic.previous_nationalities""",
    _SEX: "persons.biographic.sex stays.biographic.sex readmissions.biographic.sex",
    Kind("code", "dob_precision"): "persons.biographic.dob_precision",
    Kind("code", "person_category"): "registrations.record.person_category",
    Kind("code", "claim_state"): "asylum.asylum.claim_state",
    Kind("code", "relation_code"): "family.family.relation_code",
    Kind("code", "needs_codes", many=True): "protection.protection.needs_codes",
    Kind("text", many=True): "stays.biographic.languages",
}
_FIELD_KINDS: Final = {field: kind for kind, names in _FIELDS.items() for field in names.split()}

_TRAIT_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(("date_of_birth", "reflection_until", "retain_until"), _DATE),
    **dict.fromkeys(("nationalities", "habitual_residence", "declared_persecutor"), _COUNTRIES),
    **dict.fromkeys(
        (
            *("deceased", "blocked", "naturalised", "unaccompanied", "guardian_record"),
            *("best_interest", "trafficking", "claim_pending", "protection_marked"),
            "notice_given",
        ),
        _BOOL,
    ),
    "dob_precision": Kind("code", "dob_precision"),
    "provenance": Kind("code", "provenance"),
    "received_from": _COUNTRY,
}


def field_kind(dataset: str, field: str) -> Kind:
    """The kind of `category.field` in a dataset; text when nothing else is said."""
    return _FIELD_KINDS.get(f"{dataset}.{field}", _TEXT)


def trait_kind(trait: str) -> Kind:
    """The kind of a trait; text for centre, compartment and retention class."""
    return _TRAIT_KINDS.get(trait, _TEXT)
