# SPDX-License-Identifier: EUPL-1.2
"""The envelope: the part of an entry that is hashed into the tree (docs/formats/log.md, section 2).

It says who asked whose data for what, which facts of the question held and what the rules said, in
codes only. It holds no person: every value must match a narrow pattern, and who exactly, about whom
and why stand in the sealed detail, to which `detail` commits. Bytes are law: RFC 8785 JSON without
floats and with ASCII keys; the parser refuses whatever the encoder would not have written.
"""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from audit.errors import EnvelopeError
from audit.event import VERSION, Asked, Envelope, Link, Owner, Requester
from audit.forms import checked, checked_once, fits, listing, optional, quoted, sorted_list
from audit.ranges import ranges
from audit.vocabulary import Kind, Operation, Status, Verdict

_SECOND, _FIRST = 2, 1
MAX_BYTES = 65_535  # an entry bundle gives each entry a 16-bit length
MAX_COUNT = 2**53 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_NO_ENTRY, _OF_NO_LOG = b'{"about":[],', b',"link":null,'
_STAMP = b'"t":"'
_STAMP_SIZE = len("2026-11-24T00:00:00.000000Z")

_WORDS: dict[type[StrEnum], dict[str, StrEnum]] = {
    words: {word.value: word for word in words} for words in (Kind, Operation, Verdict, Status)
}
_W = TypeVar("_W", bound=StrEnum)


class EncodedEnvelope(bytes):
    """Canonical bytes of an envelope with what the log needs of it, so that it need not parse.

    Made by `encode_envelope` only; the attributes are copies of what the bytes say.
    """

    kind: str
    log: str
    detail: str | None


def new_entry_id(now: datetime, random: bytes) -> str:
    """A UUIDv7 (RFC 9562) from the time and 10 random bytes."""
    millis = (now - EPOCH) // timedelta(milliseconds=1)
    value = (millis << 80) | (int.from_bytes(random[:10], "big"))
    value = value & ~(0xF << 76) | (0x7 << 76)
    digits = f"{value & ~(0x3 << 62) | (0x2 << 62):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def is_origin(text: str) -> bool:
    """Whether a text can be the name of a log."""
    return fits("log", text)


def _word(where: str, words: type[_W], value: object) -> _W:
    found = _WORDS[words].get(value) if isinstance(value, str) else None
    if not isinstance(found, words):
        raise EnvelopeError(f"the envelope's {where} is not one of its closed list")
    return found


def _count(value: object) -> int | None:
    if value is None or (type(value) is int and 0 <= value <= MAX_COUNT):
        return value
    raise EnvelopeError(f"the envelope's count is a whole number from 0 to {MAX_COUNT}")


def format_time(t: datetime) -> str:
    """UTC with six decimals and Z, the only form of a time in an entry.

    Raises:
        EnvelopeError: the time has no zone.
    """
    if t.tzinfo is None:
        raise EnvelopeError("the envelope's t needs a time zone")
    return t.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _owner(owner: Owner | None) -> str:
    if owner is None:
        return "null"
    country = checked("owner country", "country", owner.country)
    dataset = optional("dataset", "code", owner.dataset)
    return f'{{"country":"{country}","dataset":{dataset}}}'


def _requester(asker: Requester | None) -> str:
    if asker is None:
        return "null"
    country = checked("requester country", "country", asker.country)
    org, role = checked("org", "code", asker.org), optional("role", "code", asker.role)
    return f'{{"country":"{country}","org":"{org}","role":{role}}}'


def _asked(asked: Asked | None) -> str:
    if asked is None:
        return "null"
    if not isinstance(asked.named, bool):  # before the memory, for which 1 is the same as true
        raise EnvelopeError("the envelope's named is neither true nor false")
    try:
        return _remembered(asked)
    except TypeError:
        raise EnvelopeError("the envelope's asked holds what is no text") from None


