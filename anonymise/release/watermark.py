# SPDX-License-Identifier: EUPL-1.2
"""Three marks that name the recipient of a published copy; none changes a figure.

A line of text, for honest eyes. The order of the rows: distinct rows ascend by a keyed hash of what
they say, so that any part of a copy that kept its order shows whose it is, without the original.
And a tag on each row, ten symbols that only this copy has, so that rows torn out or sorted anew
show it too. Who has only the copy can tell neither order nor tags from chance. What removes all
three is taking the values alone and sorting them: docs/formats/release.md, section 4.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from anonymise.case_number import ALPHABET

SYMBOLS: Final = 10
_SYMBOL_BITS: Final = 5
_TAG_BITS: Final = SYMBOLS * _SYMBOL_BITS
_SEPARATOR: Final = "\x1f"
_SURE: Final = 6.0  # standard deviations; chance passes that once in a thousand million tries
_FEWEST_TAGS: Final = 3

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Mark:
    """The keys of one published copy; `repr` does not show them."""

    secret: bytes

    def rank(self, row: Row) -> bytes:
        """Where a distinct row stands in the order of this copy."""
        key = self._key(b"order")
        return hashlib.blake2b(
            _SEPARATOR.join(row).encode(), key=key, digest_size=16, person=b"cuvar-release"
        ).digest()

    def tags(self, rows: int) -> NDArray[np.bytes_]:
        """The tag of each row, from the first."""
        counters = np.zeros((rows, 2), ">u8")
        counters[:, 1] = np.arange(rows)
        # Single blocks, each a distinct counter: a keyed permutation, cut short.
        cipher = Cipher(AES(self._key(b"tags")), ECB()).encryptor()  # noqa: S305
        blocks = np.frombuffer(cipher.update(counters.tobytes()), ">u8").reshape(-1, 2)[:, 0]
        symbols = np.frombuffer(ALPHABET.encode(), np.uint8)
        shifts = np.arange(64 - _SYMBOL_BITS, 64 - _TAG_BITS - 1, -_SYMBOL_BITS, dtype=np.uint64)
        places = (blocks.astype(np.uint64)[:, None] >> shifts) & np.uint64(31)
        made: NDArray[np.bytes_] = symbols[places].view(f"S{SYMBOLS}").ravel()
        return made

    def _key(self, use: bytes) -> bytes:
        return hashlib.blake2b(use, key=self.secret, digest_size=32, person=b"cuvar-mark").digest()


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far a leaked copy looks like one published copy.

    Attributes:
        rising: Steps from one distinct row to the next that rise in this copy's order.
        steps: Steps in all.
        tags: Tags of the leaked copy that this copy has.
    """

    rising: int
    steps: int
    tags: int

    @property
    def deviations(self) -> float:
        """How far `rising` is above chance, in standard deviations.

        A random order of n things rises (n - 1)/2 times, with variance (n + 1)/12.
        """
        if not self.steps:
            return 0.0
        return (self.rising - self.steps / 2) / sqrt((self.steps + 2) / 12)

    @property
    def is_sure(self) -> bool:
        """Whether chance can be left out of account."""
        return self.deviations >= _SURE or self.tags >= _FEWEST_TAGS


def liken(mark: Mark, rows: Sequence[Row], tags: Sequence[str], issued: int) -> Likeness:
    """Hold a leaked copy against a published one.

    Args:
        mark: Of the published copy.
        rows: The leaked rows in their order, without tags.
        tags: Its tags, if it has any.
        issued: Rows of the published copy.
    """
    ranks = [mark.rank(row) for row in dict.fromkeys(rows)]
    rising = sum(before < after for before, after in pairwise(ranks))
    found = 0
    if tags:
        own = mark.tags(issued)
        given = np.unique(np.array([tag.encode("ascii", "replace") for tag in tags]))
        found = int(np.isin(given, own).sum())
    return Likeness(rising, max(len(ranks) - 1, 0), found)
