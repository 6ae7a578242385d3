# SPDX-License-Identifier: EUPL-1.2
"""Which persons of a list belong together when figures are told: by what is known of them.

Some subsets every list has. Other columns of the lists make more: one for each value of a column of
the first list, and one for the pairs in whose records a column of both lists differs.
"""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from anonymise.linkage.evaluate import Truth
from anonymise.linkage.person import LinkagePerson

MOST_VALUES: Final = 20
"""A column with more values tells no kind but a person; it makes no subsets."""

Kinds = Mapping[str, Mapping[str, str]]
"""Column -> identifier -> value."""


def of_persons(persons: Mapping[str, LinkagePerson]) -> dict[str, frozenset[str]]:
    """The subsets that every list has; empty ones are left out."""
    full = {name for name, person in persons.items() if person.birth and person.birth.certain}
    document = {name for name, person in persons.items() if person.documents}
    other = {name for name, person in persons.items() if not _latin(_written(person))}
    single = {name for name, person in persons.items() if len(_written(person).split()) < 2}  # noqa: PLR2004
    found = {
        "full date of birth": full,
        "date of birth missing, partial or 1 January": persons.keys() - full,
        "document number": document,
        "no document number": persons.keys() - document,
        "Latin script": persons.keys() - other,
        "other script": other,
        "one name only": single,
    }
    return {name: frozenset(those) for name, those in found.items() if those}


def of_kinds(first: Kinds, second: Kinds, truth: Truth) -> dict[str, frozenset[str]]:
    """The subsets that other columns make.

    A subset "COLUMN differs" holds the pairs of the truth in which the records differ, and all
    persons who are in no pair.

    Args:
        first: Other columns of the first list.
        second: Of the second.
        truth: Who is who.
    """
    found: dict[str, frozenset[str]] = {}
    for column, values in first.items():
        distinct = sorted(set(values.values()))
        if len(distinct) > MOST_VALUES:
            continue
        for value in distinct:
            those = frozenset(name for name, its in values.items() if its == value)
            found[f"{column}: {value or 'not said'}"] = those
        others = second.get(column)
        if others is not None:
            found[f"{column} differs"] = frozenset(
                name
                for name, value in values.items()
                if name not in truth or any(others[other] != value for other in truth[name])
            )
    return found


def _written(person: LinkagePerson) -> str:
    return " ".join((*person.given_names, *person.surnames))


def _latin(text: str) -> bool:
    return all(map(_latin_letter, filter(str.isalpha, text)))


@lru_cache(maxsize=4096)
def _latin_letter(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")
