# SPDX-License-Identifier: EUPL-1.2
"""Rows kept at home so that a release can be attacked fairly.

An attack that succeeds on people who are in a release proves little as long as it succeeds as well
on people who are not. So some rows, drawn at random, stay out of the release: the control set
(Giomi et al., "A unified framework for quantifying privacy risk", PETS 2023, section 3). And some
that are in it are remembered: the known rows, those whom the attacker is looking for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anonymise.errors import ReleaseError
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.recode import Rows


@dataclass(frozen=True, slots=True)
class Sets:
    """A table parted: what is released, and what the attacks of the gate need.

    Attributes:
        released: The rows that the release is made of.
        known: A draw from the released ones.
        control: Rows that are not released.
    """

    released: Rows
    known: Rows
    control: Rows


def part(rows: Rows, control: int, known: int, generator: np.random.Generator) -> Sets:
    """Draw the control rows out of a table, and known rows from what remains.

    Args:
        rows: The table.
        control: How many to keep at home.
        known: How many of the others to remember; all when there are fewer.
        generator: The source of the draw.

    Raises:
        ReleaseError: More control rows than half of the table.
    """
    size = int(rows.counts.sum())
    if 2 * control > size:
        raise ReleaseError(
            f"{control:,} control rows out of {size:,} leave less than half to release; "
            "ask for fewer"
        )
    held = _draw(rows.counts, control, generator)
    released = _some(rows, rows.counts - held)
    wanted = min(known, int(released.counts.sum()))
    return Sets(
        released=released,
        known=_some(released, _draw(released.counts, wanted, generator)),
        control=_some(rows, held),
    )


def lines(
    rows: Rows, hierarchies: Sequence[Hierarchy], values: Sequence[str]
) -> list[tuple[str, ...]]:
    """Rows as text, one for each: leaves, then the sensitive value."""
    told: list[tuple[str, ...]] = []
    for place, count in enumerate(rows.counts.tolist()):
        leaves = [h.leaves[c] for h, c in zip(hierarchies, rows.codes[place], strict=True)]
        if rows.sensitive is not None:
            leaves.append(values[rows.sensitive[place]])
        told += [tuple(leaves)] * count
    return told


def _draw(counts: np.ndarray, many: int, generator: np.random.Generator) -> np.ndarray:
    """How many of each to draw, without replacement."""
    if not many:
        return np.zeros_like(counts)
    return generator.multivariate_hypergeometric(counts, many, method="marginals")


def _some(rows: Rows, counts: np.ndarray) -> Rows:
    chosen = counts > 0
    return Rows(
        codes=rows.codes[chosen],
        sensitive=rows.sensitive[chosen] if rows.sensitive is not None else None,
        counts=counts[chosen],
    )
