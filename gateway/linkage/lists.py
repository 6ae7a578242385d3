# SPDX-License-Identifier: EUPL-1.2
"""Lists of persons to try linking on, read from CSV: docs/formats/linkage-pairs.md.

A message names file, line and column and never a value.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anonymise.errors import LinkageError
from anonymise.linkage.evaluate import Truth
from anonymise.linkage.person import LinkagePerson, person_of

ID: Final = "id"
FIELDS: Final = (
    "given_names",
    "surnames",
    "sex",
    "date_of_birth",
    "nationality",
    "document_number",
)
TRUTH: Final = ("id_a", "id_b")


@dataclass(frozen=True, slots=True)
class PersonList:
    """One list.

    Attributes:
        persons: By identifier.
        kinds: Other columns: name -> identifier -> value.
    """

    persons: Mapping[str, LinkagePerson]
    kinds: Mapping[str, Mapping[str, str]]


def read_list(path: Path) -> PersonList:
    """Read a list of persons.

    Args:
        path: CSV in UTF-8 with a header that has `id` and the six columns of a person.

    Raises:
        LinkageError: It can't be read, lacks a column, or has a row that can't be.
    """
    persons: dict[str, LinkagePerson] = {}
    kinds: dict[str, dict[str, str]] = {}
    for line, row in _rows(path, (ID, *FIELDS)):
        identifier = row[ID]
        if not identifier or identifier in persons:
            raise LinkageError(
                f"{path.name}, line {line}, column {ID}: empty, or stands twice; number the rows"
            )
        try:
            persons[identifier] = person_of(**{name: row[name] for name in FIELDS})
        except LinkageError as error:
            raise LinkageError(f"{path.name}, line {line}: {error}") from None
        for name, value in row.items():
            if name != ID and name not in FIELDS:
                kinds.setdefault(name, {})[identifier] = value
    if not persons:
        raise LinkageError(f"{path.name} has no rows; give a list of persons")
    return PersonList(persons, kinds)


def read_truth(path: Path, first: PersonList, second: PersonList) -> Truth:
    """Read who is who: columns `id_a` and `id_b`.

    Raises:
        LinkageError: It can't be read, is empty, or names somebody who is in neither list.
    """
    truth: dict[str, set[str]] = {}
    for line, row in _rows(path, TRUTH):
        for column, known in zip(TRUTH, (first, second), strict=True):
            if row[column] not in known.persons:
                raise LinkageError(
                    f"{path.name}, line {line}, column {column}: not in that list; "
                    "the truth names pairs by the identifiers of the first and the second list"
                )
        truth.setdefault(row["id_a"], set()).add(row["id_b"])
    if not truth:
        raise LinkageError(f"{path.name} names no pair; without truth there is nothing to evaluate")
    return {identifier: frozenset(others) for identifier, others in truth.items()}


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            missing = [name for name in needed if name not in header]
            if missing or len(set(header)) < len(header):
                what = f"lacks the column {missing[0]}" if missing else "has a column twice"
                raise LinkageError(f"{path.name}, line 1: {what}; see docs/linkage/evaluate.md")
            for row in rows:
                if len(row) != len(header):
                    raise LinkageError(
                        f"{path.name}, line {rows.line_num}: {len(row)} cells where the header has "
                        f"{len(header)}; quote cells that hold commas"
                    )
                yield rows.line_num, dict(zip(header, row, strict=True))
    except OSError as error:
        raise LinkageError(
            f"{path.name} can't be read: {error.strerror}; name a CSV file"
        ) from None
    except UnicodeDecodeError:
        raise LinkageError(f"{path.name} is not UTF-8; save it as UTF-8") from None
    except csv.Error:
        raise LinkageError(f"{path.name} is no CSV; a quotation mark may stand open") from None
