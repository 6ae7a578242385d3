# SPDX-License-Identifier: EUPL-1.2
"""Rows kept at home so that a release can be attacked fairly.

An attack that succeeds on people who are in a release proves little as long as it succeeds as well
on people who are not. So some rows, drawn at random, stay out of the release: the control set
(Giomi et al., "A unified framework for quantifying privacy risk", PETS 2023, section 3). And as
many that are in it are remembered, with how they are published: the people whom the attacker is
looking for, he being told even which published rows are theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anonymise.errors import ReleaseError
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.recode import Recoding, Rows

Line = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What codes stand for."""

    hierarchies: Sequence[Hierarchy]
    values: Sequence[str]
    _labels: dict[tuple[int, int, int], str] = field(default_factory=dict, repr=False)

    def leaves(self, rows: Rows, place: int) -> Line:
        """A distinct row as it is in the table."""
        codes = rows.codes[place].tolist()
        told = [h.leaves[code] for h, code in zip(self.hierarchies, codes, strict=True)]
        return (*told, *self._secret(rows, place))

    def nodes(self, rows: Rows, place: int, box: NDArray[np.int32]) -> Line:
        """The same as it is published."""
        told = [self._label(number, lo, hi) for number, (lo, hi) in enumerate(box.tolist())]
        return (*told, *self._secret(rows, place))

    def _label(self, number: int, lo: int, hi: int) -> str:
        node = (number, lo, hi)
        if node not in self._labels:
            self._labels[node] = self.hierarchies[number].label(lo, hi)
        return self._labels[node]

    def _secret(self, rows: Rows, place: int) -> Line:
        return () if rows.sensitive is None else (self.values[rows.sensitive[place]],)


def hold_back(rows: Rows, many: int, generator: np.random.Generator) -> tuple[Rows, Rows]:
    """Part a table into rows to release and control rows.

    Args:
        rows: The table.
        many: Control rows.
        generator: The source of the draw.

    Raises:
        ReleaseError: More control rows than half of the table.
    """
    size = int(rows.counts.sum())
    if 2 * many > size:
        raise ReleaseError(
            f"{many:,} control rows out of {size:,} leave less than half to release; ask for fewer"
        )
    held = _draw(rows.counts, many, generator)
    return _some(rows, rows.counts - held), _some(rows, held)


def control_lines(control: Rows, words: Words) -> list[Line]:
    """Control rows as text, one line for each."""
    return [
        line
        for place, count in enumerate(control.counts.tolist())
        for line in [words.leaves(control, place)] * count
    ]


def known_lines(
    rows: Rows, recoding: Recoding, many: int, words: Words, generator: np.random.Generator
) -> list[tuple[Line, Line]]:
    """Draw published rows: each as it was, and as it is published."""
    kept = np.flatnonzero(recoding.cls >= 0)
    take = recoding.take[kept]
    drawn = _draw(take, min(many, int(take.sum())), generator)
    told: list[tuple[Line, Line]] = []
    for part in np.flatnonzero(drawn).tolist():
        place, box = int(recoding.row[kept[part]]), recoding.boxes[recoding.cls[kept[part]]]
        pair = (words.leaves(rows, place), words.nodes(rows, place, box))
        told += [pair] * int(drawn[part])
    return told


def _draw(
    counts: NDArray[np.int64], many: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """How many of each to draw, without replacement."""
    if not many:
        return np.zeros_like(counts)
    ends = np.cumsum(counts)
    chosen = generator.choice(int(ends[-1]), many, replace=False, shuffle=False)
    return np.bincount(np.searchsorted(ends, chosen, side="right"), minlength=len(counts))


def _some(rows: Rows, counts: NDArray[np.int64]) -> Rows:
    chosen = counts > 0
    return Rows(
        codes=rows.codes[chosen],
        sensitive=rows.sensitive[chosen] if rows.sensitive is not None else None,
        counts=counts[chosen],
    )
