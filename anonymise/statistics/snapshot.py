# SPDX-License-Identifier: EUPL-1.2
"""All fixed layouts over one moment's people, and what holds between them.

A reader who has two tables of the same people can subtract one from the other. So the layouts are
taken together, as one cube, whose equations say what he may know of how they hang together:

- of layouts with the same columns (`Layout.shared`), whoever is in both is in both under the same
  words, so their margins differ by those only who are in one of them;
- of any other two, their sums differ by those only who are in one of them. Who is counted in
  several cells is known to be, and how often.

How many people are in one layout and not in another stands in no table, but can be what remains
when one is subtracted from the other; where it is small, it is protected as a small figure is
(`Snapshot.secret`). A centre that is smaller than the threshold could have people in any cell:
there nobody knows which are empty, as none of its cells is ever published. GDP-38.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import permutations

from anonymise.errors import TableError
from anonymise.statistics.cohort import Cohort, cohort_of, marker, together
from anonymise.statistics.cube import Cube, Tie, cube_of
from anonymise.statistics.layouts import ALL, Key, Layout

SMALLEST_THRESHOLD = 5
HIDDEN = ""  # in the place of a layout's name
Members = Mapping[Key, frozenset[str]]
_Word = tuple[str, ...] | None  # under which words somebody stands in a layout, if he does


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The layouts of one moment.

    Attributes:
        layouts: them, in the order in which they are to be told.
        minimum: the threshold below which a figure is protected.
        cube: all of them; a key begins with the name of its layout, or with nothing if it stands
            in no table.
        counts: exact count of every cell and margin.
        cohorts: whom each figure counts.
        wholes: everybody whom a layout counts.
        secret: hidden figures that are to be protected.
        id: the same for the same people in the same cells, and for nobody to turn back.
    """

    layouts: tuple[Layout, ...]
    minimum: int
    cube: Cube
    counts: Mapping[Key, int] = field(repr=False)
    cohorts: Mapping[Key, Cohort] = field(repr=False)
    wholes: Mapping[str, Cohort] = field(repr=False)
    secret: frozenset[Key]
    id: str

    def of(self, layout: Layout) -> dict[Key, Cohort]:
        """Whom each figure of one layout counts, by its key in that layout."""
        return {key[1:]: cohort for key, cohort in self.cohorts.items() if key[0] == layout.name}


def snapshot_of(tables: Mapping[Layout, Members], *, minimum: int, key: bytes) -> Snapshot:
    """Take layouts together.

    Args:
        tables: references of whom each cell counts, the same for one person in every layout.
        minimum: the threshold below which a figure is protected.
        key: 32 secret bytes for cohorts.

    Raises:
        TableError: Threshold too small, or keys of another layout.
    """
    if isinstance(minimum, bool) or minimum < SMALLEST_THRESHOLD:
        raise TableError(f"a table needs a threshold of at least {SMALLEST_THRESHOLD}")
    layouts = sorted(tables, key=lambda one: (not one.public, not one.additive, one.name))
    placed = {one: _placed(tables[one]) if one.additive else tables[one] for one in layouts}
    mark = marker(key)
    marks = {
        who: mark(who)
        for who in frozenset().union(*(m for table in placed.values() for m in table.values()))
    }
    cohorts: dict[Key, Cohort] = {}
    wholes: dict[str, Cohort] = {}
    cubes: dict[Layout, Cube] = {}
    for layout, table in placed.items():
        cubes[layout] = cube = cube_of(layout, {cell: len(whom) for cell, whom in table.items()})
        cells = {cell: cohort_of(map(marks.__getitem__, table[cell])) for cell in cube.cells}
        cohorts |= {(layout.name, *cell): cohort for cell, cohort in cells.items()}
        for margin, parts in cube.margins.items():
            cohorts[layout.name, *margin] = together(cells[cell] for cell in parts)
        everybody = frozenset().union(*table.values())
        wholes[layout.name] = cohort_of(map(marks.__getitem__, everybody))
    joined = _Joined({figure: cohort.size for figure, cohort in cohorts.items()}, minimum)
    for layout, cube in cubes.items():
        joined.take(layout, cube)
    if len(layouts) > 1:
        joined.tie(placed)
    return Snapshot(
        layouts=tuple(layouts),
        minimum=minimum,
        cube=joined.cube(),
        counts=joined.counts,
        cohorts=cohorts,
        wholes=wholes,
        secret=frozenset(joined.secret),
        id=_id(cohorts, wholes, key),
    )


