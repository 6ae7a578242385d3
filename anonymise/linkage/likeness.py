# SPDX-License-Identifier: EUPL-1.2
"""How alike two tokens of names are, and which tokens of two names are one another's.

Relied on by `compare`. A pairing is greedy, the best first; leaving a token out can then never
raise what the pairing is worth, which is what keeps missing evidence from raising a score.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final

from anonymise.linkage.names import skeleton, sound

_CACHED: Final = 1 << 18
_SHORTEST_SKELETON: Final = 3
_SHORTEST: Final = 4
_LONG: Final = 6


class Likeness(IntEnum):
    """How alike two tokens are; the higher the more."""

    OTHER = 0
    NEAR = 1
    SOUNDS = 2
    SAME = 3


@lru_cache(maxsize=_CACHED)
def likeness(one: str, other: str) -> Likeness:
    """How alike two tokens are: one skeleton and vowels, one skeleton, a slip of the pen, other."""
    first, second = skeleton(one), skeleton(other)
    apart = distance(sound(one), sound(other), 2)
    if first == second:
        return Likeness.SAME if apart <= 1 else Likeness.SOUNDS
    if min(len(first), len(second)) >= _SHORTEST_SKELETON and distance(first, second, 1) <= 1:
        return Likeness.NEAR
    shorter = min(len(one), len(other))
    if shorter >= _SHORTEST and apart <= (1 if shorter < _LONG else 2):
        return Likeness.NEAR
    return Likeness.OTHER


def distance(one: str, other: str, most: int) -> int:
    """Edits from one text to the other, a swap of neighbours being one; `most` + 1 for more."""
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        line = [i + 1]
        for j, its in enumerate(other):
            least = min(row[j + 1] + 1, line[j] + 1, row[j] + (letter != its))
            if before and j and letter == other[j - 1] and its == one[i - 1]:
                least = min(least, before[j - 1] + 1)
            line.append(least)
        if min(line) > most:
            return most + 1
        before, row = row, line
    return min(row[-1], most + 1)


def paired(
    asked: Sequence[str], held: Sequence[str], worth: Callable[[str, str], float]
) -> list[tuple[float, int, int]]:
    """The pairs of tokens of two names, the most worth first; each token stands in one at most.

    Args:
        asked: The tokens of one name.
        held: Those of the other.
        worth: What a pair is worth; nothing where the two are others.
    """
    edges = [
        (value, i, j)
        for i, one in enumerate(asked)
        for j, other in enumerate(held)
        if (value := worth(one, other)) > 0
    ]
    edges.sort(key=lambda edge: (-edge[0], edge[1], edge[2]))
    taken_asked: set[int] = set()
    taken_held: set[int] = set()
    found = []
    for value, i, j in edges:
        if i not in taken_asked and j not in taken_held:
            taken_asked.add(i)
            taken_held.add(j)
            found.append((value, i, j))
    return found
