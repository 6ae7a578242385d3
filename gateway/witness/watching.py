# SPDX-License-Identifier: EUPL-1.2
"""How the gateway lives with its witnesses: feeds them, and stops what nobody can watch any more.

The process that writes the logs feeds; every process looks at what was cosigned, so that each knows
by itself when a country's limit is over. What the store says was cosigned counts only if it fulfils
the trust policy. Nobody waits for a witness inside a question.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, combinations
from typing import Final

import aiohttp

from audit import Journal, Kind, LogUnavailableError, NoteError, parse_envelope
from audit.errors import PolicyFileError, QuorumError
from audit.policyfile import parse_policy
from audit.shards import parse_origin
from audit.trust import Policy, requires
from gateway.errors import GatewayError
from gateway.logs import Event, EventLog
from gateway.settings.log import WitnessSettings
from gateway.witness.contradiction import survey
from gateway.witness.feed import Feed, Pace
from gateway.witness.standing import Limits, Standing, Witnessed

_RESTART_S: Final = 5.0


class WitnessingError(GatewayError):
    """The logs can't be put before their witnesses as the settings ask."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the store keeps of one log's witnessing."""

    size: int
    since: int | None
    oldest: datetime | None


@dataclass(slots=True)
class Witnessing:
    """The standing of every log that has a trust policy; owned by the event loop.

    Args:
        journal: the logs.
        policies: trust policy by country.
        limits: after how long what follows.
        feed: None where no log has a policy.
        clock: aware UTC time.
        every_s: between two looks.
    """

    journal: Journal
    policies: Mapping[str, Policy]
    limits: Limits
    feed: Feed | None
    clock: Callable[[], datetime]
    every_s: float
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _given_up: set[str] = field(default_factory=set)
    _told: dict[str, Standing] = field(default_factory=dict)
    _clock_told: bool = False

    def policy(self, origin: str) -> Policy | None:
        """The trust policy of a log; None for one that was given up, which nobody can vouch for."""
        if origin in self._given_up:
            return None
        return self.policies.get(parse_origin(origin).country)

    async def _sort_out(self) -> None:
        """Find logs that are closed without a closing entry: restored ones, with a successor."""
        for log in map(self.journal.log, self.journal.origins):
            if log.closed and log.origin not in self._ended:
                (last,) = await log.newest(None, 1)
                self._ended.add(log.origin)
                if parse_envelope(last.envelope).kind is not Kind.CLOSING:
                    self._given_up.add(log.origin)

    async def require_no_contradiction(self) -> None:
        """Ask all witnesses before the first entry is written.

        Raises:
            WitnessingError: one of them saw more, or other, than stands here: a restored log.
            AuditError: the logs can't be read.
        """
        if self.feed is None:
            return
        await self._sort_out()
        found = await survey(self.journal, self.feed.clients())
        if found.contradictions:
            told = "; ".join(sorted({str(one) for one in found.contradictions}))
            raise WitnessingError(f"{told}; `cuvar audit succeed --close LOG` does both")

    async def keep(self, events: EventLog) -> None:
        """Feed while this process leads, and look, until cancelled."""
        feeding: asyncio.Task[None] | None = None
        for country in self.unwatched:
            events.warning(Event.UNWATCHED, owner=country)
        try:
            while True:
                if self.feed is not None and self.journal.leads:
                    if feeding is None or feeding.done():
                        feeding = asyncio.create_task(self.feed.run(), name="witness-feed")
                elif feeding is not None:
                    feeding.cancel()
                    feeding = None
                with contextlib.suppress(LogUnavailableError):
                    await self.look()
                self._tell(events)
                await asyncio.sleep(self.every_s)
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)

    async def look(self) -> None:
        """Look once at what was cosigned of every log, and how old the oldest other entry is.

        Raises:
            LogUnavailableError: the store does not answer; what was known stays.
        """
        await self._sort_out()
        for origin in self.journal.origins:
            policy = self.policy(origin)
            if policy is not None:
                self._seen[origin] = await self._look(origin, policy)

    async def _look(self, origin: str, policy: Policy) -> _Seen:
        log, kept = self.journal.log(origin), await self.journal.cosigned(origin)
        size, since = 0, None
        if kept is not None:
            verifier = self.journal.signer(origin).verifier
            with contextlib.suppress(NoteError, QuorumError, PolicyFileError):
                found = policy.check(kept.note.encode(), origin, verifier)
                size, since = found.checkpoint.size, found.since
        before = self._seen.get(origin)
        if size >= log.size:
            return _Seen(size, since, None)
        if before is not None and before.size == size and before.oldest is not None:
            return before
        (entry,) = await log.read(size, size + 1)
        return _Seen(size, since, parse_envelope(entry.envelope).t)

    def witnessed(self) -> dict[str, Witnessed]:
        """How every log with a policy stands, by origin."""
        fed = {} if self.feed is None or not self.journal.leads else self.feed.witnessed()
        found = {}
        for origin, seen in self._seen.items():
            one = fed.get(origin)
            found[origin] = Witnessed(
                origin=origin,
                size=self.journal.log(origin).size,
                cosigned_size=seen.size,
                cosigned_at=seen.since,
                oldest=seen.oldest,
                witnesses={} if one is None else one.witnesses,
                contradiction=None if one is None else one.contradiction,
            )
        return found

    def standings(self) -> dict[str, Standing]:
        """What follows for every log, by origin."""
        now = self.clock()
        return {
            origin: one.standing(now, self.limits, parse_origin(origin).country)
            for origin, one in self.witnessed().items()
        }

    def blocks(self, country: str) -> bool:
        """Whether no identity of this country's data may be released now.

        A log that has a policy and was never looked at blocks: unknown means no.
        """
        if country not in self.policies:
            return False
        own = {o: s for o, s in self.standings().items() if parse_origin(o).country == country}
        try:
            looked = self.journal.current(country) in own
        except LogUnavailableError:
            return True
        return not looked or Standing.BLOCK in own.values()

    @property
    def clock_offset_s(self) -> float:
        """How far this clock surely stands ahead of the witnesses'; negative if behind."""
        offset = None if self.feed is None else self.feed.clocks.offset
        return 0.0 if offset is None else offset.total_seconds()

    @property
    def clock_is_off(self) -> bool:
        """Whether most witnesses see this clock more than two seconds away."""
        return self.feed is not None and self.feed.clocks.alarm

    def oldest_s(self) -> float:
        """Age of the oldest entry of any log that no quorum cosigned."""
        now = self.clock()
        return max((one.unwitnessed_s(now) for one in self.witnessed().values()), default=0.0)

    @property
    def unwatched(self) -> list[str]:
        """Countries whose logs no witness follows."""
        return sorted(self.journal.countries - self.policies.keys())

    def _tell(self, events: EventLog) -> None:
        if self.clock_is_off and not self._clock_told:
            events.error(Event.CLOCK_OFF)
        self._clock_told = self.clock_is_off
        for origin, standing in self.standings().items():
            if self._told.get(origin, Standing.FINE) is not standing:
                tell = events.info if standing is Standing.FINE else events.error
                tell(Event.WITNESSING, owner=parse_origin(origin).country, standing=standing.value)
            self._told[origin] = standing


