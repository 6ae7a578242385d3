# SPDX-License-Identifier: EUPL-1.2
"""febrl4: 5,000 Australian persons and a copy of each with slips; a smoke test, no yardstick.

Its persons have addresses, which registers of migrants lack or change every month; they go in as
places. Many lack a birth date, and the index has no key without one: here the owner's side, which
holds its records in clear, blocks by names and address as well.
"""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from anonymise.linkage.names import skeletons
from anonymise.linkage.person import LinkagePerson
from gateway.linkage.lists import PersonList, read_list

LIVES = ("address_1", "address_2", "suburb", "postcode")


def read_febrl(path: Path, *, number: bool) -> PersonList:
    """One of its lists, with or without the social security number."""
    plain = read_list(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    return PersonList(
        {
            name: replace(
                person,
                places=tuple(rows[name][column] for column in LIVES if rows[name][column]),
                documents=person.documents if number else (),
            )
            for name, person in plain.persons.items()
        },
        {},
    )


def blocks(person: LinkagePerson) -> Iterator[str]:
    """Two names; a name and a word of the address; a birth date; a postcode."""
    names = sorted(set(skeletons(person.given_names, person.surnames)))
    words = sorted(set(skeletons(person.places, ())))
    for at, name in enumerate(names):
        yield from (f"{name} at {word}" for word in words)
        yield from (f"{name} called {other}" for other in names[at + 1 :])
    if person.birth is not None and person.birth.certain:
        yield f"{person.birth.year} {person.birth.month} {person.birth.day}"
    yield from (place for place in person.places if place.isdigit())
