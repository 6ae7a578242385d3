# SPDX-License-Identifier: EUPL-1.2
"""From settings to opened parts.

Everything is opened before the first question. A part that can't be opened stops the start with
a message that names it and the next step; one that fails later restricts. Registers and the fact
register may be down at start: their answers are "unavailable" and "possible" until they are back.
"""

import os
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import BinaryIO, Final

import aiohttp

from anonymise import Keyring
from audit import Envelope, Journal, Kind, Operation, Status, new_entry_id
from audit.relay import SharedJournal
from audit.shards import HOUSE
from gateway.crowds import Crowds
from gateway.entries import EntryWriter
from gateway.everywhere import everywhere
from gateway.facts import FactRegister
from gateway.handles import Handles
from gateway.identity import (
    IssuerConfig,
    JwksCache,
    KeyChange,
    NoDpop,
    ReplayMemory,
    Revocations,
    StepUp,
    TokenVerifier,
)
from gateway.keyset import FollowedKeyring, OpeningError, open_keyring
from gateway.keyset_log import checker
from gateway.ledger import OverlapLedger
from gateway.limits import Buckets, Limits
from gateway.linkage.consulting import Consulting
from gateway.linkage.flag import Flags
from gateway.linkage.index import LinkIndex
from gateway.linkage.peppers import Peppers
from gateway.logbook import Logbook
from gateway.logkeys import read_log_keys
from gateway.logs import Event, open_log
from gateway.metrics import Metrics
from gateway.onward import OnwardMarks
from gateway.owner import Desk, OwnerDesk
from gateway.pipeline import Parts, Pipeline
from gateway.population import Populations
from gateway.readers import open_ledger, open_sealer
from gateway.registers import open_registers
from gateway.retention import clock_of
from gateway.reviews.parts import Reviews
from gateway.ruleset import ChangeEntries, Keeper, RuleMemory
from gateway.ruleset.opening import open_folders
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.signal_words import signal_words
from gateway.signals import SignalFields
from gateway.sources import Source
from gateway.state import METADATA as STATE
from gateway.state import IssuedCaseNumbers, UsedTokens
from gateway.store import Store
from gateway.subjects import Subjects
from gateway.suspensions import open_recorder
from gateway.tables import LABEL as STATISTICS
from gateway.tables import Tables
from gateway.terms import Terms
from gateway.tracing import Tracing, open_tracing
from gateway.witness.watching import Witnessing, open_witnessing
from policies import Snapshot

_STRANGERS_PER_MINUTE: Final = 120
_MINUTE: Final = 60.0


def utc_now() -> datetime:
    """The gateway's clock."""
    return datetime.now(UTC)


async def open_gateway(
    settings: Settings, stream: BinaryIO, clock: Callable[[], datetime] = utc_now
) -> Runtime:
    """Open every part.

    Args:
        settings: of this gateway.
        stream: where the process's own log lines go.
        clock: aware UTC time.

    Raises:
        GatewayError: a part of the gateway's own can't be opened; the message says which and
            what to do.
            A refused rule set is one, with file and line.
        AuditError: the log can't be opened.
        AnonymiseError: the keyset can't be opened.
    """
    stack = AsyncExitStack()
    try:
        return await _open(settings, stream, clock, stack)
    except BaseException:
        await stack.aclose()
        raise


