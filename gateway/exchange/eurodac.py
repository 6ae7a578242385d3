# SPDX-License-Identifier: EUPL-1.2
"""One person's data set in the shape of Eurodac: a closed list, and nothing beside it.

Regulation (EU) 2024/1358, Articles 17, 19, 21 to 24 and 26 ("only the following data"). Biometric
data travel as references: templates stay in the national AFIS. docs/formats/eurodac-record.md.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from gateway.exchange.errors import told
from gateway.exchange.forms import (
    Category,
    Day,
    Form,
    Instant,
    Nationality,
    Precision,
    Reference,
    Sex,
    State,
    Text,
)

FORMAT: Final = "cuvar-eurodac-1"
Names = Annotated[list[Text], Field(max_length=20)]
ReferenceNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}[0-9][A-Z0-9]{1,29}$")]
_DIGIT: Final = re.compile(r"[0-9]")

DIGITS: Final[Mapping[str, str]] = {
    "ASY": "1",
    "IRR": "2",
    "ILL": "3",
    "RSA": "7",
    "RSX": "7",
    "RSN": "8",
    "SAR": "9",
    "TMP": "0",
}
"""Category digit of a reference number, Art. 37(4). 4, 5 and 6 are requests, not persons' data."""

_RETURNED: Final = frozenset({"relocation_state", "removed_or_left_on", "avrr_granted"})
ALSO: Final[Mapping[str, frozenset[str]]] = {
    "ASY": _RETURNED
    | {
        "responsible_state",
        "arrived_take_charge_on",
        "arrived_take_back_on",
        "arrived_relocation_on",
        "left_territory_on",
        "visa",
        "rejected_no_right_to_remain",
        "border_procedure_rejected",
    },
    "RSA": frozenset({"granted_on"}),
    "RSX": frozenset({"refused_on", "refusal_grounds", "discontinued_on"}),
    "RSN": frozenset({"granted_on"}),
    "IRR": _RETURNED,
    "ILL": _RETURNED | {"arrived_relocation_on"},
    "SAR": _RETURNED,
    "TMP": frozenset({"exclusion_ground", "council_decision"}),
}
"""What a category's article adds to the common list: Art. 17(2), 19(1)(o)-(q), 21(1)(o), 22(3)…"""
_MAY_BE_FLAGGED: Final = frozenset({"ASY", "IRR", "ILL", "SAR"})


class Document(Form):
    """The travel or identity document, where there is one."""

    type: Text | None = None
    number: Text | None = None
    issuer: Nationality | None = None
    expiry: Day | None = None
    scan_ref: Reference | None = None
    authenticity: Text | None = None


class Event(Form):
    """Where and when the person applied, was apprehended, found, disembarked or registered."""

    place: Text | None = None
    on: Day | None = None


class Visa(Form):
    """Art. 17(2)(h): the state that issued or extended a visa, and its application's number."""

    state: State
    application_no: Text | None = None


class Security(Form):
    """A security flag is legal only with a reason, Art. 17(2)(i), 22(3)(d), 23(3)(e), 24(3)(d)."""

    reasons: Annotated[
        list[Literal["armed", "violent", "terrorist_offence", "listed_offence"]],
        Field(min_length=1, max_length=4),
    ]


class Also(Form):
    """What only some categories have; which may have what is in `ALSO`."""

    responsible_state: State | None = None
    relocation_state: State | None = None
    arrived_take_charge_on: Day | None = None
    arrived_take_back_on: Day | None = None
    arrived_relocation_on: Day | None = None
    left_territory_on: Day | None = None
    removed_or_left_on: Day | None = None
    visa: Visa | None = None
    rejected_no_right_to_remain: bool | None = None
    border_procedure_rejected: bool | None = None
    avrr_granted: bool | None = None
    granted_on: Day | None = None
    refused_on: Day | None = None
    refusal_grounds: Text | None = None
    discontinued_on: Day | None = None
    exclusion_ground: bool | None = None
    council_decision: Text | None = None


class Mark(Form):
    """Art. 31: international protection was granted, or a residence document was issued."""

    reason: Literal["protection", "residence_document"]
    on: Day


def _by_category(schema: dict[str, Any]) -> None:
    """What `_of_its_category` checks, for those who have only the schema."""
    schema["allOf"] = [
        {
            "if": {"properties": {"category": {"const": category}}},
            "then": {
                "properties": {
                    "also": {"propertyNames": {"enum": sorted(ALSO[category])}},
                    "reference_number": {"pattern": f"^[A-Z]{{1,2}}{digit}"},
                    **({} if category in _MAY_BE_FLAGGED else {"security": False}),
                }
            },
        }
        for category, digit in DIGITS.items()
    ]


class EurodacRecord(Form):
    """One data set. Absent members are unknown."""

    model_config = ConfigDict(json_schema_extra=_by_category)

    format: Literal["cuvar-eurodac-1"]
    category: Category
    origin_state: State
    reference_number: ReferenceNumber
    fingerprints_ref: Reference | None = None
    facial_image_ref: Reference | None = None
    surnames: Names = Field(default_factory=list)
    forenames: Names = Field(default_factory=list)
    birth_names: Names = Field(default_factory=list)
    previous_names: Names = Field(default_factory=list)
    aliases: Names = Field(default_factory=list)
    nationalities: Annotated[list[Nationality], Field(max_length=10)] = Field(default_factory=list)
    date_of_birth: Day | None = None
    date_of_birth_precision: Precision | None = None
    place_of_birth: Text | None = None
    sex: Sex | None = None
    event: Event | None = None
    document: Document | None = None
    biometrics_taken_at: Instant | None = None
    transmitted_at: Instant | None = None
    operator_user_id: Reference | None = None
    security: Security | None = None
    also: Also | None = None
    mark: Mark | None = None

    @model_validator(mode="after")
    def _of_its_category(self) -> Self:
        state, digit = number_parts(self.reference_number)
        if state != self.origin_state[: len(state)] or digit != DIGITS[self.category]:
            raise ValueError(
                f"the reference number of {self.category} data of {self.origin_state} begins with"
                f" {self.origin_state}{DIGITS[self.category]} (Art. 37(4))"
            )
        if self.security is not None and self.category not in _MAY_BE_FLAGGED:
            raise ValueError(f"{self.category} data have no security flag")
        extra = set(self.also.model_fields_set) - ALSO[self.category] if self.also else set()
        if extra:
            raise ValueError(f"{self.category} data have no {', '.join(sorted(extra))}")
        return self


def number_parts(number: str) -> tuple[str, str]:
    """The state letters and the category digit of a reference number (Art. 37(4))."""
    digit = _DIGIT.search(number)
    if digit is None:
        raise ValueError("a reference number has a category digit after the state's letters")
    return number[: digit.start()], digit.group()


def read_eurodac(data: bytes) -> EurodacRecord:
    """A record from its JSON.

    Raises:
        ExchangeError: it has a member outside the list, lacks one, or one is of a wrong kind.
    """
    try:
        return EurodacRecord.model_validate_json(data)
    except ValidationError as error:
        raise told("Eurodac record", error) from None