@lru_cache(maxsize=4096)
def _remembered(asked: Asked) -> str:
    """The same questions are asked all day, in the same standing of facts."""
    if not set(asked.sure).isdisjoint(asked.maybe):
        raise EnvelopeError("the envelope calls a fact both true and only possible")
    return (
        f'{{"action":"{checked("action", "word", asked.action)}"'
        f',"categories":{sorted_list("categories", "name", asked.categories)}'
        f',"maybe":{sorted_list("maybe", "name", asked.maybe)}'
        f',"named":{"true" if asked.named else "false"}'
        f',"sure":{sorted_list("sure", "name", asked.sure)}'
        f',"view":"{checked("wanted view", "word", asked.view)}"}}'
    )


def _link(link: Link | None) -> str:
    if link is None:
        return "null"
    size = _count(link.size)
    return (
        f'{{"log":"{checked("link log", "log", link.log)}"'
        f',"root":{optional("link root", "digest", link.root)}'
        f',"size":{"null" if size is None else size}}}'
    )


def _added(e: Envelope) -> tuple[str, str, str]:
    """The members that came after the first version: at the start, before fields, before log."""
    if type(e.v) is int and e.v == VERSION:
        start = f'{{"about":{ranges(e.about)},"asked":{_asked(e.asked)},"basis":'
        erase = None if e.erase is None else checked("erase", "month", e.erase)
        return start, f',"erase":{quoted(erase)}', f',"link":{_link(e.link)}'
    bare = not e.about and e.erase is None and e.link is None
    if type(e.v) is int and e.v == _SECOND and bare:
        return f'{{"asked":{_asked(e.asked)},"basis":', "", ""
    if type(e.v) is int and e.v == _FIRST and bare and e.asked is None:
        return '{"basis":', "", ""
    raise EnvelopeError("the envelope is of a version that this program does not know")


def _written(e: Envelope) -> str:
    """RFC 8785 JSON: each member checked and written in the order of their ASCII names.

    Written member by member, because a plain encoder took most of the time of an entry.
    """
    correlation = (
        None if e.correlation is None else checked_once("correlation", "code", e.correlation)
    )
    detail = None if e.detail is None else checked_once("detail", "digest", e.detail)
    op = None if e.op is None else _word("op", Operation, e.op).value
    count = _count(e.count)
    start, erase, link = _added(e)
    return (
        f"{start}{optional('basis', 'code', e.basis)}"
        f',"correlation":{quoted(correlation)}'
        f',"count":{"null" if count is None else count}'
        f',"decision":"{_word("decision", Verdict, e.decision).value}"'
        f',"detail":{quoted(detail)}'
        f',"duties":{listing("duties", "code", e.duties)}{erase}'
        f',"fields":{listing("fields", "field", e.fields)}'
        f',"id":"{checked_once("id", "id", e.id)}"'
        f',"keys":{listing("keys", "code", e.keys)}'
        f',"kind":"{_word("kind", Kind, e.kind).value}"{link}'
        f',"log":"{checked("log", "log", e.log)}"'
        f',"op":{quoted(op)}'
        f',"owner":{_owner(e.owner)}'
        f',"policy":{optional("policy", "digest", e.policy)}'
        f',"purpose":{optional("purpose", "code", e.purpose)}'
        f',"requester":{_requester(e.requester)}'
        f',"rules":{listing("rules", "rule", e.rules)}'
        f',"status":"{_word("status", Status, e.status).value}"'
        f',"t":"{format_time(e.t)}"'
        f',"v":{e.v}'
        f',"view":{optional("view", "view", e.view)}}}'
    )


def encode_envelope(envelope: Envelope) -> EncodedEnvelope:
    """The canonical bytes of an envelope.

    Raises:
        EnvelopeError: a member breaks the format, or the whole is over 65,535 bytes.
    """
    encoded = EncodedEnvelope(_written(envelope).encode("ascii"))
    if len(encoded) > MAX_BYTES:
        raise EnvelopeError(f"the envelope has {len(encoded)} bytes; an entry has at most 65,535")
    encoded.kind = envelope.kind
    encoded.log = envelope.log
    encoded.detail = envelope.detail
    return encoded


