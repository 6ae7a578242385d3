# SPDX-License-Identifier: EUPL-1.2
"""Seeded choices, the same on every machine."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """Things to choose from, each with its weight, summed up."""

    things: tuple[T, ...]
    sums: tuple[float, ...]

    @classmethod
    def of(cls, things: Sequence[T], weights: Sequence[float]) -> "Choice[T]":
        """Things and their weights."""
        return cls(tuple(things), tuple(accumulate(weights)))


@dataclass(frozen=True, slots=True)
class Dice:
    """One stream of choices."""

    stream: Random

    @classmethod
    def of(cls, seed: str) -> "Dice":
        """The stream of a seed; a text is hashed by the standard library, alike everywhere."""
        return cls(Random(seed))  # noqa: S311

    def chance(self, share: float) -> bool:
        """True in this share of calls."""
        return self.stream.random() < share

    def below(self, count: int) -> int:
        """A whole number from 0 on."""
        return int(self.stream.random() * count)

    def among(self, choice: Choice[T]) -> T:
        """One thing, by weight."""
        at = bisect(choice.sums, self.stream.random() * choice.sums[-1])
        return choice.things[min(at, len(choice.things) - 1)]
