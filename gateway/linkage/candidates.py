# SPDX-License-Identifier: EUPL-1.2
"""Whom one country's blind index leads to, as its own register knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from anonymise.linkage.grading import Grade
from audit.randomness import random_bytes
from gateway.errors import GatewayError

SURROGATE_BYTES: Final = 16
FETCHED: Final = 8
"""Persons that a register is asked for after every look-up, found or not."""


class NotIndexedError(GatewayError):
    """No index of the owner can be looked up for these keys: not the same as nobody found."""

    reason: Final = "no_index"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Persons of one owner by surrogate, with how surely each is the one asked for."""

    grades: Mapping[bytes, Grade] = field(repr=False)

    def fetched(self) -> tuple[bytes, ...]:
        """Whom to ask the register for: the surest first, then random ones who are nobody.

        As many whatever was found, so that the register's time and its own log do not tell it.
        """
        known = sorted(self.grades, key=lambda one: (self.grades[one] is not Grade.STRONG, one))
        kept = known[:FETCHED]
        drawn = random_bytes(SURROGATE_BYTES * (FETCHED - len(kept)))
        nobody = (drawn[at : at + SURROGATE_BYTES] for at in range(0, len(drawn), SURROGATE_BYTES))
        return (*kept, *nobody)

    def grade(self, surrogate: bytes | None) -> Grade:
        """How surely a record of the register is of the person asked for."""
        return Grade.NONE if surrogate is None else self.grades.get(surrogate, Grade.NONE)