def parse_envelope(data: bytes) -> Envelope:
    """Read an envelope, refusing whatever `encode_envelope` would not have written.

    Raises:
        EnvelopeError: not JSON, unknown or missing or repeated members, floats, values off their
            pattern, or bytes that are not the canonical ones.
    """
    if len(data) > MAX_BYTES:
        raise EnvelopeError("an entry has at most 65,535 bytes")
    try:
        members = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        raise EnvelopeError("the envelope is not ASCII JSON") from None
    envelope = _build(members)
    if encode_envelope(envelope) != data:
        raise EnvelopeError("the envelope's bytes are not the canonical ones")
    return envelope


def encoded_form(data: bytes) -> EncodedEnvelope:
    """The same bytes with the log's copies beside them; parses unless that was done before.

    Raises:
        EnvelopeError: as `parse_envelope`.
    """
    return data if isinstance(data, EncodedEnvelope) else encode_envelope(parse_envelope(data))


def addressed(data: EncodedEnvelope, log: str) -> EncodedEnvelope:
    """The same event for another log: the owner's and the asker's entry of one question.

    Raises:
        EnvelopeError: not a log's name, or the entry names entries or a neighbour of its own log.
    """
    mark, name = b',"log":"' + data.log.encode("ascii") + b'"', checked("log", "log", log)
    if not data.startswith(_OF_NO_ENTRY) or data.find(_OF_NO_LOG) < 0:
        raise EnvelopeError("an entry that names a log's entries or neighbour is of that log only")
    other = EncodedEnvelope(data.replace(mark, b',"log":"' + name.encode("ascii") + b'"'))
    other.kind, other.log, other.detail = data.kind, name, data.detail
    return other


def stamp(data: bytes, when: str) -> bytes:
    """The same envelope with another `t`, already in the form of `format_time`.

    The member's name in quotes occurs once: inside a string the quotes would be escaped, and no
    pattern allows them.
    """
    start = data.index(_STAMP) + len(_STAMP)
    return data[:start] + when.encode("ascii") + data[start + _STAMP_SIZE :]


def _object(where: str, value: object, names: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        raise EnvelopeError(f"{where} has not exactly the members of the format")
    return value


def _list(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise EnvelopeError(f"the envelope's {where} is not a list of texts")
    return tuple(value)


def _time(value: object) -> datetime:
    try:
        return datetime.fromisoformat(checked("t", "t", value))
    except ValueError:
        raise EnvelopeError("the envelope's t is not a time") from None


_MEMBERS = frozenset(field.name for field in fields(Envelope))
_ADDED = frozenset({"about", "erase", "link"})
_OLDER = {_FIRST: _MEMBERS - _ADDED - {"asked"}, _SECOND: _MEMBERS - _ADDED}
_ASKED = frozenset(field.name for field in fields(Asked))
_OWNER = frozenset({"country", "dataset"})
_REQUESTER = frozenset({"country", "org", "role"})
_LINK = frozenset(field.name for field in fields(Link))


def _build(value: object) -> Envelope:
    version = value.get("v") if isinstance(value, dict) else None
    known = _OLDER.get(version, _MEMBERS) if type(version) is int else _MEMBERS
    members = _object("the envelope", value, known)
    members["kind"] = _word("kind", Kind, members["kind"])
    members["status"] = _word("status", Status, members["status"])
    members["decision"] = _word("decision", Verdict, members["decision"])
    if members["op"] is not None:
        members["op"] = _word("op", Operation, members["op"])
    if members["owner"] is not None:
        members["owner"] = Owner(**_object("owner", members["owner"], _OWNER))
    if members["requester"] is not None:
        members["requester"] = Requester(**_object("requester", members["requester"], _REQUESTER))
    if members.get("asked") is not None:
        members["asked"] = _question(members["asked"])
    if members.get("link") is not None:
        members["link"] = Link(**_object("link", members["link"], _LINK))
    for name in ("about", "fields", "rules", "duties", "keys"):
        if name in members:
            members[name] = _list(name, members[name])
    members["t"] = _time(members["t"])
    return Envelope(**members)


def _question(value: object) -> Asked:
    members = _object("asked", value, _ASKED)
    for name in ("categories", "sure", "maybe"):
        members[name] = _list(name, members[name])
    return Asked(**members)
