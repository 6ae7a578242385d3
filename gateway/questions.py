# SPDX-License-Identifier: EUPL-1.2
"""The body of a question, parsed once into frozen types.

One model per action; a key that is not named here, a wildcard, an empty text or a wrong type
is refused. Whether the words (roles, datasets, purposes …) exist is for the rules to say, so
that a refusal is logged like any other.
"""

import re
import unicodedata
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from gateway.linkage.asked import Blinded, Confirmation, LinkedSubject, Value32
from gateway.sources import NamedPerson

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,3}$")]
OrganisationId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{1,15}$")]
FieldId = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$")]
Basis = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ().,:/_-]{1,80}$")]
CaseRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9/._-]{0,63}$")]
Opaque = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,1024}$")]
View = Literal["full", "pseudonym", "generalised", "hit", "count"]

_WILDCARDS: Final = frozenset("*%?_＊％？＿")  # noqa: RUF001  and their full-width twins
_MOST_PERSONS: Final = 100  # records of persons on one page
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _no_wildcard(text: str) -> str:
    stripped = text.strip()
    if not stripped or any(
        char in _WILDCARDS or unicodedata.category(char) in _INVISIBLE for char in stripped
    ):
        raise ValueError("must be one exact value, without wildcards or control characters")
    return stripped


def plain_date(value: object) -> object:
    """A date as JSON writes one; anything else is refused."""
    # Strict JSON has no dates, and the lax reading takes numbers and times for one.
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("a date is written YYYY-MM-DD")
    return date.fromisoformat(value)


Exact = Annotated[
    str, StringConstraints(min_length=1, max_length=120), AfterValidator(_no_wildcard)
]
# A reference is compared for equality only, so the signs of a wildcard mean nothing in it.
Reference = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class _Question(_Model):
    """What every question states."""

    role: Word | None = Field(None, description="the role used; needed when the token has several")
    dataset: Word = Field(description="persons, registrations, asylum, stays, centres, …")
    owners: list[Country] = Field(min_length=1, max_length=16, description="whose data")
    categories: list[Word] = Field(
        default_factory=list, max_length=16, description="categories asked; empty means all"
    )
    fields: list[FieldId] = Field(
        default_factory=list, max_length=64, description="fields asked; empty means all allowed"
    )
    purpose: Word = Field(description="why; from the closed list of the rules")
    basis: Basis = Field(description="article or agreement that allows asking")
    case_no: CaseRef | None = Field(None, description="case of the asker's own system")
    reason: Reason | None = Field(
        None, description="free text for the sealed log; some rules demand 30 characters"
    )
    received: list[Opaque] = Field(
        default_factory=list,
        max_length=16,
        description="marks (`onward`) of records from abroad on whose ground this is asked",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for values in (self.owners, self.categories, self.fields, self.received):
            if len(set(values)) != len(values):
                raise ValueError("owners, categories, fields and received name each value once")
        return self


class Subject(_Model):
    """Exactly one named person: a biometric reference, a document, or a name and birth date."""

    surnames: Exact | None = None
    forenames: Exact | None = None
    date_of_birth: Annotated[date, BeforeValidator(plain_date)] | None = None
    doc_number: Exact | None = None
    biometric_ref: Exact | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_name = (self.surnames, self.forenames, self.date_of_birth)
        ways = [self.doc_number is not None, self.biometric_ref is not None, any(by_name)]
        if sum(ways) != 1:
            raise ValueError("name one person in one way: document, biometric, or name and birth")
        return self

    def named(self) -> bool:
        """Whether this is enough to mean one person (Q-NAMED)."""
        by_name = (self.surnames or self.forenames) and self.date_of_birth
        return bool(self.doc_number or self.biometric_ref or by_name)

    def person(self) -> NamedPerson:
        """The selector for a register."""
        return NamedPerson(
            surnames=self.surnames,
            forenames=self.forenames,
            date_of_birth=self.date_of_birth,
            doc_number=self.doc_number,
            biometric_ref=self.biometric_ref,
        )


Epoch = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}q[1-4]$")]


class RecordReference(_Model):
    """One record by the owner's reference, or by a case number of the asker's own domain."""

    kind: Literal["person", "record", "case_number"]
    ref: Reference
    epoch: Epoch | None = Field(
        None,
        description="for a case number: the earlier quarter that it was issued in, 2026q3, to "
        "learn this quarter's number of an own case",
    )

    @model_validator(mode="after")
    def _epoch_of_a_number(self) -> Self:
        if self.epoch is not None and self.kind != "case_number":
            raise ValueError("only a case number has an epoch")
        return self


