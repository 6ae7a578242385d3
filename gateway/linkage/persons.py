# SPDX-License-Identifier: EUPL-1.2
"""A register's record of a person, in the common model, as persons to link.

One record may give several: its main spelling, and the same person under a former name, an alias,
or in the script of the country that he comes from. The nation's side alone does this, for its index
and for the full comparison; nothing of it reaches the gateway's tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from anonymise.errors import LinkageError
from anonymise.linkage.keys import Key, keys_of
from anonymise.linkage.person import BirthDate, LinkagePerson
from gateway.sources.countries import FROM_ALPHA3
from gateway.sources.record import Value

DATASET: Final = "persons"
MOST_KEYS: Final = 16
_GIVEN: Final = "direct_identifier.forenames"
_FAMILY: Final = "direct_identifier.surnames"
_SURNAMES: Final = ("direct_identifier.birth_names", "direct_identifier.previous_names")
_WHOLE_NAMES: Final = ("direct_identifier.original_script", "direct_identifier.aliases")
PERSON_FIELDS: Final = frozenset(
    {
        _GIVEN,
        _FAMILY,
        *_SURNAMES,
        *_WHOLE_NAMES,
        "biographic.date_of_birth",
        "biographic.dob_precision",
        "biographic.place_of_birth",
        "biographic.sex",
        "biographic.nationalities",
        "document.doc_number",
    }
)
"""What a record is asked for; a register that lacks one of them is linked by the others."""

_ALPHA3: Final = {two: three for three, two in reversed(FROM_ALPHA3.items())} | {
    "XX": "XXA",
    "XK": "RKS",
    "DE": "DEU",
}
_COARSE: Final = frozenset({"year", "month"})
_SEXES: Final = frozenset({"M", "F"})


def persons_of(values: Mapping[str, Value]) -> tuple[LinkagePerson, ...]:
    """The persons of a record, the main spelling first."""
    main = LinkagePerson(
        given_names=_listed(values.get(_GIVEN)),
        surnames=_listed(values.get(_FAMILY)),
        sex=_sex(values.get("biographic.sex")),
        birth=_birth(
            values.get("biographic.date_of_birth"), values.get("biographic.dob_precision")
        ),
        nationalities=tuple(_nationalities(values.get("biographic.nationalities"))),
        documents=_listed(values.get("document.doc_number")),
        places=_listed(values.get("biographic.place_of_birth")),
    )
    return (main, *_others(main, values))


def keys_of_all(persons: Sequence[LinkagePerson]) -> tuple[Key, ...]:
    """The keys of a record's persons, those of the main spelling first; at most 16."""
    main, *others = map(keys_of, persons)
    if not any(others):
        return main
    return tuple(dict.fromkeys(key for keys in (main, *others) for key in keys))[:MOST_KEYS]


def _others(main: LinkagePerson, values: Mapping[str, Value]) -> Iterator[LinkagePerson]:
    for field in _SURNAMES:
        if value := values.get(field):
            yield from (replace(main, surnames=(surname,)) for surname in _listed(value))
    for field in _WHOLE_NAMES:
        if value := values.get(field):
            for name in _listed(value):
                yield replace(main, given_names=(), surnames=(name,))


def _listed(value: Value) -> tuple[str, ...]:
    """A text, or several in one column; empty ones are left out."""
    if type(value) is str and ";" not in value:  # nearly all of them
        return (text,) if (text := value.strip()) else ()
    many = value if isinstance(value, tuple) else str(value).split(";") if value else ()
    return tuple([text for one in many if (text := str(one).strip())])


def _sex(value: Value) -> str | None:
    return str(value) if value in _SEXES else None


def _birth(value: Value, precision: Value) -> BirthDate | None:
    """The date as far as it is known; None also for a year in which nobody alive was born."""
    if not isinstance(value, date) or precision == "unknown":
        return None
    month = None if precision == "year" else value.month
    day = None if precision in _COARSE else value.day
    try:
        return BirthDate(value.year, month, day)
    except LinkageError:
        return None


def _nationalities(value: Value) -> Iterator[str]:
    for code in value if isinstance(value, tuple) else (value,):
        if code:
            yield _ALPHA3.get(str(code), str(code))
