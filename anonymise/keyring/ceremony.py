# SPDX-License-Identifier: EUPL-1.2
"""What is done to root keys needs two people: the statement that both approve, and the check.

A statement says what is done to which root, on what state of the keyset, and until when it is good.
Two custodians of two organisations sign its exact bytes with Ed25519 (RFC 8032), each on a machine
of his own. It has a number of its own, under which the log keeps it, so that it is good once, even
for a keyset that was put back to an older state. Law rule GDP-31; docs/formats/keyset.md section 7;
ADR 0030, ADR 0036. Pure.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from anonymise.domain import COUNTRY, EPOCH
from anonymise.errors import CeremonyError

FORMAT = "cuvar-ceremony-2"
GOOD_FOR = timedelta(days=7)
NEEDED = 2
_CLOCKS_APART = timedelta(hours=1)
LONGEST_REASON = 500
CUSTODIAN = re.compile(r"[A-Z][A-Z0-9-]{0,31}/[a-z][a-z0-9-]{0,31}")

_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9a-f]{32}")
_LARGEST = 65_536


class Act(StrEnum):
    """What a ceremony does."""

    CREATE = "create"
    ROTATE = "rotate"
    DESTROY = "destroy"
    APPOINT = "appoint"
    CONFIRM = "confirm"

    @property
    def concerns_one_root(self) -> bool:
        """Whether it makes or destroys a root; else it is about the keyset as a whole."""
        return self in {Act.CREATE, Act.ROTATE, Act.DESTROY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One ceremony, before it is held.

    Attributes:
        act: What is done.
        number: Its own, 32 hex digits drawn at random; no second statement has it.
        countries: Whose root; several only for the first roots of a keyset.
        version: Of the root that is made or destroyed; None for `appoint` and `confirm`.
        since: First epoch of a new root; None for all but `create` and `rotate`.
        custodians: Who keeps the keyset afterwards, where that changes or is confirmed: name to
            public key.
        keyset: Digest of the keyset's state that it was made for.
        until: When it lapses.
        reason: Why, in the words of whoever asks for it.
    """

    act: Act
    number: str
    countries: tuple[str, ...]
    version: int | None = None
    since: str | None = None
    custodians: Mapping[str, str] = field(default_factory=dict)
    keyset: str
    until: datetime
    reason: str

    def encode(self) -> bytes:
        """The bytes that are signed: canonical JSON (RFC 8785) and a line feed."""
        members = {
            "act": str(self.act),
            "countries": list(self.countries),
            "custodians": dict(self.custodians),
            "format": FORMAT,
            "keyset": self.keyset,
            "number": self.number,
            "reason": self.reason,
            "since": self.since,
            "until": self.until.astimezone(UTC).strftime(_INSTANT),
            "version": self.version,
        }
        text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode() + b"\n"

    def sentence(self) -> str:
        """In words, for whoever is asked to approve it."""
        whose = ", ".join(self.countries)
        what = {
            Act.CREATE: f"a first root key is made for {whose}",
            Act.ROTATE: f"root key {self.version} is made for {whose}, which serves from "
            f"{self.since} on; the one before is retired",
            Act.DESTROY: f"root key {self.version} of {whose} is DESTROYED: no pseudonym of its "
            "quarters leads back to a person any more, for anybody",
            Act.APPOINT: "the custodians are replaced",
            Act.CONFIRM: f"the keyset {self.keyset} is the one that serves, whatever the log says "
            "of others",
        }[self.act]
        # With their keys: a name alone could stand for anybody's.
        named = ", ".join(f"{name} with key {key}" for name, key in sorted(self.custodians.items()))
        by = f"; custodians: {named}" if named else ""
        why = f"; reason: {self.reason}" if self.reason else ""
        return f"{what}{by}; good until {self.until.astimezone(UTC).strftime(_INSTANT)}{why}"


@dataclass(frozen=True, slots=True)
class Approval:
    """One custodian's signature over one statement, base64."""

    custodian: str
    signature: str