class FindQuestion(_Question):
    """Is this one person known?"""

    view: View = Field(description="hit across a border; full at home")
    subject: Subject | None = Field(
        None, description="in clear; at home, or abroad where the very spelling is looked up"
    )
    blinded: Blinded | None = Field(
        None, description="only with the view hit: looked up in the blind index of each country"
    )

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if (self.subject is None) == (self.blinded is None):
            raise ValueError("name one person: either subject, or blinded as your side made it")
        if self.blinded is not None and self.view != "hit":
            raise ValueError("blind keys find a hit and no more; ask with the view hit")
        return self

    def named(self) -> bool:
        """Whether this means one person (Q-NAMED); each blind key holds a date or a number."""
        return self.blinded is not None or (self.subject is not None and self.subject.named())


class ReadQuestion(_Question):
    """One record of the own country, by reference."""

    view: View
    reference: RecordReference


class ListQuestion(_Question):
    """Several records of the own country, page by page."""

    view: View
    centre: Reference | None = Field(None, description="only this reception centre")
    limit: int = Field(50, ge=1, le=1000, description="over 100 of the dataset log only")
    after: Opaque | None = Field(None, description="the cursor of the page before")

    @model_validator(mode="after")
    def _short_pages_of_persons(self) -> Self:
        if self.limit > _MOST_PERSONS and self.dataset != "log":
            raise ValueError(f"a page has at most {_MOST_PERSONS} records; log entries 1000")
        return self


class CountQuestion(_Question):
    """Tables: centres (exact, no persons) and statistics (fixed layouts)."""

    view: View = "count"
    layout: Word | None = Field(None, description="for statistics: arrivals, occupancy, …")
    published: bool = Field(
        default=False,
        description="the figures will be published or asked again and again: they come with "
        "differential privacy and cost the organisation's monthly budget",
    )
    format: Literal["json", "csv", "svg"] = Field(
        "json", description="csv and svg are a sheet and a chart of one owner's table"
    )

    @model_validator(mode="after")
    def _one_sheet(self) -> Self:
        if self.format != "json" and len(self.owners) != 1:
            raise ValueError("a sheet or a chart is of one owner; name one")
        return self


class ConsultQuestion(_Question):
    """The reasoned second step abroad: the record behind a hit."""

    view: View
    token: Opaque | None = Field(None, description="the token of the hit")
    reference: RecordReference | None = Field(
        None, description="where the owner opened the request itself (return, readmission case)"
    )
    subject: LinkedSubject | None = Field(
        None, description="with the token of a blinded question: whom it was about"
    )
    salt: Value32 | None = Field(None, description="what the commitment was made with")
    confirmation: Confirmation | None = Field(
        None, description="after a match explained as possible: what a human made of it"
    )

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.token is None) == (self.reference is None):
            raise ValueError("name either the token of a hit or a reference")
        if (self.subject is None) != (self.salt is None):
            raise ValueError("the subject of a blinded question comes with its salt")
        if self.token is None and self.subject is not None:
            raise ValueError("a subject comes with the token of its hit")
        if self.subject is None and self.confirmation is not None:
            raise ValueError("a confirmation comes with the subject that was compared")
        return self


class TraceQuestion(_Question):
    """Family links of one person, for restoring contact."""

    view: View
    reference: RecordReference


class ReidentifyQuestion(_Question):
    """Whose case number is this? One value, granted by two people of different organisations."""

    view: View = "full"
    reference: RecordReference = Field(description="kind case_number")
    recipient: OrganisationId = Field(description="organisation that the number was issued to")
    recipient_purpose: Word = Field(description="purpose that it was issued for")
    epoch: Epoch

    @model_validator(mode="after")
    def _one_epoch(self) -> Self:
        if self.reference.epoch is not None:
            raise ValueError("the epoch stands beside the reference, once")
        return self


AnyQuestion = (
    FindQuestion
    | ReadQuestion
    | ListQuestion
    | CountQuestion
    | ConsultQuestion
    | TraceQuestion
    | ReidentifyQuestion
)
ACTIONS: Final[dict[str, type[AnyQuestion]]] = {
    "find": FindQuestion,
    "read": ReadQuestion,
    "list": ListQuestion,
    "count": CountQuestion,
    "consult": ConsultQuestion,
    "trace": TraceQuestion,
    "reidentify": ReidentifyQuestion,
}
