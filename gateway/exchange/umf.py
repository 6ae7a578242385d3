# SPDX-License-Identifier: EUPL-1.2
"""A message in the shape of the universal message format: Person, Item, Location, Event.

Aligned, not conformant: Implementing Decision (EU) 2023/221 asks for UMF, its annex and schema are
not public in full, so the mapping stands in `umf.csv` and can be changed in one place. Our field on
the left, entity and attribute on the right; docs/formats/umf-message.md shows the same table.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gateway.exchange.errors import told
from gateway.exchange.forms import (
    Category,
    Day,
    Form,
    Instant,
    Nationality,
    Precision,
    Reference,
    State,
    Text,
)

FORMAT: Final = "cuvar-umf-aligned-1"
Many = Annotated[list[Text], Field(max_length=20)]


class Entity(Form):
    """Attributes are written as UMF writes them: familyName."""

    model_config = ConfigDict(alias_generator=to_camel)


class Person(Entity):
    """Identity data, in the terms of Delegated Regulation (EU) 2023/333."""

    family_name: Many = Field(default_factory=list)
    first_name: Many = Field(default_factory=list)
    family_name_at_birth: Many = Field(default_factory=list)
    previously_used_name: Many = Field(default_factory=list)
    alias: Many = Field(default_factory=list)
    date_of_birth: Day | None = None
    date_of_birth_precision: Precision | None = None
    gender: Literal["male", "female", "unspecified"] | None = None
    nationality: Annotated[list[Nationality], Field(max_length=10)] = Field(default_factory=list)


class Item(Entity):
    """A travel document."""

    type: Literal["TravelDocument"]
    document_type: Text | None = None
    document_number: Text | None = None
    issuing_country: Nationality | None = None
    valid_until: Day | None = None


class Location(Entity):
    """A place, and what it is to the person."""

    role: Literal["placeOfBirth", "placeOfEvent"]
    name: Text


class Event(Entity):
    """A registration of the person in a state's system."""

    type: Literal["Registration"]
    category: Category | None = None
    state: State | None = None
    reference_number: Reference | None = None
    on: Day | None = None
    biometrics_taken_at: Instant | None = None


class Biometric(Entity):
    """A reference into a national AFIS; no template travels."""

    kind: Literal["fingerprints", "face"]
    reference: Reference


class UmfMessage(Entity):
    """One person with what belongs to her. Absent members are unknown."""

    format: Literal["cuvar-umf-aligned-1"]
    person: Person
    items: Annotated[list[Item], Field(max_length=5)] = Field(default_factory=list)
    locations: Annotated[list[Location], Field(max_length=5)] = Field(default_factory=list)
    events: Annotated[list[Event], Field(max_length=5)] = Field(default_factory=list)
    biometrics: Annotated[list[Biometric], Field(max_length=2)] = Field(default_factory=list)


def read_umf(data: bytes) -> UmfMessage:
    """A message from its JSON.

    Raises:
        ExchangeError: it has a member outside the form, or one is of a wrong kind.
    """
    try:
        return UmfMessage.model_validate_json(data)
    except ValidationError as error:
        raise told("UMF-aligned message", error) from None