class _Joined:
    """A cube in the making."""

    def __init__(self, counts: dict[Key, int], minimum: int) -> None:
        self.counts = counts
        self.secret: set[Key] = set()
        self._minimum = minimum
        self._cells: list[Key] = []
        self._margins: dict[Key, tuple[Key, ...]] = {}
        self._public: dict[Key, int] = {}
        self._ties: list[Tie] = []
        self._hidden: list[Key] = []

    def cube(self) -> Cube:
        """All that was taken."""
        return Cube(
            tuple(self._cells),
            self._margins,
            tuple(self._ties),
            self._public,
            frozenset(self._hidden),
        )

    def take(self, layout: Layout, cube: Cube) -> None:
        """Add a layout's own cells and margins."""
        name = layout.name
        margins = {key: list(parts) for key, parts in cube.margins.items()}
        for cell in self._perhaps(layout, cube):
            self._hide((name, *cell), 0)
            for kept in layout.margins:
                margins[layout.margin(cell, kept)].append(cell)
        self._cells += [(name, *cell) for cell in cube.cells]
        self._public |= {(name, *key): count for key, count in cube.public.items()}
        for key, parts in margins.items():
            self._margins[name, *key] = tuple((name, *cell) for cell in parts)

    def _perhaps(self, layout: Layout, cube: Cube) -> Iterator[Key]:
        """Empty cells of small public margins, which somebody might be in."""
        for kept in filter(None, layout.public):
            margins = sorted({layout.margin(cell, kept) for cell in cube.cells})
            small = [margin for margin in margins if cube.public[margin] < self._minimum]
            for margin in small:
                cells = {
                    tuple(
                        own if own != ALL else other
                        for own, other in zip(margin, cell, strict=True)
                    )
                    for cell in cube.cells
                }
                yield from sorted(cells - {*cube.cells})

    def _hide(self, key: Key, count: int, *, secret: bool = False) -> Key:
        self._cells.append(key)
        self._hidden.append(key)
        self.counts[key] = count
        if secret:
            self.secret.add(key)
        return key

    def tie(self, placed: Mapping[Layout, Members]) -> None:
        """Say what holds between the layouts taken."""
        words = [_words(layout, table) for layout, table in placed.items()]
        everybody = frozenset().union(*words)
        kinds = Counter(tuple(one.get(who) for one in words) for who in everybody)
        atoms: dict[tuple[_Word, ...], Key] = {}
        for number, kind in enumerate(sorted(kinds, key=repr)):
            atoms[kind] = self._hide((HIDDEN, "people", str(number)), kinds[kind])
        for place, (layout, table) in enumerate(placed.items()):
            sums: dict[_Word, dict[Key, int]] = {}
            for cell in [cell for cell in self._cells if cell[0] == layout.name]:
                sums.setdefault(_word(layout, cell[1:]), {})[cell] = 1
            for kind, atom in atoms.items():
                if kind[place] is not None:
                    sums.setdefault(kind[place], {})[atom] = -1
            again = sum(map(len, table.values())) - len(words[place])
            for parts in sums.values():
                self._again(layout, parts, again)
        for (one, first), (other, second) in permutations(enumerate(placed), 2):
            apart = [atom for kind, atom in atoms.items() if kind[one] and not kind[other]]
            count = sum(self.counts[atom] for atom in apart)
            if 0 < count < self._minimum:
                key = (HIDDEN, "without", first.name, second.name)
                self._margins[key] = tuple(apart)
                self._hidden.append(key)
                self.counts[key] = count
                self.secret.add(key)

    def _again(self, layout: Layout, parts: dict[Key, int], again: int) -> None:
        """Tie cells to people, of whom some are counted again."""
        if 0 < again < self._minimum:
            parts[self._hide((HIDDEN, "again", layout.name), again, secret=True)] = -1
            again = 0
        self._ties.append(Tie(parts, again))


def _word(layout: Layout, cell: Key) -> tuple[str, ...]:
    if not layout.shared:
        return ("counted",)
    named = dict(zip(layout.columns, cell, strict=True))
    return tuple(named[column] for column in layout.shared)


def _words(layout: Layout, table: Members) -> dict[str, _Word]:
    return {who: _word(layout, cell) for cell, whom in table.items() for who in whom}


def _placed(members: Members) -> dict[Key, frozenset[str]]:
    """Everybody in the first of his cells: a person counted twice would not add up."""
    seen: set[str] = set()
    placed = {}
    for key in sorted(members):
        placed[key] = members[key] - seen
        seen |= members[key]
    return placed


def _id(cohorts: Mapping[Key, Cohort], wholes: Mapping[str, Cohort], key: bytes) -> str:
    drawn = blake2b(key=key, digest_size=16, person=b"cuvar snapshot 1")
    for name in sorted(wholes):
        drawn.update(repr((name, wholes[name].size, wholes[name].digest)).encode())
    for figure in sorted(cohorts):
        drawn.update(repr((figure, cohorts[figure].size, cohorts[figure].digest)).encode())
    return drawn.hexdigest()
