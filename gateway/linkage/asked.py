# SPDX-License-Identifier: EUPL-1.2
"""What the two steps of a look-up across a border bring with them, parsed once.

A flag brings blind keys and a commitment, never a person; a consultation brings the person that
the commitment is to. docs/formats/linkage-flag.md.
"""

import base64
import unicodedata
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from anonymise.errors import LinkageError
from anonymise.linkage.blinding import BlindKey
from anonymise.linkage.keys import KeyKind
from anonymise.linkage.person import LinkagePerson, person_of

MOST_KEYS: Final = 16
_WILDCARDS: Final = frozenset("*%?_＊％？＿")  # noqa: RUF001  and their full-width twins
_INVISIBLE: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_ONE_SPELLING: Final = "AEIMQUYcgkosw048"  # of the 43rd sign, which holds four bits

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Value32 = Annotated[
    str, StringConstraints(pattern=rf"^[A-Za-z0-9_-]{{42}}[{_ONE_SPELLING}]$", max_length=43)
]
Quarter = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}q[1-4]$")]
OfficerId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]


def _plain(text: str) -> str:
    if any(char in _WILDCARDS or unicodedata.category(char) in _INVISIBLE for char in text):
        raise ValueError("must be a value as written, without wildcards or control characters")
    return text


Written = Annotated[str, StringConstraints(max_length=200), AfterValidator(_plain)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class AskedKey(_Model):
    """One key, blinded by the asker's side."""

    kind: KeyKind
    value: Value32 = Field(description="32 bytes, base64url without padding")


class Blinded(_Model):
    """One person as the nations' side blinds it (`cuvar linkage blind`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "epoch": "2026q4",
                    "grammar": 1,
                    "blinding": "hmac",
                    "keys": [{"kind": "doc", "value": "A" * 43}],
                    "commitment": "0" * 64,
                }
            ]
        }
    )

    epoch: Quarter = Field(description="the quarter whose nations' key blinded it, 2027q1")
    grammar: int = Field(ge=1, le=1_000, description="version of the key grammar")
    blinding: Literal["hmac", "oprf"] = Field(description="how they were blinded")
    keys: list[AskedKey] = Field(min_length=1, max_length=MOST_KEYS)
    commitment: Digest = Field(description="what the consultation's subject and salt must open")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({(key.kind, key.value) for key in self.keys}) != len(self.keys):
            raise ValueError("each key once")
        return self

    def blind_keys(self) -> tuple[BlindKey, ...]:
        """The keys for the gateway's half of the blinding."""
        return tuple(BlindKey(key.kind, _bytes(key.value)) for key in self.keys)

    def told(self) -> dict[str, object]:
        """What of them is recorded: the keys' kinds, and the commitment in place of their values.

        Every nation holds the nations' key and could try names against the values; only who holds
        the salt can open the commitment.
        """
        return {
            "epoch": self.epoch,
            "grammar": self.grammar,
            "blinding": self.blinding,
            "kinds": [key.kind for key in self.keys],
            "commitment": self.commitment,
        }


class LinkedSubject(_Model):
    """One person as written in the asker's papers; what is not known stays out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"surnames": "Hosseini", "given_names": "Reza", "date_of_birth": "1991-07-23"}
            ]
        }
    )

    given_names: Written | None = None
    surnames: Written | None = None
    sex: Literal["M", "F"] | None = None
    date_of_birth: (
        Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")] | None
    ) = Field(None, description="1990, 1990-05 or 1990-05-17: no more than is known")
    nationality: Written | None = Field(None, description="ISO 3166-1 alpha-3")
    document_number: Written | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.date_of_birth or self.document_number):
            raise ValueError("needs a date of birth or a document number")
        try:
            self.person()
        except LinkageError as error:
            raise ValueError(str(error)) from None
        return self

    def person(self) -> LinkagePerson:
        """For the comparison.

        Raises:
            LinkageError: a part can't be read.
        """
        return person_of(
            given_names=self.given_names or "",
            surnames=self.surnames or "",
            sex=self.sex or "",
            date_of_birth=self.date_of_birth or "",
            nationality=self.nationality or "",
            document_number=self.document_number or "",
        )

    def written(self) -> dict[str, str]:
        """The members as they were given."""
        told: dict[str, str] = self.model_dump(exclude_none=True)
        return told


class Confirmation(_Model):
    """That a human at the asker compared the persons, after the match was explained."""

    by: OfficerId = Field(
        description="who compared them: under the duty expert_check somebody else than the asker"
    )
    verdict: Literal["same_person", "not_same_person"]
    reason: Annotated[str, StringConstraints(min_length=30, max_length=2000)]


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
