# SPDX-License-Identifier: EUPL-1.2
"""Keeps the rules in force and replaces them while questions run.

Every few seconds, and at midnight UTC, one look at the folders: a set that is new, sound and not
older than any taken before becomes an entry of the log, then a row of the state database, and
only then, by one assignment, the rules of the next question. Whatever fails leaves the set in
force as it is and says so in readiness, metrics and the operator's log. When nothing is valid on
the day, no question is answered at all.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from audit import AuditError
from gateway.errors import GatewayError
from gateway.inquiry import Rules
from gateway.logs import Event, EventLog
from gateway.metrics import Metrics
from gateway.ruleset.entry import ChangeEntries
from gateway.ruleset.errors import NoRulesError, Refusal, RuleSetError, Trouble, troubles
from gateway.ruleset.folders import Chosen, RuleFolders
from gateway.ruleset.memory import RuleMemory, refuse_older
from policies import PolicyError

_UNRECORDED = "a new rule set waits: the log or the state database does not take its entry"
_NONE = "no rule set is valid today"
_ENDLESS = "a look at the rule folders does not end; is the disk or the network they lie on there?"
_PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the rules stand: whether some are in force, whether signed, and what is wrong.

    `versions` is by part, of the set in force; empty in development mode.
    """

    in_force: bool
    signed: bool
    versions: Mapping[str, int]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """A set, the rules made of it, and its days; replaced as a whole."""

    chosen: Chosen
    rules: Rules
    first: date
    last: date

    def valid(self, day: date) -> bool:
        """Whether it may decide on a day; asked for every question."""
        return self.first <= day <= self.last


def _held(chosen: Chosen, shadow_one_in: int, differed: Callable[[], None]) -> _Held:
    """Made in a thread: the rules' own tables take a moment."""
    first, last = chosen.span()
    snapshot = chosen.snapshot
    if shadow_one_in:
        snapshot = snapshot.shadowed(shadow_one_in, differed)
    return _Held(chosen, Rules(snapshot), first, last)


