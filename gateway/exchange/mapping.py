# SPDX-License-Identifier: EUPL-1.2
"""From gathered fields to the two forms and back, by the tables beside this module.

Each table is the mapping itself: one line a field, nothing converted that it does not name. What an
answer has and a form has no place for is told, so that nobody thinks it was sent.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import orjson

from gateway.exchange.errors import ExchangeError
from gateway.exchange.eurodac import FORMAT as EURODAC
from gateway.exchange.eurodac import EurodacRecord, read_eurodac
from gateway.exchange.forms import alpha2, alpha3
from gateway.exchange.gathering import Gathered
from gateway.exchange.umf import FORMAT as UMF
from gateway.exchange.umf import UmfMessage, read_umf

_LISTS: Final = frozenset(
    {"surnames", "forenames", "birth_names", "previous_names", "aliases", "nationalities"}
)
_THREE: Final = frozenset({"nationalities", "doc_issuer"})
_GENDER: Final = {"M": "male", "F": "female", "X": "unspecified"}
_SEX: Final = {word: letter for letter, word in _GENDER.items()}
_YES_NO: Final = {"yes": True, "no": False}
_GATHERED_IN_LISTS: Final = {"item": "items", "event": "events"}
_TYPES: Final = {"item": "TravelDocument", "event": "Registration"}
_MARKED: Final = "asylum.asylum.protection_marked"
_GRANTED: Final = "asylum.asylum.status_granted_on"
_ARRIVED: Final = "asylum.asylum.transfer_arrival_on"
_LEFT: Final = "registrations.travel.left_territory_on"
_REMOVED: Final = "registrations.travel.removed_on"
_FLAG: Final = "persons.security.security_flag"


@dataclass(frozen=True, slots=True)
class Made:
    """A form as JSON, and the fields of the answers that have no place in it."""

    body: bytes
    left_out: tuple[str, ...]


@cache
def table(name: str) -> tuple[Mapping[str, str], ...]:
    """The lines of a mapping table, "eurodac" or "umf"."""
    text = resources.files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def to_eurodac(person: Gathered, security_reasons: Sequence[str] = ()) -> Made:
    """The Eurodac record of a person.

    Args:
        person: fields of registrations at least; the number and the category make the record.
        security_reasons: why a flag was set; a flag without a reason is not legal.

    Raises:
        ExchangeError: a field that the record needs is missing, a flag has no reason, or a value is
            of no form that Eurodac takes.
    """
    values = _settled(dict(person.values))
    record: dict[str, Any] = {"format": EURODAC, "origin_state": person.owner}
    taken = {_MARKED, _FLAG}
    for line in table("eurodac"):
        if line["field"] in values:
            _put(record, line["member"], _outward(line["field"], values[line["field"]]))
            taken.add(line["field"])
    if "mark" in record:
        record["mark"]["reason"] = "protection"
    if _yes(values.get(_FLAG)) is True or security_reasons:
        if not security_reasons:
            raise ExchangeError(
                "a security flag is legal only with a reason; name it with --security-reason"
            )
        record["security"] = {"reasons": sorted(set(security_reasons))}
    body = read_eurodac(orjson.dumps(record)).model_dump_json(exclude_defaults=True).encode()
    return Made(body, tuple(sorted(set(person.values) - taken)))


def _settled(values: dict[str, Any]) -> dict[str, Any]:
    """Fields whose place depends on others: a mark without its mark, and who left how."""
    if _yes(values.get(_MARKED)) is not True:
        values.pop(_GRANTED, None)
    if values.get("asylum.asylum.relocation_state") is None:
        values.pop(_ARRIVED, None)  # whether taken in charge or taken back, the register can't say
    if values.get("registrations.record.person_category") != "ASY" and _LEFT in values:
        left = values.pop(_LEFT)
        values.setdefault(_REMOVED, left)
    return values


def from_eurodac(record: EurodacRecord) -> dict[str, Any]:
    """The record's values by field id."""
    document = orjson.loads(record.model_dump_json(exclude_defaults=True))
    found: dict[str, Any] = {}
    for line in table("eurodac"):
        value = _get(document, line["member"])
        if value is not None:
            found[line["field"]] = _inward(line["field"], value)
    if record.mark is not None:
        found[_MARKED] = True
    if record.security is not None:
        found[_FLAG] = True
    return found


