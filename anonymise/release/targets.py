# SPDX-License-Identifier: EUPL-1.2
"""Are the people whom the gate attacks really those of this release?

An attack is judged by how much better it does on people in the release than on people who are not.
Who hands the gate the second for the first gets a risk of nothing for any file. So each target must
be found again in the file: in a class whose box holds it, with its own sensitive value, and no
more targets in a class than it has rows. And targets must not look like the people held back more
than two honest draws do. What that cannot show, a release made anew does (`release.remake`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from anonymise.errors import GateError
from anonymise.release.columns import Columns
from anonymise.release.control import Line
from anonymise.release.extra import need_polars
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.keeping import Targets
from anonymise.release.read import text_of

_DRAWS: Final = 200
_FAR: Final = 6.0  # standard deviations; honest draws pass that once in a thousand million
_SEED: Final = 20_261_124
_ANEW: Final = "; make the release anew"


def require_true(
    targets: Targets, path: Path, columns: Columns, hierarchies: Sequence[Hierarchy]
) -> None:
    """Refuse targets that are not the release's own.

    Args:
        targets: Whom the attacks look for.
        path: The release.
        columns: Its columns.
        hierarchies: One for each quasi-identifier.

    Raises:
        GateError: A target is not in the file, or is published as what does not cover it; or
            targets and people held back are the same.
    """
    boxes = [(h.codes(), h.labelled()) for h in hierarchies]
    if not all(
        _covers(boxes, was, told) for was, told in zip(targets.known, targets.shown, strict=True)
    ):
        raise GateError("an attacked row is not what it is published as" + _ANEW)
    there = _standing(path, columns)
    if any(many > there.get(told, 0) for told, many in Counter(targets.shown).items()):
        raise GateError("an attacked row does not stand in the file" + _ANEW)
    leaves = [codes for codes, _ in boxes]
    if not all(_known(leaves, line) for line in targets.control):
        raise GateError("a row held back holds a value that its hierarchy lacks" + _ANEW)
    if _too_alike(targets.known, targets.control):
        raise GateError("the attacked rows are those held back" + _ANEW)


def _covers(
    boxes: Sequence[tuple[Mapping[str, int], Mapping[str, tuple[int, int]]]], was: Line, told: Line
) -> bool:
    """Whether a row lies in the box that it is told as, and has its secret."""
    if was[len(boxes) :] != told[len(boxes) :]:
        return False
    for (codes, nodes), leaf, label in zip(boxes, was, told, strict=False):
        code, (lo, hi) = codes.get(leaf, -1), nodes.get(label, (0, -1))
        if not lo <= code <= hi:
            return False
    return True


def _known(leaves: Sequence[Mapping[str, int]], line: Line) -> bool:
    return all(leaf in codes for codes, leaf in zip(leaves, line, strict=False))


def _standing(path: Path, columns: Columns) -> dict[Line, int]:
    """How often each row stands in the file; tables of the column `within` taken together."""
    need_polars()
    import polars as pl

    names = [*columns.quasi_identifiers, *((columns.sensitive,) if columns.sensitive else ())]
    counted = text_of(path, names).group_by(names).agg(pl.len()).collect(engine="streaming")
    return {row[:-1]: row[-1] for row in counted.iter_rows()}


def _too_alike(known: Sequence[Line], control: Sequence[Line]) -> bool:
    """Whether two lists share more rows than if everybody had been dealt to one by lot."""
    if not known or not control:
        return False
    one, other = Counter(known), Counter(control)
    rows = list(one | other)
    dealt = np.array([one[row] + other[row] for row in rows])
    generator = np.random.default_rng(_SEED)
    draws = generator.multivariate_hypergeometric(
        dealt, len(known), size=_DRAWS, method="marginals"
    )
    shared = np.minimum(draws, dealt - draws).sum(axis=1)
    far = float(shared.mean() + _FAR * max(shared.std(), 1.0))
    return (one & other).total() > far
