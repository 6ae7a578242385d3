# SPDX-License-Identifier: EUPL-1.2
"""Uses of rule lines and single permissions that are counted: how many answers, and when last.

Counts live in the state database and rise before an answer leaves, in one transaction with the
check, so that two askers can't share a last use. A database that does not answer makes every
counted line count as over. Rule sets without such terms never come here. The pipeline relies on it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.facts import FactRegister, Scope
from gateway.state import RULE_USE
from gateway.store import Store, StoreError
from policies import Snapshot


class _SpentError(Exception):
    """Somebody took the last use; what was counted in this transaction is taken back."""


class Counted(Protocol):
    """Something that ends by use: the term of a rule line, or an attested permission."""

    @property
    def key(self) -> str:
        """What its uses are counted under."""

    @property
    def uses(self) -> int | None:
        """How many answers it is good for."""

    def over(self, uses: int, last_use: date | None, today: date) -> bool:
        """Whether it is over after so many."""


class Terms:
    """Counts uses in the state database."""

    def __init__(self, store: Store) -> None:
        """Use an opened store."""
        self._store = store

    async def lines_over(self, snapshot: Snapshot, today: date) -> frozenset[str]:
        """The rule lines that are spent or lapsed; every counted one when nobody can say."""
        counted = {t.key: t for t in snapshot.book.terms.values() if t.counted}
        over = await self.over(list(counted.values()), today)
        return frozenset(counted[key].rule for key in over)

    async def over(self, counted: Sequence[Counted], today: date) -> frozenset[str]:
        """Keys of those that are spent or lapsed; all of them when nobody can say."""
        if not counted:
            return frozenset()
        keys = frozenset(one.key for one in counted)
        wanted = select(RULE_USE).where(RULE_USE.c.term.in_(keys))
        try:
            rows = await self._store.run(lambda connection: connection.execute(wanted).all())
        except StoreError:
            return keys
        used = {row.term: (row.uses, row.last_use) for row in rows}
        return frozenset(
            one.key for one in counted if one.over(*used.get(one.key, (0, None)), today)
        )

    async def spend(self, counted: Iterable[Counted], today: date) -> bool:
        """Count one answer that all of these gave; False, and nothing counted, when one is over.

        Raises:
            StoreError: it can't be counted, so it may not be answered.
        """
        found = sorted({one.key: one for one in counted}.items())
        if not found:
            return True

        def work(connection: Connection) -> None:
            for _, one in found:
                _count(connection, one, today)

        try:
            await self._store.run(work)
        except _SpentError:
            return False
        return True


def counted_by(
    snapshot: Snapshot, rules: Iterable[str], facts: FactRegister, scope: Scope, now: datetime
) -> list[Counted]:
    """What an answer by these lines uses up: their terms, and the permissions they rested on."""
    found: list[Counted] = []
    guards: set[str] = set()
    for rule in rules:
        term = snapshot.book.terms.get(rule)
        if term is not None and term.counted:
            found.append(term)
        if facts.counted:
            guards.update(snapshot.book.guards_of(rule))
    for guard in sorted(guards):
        found.extend(one for one in facts.matching(guard, scope, now) if one.counted)
    return found


def _count(connection: Connection, term: Counted, today: date) -> None:
    """Raise the count by one unless the limit is reached; the check and the rise are one step."""
    table = RULE_USE.c
    rise = update(RULE_USE).where(table.term == term.key)
    if term.uses is not None:
        rise = rise.where(table.uses < term.uses)
    rise = rise.values(uses=table.uses + 1, last_use=today)
    if connection.execute(rise).rowcount == 1:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(RULE_USE).values(term=term.key, uses=1, last_use=today))
    except IntegrityError:
        # Somebody was first with the row, or the limit is reached.
        if connection.execute(rise).rowcount != 1:
            raise _SpentError from None
