# SPDX-License-Identifier: EUPL-1.2
"""Stand-in until the grammar is merged: the types alone."""

from dataclasses import dataclass, field
from enum import StrEnum


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
