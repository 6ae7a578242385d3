# SPDX-License-Identifier: EUPL-1.2
"""Key ceremonies: prepared here, approved by two custodians elsewhere, held here, in the log.

The entry that a ceremony begins is durable before anything is done to a root, and a second entry
says what came of it. Both carry, sealed to the data-protection officers, the statement with the
custodians' signatures, so that an officer can check them without this gateway (AUD-01, GDP-31).
A keyset without custodians, as a trial has it, needs no approval; production always does.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from anonymise import Keyring, KeyringError
from anonymise.domain import epoch_after, epoch_of
from anonymise.errors import CeremonyError
from anonymise.keyring.ceremony import (
    GOOD_FOR,
    Act,
    Approval,
    Statement,
    read_statement,
    require_approved,
    require_custodians,
)
from anonymise.keyring.custodian import read_custodians
from anonymise.keyring.root import next_root, register_digest, to_destroy
from audit import Envelope, Journal, Kind, Operation, Pending, Status, encode_envelope, new_entry_id
from audit.envelope import addressed
from audit.randomness import random_bytes
from audit.retention import year_after
from audit.shards import HOUSE
from gateway.keyset import create_keyring, existing_keyring
from gateway.opening import open_journal, open_sealer
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done to root keys, and why."""

    act: Act
    countries: tuple[str, ...] = ()
    version: int | None = None
    since: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What came of a ceremony: the roots afterwards, and the entries that say so."""

    statement: Statement
    approved_by: tuple[str, ...]
    entries: tuple[str, ...]


def needs_approval(settings: Settings) -> bool:
    """Whether two custodians must approve what is done to the keyset of these settings.

    Raises:
        AnonymiseError, GatewayError: the keyset can't be opened, or a custodian's key not be read.
    """
    keyring = existing_keyring(settings)
    return settings.gateway.mode == "production" or bool(_custodians(settings, keyring))


def prepare(settings: Settings, asked: Asked, now: datetime) -> Statement:
    """The statement of a ceremony, for the keyset as it is now.

    Raises:
        CeremonyError: it asks for what may not be done.
        AnonymiseError, GatewayError: the keyset can't be opened.
    """
    keyring = existing_keyring(settings)
    register = {} if keyring is None else keyring.register
    epoch = epoch_of(now.date())
    version, since, countries = asked.version, asked.since, asked.countries
    custodians: Mapping[str, str] = {}
    if keyring is None and asked.act is not Act.CREATE:
        raise CeremonyError("there is no keyset yet; make one with `cuvar keys create`")
    match asked.act:
        case Act.CREATE:
            if keyring is None:
                countries = countries or tuple(sorted(settings.registers))
                custodians = _custodians(settings, None)
            roots = [next_root(register, country) for country in countries]
            if not roots or (keyring is not None and len(roots) > 1):
                raise CeremonyError("name one country whose first root key is made")
            version, since = roots[0].version, roots[0].since
        case Act.ROTATE:
            since = since or epoch_after(epoch)
            if since < epoch:
                raise CeremonyError(
                    f"a root can't serve from a quarter that is over; it is {epoch}"
                )
            version = next_root(register, countries[0], since).version
        case Act.DESTROY:
            to_destroy(register, countries[0], version or 0, epoch)
        case Act.APPOINT:
            custodians = read_custodians(settings.keys.custodians)
            require_custodians(custodians)
    return Statement(
        act=asked.act,
        countries=countries,
        version=version,
        since=since,
        custodians=custodians,
        keyset=_digest(keyring),
        until=now + GOOD_FOR,
        reason=asked.reason,
    )


async def hold(
    settings: Settings, content: bytes, approvals: Sequence[Approval], clock: Callable[[], datetime]
) -> Held:
    """Hold a prepared ceremony.

    Raises:
        CeremonyError: it is not approved as it must be, lapsed, or made for another state.
        AuditError: the log can't be written to; nothing was done.
        AnonymiseError, GatewayError: the vault refuses; what was there is whole.
    """
    statement = read_statement(content)
    keyring = await asyncio.to_thread(existing_keyring, settings)
    custodians = _custodians(settings, keyring)
    if custodians or settings.gateway.mode == "production":
        approved_by = require_approved(
            content, approvals, custodians, keyset=_digest(keyring), now=clock()
        )
    elif statement.keyset != _digest(keyring):
        raise CeremonyError("the keyset is not as it was when this was prepared; prepare it again")
    else:
        approved_by = ()
    journal = await open_journal(settings)
    try:
        record = _Record(settings, journal, statement, _told(content, approvals), clock)
        await record.write(Status.PENDING, {})
        try:
            after = await asyncio.to_thread(_act, settings, keyring, statement, clock())
        except BaseException:
            await record.write(Status.ERROR, {})
            raise
        entries = await record.write(Status.DONE, after)
    finally:
        await journal.close()
    return Held(statement, approved_by, tuple(entries))


@dataclass(frozen=True, slots=True)
class _Record:
    """Writes the entries of one ceremony: in the house log, and in the log of each country."""

    settings: Settings
    journal: Journal
    statement: Statement
    told: Mapping[str, object]
    clock: Callable[[], datetime]

    async def write(self, status: Status, after: Mapping[str, object]) -> list[str]:
        """One pair of entries, durable on return; their addresses.

        Raises:
            AuditError: they can't be made durable.
        """
        now, journal = self.clock(), self.journal
        sealer, readers = open_sealer(self.settings, self.clock)
        keys = readers.of(*self.statement.countries) or readers.everybody()
        sealed = sealer.seal(orjson.dumps({"v": 2, **self.told, **after}), keys) if keys else None
        kept = [one for one in self.statement.countries if one in journal.countries]
        logs = [journal.current(country) for country in (HOUSE, *kept)]
        envelope = Envelope(
            id=new_entry_id(now, random_bytes(10)),
            kind=Kind.KEY_CHANGE,
            t=now,
            log=logs[0],
            op=Operation.ADMINISTER,
            rules=(f"key ceremony {self.statement.act}",),
            status=status,
            correlation=f"ceremony-{self.statement.keyset[:16]}",
            erase=None if sealed is None else year_after(now),
            detail=None if sealed is None else sealed.commitment.hex(),
            keys=tuple(keys),
        )
        first = encode_envelope(envelope)
        sides = (first, *(addressed(first, log) for log in logs[1:]))
        positions = await journal.append([Pending(side, sealed) for side in sides])
        return [f"{position.log}/{position.index}" for position in positions]


def _act(
    settings: Settings, keyring: Keyring | None, statement: Statement, now: datetime
) -> Mapping[str, object]:
    """Do it; what the keyset is afterwards."""
    match statement.act:
        case Act.CREATE if keyring is None:
            keyring = create_keyring(settings, statement.countries)
            if statement.custodians:
                keyring.appoint(statement.custodians)
        case Act.CREATE:
            _opened(keyring).create(statement.countries[0])
        case Act.ROTATE:
            _opened(keyring).rotate(statement.countries[0], statement.since or "")
        case Act.DESTROY:
            epoch = epoch_of(now.date())
            _opened(keyring).destroy(statement.countries[0], statement.version or 0, epoch)
        case Act.APPOINT:
            _opened(keyring).appoint(statement.custodians)
    opened = _opened(keyring)
    after = {
        "keyset": opened.digest,
        "checks": {
            f"{country}/{opened.register[country][-1].version}": opened.check(
                opened.register[country][-1]
            )
            for country in statement.countries
        },
    }
    opened.close()
    return {"after": after}


def _opened(keyring: Keyring | None) -> Keyring:
    if keyring is None:
        raise KeyringError("there is no keyset yet; make one with `cuvar keys create`")
    return keyring


def _custodians(settings: Settings, keyring: Keyring | None) -> Mapping[str, str]:
    """Whose approval counts: the keyset's own; those of the settings only where it has none."""
    if keyring is not None and keyring.custodians:
        return keyring.custodians
    return read_custodians(settings.keys.custodians)


def _digest(keyring: Keyring | None) -> str:
    return register_digest({}, {}) if keyring is None else keyring.digest


def _told(content: bytes, approvals: Sequence[Approval]) -> Mapping[str, object]:
    return {
        "ceremony": content.decode(),
        "approvals": [
            {"custodian": one.custodian, "signature": one.signature} for one in approvals
        ],
    }