async def _open(
    settings: Settings,
    stream: BinaryIO,
    clock: Callable[[], datetime],
    stack: AsyncExitStack,
) -> Runtime:
    log = await open_journal(settings, clock)
    stack.push_async_callback(log.close)
    state = await Store(settings.state.url.get_secret_value(), name="state").open(STATE)
    stack.push_async_callback(state.close)
    sealer, readers = sealing = open_sealer(settings, clock)
    changes = ChangeEntries(log, sealer, readers.everybody(), clock)
    keeper = Keeper(
        open_folders(settings),
        RuleMemory(state, settings.log.origin),
        changes,
        clock,
        shadow_one_in=settings.policies.shadow_one_in,
    )
    witnessing = await _open_witnessing(settings, log, clock, stack)
    snapshot = (await keeper.start()).snapshot
    fields = SignalFields(signal_words(snapshot, settings))
    metrics = Metrics(fields)
    events = open_log(stream, fields, level=settings.logging.level, on_drop=metrics.dropped)
    keeper.tell(events, metrics)
    tracing = open_tracing(settings.telemetry, fields, metrics.dropped)
    stack.callback(tracing.close)
    opened = _Opened(
        settings=settings,
        keeper=keeper,
        state=state,
        linkage=_open_linkage(settings, stack),
        entries=EntryWriter(sealer, readers, log, clock_of(settings)),
        facts=await _open_facts(settings, clock, stack),
        log=log,
        limits=_limits(settings),
        witnessing=witnessing,
        metrics=metrics,
        tracing=tracing,
        clock=clock,
        sources=open_registers(settings, snapshot, stack),
    )
    revocations = Revocations(settings.identity.revocations_file, time.time, recorder=True)
    issuers = [issuer_config(settings, place) for place in range(len(settings.issuers))]
    jwks = JwksCache(issuers, time.time, on_change=_key_change(log, clock))
    await jwks.start()
    stack.push_async_callback(jwks.close)
    production = settings.gateway.mode == "production"
    verifier = TokenVerifier(
        issuers,
        jwks,
        time.time,
        revocations,
        production=production,
        dpop=None if settings.identity.dpop else NoDpop(time.time, ReplayMemory()),
    )
    keyring = open_keyring(settings)
    stack.callback(keyring.close)
    ledger = open_ledger(settings, log, keyring, clock)
    roots = FollowedKeyring(keyring, settings.keys.reload_s, checker(settings))
    if await roots.first() is not None:
        events.warning(Event.KEYSET_UNNAMED)
    return Runtime(
        settings=settings,
        keeper=keeper,
        pipeline=_pipeline(opened, verifier, keyring, ledger),
        ledger=ledger,
        verifier=verifier,
        revocations=revocations,
        recorder=await open_recorder(
            settings, revocations, log, lambda: keeper.digest, clock, state
        ),
        jwks=jwks,
        log=log,
        witnessing=witnessing,
        facts=opened.facts,
        reviews=Reviews.of(log, sealing, state, opened.facts, keyring, clock),
        roots=roots,
        sources=opened.sources,
        limits=opened.limits,
        strangers=_strangers(settings),
        metrics=metrics,
        tracing=tracing,
        events=events,
        clock=clock,
        closing=stack,
    )


def _open_linkage(settings: Settings, stack: AsyncExitStack) -> Store:
    """The blind index: a store of its own, so that long look-ups and case numbers do not wait.

    Where its tables are missing, every country's index counts as not loaded.
    """
    store = Store(settings.state.url.get_secret_value(), name="linkage index")
    stack.push_async_callback(store.close)
    return store


