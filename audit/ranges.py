# SPDX-License-Identifier: EUPL-1.2
"""Which entries of its own log an entry is about: numbers and ranges, in one form only.

`"12"` is one entry, `"17-40"` are 24 of them. Ranges stand in order and neither touch nor overlap,
so that each set of entries is written in exactly one way. Erasures, holds and steps of a review
name their entries so (docs/formats/log.md, section 2).
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from audit.errors import EnvelopeError
from audit.forms import MAX_ITEMS

MAX_INDEX = 2**53 - 1
_RANGE = re.compile(r"(0|[1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15}))?", re.ASCII)


def _bounds(text: object) -> tuple[int, int]:
    found = _RANGE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise EnvelopeError("the envelope's about holds what is no range of entries")
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if found[2] is not None and last <= first:
        raise EnvelopeError("the envelope's about holds a range that ends before it starts")
    if last > MAX_INDEX:
        raise EnvelopeError("the envelope's about names an entry beyond every log")
    return first, last


def ranges(about: Sequence[str]) -> str:
    """The list as JSON.

    Raises:
        EnvelopeError: not ranges in order, with a gap between them, or more than 512.
    """
    if not isinstance(about, tuple | list) or len(about) > MAX_ITEMS:
        raise EnvelopeError(f"the envelope's about is no list of at most {MAX_ITEMS} ranges")
    end = -2
    for first, last in map(_bounds, about):
        if first <= end + 1:
            raise EnvelopeError("the envelope's about is not in order, or two ranges touch")
        end = last
    return "[" + ",".join([f'"{item}"' for item in about]) + "]"


def ranges_of(indices: Iterable[int]) -> tuple[str, ...]:
    """The ranges that cover exactly these entries; may be more than one envelope holds."""
    found: list[list[int]] = []
    for index in sorted(set(indices)):
        if found and index == found[-1][1] + 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return tuple(f"{a}" if a == b else f"{a}-{b}" for a, b in found)


def spans_of(about: Sequence[str]) -> list[range]:
    """The entries as ranges of numbers.

    Raises:
        EnvelopeError: not a list of ranges.
    """
    return [range(first, last + 1) for first, last in map(_bounds, about)]


def indices_of(about: Sequence[str]) -> Iterator[int]:
    """Every entry, in order.

    Raises:
        EnvelopeError: not a list of ranges.
    """
    for span in spans_of(about):
        yield from span
