# SPDX-License-Identifier: EUPL-1.2
"""Sets of entries of one log, a bit for each: a million entries take 125 kB, however scattered."""

from collections.abc import Iterable, Iterator

_BYTE = 8


class Marks:
    """A set of entry numbers. `_bits` is owned by `add`, `discard` and `add_span`."""

    __slots__ = ("_bits",)

    def __init__(self, indices: Iterable[int] = ()) -> None:
        """Start with these."""
        self._bits = bytearray()
        for index in indices:
            self.add(index)

    def add(self, index: int) -> None:
        """Put an entry in."""
        place, bit = divmod(index, _BYTE)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits)))
        self._bits[place] |= 1 << bit

    def add_span(self, span: range) -> None:
        """Put a run of entries in. Bound it first: memory grows with its end."""
        for index in span:
            self.add(index)

    def discard(self, index: int) -> None:
        """Take an entry out."""
        place, bit = divmod(index, _BYTE)
        if place < len(self._bits):
            self._bits[place] &= ~(1 << bit)

    def __contains__(self, index: int) -> bool:
        place, bit = divmod(index, _BYTE)
        return place < len(self._bits) and bool(self._bits[place] >> bit & 1)

    def __iter__(self) -> Iterator[int]:
        for place, byte in enumerate(self._bits):
            if byte:
                for bit in range(_BYTE):
                    if byte >> bit & 1:
                        yield place * _BYTE + bit

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()
