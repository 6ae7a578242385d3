# SPDX-License-Identifier: EUPL-1.2
"""Where a term occurs among 65,536 entries: sorted offsets, or a bitmap once that is smaller.

As in roaring bitmaps. Up to 4,095 offsets are 16-bit little-endian numbers; from 4,096 on it is a
bitmap of 8,192 bytes, the first entry in the highest bit of the first byte. The length tells which.
docs/formats/review-index.md; `audit.review.index` and `audit.review.queries` rely on it.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.errors import LogCorruptError

PART: Final = 65_536
_BITMAP: Final = PART // 8
_MOST: Final = _BITMAP // 2

Offsets = NDArray[np.uint16]


def pack(offsets: Iterable[int]) -> bytes:
    """The bytes of sorted offsets without repetition."""
    numbers = np.fromiter(offsets, dtype=np.uint16)
    if len(numbers) < _MOST:
        return numbers.astype("<u2").tobytes()
    bits = np.zeros(PART, dtype=np.bool_)
    bits[numbers] = True
    return np.packbits(bits).tobytes()


def _checked(data: object) -> bytes:
    if not isinstance(data, bytes) or len(data) > _BITMAP or len(data) % 2:
        raise LogCorruptError("the index is damaged; run `cuvar review index build` anew")
    return data


def unpack(data: object) -> Offsets:
    """The offsets, sorted.

    Raises:
        LogCorruptError: these bytes are neither form.
    """
    known = _checked(data)
    if len(known) < _BITMAP:
        return np.frombuffer(known, dtype="<u2").astype(np.uint16, copy=False)
    bits = np.unpackbits(np.frombuffer(known, dtype=np.uint8))
    return np.flatnonzero(bits).astype(np.uint16)


def held(candidates: Offsets, data: object) -> Offsets:
    """Those of the candidates that the packed bytes hold too.

    Raises:
        LogCorruptError: these bytes are neither form.
    """
    known = _checked(data)
    if len(known) == _BITMAP:
        bitmap = np.frombuffer(known, dtype=np.uint8)
        bits = bitmap[candidates >> 3] >> (7 - (candidates & 7)).astype(np.uint8)
        return np.asarray(candidates[(bits & 1).astype(np.bool_)], dtype=np.uint16)
    return _both(candidates, unpack(known))


def _both(one: Offsets, other: Offsets) -> Offsets:
    return np.asarray(np.intersect1d(one, other, assume_unique=True), dtype=np.uint16)


def common(packed: list[object], sets: list[Offsets]) -> Offsets:
    """What all packed bytes and all sets hold, sorted; all of a part where there are none.

    Raises:
        LogCorruptError: bytes of neither form.
    """
    known = [_checked(data) for data in packed]
    lists = [*sets, *(unpack(data) for data in known if len(data) < _BITMAP)]
    bitmaps = [data for data in known if len(data) == _BITMAP]
    if not lists:
        return _of_bitmaps(bitmaps)
    lists.sort(key=len)
    found = lists[0]
    for bitmap in bitmaps:
        found = held(found, bitmap)
    for other in lists[1:]:
        found = _both(found, other)
    return found


def _of_bitmaps(bitmaps: list[bytes]) -> Offsets:
    if not bitmaps:
        return np.arange(PART, dtype=np.uint16)
    left = np.frombuffer(bitmaps[0], dtype=np.uint8)
    for bitmap in bitmaps[1:]:
        left = left & np.frombuffer(bitmap, dtype=np.uint8)
    return unpack(left.tobytes())


def either(packed: list[object]) -> Offsets:
    """The offsets that at least one of them holds, sorted; None stands for none.

    Raises:
        LogCorruptError: bytes of neither form.
    """
    known = [unpack(data) for data in packed if data is not None]
    if not known:
        return np.empty(0, dtype=np.uint16)
    return known[0] if len(known) == 1 else np.unique(np.concatenate(known))
