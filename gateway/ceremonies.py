# SPDX-License-Identifier: EUPL-1.2
"""Key ceremonies: prepared here, approved by two custodians elsewhere, held here, in the log.

The entry that a ceremony begins is durable before anything is done to a root, and a second entry
says what came of it and names the keyset that it left (`gateway.keyset_log`). Both carry, sealed to
the data-protection officers, the statement with the custodians' signatures, so that an officer can
check them without this gateway (AUD-01, GDP-31).
A keyset without custodians, as a trial has it, needs no approval; production always does.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypedDict, assert_never

import orjson

from anonymise import Keyring
from anonymise.domain import epoch_after, epoch_of
from anonymise.errors import CeremonyError
from anonymise.keyring.ceremony import (
    GOOD_FOR,
    LONGEST_REASON,
    Act,
    Approval,
    Statement,
    read_statement,
    require_approved,
    require_custodians,
)
from anonymise.keyring.custodian import read_custodians
from anonymise.keyring.root import NO_KEYSET, Register, next_root, to_destroy
from audit import Envelope, Journal, Kind, Operation, Pending, Status, encode_envelope, new_entry_id
from audit.envelope import addressed
from audit.randomness import random_bytes
from audit.retention import year_after
from audit.shards import HOUSE
from gateway.keyset import create_keyring, existing_keyring
from gateway.keyset_log import CEREMONY, KeysetLog, correlation_of, why_unnamed
from gateway.opening import open_journal
from gateway.readers import open_sealer
from gateway.settings import Settings

_NUMBER_BYTES: Final = 16


class _After(TypedDict):
    """The keyset's digest afterwards, and the check values of the roots that it was about."""

    keyset: str
    checks: Mapping[str, str]


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


def prepare(settings: Settings, asked: Asked, now: datetime) -> tuple[Statement, bool]:
    """The statement of a ceremony for the keyset as it is now, and whether two must approve it.

    Raises:
        CeremonyError: it asks for what may not be done.
        AnonymiseError, GatewayError: the keyset can't be opened.
    """
    with _keyring(settings) as keyring:
        register: Register = {} if keyring is None else keyring.register
        digest, custodians = _digest(keyring), _custodians(settings, keyring)
    if not register and asked.act is not Act.CREATE:
        raise CeremonyError("there is no keyset yet; make one with `cuvar keys create`")
    if len(asked.reason) > LONGEST_REASON or not asked.reason.isprintable():
        raise CeremonyError(f"a reason is one line of at most {LONGEST_REASON} characters")
    statement = Statement(
        act=asked.act,
        number=random_bytes(_NUMBER_BYTES).hex(),
        countries=asked.countries,
        version=asked.version,
        since=asked.since,
        keyset=digest,
        until=now + GOOD_FOR,
        reason=asked.reason,
    )
    epoch = epoch_of(now.date())
    match asked.act:
        case Act.CREATE:
            made = _creation(statement, register, sorted(settings.registers), custodians)
        case Act.ROTATE:
            made = _rotation(statement, register, epoch)
        case Act.DESTROY:
            to_destroy(register, asked.countries[0], asked.version or 0, epoch)
            made = statement
        case Act.APPOINT:
            named = read_custodians(settings.keys.custodians)
            require_custodians(named)
            made = replace(statement, custodians=named)
        case Act.CONFIRM:
            made = replace(statement, custodians=custodians)
        case _:
            assert_never(asked.act)
    return made, _needs_approval(settings, custodians)


