# SPDX-License-Identifier: EUPL-1.2
"""Treating a page column by column, each distinct value once.

Registers repeat themselves: a page of fifty rows has two sexes and a few weeks. The memory lasts
for one column of one page, so no value outlives its answer. Used by `treatment` and `view`.
"""

from collections.abc import Callable, Sequence

from anonymise.errors import ContextError
from anonymise.value import Value

_NUMBERS = frozenset({bool, int})


class _Told(dict[tuple[Value, ...], Value]):
    """Arguments -> treated value, filled on first sight."""

    def __init__(self, treat: Callable[..., Value]) -> None:
        super().__init__()
        self._treat = treat

    def __missing__(self, arguments: tuple[Value, ...]) -> Value:
        told = self[arguments] = self._treat(*arguments)
        return told


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
    columns = (values,) if beside is None else (values, beside)
    # 1 and True are one key of a dictionary, but not one value.
    if any(not _NUMBERS.isdisjoint(map(type, column)) for column in columns):
        return list(map(treat, *columns))
    told = _Told(treat)
    try:
        return list(map(told.__getitem__, zip(*columns, strict=True)))
    except TypeError:
        raise ContextError("a row holds a value outside the common model; no view") from None
