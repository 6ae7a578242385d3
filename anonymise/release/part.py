# SPDX-License-Identifier: EUPL-1.2
"""One table of a release, recoded: pure, so that it runs here or on any worker with one result.

What a release is wished to be stands here too, for it is all that a worker needs beside the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from anonymise.release.columns import Columns
from anonymise.release.control import Line, Words, control_lines, hold_back, known_lines
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.measure import Held, Loss, class_sizes, held, loss
from anonymise.release.published import Published, published
from anonymise.release.recode import Demand, Rows, recode
from anonymise.release.verdict import Limits

CONTROL: Final = 2000
_QUICK_STEPS: Final = 100_000
_FEWEST_LEFT: Final = 20  # of so many rows, one may be held back

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a release is to be.

    Attributes:
        columns: Published ones.
        limits: What it must keep to.
        method: `local` publishes each class as finely as it can; `global` coarsens a column in
            one way for all rows, which is easier to count with and loses more.
        most_suppressed: The share of rows that may be left out, as a last resort.
        control: Rows to hold back for the attacks; at most one in twenty is.
        steps: Search steps a row; more lose less and take longer. None for as many as take some
            seconds: one a row up to 100,000 rows, fewer in larger tables.
        seed: Of draws and search.
    """

    columns: Columns
    limits: Limits
    method: Literal["local", "global"] = "local"
    most_suppressed: float = 0.0
    control: int = CONTROL
    steps: float | None = None
    seed: int = 0

    def steps_for(self, size: int) -> float:
        """The search steps a row in a table of so many rows."""
        return min(1.0, _QUICK_STEPS / size) if self.steps is None else self.steps


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the release.

    Attributes:
        name: Its value of the column `within`, or "".
        rows: As they are published.
        loss: What that cost.
        held: What the classes keep to.
        sizes: Rows of each class.
        known: Published rows to attack: each as it was, and as it is published.
        control: Rows that were held back.
    """

    name: str
    rows: Published
    loss: Loss
    held: Held
    sizes: NDArray[np.int64]
    known: list[tuple[Line, Line]]
    control: list[Line]


@dataclass(frozen=True, slots=True)
class Recoder:
    """What all tables of a release are recoded with.

    Attributes:
        wish: What it is to be.
        hierarchies: One for each quasi-identifier.
        values: What the sensitive codes stand for.
        size: Rows of the whole release's table.
    """

    wish: Wish
    hierarchies: Sequence[Hierarchy]
    values: Sequence[str]
    size: int

    def part(self, number: int, name: str, rows: Rows, progress: Progress) -> Part:
        """Recode one table; `number` is its place among them, from 0.

        Raises:
            ReleaseError: No recoding meets the demand.
        """
        wish, words = self.wish, Words(self.hierarchies, self.values)
        share = min(wish.control / self.size, 1 / _FEWEST_LEFT)
        many = round(share * int(rows.counts.sum()))
        generator = np.random.default_rng((wish.seed, number))
        released, control = hold_back(rows, many, generator)
        stage = f"recoding {name}".rstrip()
        recoding = recode(released, self.hierarchies, self._demand(), partial(progress, stage))
        return Part(
            name,
            published(released, recoding),
            loss(recoding, self.hierarchies, wish.limits.k),
            held(released, recoding),
            class_sizes(recoding),
            known_lines(released, recoding, many, words, generator),
            control_lines(control, words),
        )

    def _demand(self) -> Demand:
        wish = self.wish
        return Demand(
            k=wish.limits.k,
            l=wish.limits.l,
            t=wish.limits.t,
            method=wish.method,
            most_suppressed=wish.most_suppressed,
            steps=wish.steps_for(self.size),
            seed=wish.seed,
        )
