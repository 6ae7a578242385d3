# SPDX-License-Identifier: EUPL-1.2
"""What is asked, and what is known: the input of every decision (architecture §3).

A question carries words of the closed vocabulary only, never who the person is, so it may be
cached, hashed and shown. Facts are three-valued: a register that does not answer makes its fact
`POSSIBLE`, which stops allow lines and fires deny lines. The engine and the gateway rely on both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Truth(Enum):
    """What is known about a guard now."""

    TRUE = "true"
    POSSIBLE = "possible"
    FALSE = "false"

    # Members are singletons compared by identity; Enum would hash their names in Python each time.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Question:
    """One request, as the vocabulary says it.

    Attributes:
        role: the one role in which the asker acts.
        org: the asker's organisation, for example "BA-BP" or "UNHCR".
        country: the asker's country; the duty station of a UN or ICRC office; "INT" for the rest.
        action: find, consult, read, list, count, trace or reidentify.
        dataset: the dataset asked.
        owners: the countries asked, each decided by its own rules.
        categories: the categories asked; () means all of the dataset.
        view: the wanted view; weaker ones are tried after it, except for hit and count.
        purpose: why, from the closed list.
        basis: the legal basis, from the closed list of the purpose.
        named: whether the subject is exactly one named person, without a wildcard.
    """

    role: str
    org: str
    country: str
    action: str
    dataset: str
    owners: tuple[str, ...]
    categories: tuple[str, ...]
    view: str
    purpose: str
    basis: str
    named: bool
    # A question is looked up in several caches on its way; its members are hashed once.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        members = (
            self.role,
            self.org,
            self.country,
            self.action,
            self.dataset,
            self.owners,
            self.categories,
            self.view,
            self.purpose,
            self.basis,
            self.named,
        )
        object.__setattr__(self, "_hash", hash(members))

    def __hash__(self) -> int:
        return self._hash
