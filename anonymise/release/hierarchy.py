# SPDX-License-Identifier: EUPL-1.2
"""Generalisation hierarchies: what a value may be coarsened to, and what that costs.

A hierarchy is a tree, written as a file (docs/formats/hierarchy.md): one line for each leaf, then
what it is coarsened to, step by step, up to "*". Leaves are numbered depth first, so that every
node is a range lo..hi of leaf codes, and the lowest node over any rows is found from their smallest
and largest code. Nothing but a node is ever published.

The cost of a node is its normalised certainty penalty (Xu et al., KDD 2006): leaves covered less
one, by leaves in the domain less one; 0 for a leaf, 1 for "*".
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from anonymise.errors import HierarchyError

ANY = "*"
MOST_LEAVES = 4096  # the table of costs grows with the square: 67 MB here
_LONGEST_FILE = 1 << 26

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """The tree of one column.

    Attributes:
        name: The column's name; of a file, its name without the ending.
        leaves: Every value that the column may hold, depth first.
        labels: For each level, the label over each leaf; level 0 is the leaves, the last is "*".
        first: For each level, the smallest code of the node over each leaf.
        last: For each level, the largest.
        cost: [lo, hi] -> cost of the lowest node over both codes; filled in for lo > hi too.
    """

    name: str
    leaves: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...] = field(repr=False)
    first: Codes = field(repr=False)
    last: Codes = field(repr=False)
    cost: NDArray[np.float32] = field(repr=False)

    @property
    def levels(self) -> int:
        """How many levels there are, leaves and "*" included."""
        return len(self.labels)

    def codes(self) -> Mapping[str, int]:
        """Leaf -> its code."""
        return MappingProxyType({leaf: code for code, leaf in enumerate(self.leaves)})

    def level(self, lo: int, hi: int) -> int:
        """The level of the lowest node that covers both codes."""
        covers = (self.first[:, lo] <= hi) & (hi <= self.last[:, lo])
        return int(np.argmax(covers))

    def label(self, lo: int, hi: int) -> str:
        """The label of the lowest node that covers both codes."""
        return self.labels[self.level(lo, hi)][lo]

    def node(self, lo: Codes, hi: Codes) -> tuple[Codes, Codes]:
        """The lowest nodes over many ranges, as ranges themselves."""
        covers = (self.first[:, lo] <= hi) & (hi <= self.last[:, lo])
        level = np.argmax(covers, axis=0)
        return self.first[level, lo], self.last[level, lo]

    def labelled(self) -> Mapping[str, tuple[int, int]]:
        """Label -> the range of codes that it stands for; the reverse of `label`."""
        found: dict[str, tuple[int, int]] = {}
        for level, labels in enumerate(self.labels):
            for code, label in enumerate(labels):
                found[label] = (int(self.first[level, code]), int(self.last[level, code]))
        return MappingProxyType(found)


def read_hierarchy(path: Path) -> Hierarchy:
    """Read a hierarchy file; docs/formats/hierarchy.md.

    Args:
        path: A CSV file without header: leaf, coarser, coarser still, …, "*".

    Raises:
        HierarchyError: No such file, or one that is no tree; the message names line and column.
    """
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise HierarchyError(f"{path.name}: over 64 MiB; coarsen the column beforehand")
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines, strict=True))
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise HierarchyError(f"hierarchy {path.name}: {reason}; check the folder") from error
    except UnicodeDecodeError as error:
        raise HierarchyError(f"hierarchy {path.name} is not UTF-8; save it as UTF-8") from error
    except csv.Error as error:
        raise HierarchyError(f"hierarchy {path.name} is no CSV file: {error}") from error
    return make_hierarchy(path.stem, rows, source=path.name)


def make_hierarchy(
    name: str, rows: Iterable[Sequence[str]], *, source: str = "hierarchy"
) -> Hierarchy:
    """A hierarchy out of its lines, in any order.

    Args:
        name: The column's name.
        rows: For each leaf its path from the leaf up to "*", all of one length.
        source: What messages call the place that the lines come from.

    Raises:
        HierarchyError: The lines make no tree; the message names line and column.
    """
    paths = [tuple(row) for row in rows]
    _check_lines(paths, source)
    _check_tree(paths, source)
    ordered = _depth_first(paths)
    labels = tuple(zip(*ordered, strict=True))
    first, last = _ranges(ordered)
    return Hierarchy(name, labels[0], labels, first, last, _costs(first, last))


def _check_lines(paths: Sequence[tuple[str, ...]], source: str) -> None:
    if not paths:
        raise HierarchyError(f"{source} is empty; write one line for each value, ending in *")
    if len(paths) > MOST_LEAVES:
        raise HierarchyError(
            f"{source} has {len(paths)} leaves; at most {MOST_LEAVES} can be weighed, "
            "so coarsen the column once beforehand"
        )
    width = len(paths[0])
    if width == 1 and ";" in paths[0][0]:
        raise HierarchyError(f"{source}, line 1: columns are separated by commas, not semicolons")
    for number, path in enumerate(paths, 1):
        if len(path) != width:
            raise HierarchyError(
                f"{source}, line {number}: {len(path)} columns where line 1 has {width}; "
                "repeat the label of a branch that is shorter"
            )
        for column, label in enumerate(path, 1):
            if not label or label != label.strip():
                raise HierarchyError(
                    f"{source}, line {number}, column {column}: the label is empty or has spaces "
                    "around it; write it out, without"
                )
            if (label == ANY) != (column == width):
                raise HierarchyError(
                    f"{source}, line {number}, column {column}: * stands in the last column, "
                    "and only there"
                )


def _check_tree(paths: Sequence[tuple[str, ...]], source: str) -> None:
    """One label, one set of leaves; otherwise two published values could not be told apart."""
    leaf_lines: dict[str, int] = {}
    parents: dict[tuple[int, str], tuple[str, int]] = {}
    for number, path in enumerate(paths, 1):
        if path[0] in leaf_lines:
            raise HierarchyError(
                f"{source}, line {number}, column 1: the same value stands in line "
                f"{leaf_lines[path[0]]}; keep one of them"
            )
        leaf_lines[path[0]] = number
        for column, (label, parent) in enumerate(pairwise(path), 1):
            known, line = parents.setdefault((column, label), (parent, number))
            if known != parent:
                raise HierarchyError(
                    f"{source}, line {number}, column {column + 1}: the label before it has "
                    f"another parent in line {line}; give the two branches labels of their own"
                )
    covered: dict[str, tuple[int, frozenset[str]]] = {}
    for column in range(len(paths[0])):
        groups: dict[str, list[str]] = {}
        for path in paths:
            groups.setdefault(path[column], []).append(path[0])
        for label, leaves in groups.items():
            before, known_leaves = covered.setdefault(label, (column, frozenset(leaves)))
            if known_leaves != frozenset(leaves):
                raise HierarchyError(
                    f"{source}, line {leaf_lines[leaves[0]]}, column {column + 1}: the label "
                    f"stands in column {before + 1} for other values; rename one of the two"
                )


def _depth_first(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Lines with the leaves of every node side by side, else in the order of the file."""
    rank: dict[tuple[str, ...], int] = {}
    keys: list[tuple[int, ...]] = []
    for path in paths:
        above = path[::-1]
        keys.append(
            tuple(rank.setdefault(above[: end + 1], len(rank)) for end in range(len(above)))
        )
    return [path for _, path in sorted(zip(keys, paths, strict=True))]


def _ranges(ordered: Sequence[tuple[str, ...]]) -> tuple[Codes, Codes]:
    levels, leaves = len(ordered[0]), len(ordered)
    first = np.zeros((levels, leaves), np.int32)
    last = np.zeros((levels, leaves), np.int32)
    for level in range(levels):
        start = 0
        for code in range(1, leaves + 1):
            if code == leaves or ordered[code][level] != ordered[start][level]:
                first[level, start:code] = start
                last[level, start:code] = code - 1
                start = code
    first.flags.writeable = last.flags.writeable = False
    return first, last


def _costs(first: Codes, last: Codes) -> NDArray[np.float32]:
    """Filled from the top, so that the lowest node writes last."""
    levels, leaves = first.shape
    cost = np.ones((leaves, leaves), np.float32)
    for level in range(levels - 1, -1, -1):
        for start in np.unique(first[level]):
            stop = int(last[level, start]) + 1
            cost[start:stop, start:stop] = (stop - 1 - start) / max(leaves - 1, 1)
    cost.flags.writeable = False
    return cost
