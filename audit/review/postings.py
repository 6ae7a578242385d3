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
Bits = NDArray[np.uint8]


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


def _bitmap(data: bytes) -> Bits:
    """Packed bytes of either form as a bitmap."""
    if len(data) == _BITMAP:
        return np.frombuffer(data, dtype=np.uint8)
    return np.packbits(_mask(unpack(data)))


def _mask(offsets: Offsets) -> NDArray[np.bool_]:
    mask = np.zeros(PART, dtype=np.bool_)
    mask[offsets] = True
    return mask


def either(packed: Iterable[object]) -> bytes:
    """Packed bytes of the offsets that at least one of them holds; None stands for none.

    Raises:
        LogCorruptError: bytes of neither form.
    """
    known = [_checked(data) for data in packed if data is not None]
    if len(known) == 1:
        return known[0]
    if sum(map(len, known)) < _BITMAP:
        lists = [unpack(data) for data in known]
        return np.unique(np.concatenate(lists)).astype("<u2").tobytes() if lists else b""
    found = np.zeros(_BITMAP, dtype=np.uint8)
    for data in known:
        found |= _bitmap(data)
    return found.tobytes()


def common(packed: Iterable[object]) -> Offsets:
    """The offsets that all of them hold, sorted; all of a part where there are none.

    Raises:
        LogCorruptError: bytes of neither form.
    """
    known = sorted((_checked(data) for data in packed), key=len)
    if not known:
        return np.arange(PART, dtype=np.uint16)
    if len(known[0]) == _BITMAP:
        bits = _bitmap(known[0])
        for data in known[1:]:
            bits = bits & _bitmap(data)
        # Most often nothing is left where words never meet, and unpacking costs more than looking.
        return unpack(bits.tobytes()) if bits.any() else np.empty(0, dtype=np.uint16)
    found = unpack(known[0])
    for data in known[1:]:
        if not len(found):
            break
        found = _among(found, data)
    return found


def _among(candidates: Offsets, data: bytes) -> Offsets:
    """Those of the candidates that the packed bytes hold too."""
    if len(data) < _BITMAP:
        return np.asarray(candidates[_mask(unpack(data))[candidates]], dtype=np.uint16)
    bits = _bitmap(data)[candidates >> 3] >> (7 - (candidates & 7)).astype(np.uint8)
    return np.asarray(candidates[(bits & 1).astype(np.bool_)], dtype=np.uint16)
