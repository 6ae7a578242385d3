# SPDX-License-Identifier: EUPL-1.2
"""Attestations: one row of the fact register each, read and written in one place.

docs/formats/facts.md. A row that can't be read is an error: a statement that was guessed at could
be the one that restricts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy import Column, Integer, MetaData, RowMapping, String, Table, insert

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


def attestation_of(row: RowMapping) -> Attestation:
    """The statement that a row holds.

    Raises:
        FactRegisterError: the row is not of the form.
    """
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
