# SPDX-License-Identifier: EUPL-1.2
"""Uses of rule lines whose term is counted: how many answers they gave, and when last.

Counts live in the state database and rise before an answer leaves, in one transaction with the
check, so that two askers can't share a last use. A database that does not answer makes every
counted line count as over. Rule sets without such terms never come here. The pipeline relies on it.
"""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.state import RULE_USE
from gateway.store import Store, StoreError
from policies import Snapshot, Term


class _SpentError(Exception):
    """Somebody took the last use; what was counted in this transaction is taken back."""


class RuleTerms:
    """Counts uses in the state database."""

    def __init__(self, store: Store) -> None:
        """Use an opened store."""
        self._store = store

    async def over(self, snapshot: Snapshot, today: date) -> frozenset[str]:
        """The lines that are spent or lapsed today; every counted one when nobody can say."""
        counted = {t.key: t for t in snapshot.book.terms.values() if t.counted}
        if not counted:
            return frozenset()
        wanted = select(RULE_USE).where(RULE_USE.c.term.in_(counted))
        try:
            rows = await self._store.run(lambda connection: connection.execute(wanted).all())
        except StoreError:
            return frozenset(term.rule for term in counted.values())
        used = {row.term: (row.uses, row.last_use) for row in rows}
        return frozenset(
            term.rule
            for key, term in counted.items()
            if term.over(*used.get(key, (0, None)), today)
        )

    async def spend(self, snapshot: Snapshot, rules: Iterable[str], today: date) -> bool:
        """Count one answer that these lines gave; False, and nothing counted, when one is spent.

        Raises:
            StoreError: it can't be counted, so it may not be answered.
        """
        terms = [t for r in sorted(rules) if (t := snapshot.book.terms.get(r)) and t.counted]
        if not terms:
            return True

        def work(connection: Connection) -> None:
            for term in terms:
                _count(connection, term, today)

        try:
            await self._store.run(work)
        except _SpentError:
            return False
        return True


def _count(connection: Connection, term: Term, today: date) -> None:
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
