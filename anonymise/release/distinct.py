# SPDX-License-Identifier: EUPL-1.2
"""Which rows of codes are alike: packed into numbers, which sort many times faster than rows do."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROOM: Final = 1 << 62  # of one packed number
_SMALL: Final = 1 << 16


def distinct(
    columns: Sequence[NDArray[np.integer[Any]]], widths: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row of each distinct one, in order of its values, and the rank of every row's.

    Columns are packed into one number as long as it lasts, and ranked in between.

    Args:
        columns: Of one length, all at least 0.
        widths: One more than the largest value of each may be.
    """
    rank = np.zeros(len(columns[0]), np.int64)
    room, first = 1, np.zeros(1, np.int64)
    for column, width in zip(columns, widths, strict=True):
        if room * width >= ROOM:
            first, rank = ranked(rank)
            room = len(first)
        rank = rank * width + column
        room *= width
    return _counted(rank, room) if room <= len(rank) + _SMALL else ranked(rank)


def _counted(keys: NDArray[np.int64], room: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`ranked` where keys are so few that each has a place of its own."""
    first = np.full(room, len(keys), np.int64)
    first[keys[::-1]] = np.arange(len(keys) - 1, -1, -1)  # the first one is written last
    there = first < len(keys)
    return first[there], (np.cumsum(there) - 1)[keys]


def ranked(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The place of each distinct key's first occurrence, in order, and the rank of every key."""
    if len(keys) and bool((keys[1:] >= keys[:-1]).all()):  # as tables come, and need no sorting
        new = np.ones(len(keys), bool)
        np.not_equal(keys[1:], keys[:-1], out=new[1:])
        return np.flatnonzero(new), np.cumsum(new) - 1
    _, first, rank = np.unique(keys, return_index=True, return_inverse=True)
    return first, rank


def packed(
    columns: Sequence[NDArray[np.integer[Any]]], widths: Sequence[int]
) -> tuple[NDArray[np.int64], ...]:
    """As few numbers a row as hold all its codes; they sort as the codes do."""
    made = [np.zeros(len(columns[0]), np.int64)]
    room = 1
    for column, width in zip(columns, widths, strict=True):
        if room * width >= ROOM:
            made.append(np.zeros(len(column), np.int64))
            room = 1
        made[-1] = made[-1] * width + column
        room *= width
    return tuple(made)


def distinct_boxes(boxes: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same for boxes of shape (n, columns, 2)."""
    flat = boxes.reshape(len(boxes), -1)
    if not len(flat):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    columns = [flat[:, place] for place in range(flat.shape[1])]
    return distinct(columns, [int(column.max()) + 1 for column in columns])
