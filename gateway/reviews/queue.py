# SPDX-License-Identifier: EUPL-1.2
"""Where each alert stands: folded from the log into the state database, a bit at a time.

The log is the truth. The tables hold what was folded so far and how far that is; catching up goes
on from there, and an empty table is filled anew. So a crash between an entry and its step heals by
itself, and several gateways never disagree for long: the head moves by compare-and-swap.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import orjson
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from audit import StoredEntry, parse_envelope
from audit.alerts import STEPS, Item, Queue, State, Step
from audit.shards import parse_origin
from gateway.state import REVIEW_ALERT, REVIEW_HEAD
from gateway.store import Store

_CHUNK: Final = 1000
_MARKS: Final = tuple(f'"kind":"{kind}"'.encode() for kind in sorted(STEPS))


class Log(Protocol):
    """What is needed of one log."""

    @property
    def size(self) -> int:
        """Entries in it."""

    async def read(self, start: int, stop: int) -> list[StoredEntry]:
        """Entries in order, at most 1,000."""


class Logs(Protocol):
    """What is needed of a journal to read."""

    @property
    def origins(self) -> Sequence[str]:
        """Every log, older ones of a country first."""

    def log(self, origin: str) -> Log:
        """One of them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert with what only the state database has."""

    item: Item
    officer: bytes | None = field(default=None, repr=False)
    question: bytes | None = field(default=None, repr=False)


class ReviewQueue:
    """The alerts of all countries."""

    def __init__(self, logs: Logs, store: Store) -> None:
        """Use an open journal and an opened state database."""
        self._logs, self._store = logs, store
        # One step of a country at a time; several gateways are kept apart by the head's swap.
        self.turn = asyncio.Lock()

    async def catch_up(self, country: str) -> None:
        """Fold what the country's logs took since the last time.

        Raises:
            LogUnavailableError: a log can't be read.
            StoreError: the state database does not answer.
        """
        for origin in self._logs.origins:
            if parse_origin(origin).country == country:
                await self._follow(origin, country)

    async def _follow(self, origin: str, country: str) -> None:
        log = self._logs.log(origin)
        size = await self._store.run(lambda connection: _folded(connection, origin))
        while size < log.size:
            stop = min(size + _CHUNK, log.size)
            steps = [
                Step(entry.index, parse_envelope(entry.envelope))
                for entry in await log.read(size, stop)
                if any(mark in entry.envelope for mark in _MARKS)
            ]
            await self._store.run(_folding(origin, country, (size, stop), steps))
            # Another gateway may have come further.
            size = await self._store.run(lambda connection: _folded(connection, origin))

    async def kept(self, alert: str) -> Kept | None:
        """One alert as last folded.

        Raises:
            StoreError: the state database does not answer.
        """
        found = await self._store.run(
            lambda c: c.execute(select(REVIEW_ALERT).where(REVIEW_ALERT.c.alert == alert)).first()
        )
        return None if found is None else _kept(found)

    async def of_officer(self, officer: bytes) -> list[Kept]:
        """Every alert that is not closed and about this officer, oldest first.

        Raises:
            StoreError: the state database does not answer.
        """
        statement = select(REVIEW_ALERT).where(REVIEW_ALERT.c.officer == officer)
        rows = await self._store.run(lambda c: c.execute(statement).all())
        found = [_kept(row) for row in rows]
        return sorted(found, key=lambda kept: kept.item.raised)

    async def remember(self, alert: str, officer: bytes, question: bytes | None) -> None:
        """Whom an alert is about and what he is asked, until it is closed.

        Raises:
            StoreError: the state database does not answer.
        """
        values = {"officer": officer, "question": question}
        if question is None:
            del values["question"]
        statement = update(REVIEW_ALERT).where(REVIEW_ALERT.c.alert == alert).values(values)
        await self._store.run(lambda c: c.execute(statement))

    async def forget_all(self) -> None:
        """Empty the tables, so that they are folded anew; officers and questions are lost.

        Raises:
            StoreError: the state database does not answer.
        """
        await self._store.run(lambda c: [c.execute(delete(t)) for t in (REVIEW_ALERT, REVIEW_HEAD)])

    async def items(self) -> list[Item]:
        """Every alert, oldest first.

        Raises:
            StoreError: the state database does not answer.
        """
        rows = await self._store.run(lambda c: c.execute(select(REVIEW_ALERT)).all())
        return sorted((_kept(row).item for row in rows), key=lambda i: (i.raised, i.alert))


def _folded(connection: Connection, origin: str) -> int:
    statement = select(REVIEW_HEAD.c.size).where(REVIEW_HEAD.c.log == origin)
    return connection.execute(statement).scalar_one_or_none() or 0


def _folding(
    origin: str, country: str, span: tuple[int, int], steps: Sequence[Step]
) -> Callable[[Connection], None]:
    """One transaction: the head moves from where these entries start, and the alerts with it."""

    def fold(connection: Connection) -> None:
        if not _moved(connection, origin, *span):
            return
        names = {step.envelope.correlation for step in steps}
        wanted = REVIEW_ALERT.c.alert.in_(sorted(filter(None, names)))
        before = connection.execute(select(REVIEW_ALERT).where(wanted)).all()
        queue = Queue(_kept(row).item for row in before)
        known = set(queue.items)
        changed = {item.alert: item for step in steps if (item := queue.take(step)) is not None}
        for alert, item in changed.items():
            values: dict[str, Any] = {"item": _written(item)}
            if item.state is State.CLOSED:
                values |= {"officer": None, "question": None}
            if alert in known:
                connection.execute(
                    update(REVIEW_ALERT).where(REVIEW_ALERT.c.alert == alert).values(values)
                )
            else:
                connection.execute(
                    insert(REVIEW_ALERT).values(alert=alert, country=country, **values)
                )

    return fold


def _moved(connection: Connection, origin: str, old: int, new: int) -> bool:
    """Whether this transaction may fold the entries from `old` to `new`."""
    swap = (
        update(REVIEW_HEAD)
        .where(REVIEW_HEAD.c.log == origin, REVIEW_HEAD.c.size == old)
        .values(size=new)
    )
    if connection.execute(swap).rowcount:
        return True
    if old:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(REVIEW_HEAD).values(log=origin, size=new))
    except IntegrityError:
        return False
    return True


def _written(item: Item) -> str:
    return orjson.dumps(asdict(item)).decode()


def _kept(row: Any) -> Kept:
    members = orjson.loads(row.item)
    for name in ("raised", "moved", "due"):
        if members[name] is not None:
            members[name] = datetime.fromisoformat(members[name])
    members["state"] = State(members["state"])
    members["about"] = tuple(members["about"])
    members["steps"] = tuple((log, index) for log, index in members["steps"])
    return Kept(Item(**members), row.officer, row.question)
