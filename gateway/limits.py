# SPDX-License-Identifier: EUPL-1.2
"""How much one officer and one organisation may ask, and how many records one officer may take.

Token buckets: a bucket holds a minute's (an hour's) worth and refills evenly. The table of
buckets is bounded and its keys are keyed hashes (BLAKE2b), so that neither memory nor a dump of
it names an officer. Fails closed: when every bucket of a full table is in use, a newcomer is
turned away rather than let in uncounted (GDPR Art. 32; against scraping).

Effects: none but the table; the clock is passed in. One event loop owns each object.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Allowance", "Buckets", "Limits"]

_MINUTE = 60.0
_HOUR = 3_600.0
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether to go on; if not, after how many seconds to try again."""

    allowed: bool
    retry_after_s: float = 0.0


_GO = Allowance(allowed=True)


class Buckets:
    """Token buckets by keyed hash, least recently used first, at most `size` of them.

    Args:
        capacity: What a full bucket holds.
        period_s: Seconds in which an empty bucket fills.
        size: Most buckets at once.
        key: 16 to 64 secret bytes, new for each process.
        clock: Monotonic seconds.
    """

    def __init__(
        self, capacity: int, period_s: float, *, size: int, key: bytes, clock: Callable[[], float]
    ) -> None:
        self._capacity = float(capacity)
        self._rate = capacity / period_s
        self._period_s = period_s
        self._size = size
        self._hash = hashlib.blake2b(key=key, digest_size=_DIGEST_BYTES)
        self._clock = clock
        # INVARIANT: ordered by time of last use; (level, time) of each bucket.
        self._table: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def peek(self, name: str, amount: float) -> Allowance:
        """Whether `amount` could be taken now. Takes nothing."""
        return self._look(self._digest(name), amount, self._clock())[0]

    def take(self, name: str, amount: float) -> Allowance:
        """Take `amount`, or nothing at all."""
        now, digest = self._clock(), self._digest(name)
        allowance, level = self._look(digest, amount, now)
        if not allowance.allowed:
            return allowance
        if digest not in self._table and len(self._table) >= self._size:
            self._table.popitem(last=False)
        self._table[digest] = (level - amount, now)
        self._table.move_to_end(digest)
        return _GO

    def _look(self, digest: bytes, amount: float, now: float) -> tuple[Allowance, float]:
        """Whether `amount` fits, and the bucket's level."""
        bucket = self._table.get(digest)
        if bucket is None:
            if not self._has_room(now):
                return Allowance(allowed=False, retry_after_s=self._period_s), 0.0
            level = self._capacity
        else:
            level = self._level(bucket, now)
        if amount <= level:
            return _GO, level
        wait = min((amount - level) / self._rate, self._period_s)
        return Allowance(allowed=False, retry_after_s=wait), level

    def __len__(self) -> int:
        return len(self._table)

    def _digest(self, name: str) -> bytes:
        hasher = self._hash.copy()
        hasher.update(name.encode("utf-8", "surrogatepass"))
        return hasher.digest()

    def _level(self, bucket: tuple[float, float], now: float) -> float:
        level, since = bucket
        return min(self._capacity, level + (now - since) * self._rate)

    def _has_room(self, now: float) -> bool:
        """Whether a newcomer fits: a free place, or an oldest bucket that is full again."""
        if len(self._table) < self._size:
            return True
        oldest = next(iter(self._table.values()))
        return self._level(oldest, now) >= self._capacity


class Limits:
    """The three limits of one gateway, from the settings' section `limits`.

    Args:
        officer_per_minute: Questions per officer.
        organisation_per_minute: Questions per organisation.
        records_per_hour: Records released per officer.
        looks_per_hour: Persons looked for across a border per officer.
        size: Bound of each table.
        key: Secret bytes for the hashes.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        officer_per_minute: int,
        organisation_per_minute: int,
        records_per_hour: int,
        looks_per_hour: int,
        size: int,
        key: bytes,
        clock: Callable[[], float],
    ) -> None:
        self._officers = Buckets(officer_per_minute, _MINUTE, size=size, key=key, clock=clock)
        self._organisations = Buckets(
            organisation_per_minute, _MINUTE, size=size, key=key, clock=clock
        )
        self._records = Buckets(records_per_hour, _HOUR, size=size, key=key, clock=clock)
        self._looks = Buckets(looks_per_hour, _HOUR, size=size, key=key, clock=clock)

    def ask(self, issuer: str, officer: str, organisation: str) -> Allowance:
        """Count one question, before anything is decided or fetched.

        An officer is an issuer's subject: two issuers' equal subjects are two officers. A
        question that one limit turns away is charged to neither.
        """
        name = _officer(issuer, officer)
        own = self._officers.peek(name, 1)
        if not own.allowed:
            return own
        shared = self._organisations.take(organisation, 1)
        return self._officers.take(name, 1) if shared.allowed else shared

    def release(self, issuer: str, officer: str, records: int) -> Allowance:
        """Count the records of an answer, before it is released; refused is not counted."""
        if records < 0:
            return Allowance(allowed=False, retry_after_s=_HOUR)
        return self._records.take(_officer(issuer, officer), records)

    def look(self, issuer: str, officer: str) -> Allowance:
        """Count one person looked for across a border: who tries many is no officer with a case."""
        return self._looks.take(_officer(issuer, officer), 1)


def _officer(issuer: str, officer: str) -> str:
    return f"{len(issuer)}:{issuer}{officer}"