class Keeper:
    """The rules in force of one gateway.

    Args:
        folders: where rule sets lie; owned by the keeper from here on.
        memory: what was taken before.
        entries: writes the change into the log.
        clock: aware UTC time.
        shadow_one_in: stock casbin decides one in so many again; 0 for none.
    """

    def __init__(
        self,
        folders: RuleFolders,
        memory: RuleMemory,
        entries: ChangeEntries,
        clock: Callable[[], datetime],
        *,
        shadow_one_in: int = 0,
    ) -> None:
        self._shadow_one_in = shadow_one_in
        self._folders, self._memory, self._entries = folders, memory, entries
        self._clock = clock
        self._held: _Held | None = None
        self._troubles: tuple[Trouble, ...] = ()
        self._events: EventLog | None = None
        self._metrics: Metrics | None = None
        self._lock = asyncio.Lock()
        self._looking_since: datetime | None = None

    def rules(self) -> Rules:
        """The rules of a question that is asked now.

        Raises:
            NoRulesError: none are valid today.
        """
        held, now = self._held, self._clock()
        if held is None or not held.valid(now.date()) or _stale(held, now):
            raise NoRulesError(_NONE)
        return held.rules

    @property
    def digest(self) -> str:
        """The digest last in force, for entries about questions that met no rules."""
        return "" if self._held is None else self._held.rules.snapshot.digest

    def standing(self) -> Standing:
        """How the rules stand now."""
        held, now = self._held, self._clock()
        valid = held is not None and held.valid(now.date()) and not _stale(held, now)
        parts = () if held is None else held.chosen.parts
        versions = {part.part: part.manifest.version for part in parts}
        wrong = self._troubles
        if self._looking_since is not None and now - self._looking_since > _PATIENCE:
            wrong = (*wrong, _trouble(Refusal.UNREADABLE, _ENDLESS))
        return Standing(valid, self._folders.signed, versions, wrong)

    async def start(self) -> Rules:
        """The first choice; what stops it stops the gateway.

        Raises:
            RuleSetError: no folder is sound, signed, valid today and new enough.
            AuditError, StoreError: the change can't be recorded.
        """
        today = self._today()
        chosen = await asyncio.to_thread(self._folders.chosen, today)
        await self._take(chosen, await self._memory.last_digest())
        # Faults of folders that are not in force show from the start.
        self._troubles = (await asyncio.to_thread(self._folders.look, today)).troubles
        return self.rules()

    def tell(self, events: EventLog, metrics: Metrics) -> None:
        """Where to tell an operator from now on; both need the vocabulary of the first rules."""
        self._events, self._metrics = events, metrics
        if not self._folders.signed:
            events.warning(Event.POLICIES_UNSIGNED)
        metrics.policy_signed.set(self._folders.signed)
        metrics.policy(self.digest)
        events.info(Event.POLICIES_LOADED, policy=self.digest)
        if self._troubles:
            self._tell_troubles((), self._troubles)

    async def keep(self, every_s: float) -> None:
        """Look again and again until cancelled; wakes at midnight, when another set may begin."""
        while True:
            now = self._clock()
            midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time())
            until = (midnight - now.replace(tzinfo=None)).total_seconds()
            await asyncio.sleep(max(0.01, min(every_s, until)))
            await self.look()

    async def look(self) -> None:
        """One look; never raises."""
        async with self._lock:
            before = self._troubles
            self._looking_since = self._clock()
            try:
                self._troubles = await self._look(self._today())
            except Exception as error:  # noqa: BLE001  the set in force goes on whatever happens
                self._troubles = (_trouble(Refusal.UNREADABLE, "the look at the rules failed"),)
                if self._events is not None and before != self._troubles:
                    self._events.error(Event.UNEXPECTED, error=error)
            finally:
                self._looking_since = None
            self._tell_troubles(before, self._troubles)

    async def _look(self, today: date) -> tuple[Trouble, ...]:
        found = await asyncio.to_thread(self._folders.look, today)
        wrong = list(found.troubles)
        if found.chosen is not None and self._differs(found.chosen):
            if not (found.settled or self._folders.signed):
                return self._troubles  # unsigned files may still be being written: look once more
            wrong += await self._try(found.chosen)
        await self._renew(today)
        if not self.standing().in_force:
            wrong.append(_trouble(Refusal.DATES, _NONE))
        return tuple(wrong)

    def _differs(self, chosen: Chosen) -> bool:
        held = self._held
        return held is None or held.chosen.snapshot is not chosen.snapshot

    async def _try(self, chosen: Chosen) -> Sequence[Trouble]:
        try:
            await self._take(chosen, self.digest or None)
        except RuleSetError as error:
            return troubles("", error)
        except (AuditError, GatewayError):
            return (_trouble(Refusal.RECORD, _UNRECORDED),)
        return ()

    async def _take(self, chosen: Chosen, before: str | None) -> None:
        """Entry, memory, swap: in this order, so that nothing decides that no log knows of."""
        # What this process holds counts even when its row of the state database is gone.
        refuse_older(chosen.parts, {} if self._held is None else _taken(self._held.chosen))
        refuse_older(chosen.parts, await self._memory.taken())
        held = await asyncio.to_thread(_held, chosen, self._shadow_one_in, self._differed)
        digest = chosen.snapshot.digest
        if digest != before:
            await self._entries.record(chosen, before)
            await self._memory.take(chosen.parts, digest)
        self._held = held
        if self._events is not None and self._metrics is not None and digest != before:
            self._metrics.policy(digest)
            self._events.info(Event.POLICIES_LOADED, policy=digest)

    async def _renew(self, today: date) -> None:
        """The set in force, built for a new day when its folder no longer gives it."""
        held = self._held
        if held is None or held.chosen.snapshot.book.on == today or not held.valid(today):
            return
        try:
            chosen = await asyncio.to_thread(partial(held.chosen.on, today))
        except PolicyError:
            self._held = None  # rules that can't be read for today may not decide today
            return
        self._held = await asyncio.to_thread(_held, chosen, self._shadow_one_in, self._differed)

    def _differed(self) -> None:
        """Compiled rules and stock casbin disagree: the stricter was used; somebody must look."""
        if self._events is not None and self._metrics is not None:
            self._metrics.policy_differs.inc()
            self._events.error(Event.POLICIES_DIFFER, policy=self.digest)

    def _tell_troubles(self, before: tuple[Trouble, ...], now: tuple[Trouble, ...]) -> None:
        events, metrics = self._events, self._metrics
        if events is None or metrics is None:
            return
        metrics.policy_degraded.set(bool(now))
        if now and now != before:
            for why in sorted({trouble.refusal for trouble in now}):
                metrics.policy_refused(why)
                count = sum(trouble.refusal is why for trouble in now)
                events.error(Event.POLICIES_REFUSED, refusal=why, count=count)
        elif before and not now:
            events.info(Event.POLICIES_WELL, policy=self.digest)

    def _today(self) -> date:
        return self._clock().date()


def _taken(chosen: Chosen) -> Mapping[str, tuple[int, str]]:
    return {part.part: (part.manifest.version, part.digest) for part in chosen.parts}


def _stale(held: _Held, now: datetime) -> bool:
    """Whether the rules were made for another day and nobody made them anew: terms may be over."""
    made_for = held.rules.snapshot.book.on
    midnight = datetime.combine(now.date(), datetime.min.time(), tzinfo=now.tzinfo)
    return made_for != now.date() and now - midnight > _PATIENCE


def _trouble(refusal: Refusal, reason: str) -> Trouble:
    return Trouble(refusal, "", "", 0, reason)
