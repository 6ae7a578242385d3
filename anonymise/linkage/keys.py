# SPDX-License-Identifier: EUPL-1.2
"""Stand-in until the grammar is merged: the types alone."""

from dataclasses import dataclass, field
from enum import StrEnum

from anonymise.linkage.person import LinkagePerson


class KeyKind(StrEnum):
    """What a key is made of."""

    DOCUMENT = "doc"
    TOKEN_BIRTH = "tok-birth"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a person."""

    kind: KeyKind
    text: str = field(repr=False)

    def encoded(self) -> bytes:
        """Its bytes."""
        return f"1|{self.kind}|{self.text}".encode()


def keys_of(person: LinkagePerson) -> tuple[Key, ...]:
    """Some keys."""
    found = [Key(KeyKind.DOCUMENT, number) for number in person.documents]
    if person.birth is not None and person.birth.day is not None:
        names = " ".join((*person.given_names, *person.surnames)).casefold().split()
        found += [Key(KeyKind.TOKEN_BIRTH, f"{token}{person.birth}") for token in names]
    return tuple(dict.fromkeys(found))[:16]
