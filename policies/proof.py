# SPDX-License-Identifier: EUPL-1.2
"""Holds what the rules grant against `invariants.csv` (access matrix §5).

Nothing is sampled: every point of a region is looked at. The floor is proved alone, against a
country that would allow everything, so that no national file can break an S row; the shipped rules
are proved with every fact at its best, because anything less grants no more. `cuvar policy check`
and the tests rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from policies.errors import Problem, RulesRefusedError
from policies.facts import Known, known
from policies.invariants import Invariant
from policies.line import Line
from policies.masks import RuleSet
from policies.question import Truth
from policies.snapshot import RuleBook, Snapshot
from policies.space import Grant, granted
from policies.vocabulary import CellKey, Vocabulary


@dataclass(frozen=True, slots=True)
class Breach:
    """One invariant that does not hold, with one counter-example in words of the vocabulary."""

    invariant: str
    file: str
    line: int
    example: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.invariant} does not hold: {self.example}"


@dataclass(frozen=True, slots=True)
class FloorPoint:
    """One point of an S region, and the floor lines that refuse it."""

    invariant: Invariant
    role: str
    cell: CellKey
    purpose: str
    keepers: tuple[str, ...]

    def __str__(self) -> str:
        cell = self.cell
        return (
            f"{self.role}, {cell.action} {cell.dataset}.{cell.category}, "
            f"{cell.view} for {self.purpose}"
        )


def breaches(snapshot: Snapshot) -> tuple[Breach, ...]:
    """Every invariant that does not hold, each with its first counter-example."""
    found: dict[str, Breach] = {}
    for point in floor_points(snapshot.book, only_open=True):
        row = point.invariant
        found.setdefault(row.id, Breach(row.id, row.file, row.line, str(point)))
    for row, grant in _broken(snapshot):
        found.setdefault(row.id, Breach(row.id, row.file, row.line, str(grant)))
    return tuple(found[key] for key in sorted(found))


BROKEN = "the rules break what all countries have agreed on; see `cuvar policy check`"


# A snapshot never changes, and a gateway builds, checks and doctors the same one.
@lru_cache(maxsize=4)
def broken_invariants(snapshot: Snapshot) -> tuple[Problem, ...]:
    """`breaches` as problems: why a set of rules may not be taken, whoever signed it."""
    return tuple(
        Problem(b.file, b.line, f"{b.invariant} does not hold: {b.example}")
        for b in breaches(snapshot)
    )


def require_sound(snapshot: Snapshot) -> Snapshot:
    """The snapshot, for whoever signs it or takes it.

    Raises:
        RulesRefusedError: an invariant does not hold.
    """
    broken = broken_invariants(snapshot)
    if broken:
        raise RulesRefusedError(BROKEN, broken)
    return snapshot


def floor_points(book: RuleBook, *, only_open: bool = False) -> Iterator[FloorPoint]:
    """Every point of every S region that differs for the floor, with what refuses it.

    Values that the floor cannot tell apart are looked at once. With `only_open`, the points that
    nothing refuses: the counter-examples.
    """
    floor = RuleSet(book.conf, book.floor, book.vocabulary.groups)
    for row, role, cell, purpose, mask in _floor_masks(book, floor):
        if not (only_open and mask):
            keepers = tuple(line.id for line in floor.named(mask))
            yield FloorPoint(row, role, cell, purpose, keepers)


def needed_floor(book: RuleBook) -> frozenset[str]:
    """The floor lines without which some S row would not hold."""
    floor = RuleSet(book.conf, book.floor, book.vocabulary.groups)
    alone = 0
    for _, _, _, _, mask in _floor_masks(book, floor):
        if not mask & (mask - 1):  # one bit: nothing else refuses this point
            alone |= mask
    return frozenset(line.id for line in floor.named(alone))


def _floor_masks(
    book: RuleBook, floor: RuleSet
) -> Iterator[tuple[Invariant, str, CellKey, str, int]]:
    """Every point of every S region that differs for the floor, with the lines that refuse it."""
    words = book.vocabulary
    cells: dict[tuple[frozenset[str], ...], list[tuple[CellKey, int]]] = {}
    for row in book.invariants:
        if not row.floor:
            continue
        facts = _known(words, row.when, row.when & _derived(words))
        firing = floor.firing(facts.sure, facts.maybe)
        roles = _distinct(floor, "role", row.roles)
        purposes = _distinct(floor, "purpose", row.purposes)
        region = (row.datasets, row.categories, row.views, row.actions)
        if region not in cells:
            cells[region] = _cells(floor, words, row)
        for (role_mask, role), (purpose_mask, purpose) in product(roles.items(), purposes.items()):
            fixed = firing & role_mask & purpose_mask
            for cell, shape in cells[region]:
                yield row, role, cell, purpose, fixed & shape


def grants(snapshot: Snapshot, when: frozenset[str] = frozenset()) -> Iterator[Grant]:
    """Every cell that the shipped rules grant, with `when` only possible and the rest at best.

    A positive fact may stand in a denial (AL-QN1), so "at best" is looked at both ways; what is
    granted both ways comes twice.
    """
    edges = _double_edged(snapshot.book)
    found: dict[frozenset[str], tuple[Known, ...]] = {}

    def facts(implied: frozenset[str]) -> tuple[Known, ...]:
        if implied not in found:
            best = _known(snapshot.vocabulary, when, implied)
            calm = Known(best.sure - edges, best.maybe - edges)
            found[implied] = tuple(dict.fromkeys((best, calm)))
        return found[implied]

    return granted(snapshot.engine, facts)


def least_duties(lines: tuple[Line, ...]) -> frozenset[frozenset[str]]:
    """For each of the lines, the duties that come even when only its own guards are sure."""
    return frozenset(
        frozenset[str]().union(*(o.duties for o in lines if set(o.guards) <= set(line.guards)))
        for line in lines
    )


def _broken(snapshot: Snapshot) -> Iterator[tuple[Invariant, Grant]]:
    """Every pair of a T row and a grant that it forbids."""
    words = snapshot.vocabulary
    derived = _derived(words)
    rows = [row for row in snapshot.book.invariants if not row.floor]
    duties = _Duties()
    for when in {row.when - derived for row in rows}:
        same = [row for row in rows if row.when - derived == when]
        # Most rows say nothing of who asks: what they say of the cell is looked up once a cell.
        of_cell: dict[CellKey, list[Invariant]] = {
            cell: [row for row in same if _covers_cell(row, cell)] for cell in words.cells
        }
        for grant in grants(snapshot, when):
            for row in of_cell[grant.cell]:
                meant = _covers_asker(row, grant) and row.when & derived <= grant.implied
                if meant and (not row.carries or duties.missing(row.carries, grant)):
                    yield row, grant


class _Duties:
    """What comes with a grant, worked out once for each set of lines."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], frozenset[frozenset[str]]] = {}

    def missing(self, carries: frozenset[str], grant: Grant) -> bool:
        """Whether some line grants without any of these duties."""
        key = (id(grant.rules), grant.mask)
        if key not in self._found:
            self._found[key] = least_duties(grant.rules.named(grant.mask & grant.rules.allows))
        return any(carries.isdisjoint(duties) for duties in self._found[key])


