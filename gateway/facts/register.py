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
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Self

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    func,
    insert,
    select,
)

from gateway.errors import GatewayError
from gateway.store import Store
from policies import Truth

METADATA: Final = MetaData()
ATTESTATION: Final = Table(
    "attestation",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("fact", String(40), nullable=False),
    Column("truth", String(8), nullable=False),
    Column("org", String(16), nullable=False, server_default=""),
    Column("officer", String(128), nullable=False, server_default=""),
    Column("owner", String(3), nullable=False, server_default=""),
    Column("purpose", String(40), nullable=False, server_default=""),
    Column("case_no", String(64), nullable=False, server_default=""),
    Column("person", String(128), nullable=False, server_default=""),
    Column("by_unit", String(64), nullable=False, server_default=""),
    Column("valid_from", String(20), nullable=False),
    Column("valid_to", String(20), nullable=False),
    Column("source", String(64), nullable=False),
    Column("uses", Integer, nullable=True),
    Column("unused_days", Integer, nullable=True),
)
_TRUTHS: Final = {"true": Truth.TRUE, "possible": Truth.POSSIBLE, "false": Truth.FALSE}
_WHOLE_AGAIN: Final = timedelta(seconds=20)
_Mark = tuple[int, int | None, int | None]
_WRITTEN: Final = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z")
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"


class FactRegisterError(GatewayError):
    """The fact register holds a row that can't be read."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom and what an attestation is about; an empty member means "any".

    `person` is the owner's internal reference, never a name or a document number. `over` belongs to
    one question: the keys of counted permissions that have ended for it.
    """

    org: str = ""
    officer: str = ""
    owner: str = ""
    purpose: str = ""
    case_no: str = ""
    person: str = ""
    over: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def key(self) -> tuple[str, ...]:
        """What it is about, in the order of `_MEMBERS`."""
        return (self.org, self.officer, self.owner, self.purpose, self.case_no, self.person)


_MEMBERS: Final = ("org", "officer", "owner", "purpose", "case_no", "person")


@dataclass(frozen=True, slots=True)
class Attestation:
    """One statement of one system about one fact.

    `by_unit` is the unit of the person behind an approval or verification, so that nobody
    approves within his own unit (EUR-20). A permission may be good for so many answers (`uses`), or
    lapse when so many days pass without one; `seq` is its row in the register.
    """

    fact: str
    truth: Truth
    scope: Scope
    valid_from: datetime
    valid_to: datetime
    source: str
    by_unit: str = ""
    uses: int | None = None
    unused_days: int | None = None
    seq: int = 0

    @property
    def key(self) -> str:
        """What its uses are counted under."""
        return f"attestation|{self.seq}|{self.valid_from:{_INSTANT}}"

    @property
    def counted(self) -> bool:
        """Whether it takes a count of uses to know if it is over.

        Only what is said to be true is a permission: a doubt or a no that ended by itself would
        open a door.
        """
        limited = self.uses is not None or self.unused_days is not None
        return limited and self.truth is Truth.TRUE

    def over(self, uses: int, last_use: date | None, today: date) -> bool:
        """Whether it is spent, or lapsed by not being used."""
        if self.uses is not None and uses >= self.uses:
            return True
        since = last_use or self.valid_from.date()
        return self.unused_days is not None and today > since + timedelta(self.unused_days)

    def live(self, now: datetime) -> bool:
        """Whether it counts at this moment."""
        return self.valid_from <= now < self.valid_to


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

    Mutable state (`_indexes`, `_mark`, `_whole_at`, `_read_at`) is owned by `refresh`, which
    one background task calls; readers see whole assignments only.
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

        The whole table is read again when its size or ends changed, and now and then without a
        sign: a row may be committed after one with a higher number, and a table may be restored
        from a copy, so "what is newer than the last" would miss a withdrawal for ever.

        Raises:
            StoreError: the register does not answer; the mirror grows stale.
            FactRegisterError: a row can't be read; the mirror grows stale.
        """
        started = self._clock()
        mark, rows = await self._store.run(self._read)
        if rows is not None:
            indexes: dict[str, _Index] = {}
            attestations = [_attestation(row) for row in rows]
            for attestation in attestations:
                indexes.setdefault(attestation.fact, _Index()).add(attestation)
            self._counted = tuple(sorted({a.fact for a in attestations if a.counted}))
            self._indexes, self._mark, self._whole_at = indexes, mark, started
        self._read_at = started

    def _read(self, connection: Connection) -> tuple[_Mark, Sequence[RowMapping] | None]:
        seq = ATTESTATION.c.seq
        found = connection.execute(select(func.count(), func.min(seq), func.max(seq))).one()
        mark: _Mark = tuple(found)
        young = self._whole_at is not None and self._clock() - self._whole_at < _WHOLE_AGAIN
        if mark == self._mark and young:
            return mark, None
        return mark, connection.execute(select(ATTESTATION).order_by(seq)).mappings().all()

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


async def attest(store: Store, attestations: Iterable[Attestation]) -> None:
    """Write attestations, as the systems that own the facts do.

    Raises:
        StoreError: the register can't be written.
    """
    rows = [_row(attestation) for attestation in attestations]
    await store.run(lambda connection: connection.execute(insert(ATTESTATION), rows))


def _row(attestation: Attestation) -> dict[str, str | int | None]:
    scope = dict(zip(_MEMBERS, attestation.scope.key(), strict=True))
    return {
        "fact": attestation.fact,
        "truth": attestation.truth.name.lower(),
        **scope,
        "by_unit": attestation.by_unit,
        "valid_from": attestation.valid_from.astimezone(UTC).strftime(_INSTANT),
        "valid_to": attestation.valid_to.astimezone(UTC).strftime(_INSTANT),
        "source": attestation.source,
        "uses": attestation.uses,
        "unused_days": attestation.unused_days,
    }


def _attestation(row: RowMapping) -> Attestation:
    truth = _TRUTHS.get(row["truth"])
    if truth is None:
        raise FactRegisterError(
            f"fact register, row {row['seq']}: truth must be true|possible|false"
        )
    uses, unused_days = _limit(row["uses"], row["seq"]), _limit(row["unused_days"], row["seq"])
    if row["person"] and (uses or unused_days):
        # Uses are counted by question; nobody counts those of one record, so it is a doubt at best.
        truth = Truth.POSSIBLE
    return Attestation(
        fact=row["fact"],
        truth=truth,
        scope=Scope(**{name: row[name] for name in _MEMBERS}),
        valid_from=_instant(row["valid_from"], row["seq"]),
        valid_to=_instant(row["valid_to"], row["seq"]),
        source=row["source"],
        by_unit=row["by_unit"],
        uses=uses,
        unused_days=unused_days,
        seq=row["seq"],
    )


def _limit(value: int | None, seq: int) -> int | None:
    if value is not None and value < 1:
        raise FactRegisterError(f"fact register, row {seq}: uses and unused_days are 1 or more")
    return value


def _instant(text: str, seq: int) -> datetime:
    try:
        return _parsed(text)
    except ValueError as error:
        raise FactRegisterError(
            f"fact register, row {seq}: times are written like 2026-11-24T08:00:00Z"
        ) from error


@lru_cache(maxsize=4096)
def _parsed(text: str) -> datetime:
    """An instant; the whole table is read again at each change, and most of its rows share some.

    Raises:
        ValueError: it is not written as `_INSTANT` writes one.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text)
