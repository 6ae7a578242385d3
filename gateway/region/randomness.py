# SPDX-License-Identifier: EUPL-1.2
"""Seeded streams of randomness, and the array types that the whole room uses.

Every part of the region draws from its own stream, named by what it is for. Adding a draw in one
part therefore changes nothing in another, and a country's register is the same whether it is
written first, last or in another process.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["MISSING", "Flags", "Floats", "Ints", "Texts", "choose", "stream", "texts", "thin"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

MISSING: Final = -(2**31)
"""An empty cell of an array of days, minutes or whole numbers."""


def stream(seed: int, *labels: str) -> np.random.Generator:
    """A generator of its own for one labelled purpose."""
    words = [zlib.crc32(label.encode()) for label in labels]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def choose(rng: np.random.Generator, weights: Floats | list[float], count: int) -> Ints:
    """`count` indices, each drawn in proportion to its weight."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
    return np.asarray(np.minimum(drawn, len(edges) - 1), dtype=np.int64)


def thin(rng: np.random.Generator, rate: float, count: int) -> Flags:
    """`count` independent coin tosses."""
    return rng.random(count) < rate


def texts(values: Sequence[object]) -> Texts:
    """An object array of exactly these values; numpy must not guess a string width."""
    made = np.empty(len(values), dtype=np.object_)
    made[:] = values
    return made
