# SPDX-License-Identifier: EUPL-1.2
"""The gateway's own state: case numbers, used tokens, uses of rule lines, rule versions taken.

A case number is issued at random per pseudonym domain and remembered beside the pseudonym;
neither leads to a person without the country's keyset. Numbers are unique within a domain. A keyed
tag over domain, number and pseudonym stands beside each: who writes the database alone can't make a
number lead to somebody else. docs/formats/pseudonym.md section 5.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from anonymise import Domain, format_case_no
from gateway.errors import GatewayError
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
CASE_NUMBER_TAG: Final = Table(
    # The keyed tag of each case number, written in the same transaction.
    "case_number_tag",
    METADATA,
    Column("domain", String(120), primary_key=True),
    Column("case_no", String(32), primary_key=True),
    Column("tag", LargeBinary(32), nullable=False),
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
CASE_NUMBERS: Final = "case numbers"  # the label of the tags' key
_BITS: Final = 50
_CACHED: Final = 100_000
_AT_ONCE: Final = 1000
_TAGGED: Final = select(CASE_NUMBER, CASE_NUMBER_TAG.c.tag).outerjoin(
    CASE_NUMBER_TAG,
    and_(
        CASE_NUMBER_TAG.c.domain == CASE_NUMBER.c.domain,
        CASE_NUMBER_TAG.c.case_no == CASE_NUMBER.c.case_no,
    ),
)


class CaseNumberError(GatewayError):
    """A stored case number has no tag that fits; it is neither used nor issued over."""


class IssuedCaseNumbers:
    """Case numbers in the state database, with a bounded cache of those seen lately."""

    def __init__(self, store: Store, key: bytes, unfit: Callable[[], None]) -> None:
        """Use an opened store.

        Args:
            store: of the gateway's state.
            key: of the tags, 32 bytes, the same for every gateway of this keyset.
            unfit: called for each number that was met without a tag that fits.
        """
        self._store, self._key, self._unfit = store, key, unfit
        self._cache: OrderedDict[tuple[str, bytes], str] = OrderedDict()

    async def issue(self, domain: Domain, pseudonyms: Sequence[bytes]) -> Mapping[bytes, str]:
        """The case number of each pseudonym, issued now where there is none.

        Raises:
            CaseNumberError: the number that is stored for one has no tag that fits.
            StoreError: the state database does not answer.
        """
        label = _label(domain)
        known = {p: self._cache[label, p] for p in pseudonyms if (label, p) in self._cache}
        missing = sorted({p for p in pseudonyms if p not in known})
        if missing:
            try:
                fresh = await self._store.run(
                    lambda connection: _Numbers(connection, self._key, label).of(
                        domain.country, missing
                    )
                )
            except CaseNumberError:
                self._unfit()
                raise
            for pseudonym, number in fresh.items():
                self._cache[label, pseudonym] = number
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
            known |= fresh
        return known

    async def resolve(self, domain: Domain, case_no: str) -> bytes | None:
        """The pseudonym behind a case number of this domain, None when there is none.

        One without a tag that fits leads to nobody.

        Raises:
            StoreError: the state database does not answer.
        """
        statement = _TAGGED.where(
            CASE_NUMBER.c.domain == _label(domain), CASE_NUMBER.c.case_no == case_no
        )
        found = await self._store.run(lambda connection: connection.execute(statement).first())
        if found is None:
            return None
        if not _fits(self._key, found):
            self._unfit()
            return None
        pseudonym: bytes = found.pseudonym
        return pseudonym


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


def unfitting(connection: Connection, key: bytes) -> int:
    """How many stored case numbers have no tag that fits."""
    rows = connection.execute(_TAGGED.execution_options(yield_per=_AT_ONCE))
    return sum(not _fits(key, row) for row in rows)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of one domain, within one transaction."""

    connection: Connection
    key: bytes
    label: str

    def of(self, country: str, pseudonyms: Sequence[bytes]) -> dict[bytes, str]:
        """Of each pseudonym its number, issued where there is none."""
        known = self._issued(pseudonyms)
        for pseudonym in pseudonyms:
            while pseudonym not in known:
                number = format_case_no(country, secrets.randbits(_BITS))
                try:
                    with self.connection.begin_nested():
                        self._insert(number, pseudonym)
                except IntegrityError:
                    # The number is taken: draw again. Or another gateway was first: use its number.
                    known |= self._issued([pseudonym])
                else:
                    known[pseudonym] = number
        return known

    def _insert(self, number: str, pseudonym: bytes) -> None:
        place = {"domain": self.label, "case_no": number}
        tag = _tag(self.key, self.label, number, pseudonym)
        self.connection.execute(insert(CASE_NUMBER).values(pseudonym=pseudonym, **place))
        self.connection.execute(insert(CASE_NUMBER_TAG).values(tag=tag, **place))

    def _issued(self, pseudonyms: Sequence[bytes]) -> dict[bytes, str]:
        rows = self.connection.execute(
            _TAGGED.where(
                CASE_NUMBER.c.domain == self.label, CASE_NUMBER.c.pseudonym.in_(pseudonyms)
            )
        ).all()
        if not all(_fits(self.key, row) for row in rows):
            raise CaseNumberError(
                "a stored case number has no tag that fits; see `cuvar doctor`, and restore the "
                "state database"
            )
        return {row.pseudonym: row.case_no for row in rows}


def _fits(key: bytes, row: Row[Any]) -> bool:
    tag = _tag(key, row.domain, row.case_no, row.pseudonym)
    return row.tag is not None and hmac.compare_digest(tag, row.tag)


def _tag(key: bytes, label: str, number: str, pseudonym: bytes) -> bytes:
    """HMAC-SHA256 over the three, each behind its length in two bytes."""
    parts = (label.encode(), number.encode(), pseudonym)
    told = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return hmac.digest(key, told, "sha256")