def read_statement(content: bytes) -> Statement:
    """A statement from its bytes; nothing is accepted that would be written otherwise.

    Raises:
        CeremonyError: it is none.
    """
    try:
        members: Any = json.loads(content) if len(content) <= _LARGEST else None
        statement = Statement(
            act=Act(members["act"]),
            number=members["number"],
            countries=tuple(members["countries"]),
            version=members["version"],
            since=members["since"],
            custodians=members["custodians"],
            keyset=members["keyset"],
            until=datetime.strptime(members["until"], _INSTANT).replace(tzinfo=UTC),
            reason=members["reason"],
        )
        if _well_formed(statement) and statement.encode() == content:
            return statement
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise CeremonyError("this is no ceremony statement, or it was changed; prepare it again")


def signed_bytes(statement: bytes) -> bytes:
    """What a custodian's key signs: the format's name keeps it from meaning anything else."""
    return FORMAT.encode() + b"\n" + statement


def require_custodians(custodians: Mapping[str, str]) -> None:
    """Whether these can keep a keyset together.

    Raises:
        CeremonyError: there are fewer than two, of one organisation only, or two with one key.
    """
    if not all(map(CUSTODIAN.fullmatch, custodians)):
        raise CeremonyError("a custodian is written as an organisation and a name: BA-DPA/ana")
    if len(set(custodians.values())) != len(custodians):
        raise CeremonyError("two custodians have one key; each makes a key of his own")
    if len({_organisation(name) for name in custodians}) < NEEDED:
        raise CeremonyError(
            "name at least two custodians of two organisations; with three, one may be lost"
        )


def require_approved(
    content: bytes,
    approvals: Sequence[Approval],
    custodians: Mapping[str, str],
    *,
    keyset: str,
    now: datetime,
) -> tuple[str, ...]:
    """The custodians who approved a statement, once that is enough.

    Args:
        content: The statement's bytes.
        approvals: What was handed in.
        custodians: Whose approval counts: name to public key.
        keyset: Digest of the keyset's state now.
        now: Aware time.

    Raises:
        CeremonyError: it is no statement, lapsed, good for too long, made for another state of the
            keyset, a signature is not one of these custodians over it, or they are too few.
    """
    statement = read_statement(content)
    if now >= statement.until:
        raise CeremonyError("the approvals have lapsed; prepare the ceremony again")
    if statement.until - now > GOOD_FOR + _CLOCKS_APART:
        raise CeremonyError(f"this is good for over {GOOD_FOR.days} days; prepare it again")
    if statement.keyset != keyset:
        raise CeremonyError(
            "the keyset is not as it was when this was prepared; prepare the ceremony again"
        )
    require_custodians(custodians)
    names = set()
    for approval in approvals:
        if not _signed(content, approval, custodians.get(approval.custodian)):
            raise CeremonyError(
                f"an approval given as {approval.custodian[:70]} is not this custodian's over this "
                "statement; take it out"
            )
        names.add(approval.custodian)
    if len({_organisation(name) for name in names}) < NEEDED:
        raise CeremonyError(
            f"{len(names)} approved so far; it takes two custodians of two organisations "
            "(`cuvar keys approve`)"
        )
    return tuple(sorted(names))


def _signed(content: bytes, approval: Approval, key: str | None) -> bool:
    if key is None:
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(_octets(key))
        public.verify(_octets(approval.signature), signed_bytes(content))
    except (InvalidSignature, ValueError):
        return False
    return True


def _octets(text: str) -> bytes:
    octets = base64.b64decode(text, validate=True)
    if base64.b64encode(octets).decode() != text:
        raise ValueError
    return octets


def _organisation(name: str) -> str:
    return name.partition("/")[0]


def _well_formed(statement: Statement) -> bool:
    makes = statement.act in {Act.CREATE, Act.ROTATE}
    has_root = statement.act.concerns_one_root
    many = len(statement.countries) > 1
    return (
        all(COUNTRY.fullmatch(country) for country in statement.countries)
        and bool(_NUMBER.fullmatch(statement.number))
        and bool(statement.countries) is has_root
        and (not many or statement.act is Act.CREATE)
        and (type(statement.version) is int if has_root else statement.version is None)
        and (bool(EPOCH.fullmatch(statement.since or "")) if makes else statement.since is None)
        and all(isinstance(key, str) for key in statement.custodians.values())
        and bool(_DIGEST.fullmatch(statement.keyset))
        and len(statement.reason) <= LONGEST_REASON
        and statement.reason.isprintable()
    )
