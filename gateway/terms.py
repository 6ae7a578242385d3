# SPDX-License-Identifier: EUPL-1.2
"""Uses of rule lines and single permissions that are counted: how many answers, and when last.

Counts live in the state database and rise before an answer leaves, in one transaction with the
check, so that two askers can't share a last use. A database that does not answer makes every
counted line count as over. Rule sets without such terms never come here. The pipeline relies on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.facts import Attestation, FactRegister
from gateway.inquiry import Inquiry
from gateway.onward import CONSENT
from gateway.outcome import Outcome
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


async def permitted(
    inquiry: Inquiry, lenders: frozenset[str], facts: FactRegister, terms: Terms
) -> Inquiry:
    """The question with the counted permissions that it may rest on, and those that are over.

    Only what is about this question is looked up: the register keeps every permission ever given.
    """
    if not facts.counts:
        return inquiry
    owners = lenders.union(inquiry.asked.owners)
    held = {owner: _held(inquiry, owner, facts) for owner in owners}
    found = list({one.key: one for each in held.values() for one in each}.values())
    over = await terms.over(found, inquiry.now.date())
    live = {
        owner: tuple(one for one in each if one.key not in over) for owner, each in held.items()
    }
    return replace(inquiry, held=live, over=over, lenders=lenders)


def spent_by(inquiry: Inquiry, outcome: Outcome, facts: FactRegister) -> list[Counted]:
    """What this answer uses up: terms of its lines, and the permissions without which it may fail.

    The permissions are those at the start of the question and those that came since.
    """
    terms = inquiry.snapshot.book.terms
    found: list[Counted] = [
        term for rule in outcome.rules if (term := terms.get(rule)) and term.counted
    ]
    if not facts.counts and not inquiry.held:
        return found
    owner = outcome.owner
    guards = inquiry.snapshot.rests_on(inquiry.question, owner, outcome.rules)
    held = (*inquiry.held.get(owner, ()), *_held(inquiry, owner, facts))
    found.extend(one for one in held if one.fact in guards)
    for lender in inquiry.lenders:
        consents = (*inquiry.held.get(lender, ()), *_held(inquiry, lender, facts))
        found.extend(one for one in consents if one.fact == CONSENT)
    return found


def _held(inquiry: Inquiry, owner: str, facts: FactRegister) -> tuple[Attestation, ...]:
    """Counted permissions; what speaks against somebody is none, and does not end by itself."""
    guards = inquiry.snapshot.vocabulary.guards
    return tuple(
        one
        for one in facts.permissions(inquiry.scope(owner), inquiry.now)
        if one.fact in guards and not guards[one.fact].harmful
    )


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
