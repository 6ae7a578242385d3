# SPDX-License-Identifier: EUPL-1.2
"""What may pass unchanged: everything at full, only short codes in a coded view.

`keep` stands in the pseudonym view for sex, languages, needs codes and the like. So that a slip
in a vocabulary cannot turn it into a leak, two locks of this package's own stand behind it:
categories and fields that identify are refused when the view is compiled, and a value passes
only if it is a code in form: no date, no spaces, no long run of digits.
"""

import re

from anonymise.value import Value

# Categories whose every field identifies, accuses or is about the handling of a person.
NEVER_CODED = frozenset(
    {
        "direct_identifier",
        "document",
        "biometric_reference",
        "security",
        "record",
        "request",
        "log_envelope",
        "log_detail",
    }
)
# Identifying fields of the other categories, and all free text.
NEVER_KEPT = frozenset(
    {
        "accommodation.bed",
        "accommodation.family_group_no",
        "accommodation.room",
        "biographic.date_of_birth",
        "biographic.place_of_birth",
        "family.linked_reference",
        "protection.accompanied_by",
        "protection.declared_persecutor",
        "protection.guardian_ref",
        "protection.note",
        "protection.safe_address",
        "protection.trafficking_mark",
        "travel.event_place",
        "travel.itineraries",
        "travel.stopovers",
    }
)

_CODE = re.compile(r"(?!.*\d{5})[\w+./-]{1,24}")
_LARGEST_COUNT = 999


def as_held(value: Value) -> Value:
    """The value itself; full view only."""
    return value


def as_code(value: Value) -> Value:
    """The value if it has the form of a code, a flag or a small count; otherwise None."""
    if isinstance(value, str):
        return value if _CODE.fullmatch(value) else None
    if isinstance(value, tuple):
        return value if all(isinstance(as_code(part), str) for part in value) else None
    if isinstance(value, int):
        return value if 0 <= value <= _LARGEST_COUNT else None
    return None
