# SPDX-License-Identifier: EUPL-1.2
"""Which rows of codes are alike: packed into numbers, which sort many times faster than rows do."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def distinct(
    columns: Sequence[NDArray[np.int32]], widths: Sequence[int]
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
        if room * width >= 1 << 62:
            first, rank = np.unique(rank, return_inverse=True)
            room = len(first)
        rank = rank * width + column
        room *= width
    _, first, rank = np.unique(rank, return_index=True, return_inverse=True)
    return first, rank


def distinct_boxes(boxes: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same for boxes of shape (n, columns, 2)."""
    flat = boxes.reshape(len(boxes), -1)
    if not len(flat):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    columns = [flat[:, place] for place in range(flat.shape[1])]
    return distinct(columns, [int(column.max()) + 1 for column in columns])
