# SPDX-License-Identifier: EUPL-1.2
"""How good scored pairs are, where the truth is known: F1, precision, recall, FNIR at a given FPIR.

    pairs scored by anything -> linked one to one, best first -> figures for all and for each subset

FPIR and FNIR as in the EES Implementing Decision (EU) 2019/329: of persons not in the second list,
the share that gets a hit all the same; of persons that are in it, the share whose own record does
not come first above that threshold. docs/linkage/evaluate.md says how to read the figures.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from anonymise.errors import LinkageError

Truth = Mapping[str, frozenset[str]]
"""Identifier in the first list -> its records in the second."""

FPIRS: Final = (0.01, 0.001)
_FEWEST: Final = 1.0  # a rate of false hits is told only where it allows at least one


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records and how alike they were found; the higher, the more."""

    first: str
    second: str
    score: float


@dataclass(frozen=True, slots=True)
class Linked:
    """What linking at a threshold finds.

    Attributes:
        threshold: Pairs from this score on are linked.
        precision: Of the links, the share that is true; 1 without links.
        recall: Of the true pairs, the share that is linked.
        f1: Their harmonic mean.
    """

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Identified:
    """Queries at a given rate of false hits.

    Attributes:
        fpir: The most false hits among persons who are not in the second list.
        threshold: A hit is a score above it.
        fnir: Of persons in the second list, the share whose own record is not the first hit.
    """

    fpir: float
    threshold: float
    fnir: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One subset's figures.

    Attributes:
        persons: Records of the first list in the subset.
        mated: Those of them that are in the second list too.
        found: Of those, the share whose own record is among the scored pairs.
        linked: At the threshold that is best for the whole list; the same in every subset.
        best: At the threshold that is best for this subset.
        identified: At 1 % and 0.1 % FPIR counted in this subset; None where it is too small.
    """

    persons: int
    mated: int
    found: float
    linked: Linked
    best: Linked
    identified: tuple[Identified | None, ...]


def linked_one_to_one(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that remain when the best are taken first and no record twice."""
    taken: list[Pair] = []
    firsts: set[str] = set()
    seconds: set[str] = set()
    for pair in sorted(pairs, key=lambda pair: (-pair.score, pair.first, pair.second)):
        if pair.first not in firsts and pair.second not in seconds:
            firsts.add(pair.first)
            seconds.add(pair.second)
            taken.append(pair)
    return taken


class Evaluation:
    """Scored pairs held against the truth."""

    def __init__(self, pairs: Collection[Pair], truth: Truth, persons: Collection[str]) -> None:
        """Link the pairs and remember each person's first hit.

        Args:
            pairs: All scored pairs, each once.
            truth: Who is who.
            persons: All identifiers of the first list.

        Raises:
            LinkageError: the truth names nobody, or somebody who is not in the list.
        """
        known = set(persons)
        if not truth or not truth.keys() <= known:
            raise LinkageError("the truth must name persons of the first list, at least one")
        self._truth = truth
        self._persons = known
        self._links = linked_one_to_one(pairs)
        self._first: dict[str, Pair] = {}
        self._found: set[str] = set()
        for pair in pairs:
            top = self._first.get(pair.first)
            if top is None or (-pair.score, pair.second) < (-top.score, top.second):
                self._first[pair.first] = pair
            if self._is_true(pair):
                self._found.add(pair.first)

    @cached_property
    def threshold(self) -> float:
        """The score from which on linking gives the best F1 of the whole list."""
        return self._best(self._persons).threshold

    def figures(self, subset: Collection[str] | None = None) -> Figures:
        """The figures of some persons of the first list, or of all.

        Raises:
            LinkageError: somebody is not in the list.
        """
        persons = self._persons if subset is None else set(subset)
        if not persons <= self._persons:
            raise LinkageError("a subset may hold only persons of the first list")
        mated = persons & self._truth.keys()
        return Figures(
            len(persons),
            len(mated),
            _share(len(mated & self._found), len(mated)),
            self.at(self.threshold, persons),
            self._best(persons),
            tuple(self._identified(persons, mated, fpir) for fpir in FPIRS),
        )

    def at(self, threshold: float, subset: Collection[str] | None = None) -> Linked:
        """What linking at a threshold finds for some persons, or for all."""
        persons = self._persons if subset is None else set(subset)
        made = [
            self._is_true(pair)
            for pair in self._links
            if pair.score >= threshold and pair.first in persons
        ]
        return self._linked(threshold, sum(made), len(made), self._pairs_of(persons))

    def links(self) -> Sequence[Pair]:
        """The pairs linked one to one, best first."""
        return self._links

    def _best(self, persons: set[str]) -> Linked:
        wanted = self._pairs_of(persons)
        best = self._linked(float("inf"), 0, 0, wanted)
        links = [pair for pair in self._links if pair.first in persons]
        true = 0
        for number, pair in enumerate(links, start=1):
            true += self._is_true(pair)
            if number < len(links) and links[number].score == pair.score:
                continue
            reached = self._linked(pair.score, true, number, wanted)
            if reached.f1 > best.f1:
                best = reached
        return best

    def _identified(self, persons: set[str], mated: set[str], fpir: float) -> Identified | None:
        others = persons - mated
        if not mated or fpir * len(others) < _FEWEST:
            return None
        hits = sorted(
            (self._first[person].score for person in others if person in self._first), reverse=True
        )
        allowed = int(fpir * len(others))
        threshold = hits[allowed] if allowed < len(hits) else float("-inf")
        right = sum(
            1
            for person in mated
            if person in self._first
            and self._is_true(self._first[person])
            and self._first[person].score > threshold
        )
        return Identified(fpir, threshold, 1 - right / len(mated))

    def _is_true(self, pair: Pair) -> bool:
        return pair.second in self._truth.get(pair.first, ())

    def _pairs_of(self, persons: set[str]) -> int:
        return sum(len(seconds) for first, seconds in self._truth.items() if first in persons)

    @staticmethod
    def _linked(threshold: float, true: int, made: int, wanted: int) -> Linked:
        f1 = 2 * true / (made + wanted) if made + wanted else 1.0
        return Linked(threshold, _share(true, made), _share(true, wanted), f1)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
