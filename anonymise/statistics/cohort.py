# SPDX-License-Identifier: EUPL-1.2
"""Cohorts: whom a figure counts, as a keyed sketch that names nobody.

Each member's reference is put through keyed BLAKE2b (RFC 7693). The sum of the first 16 bytes,
modulo 2^128, says whether two cohorts are the same people; a parity of 2,048 bits says how far
apart they are at least. Each member turns one bit over, so two cohorts that differ in d members
differ in at most d bits: a distance told here is never larger than the true one, and a query is
never taken for safe that is not. It may be a little smaller (two members on one bit), which only
refuses more. Differencing: GDP-38, WP29 Opinion 05/2014.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b
from typing import Self

from anonymise.errors import LedgerError

BITS = 2048
_ADDEND = 16
_BIT = 2
_SHORT = BITS // 16  # with fewer bits than this, their places are shorter than the bits
_MODULUS = 1 << 128

Mark = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Whom a figure counts.

    Attributes:
        size: members, exact; never published as it is.
        digest: the same for the same members, whatever their order.
        parity: 2,048 bits.
    """

    size: int = 0
    digest: int = 0
    parity: int = 0

    def __add__(self, other: "Cohort") -> "Cohort":
        """Both together, where nobody is in both."""
        return Cohort(
            self.size + other.size,
            (self.digest + other.digest) % _MODULUS,
            self.parity ^ other.parity,
        )

    def apart(self, other: "Cohort") -> int:
        """In how many members the two differ at least; 0 only for the same members."""
        if self.digest == other.digest and self.size == other.size:
            return 0
        bits = (self.parity ^ other.parity).bit_count()
        return max(1, bits, abs(self.size - other.size))

    def encode(self) -> bytes:
        """Size, digest, then the bits or the places of those that are set."""
        head = self.size.to_bytes(6, "big") + self.digest.to_bytes(_ADDEND, "big")
        if self.parity.bit_count() >= _SHORT:
            return head + self.parity.to_bytes(BITS // 8, "big")
        places, left = [], self.parity
        while left:
            lowest = left & -left
            places.append((lowest.bit_length() - 1).to_bytes(_BIT, "big"))
            left ^= lowest
        return head + b"".join(places)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The cohort that `encode` wrote.

        Raises:
            LedgerError: It did not.
        """
        head, rest = data[: 6 + _ADDEND], data[6 + _ADDEND :]
        if len(rest) == BITS // 8:
            parity = int.from_bytes(rest, "big")
        else:
            places = [int.from_bytes(rest[at : at + _BIT], "big") for at in range(0, len(rest), 2)]
            if any(place >= BITS for place in places):
                raise LedgerError("a cohort has a place beyond its bits; the record is damaged")
            parity = sum(1 << place for place in places)
        cohort = cls(int.from_bytes(head[:6], "big"), int.from_bytes(head[6:], "big"), parity)
        if cohort.encode() != data:
            raise LedgerError("a cohort is not written as it should be; the record is damaged")
        return cohort


NOBODY = Cohort()


def marker(key: bytes) -> Callable[[str], Mark]:
    """The function that turns one member's reference into its mark; `key` is 32 secret bytes."""
    keyed = blake2b(key=key, digest_size=_ADDEND + _BIT, person=b"cuvar cohort 1")

    def mark(member: str) -> Mark:
        state = keyed.copy()
        state.update(member.encode())
        drawn = state.digest()
        return int.from_bytes(drawn[:_ADDEND], "big"), int.from_bytes(drawn[_ADDEND:], "big") % BITS

    return mark


def cohort_of(marks: Iterable[Mark]) -> Cohort:
    """The cohort of these members, each once."""
    size = digest = parity = 0
    for addend, place in marks:
        size += 1
        digest += addend
        parity ^= 1 << place
    return Cohort(size, digest % _MODULUS, parity)


def together(cohorts: Iterable[Cohort]) -> Cohort:
    """All of them, where nobody is in two."""
    return reduce(Cohort.__add__, cohorts, NOBODY)


def cohorts_of(
    members: Mapping[tuple[str, ...], frozenset[str]], key: bytes
) -> tuple[dict[tuple[str, ...], Cohort], Cohort]:
    """The cohort of each cell, and that of everybody in the table."""
    mark = marker(key)
    marks = {who: mark(who) for who in frozenset().union(*members.values())}
    cells = {cell: cohort_of(map(marks.__getitem__, whom)) for cell, whom in members.items()}
    return cells, cohort_of(marks.values())
