# SPDX-License-Identifier: EUPL-1.2
"""The fact register: what other systems attest about cases, approvals, consents and persons.

The case system, capture stations, the transfer, consent and protection registers write
attestations; the gateway only reads them. An attestation says that a fact holds (or possibly
holds, or does not) within a scope, for a time. The table is append-only: a later attestation
of the same fact and scope replaces the earlier one.

Every gateway keeps a mirror in memory, refreshed each `refresh_s`; a mirror older than
`stale_after_s` answers "possible" to everything, so a silent register always restricts
(access matrix 1.5). That bound is also how long a withdrawn consent may still count.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import Connection, RowMapping, func, select

from gateway.errors import GatewayError
from gateway.facts.attestation import ATTESTATION, Attestation, Scope, attestation_of
from gateway.store import Store
from policies import Truth

_WHOLE_AGAIN: Final = timedelta(seconds=20)
_Mark = tuple[int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a look at the table gave: its size and ends, and rows to add or to begin anew with."""

    mark: _Mark
    rows: Sequence[RowMapping]
    whole: bool


class _Index:
    """Attestations of one fact, by the pattern of scope members that they fix."""

    __slots__ = ("patterns",)

    def __init__(self) -> None:
        self.patterns: dict[tuple[int, ...], dict[tuple[str, ...], Attestation]] = {}

    def add(self, attestation: Attestation) -> None:
        key = attestation.scope.key()
        fixed = tuple(place for place, value in enumerate(key) if value)
        self.patterns.setdefault(fixed, {})[tuple(key[place] for place in fixed)] = attestation

    def matching(self, key: tuple[str, ...], now: datetime) -> list[Attestation]:
        found: list[Attestation] = []
        for fixed, by_value in self.patterns.items():
            hit = by_value.get(tuple([key[place] for place in fixed]))
            if hit is not None and hit.live(now):
                found.append(hit)
        return found