def _require_fitting(
    statement: Statement, register: Register, custodians: Mapping[str, str], now: datetime
) -> None:
    """Whether a statement still says exactly what would be done now, however it was written.

    Raises:
        AnonymiseError: it does not.
    """
    epoch = epoch_of(now.date())
    match statement.act:
        case Act.CREATE:
            fitting = _creation(statement, register, (), statement.custodians)
        case Act.ROTATE:
            fitting = _rotation(statement, register, epoch)
        case Act.DESTROY:
            to_destroy(register, statement.countries[0], statement.version or 0, epoch)
            fitting = statement
        case Act.APPOINT:
            require_custodians(statement.custodians)
            fitting = statement
        case Act.CONFIRM:
            fitting = replace(statement, custodians=custodians)
        case _:
            assert_never(statement.act)
    if fitting != statement:
        raise CeremonyError("the statement does not fit this keyset; prepare the ceremony again")


def _creation(
    statement: Statement,
    register: Register,
    registers: Sequence[str],
    custodians: Mapping[str, str],
) -> Statement:
    """A first root for one more country; without a keyset, for every register, with custodians."""
    countries = statement.countries or (() if register else tuple(registers))
    if not countries or (register and len(countries) > 1):
        raise CeremonyError("name one country whose first root key is made")
    root, *_ = [next_root(register, country) for country in sorted(set(countries))]
    return replace(
        statement,
        countries=tuple(sorted(set(countries))),
        version=root.version,
        since=root.since,
        custodians={} if register else custodians,
    )


def _rotation(statement: Statement, register: Register, epoch: str) -> Statement:
    since = statement.since or epoch_after(epoch)
    if since < epoch:
        raise CeremonyError(f"a root can't serve from a quarter that is over; it is {epoch}")
    if since > (last := epoch_after(epoch_after(epoch))):
        raise CeremonyError(
            f"a root serves from {last} on at the latest, or nobody would make the next in time"
        )
    root = next_root(register, statement.countries[0], since)
    return replace(statement, version=root.version, since=since)


async def hold(
    settings: Settings, content: bytes, approvals: Sequence[Approval], clock: Callable[[], datetime]
) -> Held:
    """Hold a prepared ceremony.

    Raises:
        CeremonyError: it is not approved as it must be, lapsed, made for another state, was held or
            begun before, or the keyset is not the one that the log names.
        AuditError: the log can't be written to; nothing was done.
        AnonymiseError, GatewayError: the vault refuses; what was there is whole.
    """
    statement = read_statement(content)
    with _keyring(settings) as keyring:
        digest, custodians = _digest(keyring), _custodians(settings, keyring)
        approved_by: tuple[str, ...] = ()
        if _needs_approval(settings, custodians):
            approved_by = require_approved(
                content, approvals, custodians, keyset=digest, now=clock()
            )
        elif statement.keyset != digest:
            raise CeremonyError(
                "the keyset is not as it was when this was prepared; prepare it again"
            )
        register: Register = {} if keyring is None else keyring.register
        _require_fitting(statement, register, custodians, clock())
        log = KeysetLog(settings)
        await asyncio.to_thread(_require_logged, settings, log, keyring, statement)
        journal = await open_journal(settings)
        try:
            # What is about the keyset as a whole concerns every country that has a root in it.
            countries = statement.countries or tuple(sorted(register))
            told = _told(content, approvals)
            record = _Record(settings, journal, statement, countries, told, clock)
            begun, *_ = await record.write(Status.PENDING, {})
            try:
                # Somebody else may have begun it meanwhile: the first entry of it is the one.
                await asyncio.to_thread(_require_first, log, statement, begun)
                after = await asyncio.to_thread(_act, settings, keyring, statement, clock())
            except BaseException:
                await record.write(Status.ERROR, {})
                raise
            entries = await record.write(Status.DONE, {"after": after}, after["keyset"])
        finally:
            await journal.close()
    return Held(statement, approved_by, tuple(entries))