def to_umf(person: Gathered) -> Made:
    """The UMF-aligned message of a person.

    Raises:
        ExchangeError: a value is of no form that the message takes.
    """
    entities: dict[str, dict[str, Any]] = {"person": {}}
    taken = set()
    for line in table("umf"):
        if line["field"] in person.values:
            entity = entities.setdefault(line["entity"], {})
            value = _outward(line["field"], person.values[line["field"]])
            entity[line["attribute"]] = (
                _GENDER.get(value, value) if line["attribute"] == "gender" else value
            )
            taken.add(line["field"])
    message: dict[str, Any] = {"format": UMF, "person": entities.pop("person")}
    for name, attributes in entities.items():
        kind, _, role = name.partition(" ")
        if kind == "location":
            message.setdefault("locations", []).append({"role": role, **attributes})
        elif kind == "biometric":
            message.setdefault("biometrics", []).append({"kind": role, **attributes})
        else:
            listed = message.setdefault(_GATHERED_IN_LISTS[kind], [])
            listed.append({"type": _TYPES[kind], **attributes})
    read = read_umf(orjson.dumps(message))
    body = read.model_dump_json(by_alias=True, exclude_defaults=True).encode()
    return Made(body, tuple(sorted(set(person.values) - taken)))


def from_umf(message: UmfMessage) -> dict[str, Any]:
    """The message's values by field id; of several items or events the first.

    Raises:
        ExchangeError: it has several documents or events, and a record of ours has one.
    """
    document = orjson.loads(message.model_dump_json(by_alias=True, exclude_none=True))
    if len(message.items) > 1 or len(message.events) > 1:
        raise ExchangeError("the message has several documents or events; send one of each")
    entities = {"person": document["person"]}
    entities |= {kind: one for kind in _TYPES for one in document[_GATHERED_IN_LISTS[kind]]}
    entities |= {f"location {one['role']}": one for one in document["locations"]}
    entities |= {f"biometric {one['kind']}": one for one in document["biometrics"]}
    found: dict[str, Any] = {}
    for line in table("umf"):
        value = entities.get(line["entity"], {}).get(line["attribute"])
        if value not in (None, []):
            known = _SEX.get(value, value) if line["attribute"] == "gender" else value
            found[line["field"]] = _inward(line["field"], known)
    return found


def _outward(field: str, value: Any) -> Any:
    """A value of ours as the forms write it: names in lists, nationalities in three letters."""
    name = field.rpartition(".")[2]
    yes_no = _yes(value)
    if yes_no is not None and name in {"avrr_granted", "rejected_no_right_to_remain"}:
        return yes_no
    if name in _THREE:
        value = [_three(one) for one in value] if isinstance(value, list) else _three(value)
    if name in _LISTS and not isinstance(value, list):
        return [value]
    return value


def _inward(field: str, value: Any) -> Any:
    name = field.rpartition(".")[2]
    if name in _THREE:
        value = [alpha2(one) for one in value] if isinstance(value, list) else alpha2(value)
    if name in _LISTS and name != "nationalities" and len(value) == 1:
        return value[0]
    return value


def _three(two: Any) -> Any:
    try:
        return alpha3(two)
    except KeyError:
        return two  # the form says what is wrong with it


def _yes(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return _YES_NO.get(value) if isinstance(value, str) else None


def _put(record: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        record = record.setdefault(step, {})
    record[last] = value


def _get(record: Mapping[str, Any], path: str) -> Any:
    found: Any = record
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
