# SPDX-License-Identifier: EUPL-1.2
"""The gateway's own state: case numbers, used tokens, uses of rule lines, rule versions taken.

A case number is issued at random per pseudonym domain and remembered beside the pseudonym;
neither leads to a person without the country's keyset. Numbers are unique within a domain.
"""

import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from anonymise import Domain, format_case_no
from gateway.store import Store

METADATA: Final = MetaData()
CASE_NUMBER: Final = Table(
    "case_number",
    METADATA,
    Column("domain", String(120), primary_key=True),
    Column("case_no", String(32), primary_key=True),
    Column("pseudonym", LargeBinary(16), nullable=False),
    UniqueConstraint("domain", "pseudonym"),
)
USED_TOKEN: Final = Table(
    "used_token",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("expires", String(20), nullable=False),
)
RULE_VERSION: Final = Table(
    # By part, the newest version ever taken; by log, the digest last in force (gateway/ruleset).
    "rule_version",
    METADATA,
    Column("part", String(160), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
)
RULE_USE: Final = Table(
    "rule_use",
    METADATA,
    Column("term", String(120), primary_key=True),
    Column("uses", Integer, nullable=False),
    Column("last_use", Date, nullable=False),
)
SUSPENDED: Final = Table(
    "suspended",
    METADATA,
    Column("kind", String(8), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("issuer", String(255), primary_key=True),
)
REVIEW_ALERT: Final = Table(
    # Folded from the log (gateway/reviews); `officer` and `question` are keyed, and go once closed.
    "review_alert",
    METADATA,
    Column("alert", String(64), primary_key=True),
    Column("country", String(8), nullable=False),
    Column("item", Text, nullable=False),
    Column("officer", LargeBinary(32)),
    Column("question", LargeBinary),
)
REVIEW_HEAD: Final = Table(
    # By log, how many of its entries were folded into alerts.
    "review_head",
    METADATA,
    Column("log", String(128), primary_key=True),
    Column("size", BigInteger, nullable=False),
)
_BITS: Final = 50
_CACHED: Final = 100_000


class IssuedCaseNumbers:
    """Case numbers in the state database, with a bounded cache of those seen lately."""

    def __init__(self, store: Store) -> None:
        """Use an opened store."""
        self._store = store
        self._cache: OrderedDict[tuple[str, bytes], str] = OrderedDict()

    async def issue(self, domain: Domain, pseudonyms: Sequence[bytes]) -> Mapping[bytes, str]:
        """The case number of each pseudonym, issued now where there is none.

        Raises:
            StoreError: the state database does not answer.
        """
        label = _label(domain)
        known = {p: self._cache[label, p] for p in pseudonyms if (label, p) in self._cache}
        missing = sorted({p for p in pseudonyms if p not in known})
        if missing:
            fresh = await self._store.run(
                lambda connection: _look_up_or_issue(connection, label, domain.country, missing)
            )
            for pseudonym, number in fresh.items():
                self._cache[label, pseudonym] = number
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
            known |= fresh
        return known

    async def resolve(self, domain: Domain, case_no: str) -> bytes | None:
        """The pseudonym behind a case number of this domain, None when there is none.

        Raises:
            StoreError: the state database does not answer.
        """
        statement = select(CASE_NUMBER.c.pseudonym).where(
            CASE_NUMBER.c.domain == _label(domain), CASE_NUMBER.c.case_no == case_no
        )
        found: bytes | None = await self._store.run(
            lambda connection: connection.execute(statement).scalar_one_or_none()
        )
        return found


class UsedTokens:
    """Consultation tokens that were used: a second use is refused."""

    def __init__(self, store: Store) -> None:
        """Use an opened store."""
        self._store = store

    async def used(self, digest: str) -> bool:
        """Whether a token was used.

        Raises:
            StoreError: the state database does not answer.
        """
        statement = select(USED_TOKEN.c.digest).where(USED_TOKEN.c.digest == digest)
        return await self._store.run(
            lambda connection: connection.execute(statement).first() is not None
        )

    async def use(self, digest: str, expires: str) -> bool:
        """Mark a token as used; False when it was used before.

        Raises:
            StoreError: the state database does not answer.
        """

        def mark(connection: Connection) -> bool:
            try:
                with connection.begin_nested():
                    connection.execute(insert(USED_TOKEN).values(digest=digest, expires=expires))
            except IntegrityError:
                return False
            return True

        return await self._store.run(mark)


def _label(domain: Domain) -> str:
    # The first root's domains have no version in theirs: they were issued before there was another.
    parts = domain.parts if domain.version == 1 else (*domain.parts, str(domain.version))
    return "|".join(parts)


def _look_up_or_issue(
    connection: Connection, label: str, country: str, pseudonyms: Sequence[bytes]
) -> dict[bytes, str]:
    known = _issued(connection, label, pseudonyms)
    for pseudonym in pseudonyms:
        while pseudonym not in known:
            number = format_case_no(country, secrets.randbits(_BITS))
            row = {"domain": label, "case_no": number, "pseudonym": pseudonym}
            try:
                with connection.begin_nested():
                    connection.execute(insert(CASE_NUMBER).values(row))
            except IntegrityError:
                # The number is taken: draw again. Or another gateway was first: use its number.
                known |= _issued(connection, label, [pseudonym])
            else:
                known[pseudonym] = number
    return known


def _issued(connection: Connection, label: str, pseudonyms: Sequence[bytes]) -> dict[bytes, str]:
    rows = connection.execute(
        select(CASE_NUMBER.c.pseudonym, CASE_NUMBER.c.case_no).where(
            CASE_NUMBER.c.domain == label, CASE_NUMBER.c.pseudonym.in_(pseudonyms)
        )
    )
    return {row.pseudonym: row.case_no for row in rows}