def read_policies(settings: WitnessSettings) -> dict[str, Policy]:
    """The trust policies of the settings, each strong enough for its country.

    Raises:
        WitnessingError: a file can't be read, or a quorum could do without the owner's authority
            or with fewer authorities than asked for.
        PolicyFileError: a file is no trust policy.
    """
    found = {}
    for country, path in settings.policies.items():
        try:
            policy = parse_policy(path.read_bytes())
        except OSError:
            raise WitnessingError(f"[log.witnesses] {path.name} can't be read") from None
        if policy.logs:
            raise WitnessingError(f"[log.witnesses] {path.name} names a log; it is for all logs")
        if not _is_strong(policy, settings.least, settings.owners.get(country)):
            raise WitnessingError(
                f"[log.witnesses] {path.name}: every quorum for {country} must have"
                f" {settings.least} authorities, among them its own"
            )
        found[country] = policy
    return found


def _is_strong(policy: Policy, least: int, owner: str | None) -> bool:
    """Whether no quorum has fewer authorities, or lacks the owner's where one is named."""
    if owner is not None:
        return requires(policy, least, owner)
    names: dict[str, list[str]] = {}
    for witness in policy.witnesses:
        names.setdefault(witness.authority, []).append(witness.name)
    few = combinations(names.values(), min(least - 1, len(names)))
    return len(names) >= least and not any(policy.satisfied_by([*chain(*some)]) for some in few)


def _silent(_line: str) -> None:
    """What a witness said shows as its state, in readiness; the line might quote the witness."""


def open_witnessing(
    settings: WitnessSettings,
    journal: Journal,
    session: aiohttp.ClientSession | None,
    clock: Callable[[], datetime],
) -> Witnessing:
    """From settings; `session` is None where no log has a policy.

    Raises:
        WitnessingError, PolicyFileError: a trust policy can't be used.
    """
    policies = read_policies(settings)
    limits = Limits(settings.alarm_s, settings.block_s, dict(settings.blocks_s))
    found = Witnessing(journal, policies, limits, None, clock, settings.every_s)
    if policies and session is not None:
        found.feed = Feed(
            journal,
            found.policy,
            session,
            time.monotonic,
            _silent,
            Pace(every_s=settings.every_s),
            now=clock,
        )
    return found