class FactRegister:
    """A bounded-staleness mirror of the attestations.

    Mutable state (`_indexes`, `_mark`, `_last`, `_whole_at`, `_read_at`) is owned by `refresh`,
    which one background task calls; between two of its steps no reader runs.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        refresh_s: float = 0.5,
        stale_after_s: float = 5.0,
    ) -> None:
        """Read nothing yet: `start` reads the mirror and keeps it fresh."""
        self._store = store
        self._clock = clock
        self._refresh_s = refresh_s
        self._stale_after_s = stale_after_s
        self._indexes: dict[str, _Index] = {}
        self._counted: tuple[str, ...] = ()
        self._mark: _Mark | None = None
        self._last: Attestation | None = None
        self._whole_at: datetime | None = None
        self._read_at: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        """Read the mirror once, then keep it fresh in the background.

        A register that is down at start is not fatal: everything is "possible" until it answers.
        """
        with contextlib.suppress(GatewayError):
            await self.refresh()
        self._task = asyncio.create_task(self._follow())
        return self

    async def close(self) -> None:
        """Stop following and release the connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._store.close()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_s)
            with contextlib.suppress(GatewayError):
                await self.refresh()

    async def refresh(self) -> None:
        """Bring the mirror up to date.

        What was only appended is added. The whole table is read again when its size, its ends or
        the last row known say anything else, and now and then without a sign: a row may be
        committed after one with a higher number, and a table may be restored from a copy, so "what
        is newer than the last" alone would miss a withdrawal for ever.

        Raises:
            StoreError: the register does not answer; the mirror grows stale.
            FactRegisterError: a row can't be read; the mirror grows stale.
        """
        started = self._clock()
        read = await self._store.run(self._read)
        if read.rows:
            attestations = [attestation_of(row) for row in read.rows]
            indexes: dict[str, _Index] = {} if read.whole else self._indexes
            for attestation in attestations:
                indexes.setdefault(attestation.fact, _Index()).add(attestation)
            counted = {a.fact for a in attestations if a.counted}
            self._counted = tuple(sorted(counted if read.whole else counted | {*self._counted}))
            self._indexes, self._last = indexes, attestations[-1]
        elif read.whole:
            self._indexes, self._counted, self._last = {}, (), None
        self._mark = read.mark
        if read.whole:
            self._whole_at = started
        self._read_at = started

    def _read(self, connection: Connection) -> _Read:
        seq = ATTESTATION.c.seq
        found = connection.execute(select(func.count(), func.min(seq), func.max(seq))).one()
        mark: _Mark = tuple(found)
        rows = select(ATTESTATION).order_by(seq)
        if self._mark is not None and self._whole_at is not None:
            young = self._clock() - self._whole_at < _WHOLE_AGAIN
            if young and mark == self._mark:
                return _Read(mark, (), whole=False)
            count, first, last = self._mark
            if young and last is not None and mark[1] == first:
                since = connection.execute(rows.where(seq >= last)).mappings().all()
                same = bool(since) and attestation_of(since[0]) == self._last
                if same and count + len(since) - 1 == mark[0]:
                    return _Read(mark, since[1:], whole=False)
        return _Read(mark, connection.execute(rows).mappings().all(), whole=True)

    @property
    def fresh(self) -> bool:
        """Whether the mirror is young enough to say "false"."""
        if self._read_at is None:
            return False
        return (self._clock() - self._read_at).total_seconds() <= self._stale_after_s

    def attested(self, facts: Iterable[str]) -> frozenset[str]:
        """Those of some facts about which anything was ever attested."""
        return frozenset(fact for fact in facts if fact in self._indexes)

    def matching(self, fact: str, scope: Scope, now: datetime) -> list[Attestation]:
        """Every live attestation of a fact whose fixed members agree with this scope."""
        index = self._indexes.get(fact)
        found = [] if index is None else index.matching(scope.key(), now)
        return [a for a in found if a.key not in scope.over] if scope.over else found

    @property
    def counts(self) -> bool:
        """Whether there is any permission that takes a count of its uses."""
        return bool(self._counted)

    def permissions(self, scope: Scope, now: datetime) -> list[Attestation]:
        """The live counted permissions of this scope that are not over for it, of all facts."""
        return [
            attestation
            for fact in self._counted
            for attestation in self.matching(fact, scope, now)
            if attestation.counted
        ]

    def truth(self, fact: str, scope: Scope, now: datetime, *, harmful: bool) -> Truth:
        """The strictest reading of all live attestations of a fact.

        Nothing attested means false, since the register answered; a stale mirror means possible.
        """
        if not self.fresh:
            return Truth.POSSIBLE
        return strictest((a.truth for a in self.matching(fact, scope, now)), harmful=harmful)

    def persons(self, fact: str, scope: Scope, now: datetime) -> tuple[str, ...]:
        """References of the persons for whom a fact is surely true in this scope, sorted.

        Used to push a case load into the owner's query, so that other rows are never read.
        """
        index = self._indexes.get(fact)
        if index is None or not self.fresh:
            return ()
        wanted = scope.key()[:-1]
        found = set()
        for by_value in index.patterns.values():
            for attestation in by_value.values():
                fixed = attestation.scope.key()
                agrees = all(
                    not own or own == asked for own, asked in zip(fixed[:-1], wanted, strict=True)
                )
                sure = attestation.truth is Truth.TRUE and attestation.live(now)
                if fixed[-1] and agrees and sure:
                    found.add(fixed[-1])
        return tuple(sorted(found))


def strictest(truths: Iterable[Truth], *, harmful: bool) -> Truth:
    """Combine several statements about one fact so that doubt always restricts.

    A harmful fact is as true as the worst statement; a positive one is sure only when
    something says so and nothing doubts it.
    """
    seen = set(truths)
    if not seen:
        return Truth.FALSE
    order = (Truth.TRUE, Truth.POSSIBLE) if harmful else (Truth.FALSE, Truth.POSSIBLE)
    for truth in order:
        if truth in seen:
            return truth
    return Truth.FALSE if harmful else Truth.TRUE