def _covers_cell(row: Invariant, cell: CellKey) -> bool:
    return (
        cell.dataset in row.datasets
        and cell.category in row.categories
        and cell.view in row.views
        and cell.action in row.actions
    )


def _covers_asker(row: Invariant, grant: Grant) -> bool:
    return (
        grant.role in row.roles
        and grant.purpose in row.purposes
        and grant.org in row.orgs
        and grant.owner in row.owners
    )


def _double_edged(book: RuleBook) -> frozenset[str]:
    """Positive guards that some denial names as they stand."""
    guards = book.vocabulary.guards
    parts: tuple[Mapping[str, tuple[Line, ...]], ...] = (book.owners, book.asking)
    lines = (*book.floor, *(line for part in parts for some in part.values() for line in some))
    return frozenset(
        guard
        for line in lines
        if line.eft == "deny"
        for guard in line.guards
        if guard in guards and not guards[guard].harmful
    )


def _known(words: Vocabulary, when: frozenset[str], implied: frozenset[str]) -> Known:
    """All facts at their best, but those of `when` only possible."""
    facts: dict[str, Truth] = {}
    for guard in words.guards.values():
        possible = guard.id in when or guard.negative in when
        if possible:
            facts[guard.id] = Truth.POSSIBLE
        else:
            facts[guard.id] = Truth.FALSE if guard.harmful else Truth.TRUE
    return known(words, facts, implied)


def _derived(words: Vocabulary) -> frozenset[str]:
    return frozenset(guard.id for guard in words.guards.values() if guard.derived)


def _distinct(rules: RuleSet, dimension: str, values: frozenset[str]) -> dict[int, str]:
    """One value for each mask."""
    return {rules.accepting(dimension, value): value for value in sorted(values)}


def _cells(rules: RuleSet, words: Vocabulary, row: Invariant) -> list[tuple[CellKey, int]]:
    """The cells of a region, one for each mask."""
    found: dict[int, CellKey] = {}
    for cell in sorted(words.cells):
        if _covers_cell(row, cell):
            mask = -1
            for dimension, value in zip(cell._fields, cell, strict=True):
                mask &= rules.accepting(dimension, value)
            found.setdefault(mask, cell)
    return [(cell, mask) for mask, cell in found.items()]
