# SPDX-License-Identifier: EUPL-1.2
"""What a whole release cost, put together from the losses of its tables (`release.measure`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anonymise.release.measure import Loss
from anonymise.release.published import Published
from anonymise.release.verdict import Found


@dataclass(frozen=True, slots=True)
class Summary:
    """What a release cost.

    Attributes:
        gcp: Mean cost over all rows and columns; 0 nothing is lost, 1 all is.
        dm: Discernibility, over rows squared.
        c_avg: Rows a class, over k.
        by_column: The mean cost of each quasi-identifier.
        exact: For each, the share of published rows whose value is published as it was.
        suppressed: Rows that were left out as a last resort.
    """

    gcp: float
    dm: float
    c_avg: float
    by_column: tuple[float, ...]
    exact: tuple[float, ...]
    suppressed: int


def summarise(tables: Sequence[Published], losses: Sequence[Loss], found: Found, k: int) -> Summary:
    """Sum up a release.

    Args:
        tables: Its parts.
        losses: What each of them cost.
        found: What stands in its file.
        k: That was demanded.
    """
    rows = [int(table.counts.sum()) for table in tables]
    sizes = [round(n / (1 - loss.suppressed)) for n, loss in zip(rows, losses, strict=True)]
    whole = sum(sizes)
    suppressed = whole - sum(rows)
    weights = [n / whole for n in sizes]
    squares = sum(size * size * many for size, many in found.sizes)
    exact = np.zeros(len(losses[0].by_column))
    for table in tables:
        exact += table.counts @ (table.boxes[:, :, 0] == table.boxes[:, :, 1])
    return Summary(
        gcp=sum(w * loss.gcp for w, loss in zip(weights, losses, strict=True)),
        dm=(squares + suppressed * whole) / whole**2,
        c_avg=found.rows / found.classes / k,
        by_column=tuple(
            float(sum(w * loss.by_column[place] for w, loss in zip(weights, losses, strict=True)))
            for place in range(len(exact))
        ),
        exact=tuple((exact / sum(rows)).tolist()),
        suppressed=suppressed,
    )
