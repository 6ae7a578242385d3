# SPDX-License-Identifier: EUPL-1.2
"""Treating a page column by column, each distinct value once.

Registers repeat themselves: a page of fifty rows has two sexes and a few weeks. The memory lasts
for one column of one page, so no value outlives its answer. Used by `treatment` and `output`.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter

from anonymise.errors import ContextError
from anonymise.value import Row, Value

_NUMBERS = frozenset({bool, int})


def held(field: str, rows: Sequence[Row]) -> list[Value]:
    """The values of a field, None where a row has none."""
    try:
        return list(map(itemgetter(field), rows))
    except KeyError:
        return [row.get(field) for row in rows]


def mapped(
    treat: Callable[..., Value], values: Sequence[Value], beside: Sequence[Value] | None = None
) -> list[Value]:
    """The treated values, in order.

    Args:
        treat: Function of a value, or of a value and the one beside it.
        values: The column.
        beside: The column beside it, of the same length, if `treat` looks at it.

    Raises:
        ContextError: A value is of no type of the common model (a list, say).
    """
    try:
        if beside is None:
            return _alone(treat, values)
        pairs = list(zip(values, beside, strict=True))
        if not (_NUMBERS.isdisjoint(map(type, values)) and _NUMBERS.isdisjoint(map(type, beside))):
            return [treat(value, other) for value, other in pairs]
        told = {pair: treat(*pair) for pair in set(pairs)}
        return list(map(told.__getitem__, pairs))
    except TypeError:
        raise ContextError("a row holds a value outside the common model; no view") from None


def _alone(treat: Callable[[Value], Value], values: Sequence[Value]) -> list[Value]:
    distinct = set(values)
    # 1 and True are one member of a set, but not one value.
    if not _NUMBERS.isdisjoint(map(type, distinct)):
        return list(map(treat, values))
    told = {value: treat(value) for value in distinct}
    return list(map(told.__getitem__, values))
