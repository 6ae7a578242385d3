# SPDX-License-Identifier: EUPL-1.2
"""Under which facts a cell is granted, as one comparable value (docs/policies/semantics.md).

Lines of two rule sets become the set of least ways to be granted: "case_number" for a fact that
must surely hold, "not blocked" for one that must surely not. Two rule sets mean the same for a cell
exactly when these sets are equal, however their lines are written. `policies.difference` and
`policies.matrix` rely on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from policies.engine import Engine
from policies.facts import Known
from policies.line import Line
from policies.masks import RuleSet
from policies.space import Grant, granted
from policies.vocabulary import INTERNATIONAL, CellKey, Vocabulary
from policies.zones import asker_name

NOT = "not "
Way = frozenset[str]
Ways = frozenset[Way]


class Atom(NamedTuple):
    """One access: one asker, one role, one purpose, one cell of one owner."""

    owner: str
    org: str
    country: str
    role: str
    purpose: str
    dataset: str
    category: str
    view: str
    action: str


@dataclass(frozen=True, slots=True)
class Access:
    """When an atom is granted, with which duties, and by which lines.

    Attributes:
        ways: the least sets of facts that grant; never empty.
        needs: the conditions as the allow lines write them, least first.
        duties: by duty, the ways in which it comes; equal to `ways` when it always comes.
        lines: every fitting allow line of both sets; `denials` those whose facts could stop it.
    """

    ways: Ways
    needs: tuple[tuple[str, ...], ...]
    duties: Mapping[str, Ways]
    lines: tuple[Line, ...]
    denials: tuple[Line, ...]

    @property
    def always(self) -> frozenset[str]:
        """The duties that come with every grant."""
        return frozenset(d for d, ways in self.duties.items() if ways == self.ways)


def accesses(
    engine: Engine, keep: Callable[[Grant], bool] = lambda _: True
) -> Iterator[tuple[Atom, Access]]:
    """Every atom of the space that some facts grant, with its condition."""
    fitting = Fitting(engine)
    for grant in possible(engine):
        found = fitting.access(grant) if keep(grant) else None
        if found is not None:
            cell = grant.cell
            asker = (grant.owner, grant.org, grant.country, grant.role, grant.purpose)
            yield Atom(*asker, *cell), found


def possible(engine: Engine) -> Iterator[Grant]:
    """Every cell that both sides allow when nothing that has a condition stops it."""
    words = engine.vocabulary
    everything = frozenset(words.guards) | frozenset(words.negatives)
    return granted(engine, lambda implied: (Known(everything, implied),))


class Fitting:
    """The lines of both sets that fit an atom but for its facts; masks are remembered."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._fixed: dict[tuple[int, str, str, str, str], int] = {}
        self._cells: dict[tuple[int, CellKey], int] = {}
        self._found: dict[tuple[object, ...], Access | None] = {}

    def masks(self, grant: Grant) -> list[tuple[RuleSet, int]]:
        """Each side's rule set with its fitting lines: the owner's, then the asker's."""
        org = self._engine.vocabulary.organisations[grant.org]
        asker = asker_name(org, grant.country)
        sets = [grant.rules]
        if org.country == INTERNATIONAL:
            sets.append(self._engine.asking[org.id])
        elif grant.country != grant.owner:
            sets.append(self._engine.asking[org.country])
        return [(rules, self._mask(rules, asker, grant)) for rules in sets]

    def access(self, grant: Grant) -> Access | None:
        """The access that these lines give, or None when no facts grant it."""
        sides = self.masks(grant)
        key = (grant.implied, *((id(rules), mask) for rules, mask in sides))
        if key not in self._found:
            lines = [rules.named(mask) for rules, mask in sides]
            self._found[key] = access(self._engine.vocabulary, grant.implied, lines)
        return self._found[key]

    def _mask(self, rules: RuleSet, asker: str, grant: Grant) -> int:
        asked = (id(rules), asker, grant.owner, grant.role, grant.purpose)
        if asked not in self._fixed:
            self._fixed[asked] = (
                rules.accepting("org", asker)
                & rules.accepting("owner", grant.owner)
                & rules.accepting("role", grant.role)
                & rules.accepting("purpose", grant.purpose)
                & (rules.allows | rules.denies)
            )
        cell = (id(rules), grant.cell)
        if cell not in self._cells:
            mask = -1
            for dimension, value in zip(grant.cell._fields, grant.cell, strict=True):
                mask &= rules.accepting(dimension, value)
            self._cells[cell] = mask
        return self._fixed[asked] & self._cells[cell]


def access(
    words: Vocabulary, implied: frozenset[str], sides: Sequence[Sequence[Line]]
) -> Access | None:
    """The access that these fitting lines give, or None when no facts grant it."""
    ways: Ways = frozenset((frozenset(),))
    for lines in sides:
        allows = {frozenset(line.guards) - implied for line in lines if line.eft == "allow"}
        ways = least(way | more for way in ways for more in allows)
    needs = tuple(sorted((tuple(sorted(way)) for way in ways), key=lambda n: (len(n), n)))
    lines = tuple(chain.from_iterable(sides))
    denials = []
    for line in lines:
        escapes = None if line.eft == "allow" else _escapes(words, implied, line)
        if escapes is not None:
            denials.append(line)
            ways = _with_one(ways, escapes)
    if not ways:
        return None
    # A line whose facts always fire a denial grants nothing and brings no duty.
    firing = {
        line: found
        for line in lines
        if line.eft == "allow"
        and (found := least(way | (frozenset(line.guards) - implied) for way in ways))
    }
    duties = {
        duty: least(way for line, found in firing.items() if duty in line.duties for way in found)
        for duty in sorted({duty for line in firing for duty in line.duties})
    }
    return Access(ways, needs, MappingProxyType(duties), tuple(firing), tuple(denials))


def least(ways: Iterable[Way]) -> Ways:
    """The ways that no other one is part of; contradictory ones are none."""
    found: list[Way] = []
    for way in sorted(set(ways), key=len):
        if not any(other <= way for other in found) and not _contradicts(way):
            found.append(way)
    return frozenset(found)


def narrower(one: Ways, other: Ways) -> bool:
    """Whether whatever `one` grants, `other` grants too."""
    return all(any(wide <= way for wide in other) for way in one)


def _contradicts(way: Way) -> bool:
    return any(f"{NOT}{fact}" in way for fact in way)


def _with_one(ways: Ways, escapes: frozenset[str]) -> Ways:
    """The ways in which also one of the escapes holds."""
    return least(
        way if one is None else way | {one}
        for way in ways
        for one in ((None,) if way & escapes else escapes)
    )


def _escapes(words: Vocabulary, implied: frozenset[str], line: Line) -> frozenset[str] | None:
    """What keeps a denial from firing, one of them is enough; None when it cannot fire here."""
    found: set[str] = set()
    for guard in line.guards:
        if guard in words.negatives:
            found.update(words.negatives[guard])
        elif not words.guards[guard].derived:
            found.add(f"{NOT}{guard}")
        elif guard not in implied:
            return None
    return frozenset(found)