def _strangers(settings: Settings) -> Buckets:
    return Buckets(
        _STRANGERS_PER_MINUTE,
        _MINUTE,
        size=settings.limits.table_size,
        key=secrets.token_bytes(32),
        clock=time.monotonic,
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the pipeline is built from."""

    settings: Settings
    keeper: Keeper
    state: Store
    linkage: Store
    entries: EntryWriter
    facts: FactRegister
    log: Journal
    witnessing: Witnessing
    limits: Limits
    metrics: Metrics
    tracing: Tracing
    clock: Callable[[], datetime]
    sources: Mapping[str, Source]


def _pipeline(
    opened: _Opened, verifier: TokenVerifier, keyring: Keyring, ledger: OverlapLedger
) -> Pipeline:
    settings, state, entries = opened.settings, opened.state, opened.entries
    numbers = IssuedCaseNumbers(state)
    handles = Handles(keyring.service_key("handles"))
    onward = OnwardMarks(handles, opened.facts)
    subjects = Subjects(handles, keyring, numbers, UsedTokens(state), opened.facts)
    logbook = Logbook(opened.log, subjects, opened.facts)
    desk = Desk(
        sources=opened.sources,
        facts=opened.facts,
        subjects=subjects,
        consulting=Consulting(subjects),
        keyring=keyring,
        case_numbers=numbers,
        populations=Populations(opened.sources, opened.clock),
        crowds=Crowds(opened.clock),
        views=settings.views,
        tables=Tables(logbook, ledger, keyring.service_key(STATISTICS), settings.statistics),
        logbook=logbook,
        entries=entries,
        onward=onward,
        tracing=opened.tracing,
        witnessing=opened.witnessing,
    )
    parts = Parts(
        rules=opened.keeper.rules,
        facts=opened.facts,
        subjects=subjects,
        onward=onward,
        terms=Terms(state),
        flags=Flags(LinkIndex(opened.linkage), Peppers(opened.linkage, keyring), keyring),
        desk=OwnerDesk(desk),
        entries=entries,
        log=opened.log,
        clock=opened.clock,
        limits=opened.limits,
        metrics=opened.metrics,
        tracing=opened.tracing,
        step_ups={i.issuer: StepUp(tuple(sorted(i.strong_acr))) for i in settings.issuers},
        suspended=verifier.status,
    )
    return Pipeline(parts)


def open_rules(settings: Settings, on: date) -> Snapshot:
    """The rule set of the settings for a day, signed as they demand; also for a day gone by.

    What was taken before is not asked, so an older set may be read for replay.

    Raises:
        RuleSetError: no set is sound and valid on that day; with every problem's file and line.
    """
    return open_folders(settings).chosen(on).snapshot


async def open_journal(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Journal:
    """The logs of the settings, opened for writing.

    Raises:
        AuditError: one is missing, damaged, or its key can't be read.
        LogKeyError: a key is another country's.
    """
    return await SharedJournal.open(
        settings.log.url.get_secret_value(),
        keys=read_log_keys(settings),
        queue=settings.log.queue,
        clock=clock,
        listen=settings.log.listen,
    )


async def _open_witnessing(
    settings: Settings, log: Journal, clock: Callable[[], datetime], stack: AsyncExitStack
) -> Witnessing:
    """Before the first entry: a log that contradicts its witnesses is not written to."""
    session = None
    if settings.log.witnesses.policies:
        session = aiohttp.ClientSession()
        stack.push_async_callback(session.close)
    witnessing = open_witnessing(settings.log.witnesses, log, session, clock)
    await witnessing.require_no_contradiction()
    await witnessing.look()
    return witnessing


def issuer_config(settings: Settings, place: int) -> IssuerConfig:
    """One issuer of the settings, as the verifier pins it.

    Raises:
        OpeningError: its key file can't be read.
        IdentityConfigError: it is trusted with too much.
    """
    issuer = settings.issuers[place]
    jwks_url = issuer.jwks_url
    if issuer.jwks_file is not None:
        if not os.access(issuer.jwks_file, os.R_OK):
            raise OpeningError(f"[[issuers]] number {place + 1}: its jwks_file can't be read")
        # As an address, so that a rotated file is read again like any other key set.
        jwks_url = issuer.jwks_file.as_uri()
    return IssuerConfig(
        issuer=issuer.issuer,
        jwks_url=jwks_url,
        audience=issuer.audience,
        countries=issuer.countries,
        organisations=issuer.organisations,
        require_binding=issuer.require_binding,
        is_development=issuer.development,
    )


async def _open_facts(
    settings: Settings, clock: Callable[[], datetime], stack: AsyncExitStack
) -> FactRegister:
    store = Store(settings.facts.url.get_secret_value(), name="facts")
    facts = FactRegister(
        store,
        clock=clock,
        refresh_s=settings.facts.refresh_s,
        stale_after_s=settings.facts.stale_after_s,
    )
    await facts.start()
    stack.push_async_callback(facts.close)
    return facts


def _key_change(
    log: Journal, clock: Callable[[], datetime]
) -> Callable[[KeyChange], Awaitable[None]]:
    """Every change of an issuer's keys is an entry before the keys count."""

    async def record(_change: KeyChange) -> None:
        now = clock()
        envelope = Envelope(
            id=new_entry_id(now, os.urandom(10)),
            kind=Kind.KEY_CHANGE,
            t=now,
            log=log.current(HOUSE),
            op=Operation.ADMINISTER,
            status=Status.DONE,
        )
        await log.append(everywhere(log, envelope, None))

    return record


def _limits(settings: Settings) -> Limits:
    limits = settings.limits
    return Limits(
        officer_per_minute=limits.officer_per_minute,
        organisation_per_minute=limits.organisation_per_minute,
        records_per_hour=limits.records_per_officer_per_hour,
        looks_per_hour=limits.looks_per_officer_per_hour,
        size=limits.table_size,
        key=secrets.token_bytes(32),
        clock=time.monotonic,
    )
