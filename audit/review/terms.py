# SPDX-License-Identifier: EUPL-1.2
"""By what an entry can be found: words of its envelope in clear, values of its detail as they are.

Words are those that the envelope shows to everybody entitled to it. Values are officer, unit,
persons and case number; they become tokens before they reach a file. Free text is neither: reasons
are not searchable. What details hold is written in docs/formats/log.md, section 3.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from audit.review.searchkey import Column

_PLAIN: Final = ("kind", "op", "decision", "status", "purpose", "basis")
_SUBJECT: Final = ("doc_number", "biometric_ref")


def words_of(envelope: Mapping[str, Any]) -> list[str]:
    """`name=value` of each member by which one looks up, from an envelope's JSON."""
    found = [f"{name}={envelope[name]}" for name in _PLAIN if envelope[name] is not None]
    found += [f"rule={rule}" for rule in envelope["rules"]]
    countries = set()
    owner, requester = envelope["owner"], envelope["requester"]
    if owner is not None:
        countries.add(owner["country"])
        found.append(f"owner={owner['country']}")
        if owner["dataset"] is not None:
            found.append(f"dataset={owner['dataset']}")
    if requester is not None:
        countries.add(requester["country"])
        found += [f"requester={requester['country']}", f"org={requester['org']}"]
        if requester["role"] is not None:
            found.append(f"role={requester['role']}")
    found += [f"country={country}" for country in countries]
    return found


def values_of(detail: Mapping[str, Any]) -> Iterator[tuple[Column, str]]:
    """Column and value of whatever a detail names; texts only, others are no values."""
    named: list[tuple[Column, object]] = [
        (Column.OFFICER, detail.get("officer")),
        (Column.UNIT, detail.get("unit")),
        (Column.CASE, detail.get("case_no")),
    ]
    named += [(Column.PERSON, person) for person in persons_of(detail)]
    for column, value in named:
        if isinstance(value, str) and value:
            yield column, value


def persons_of(detail: Mapping[str, Any]) -> list[str]:
    """Every form in which a detail names a person by a sign rather than by a name.

    The owner's references of the records that left; the reference or case number asked for; the
    number of the document or the biometric reference asked for.
    """
    found: list[object] = []
    persons = detail.get("persons")
    if isinstance(persons, list):
        found += persons
    query = detail.get("query")
    if isinstance(query, dict):
        reference, subject = query.get("reference"), query.get("subject")
        if isinstance(reference, dict):
            found.append(reference.get("ref"))
        if isinstance(subject, dict):
            found += [subject.get(name) for name in _SUBJECT]
    return [value for value in found if isinstance(value, str)]