@dataclass(frozen=True, slots=True)
class _Record:
    """Writes the entries of one ceremony: in the house log, and in the log of each country."""

    settings: Settings
    journal: Journal
    statement: Statement
    countries: Sequence[str]
    told: Mapping[str, object]
    clock: Callable[[], datetime]

    async def write(
        self, status: Status, more: Mapping[str, object], keyset: str | None = None
    ) -> list[str]:
        """Entries of one event, durable on return; their addresses. `keyset` is the digest left.

        Raises:
            AuditError: they can't be made durable.
        """
        now, journal = self.clock(), self.journal
        sealer, readers = open_sealer(self.settings, self.clock)
        keys = readers.of(*self.countries) or readers.everybody()
        sealed = sealer.seal(orjson.dumps({"v": 2, **self.told, **more}), keys) if keys else None
        kept = [one for one in self.countries if one in journal.countries]
        logs = [journal.current(country) for country in (HOUSE, *kept)]
        envelope = Envelope(
            id=new_entry_id(now, random_bytes(10)),
            kind=Kind.KEY_CHANGE,
            t=now,
            log=logs[0],
            op=Operation.ADMINISTER,
            rules=(f"{CEREMONY} {self.statement.act}",),
            policy=keyset,
            status=status,
            correlation=correlation_of(self.statement.number),
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
) -> _After:
    """Do it; what the keyset is afterwards."""
    if keyring is None:
        with closing(create_keyring(settings, statement.countries)) as made:
            if statement.custodians:
                made.appoint(statement.custodians)
            return _after(made, statement.countries)
    country = statement.countries[0] if statement.countries else ""
    match statement.act:
        case Act.CREATE:
            keyring.create(country)
        case Act.ROTATE:
            keyring.rotate(country, statement.since or "")
        case Act.DESTROY:
            keyring.destroy(country, statement.version or 0, epoch_of(now.date()))
        case Act.APPOINT:
            keyring.appoint(statement.custodians)
        case Act.CONFIRM:
            pass
        case _:
            assert_never(statement.act)
    return _after(keyring, statement.countries)


def _after(keyring: Keyring, countries: Sequence[str]) -> _After:
    roots = [keyring.register[country][-1] for country in countries or sorted(keyring.countries)]
    checks = {f"{root.country}/{root.version}": keyring.check(root) for root in roots}
    return {"keyset": keyring.digest, "checks": checks}


def _require_logged(
    settings: Settings, log: KeysetLog, keyring: Keyring | None, statement: Statement
) -> None:
    """Whether the log lets it be held: for the first time, on the keyset that the log names.

    Raises:
        CeremonyError: it does not.
        AuditError: it can't be read.
    """
    _require_first(log, statement, None)
    named = log.named()
    if keyring is None or named is None or statement.act is Act.CONFIRM:
        return
    why = why_unnamed(settings, keyring, named)
    if why is not None:
        raise CeremonyError(why)


def _require_first(log: KeysetLog, statement: Statement, begun: str | None) -> None:
    """Whether nobody began it before the entry that is given.

    Raises:
        CeremonyError: somebody did.
        AuditError: the log can't be read.
    """
    first = log.begun(statement.number)
    if first != begun:
        raise CeremonyError(
            f"this ceremony was held or begun before (entry {first}); prepare a new one"
        )


@contextmanager
def _keyring(settings: Settings) -> Iterator[Keyring | None]:
    keyring = existing_keyring(settings)
    try:
        yield keyring
    finally:
        if keyring is not None:
            keyring.close()


def _custodians(settings: Settings, keyring: Keyring | None) -> Mapping[str, str]:
    """Whose approval counts: the keyset's own; those of the settings only where it has none."""
    if keyring is not None and keyring.custodians:
        return keyring.custodians
    return read_custodians(settings.keys.custodians)


def _needs_approval(settings: Settings, custodians: Mapping[str, str]) -> bool:
    return settings.gateway.mode == "production" or bool(custodians)


def _digest(keyring: Keyring | None) -> str:
    return NO_KEYSET if keyring is None else keyring.digest


def _told(content: bytes, approvals: Sequence[Approval]) -> Mapping[str, object]:
    return {
        "ceremony": content.decode(),
        "approvals": [
            {"custodian": one.custodian, "signature": one.signature} for one in approvals
        ],
    }
