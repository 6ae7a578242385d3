# SPDX-License-Identifier: EUPL-1.2
"""What is odd about the lines of a rule folder, though the loader accepts them.

A line that never decides anything is a line about which somebody is wrong: such findings are
faults. What may well be meant, such as a denial that stops an allowing line of the same country in
some cells, is a note. Every finding is exact over the whole decision space of the two rule sets;
`policies.check` and `cuvar policy check` rely on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from policies.conditions import Fitting, possible
from policies.facts import implied_by
from policies.line import Line
from policies.masks import RuleSet
from policies.proof import needed_floor
from policies.snapshot import Snapshot
from policies.space import askers
from policies.vocabulary import CellKey, Organisation, Vocabulary
from policies.zones import asker_name

FLOOR_FILE = "floor.csv"


class Oddity(Enum):
    """What may be odd about a line."""

    DEAD = "dead"
    STOPPED = "stopped"
    DUPLICATE = "duplicate"
    SHADOWED = "shadowed"
    CONFLICT = "conflicting"
    IDLE = "idle"
    UNPROVED = "unproved"
    DUTIES = "duties disagree"


_FAULTS = (Oddity.DEAD, Oddity.STOPPED, Oddity.DUPLICATE, Oddity.SHADOWED, Oddity.UNPROVED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One oddity; `others` are ids of the lines that it has to do with."""

    oddity: Oddity
    file: str
    line: int
    rule: str
    others: tuple[str, ...]
    message: str

    @property
    def fault(self) -> bool:
        """Whether it must be mended before the rules may be used."""
        return self.oddity in _FAULTS

    def __str__(self) -> str:
        kind = "fault" if self.fault else "note"
        return f"{self.file}:{self.line}: {self.rule}: {kind}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Lines that fit one and the same place; `implied` are the derived facts there."""

    mask: int
    implied: frozenset[str]


def lint(snapshot: Snapshot, tick: Callable[[], None] = lambda: None) -> tuple[Finding, ...]:
    """Every finding, in file and line order; faults and notes.

    `tick` is called now and then; what it raises ends the work.
    """
    engine = snapshot.engine
    found: list[Finding] = []
    for name, rules in (*engine.owners.items(), *engine.asking.items()):
        tick()
        owners = (name,) if rules is engine.owners.get(name) else tuple(engine.owners)
        meetings = tuple(_meetings(rules, engine.vocabulary, owners))
        found += _allows(rules, meetings)
        found += _denials(rules, meetings)
        found += _pairs(rules, meetings)
    found += _unproved(snapshot)
    worse = {finding.rule for finding in found if finding.fault}
    found += [finding for finding in _unmet(snapshot) if finding.rule not in worse]
    return tuple(sorted(set(found), key=lambda f: (f.file, f.line, f.oddity.value, f.others)))


def _meetings(rules: RuleSet, words: Vocabulary, owners: Sequence[str]) -> set[_Meeting]:
    """Every distinct set of lines that fits somewhere, where an allow line is among them."""
    shapes = _shapes(rules, words)
    found: set[_Meeting] = set()
    for org, country in askers(words):
        place = rules.accepting("org", asker_name(org, country))
        if not place & rules.allows:
            continue
        for owner in owners:
            fixed = place & rules.accepting("owner", owner)
            implied = implied_by(words, org, country, owner)
            for act in _acts(rules, words, org):
                left = fixed & act
                if left & rules.allows:
                    masks = {left & shape for shape in shapes}
                    found |= {_Meeting(m, implied) for m in masks if m & rules.allows}
    return found


def _shapes(rules: RuleSet, words: Vocabulary) -> frozenset[int]:
    """The masks of all cells."""
    return frozenset(_shape(rules, cell) for cell in words.cells)


def _shape(rules: RuleSet, cell: CellKey) -> int:
    mask = -1
    for dimension, value in zip(cell._fields, cell, strict=True):
        mask &= rules.accepting(dimension, value)
    return mask


def _acts(rules: RuleSet, words: Vocabulary, org: Organisation) -> set[int]:
    """The masks of each role of an organisation with each purpose that it may state."""
    return {
        rules.accepting("role", role) & rules.accepting("purpose", purpose.id)
        for role in words.roles
        if words.may_hold(org, role)
        for purpose in words.purposes.values()
        if role in purpose.roles
    }


def _allows(rules: RuleSet, meetings: Sequence[_Meeting]) -> Iterator[Finding]:
    for place, line in enumerate(rules.lines):
        if line.eft != "allow":
            continue
        here = [meeting for meeting in meetings if meeting.mask >> place & 1]
        if not here:
            yield _finding(Oddity.DEAD, line, (), "never matches: nobody can ask just this")
            continue
        stops = [_stops(rules, line, meeting) for meeting in here]
        if all(stops):
            by = tuple(sorted({stop for some in stops for stop in some}))
            told = f"never allows anything: wherever it matches, {_or(by)} denies"
            yield _finding(Oddity.STOPPED, line, by, told)
            continue
        covers = [_covers(rules, line, meeting) for meeting in here]
        if all(covers):
            by = tuple(sorted({c for some in covers for c in some}))
            yield _shadow(rules, line, by)
        for stop in sorted({stop for some in stops for stop in some}):
            told = f"allows what {stop} always denies in some of the same cells"
            yield _finding(Oddity.CONFLICT, line, (stop,), told)


def _shadow(rules: RuleSet, line: Line, by: tuple[str, ...]) -> Finding:
    twins = [other for other in rules.lines if other.id in by and _same(line, other)]
    if twins:
        told = f"says the same as {twins[0].id}; take one out"
        return _finding(Oddity.DUPLICATE, line, (twins[0].id,), told)
    return _finding(Oddity.SHADOWED, line, by, f"adds nothing to {_or(by)}; take it out")


def _stops(rules: RuleSet, line: Line, meeting: _Meeting) -> tuple[str, ...]:
    """The denials that fire there whenever the line does."""
    firing = meeting.implied | frozenset(line.guards)
    denials = rules.named(meeting.mask & rules.denies)
    return tuple(d.id for d in denials if firing.issuperset(d.guards))


def _covers(rules: RuleSet, line: Line, meeting: _Meeting) -> tuple[str, ...]:
    """The allow lines that fire there whenever the line does, and bring all of its duties."""
    return tuple(
        other.id
        for other in rules.named(meeting.mask & rules.allows)
        if other is not line and _at_least(other, line) and not _later(other, line)
    )


def _at_least(wide: Line, line: Line) -> bool:
    return set(wide.guards) <= set(line.guards) and set(line.duties) <= set(wide.duties)


def _later(other: Line, line: Line) -> bool:
    """Of two that cover each other the first one counts."""
    return _at_least(line, other) and other.number > line.number


def _same(line: Line, other: Line) -> bool:
    columns = ("role", "org", "owner", "dataset", "category", "view", "action", "purpose")
    return all(
        set(getattr(line, name)) == set(getattr(other, name))
        for name in (*columns, "guards", "duties")
    )


def _denials(rules: RuleSet, meetings: Sequence[_Meeting]) -> Iterator[Finding]:
    """National denials that stop nothing; what the floor holds is proved by invariants.csv."""
    for place, line in enumerate(rules.lines):
        if line.eft == "allow" or line.file == FLOOR_FILE:
            continue
        here = [meeting for meeting in meetings if meeting.mask >> place & 1]
        covers = [_denied_anyway(rules, place, meeting) for meeting in here]
        if not here:
            told = "denies nothing that a line of the same side allows"
            yield _finding(Oddity.IDLE, line, (), told)
        elif all(covers):
            by = tuple(sorted({c for some in covers for c in some}))
            twin = next((o for o in rules.lines if o.id in by and _same(line, o)), None)
            if twin is not None:
                told = f"says the same as {twin.id}; take one out"
                yield _finding(Oddity.DUPLICATE, line, (twin.id,), told)
            else:
                yield _finding(Oddity.IDLE, line, by, f"denies only what {_or(by)} denies anyway")


def _denied_anyway(rules: RuleSet, place: int, meeting: _Meeting) -> tuple[str, ...]:
    """The other denials that fire there whenever this one does."""
    line = rules.lines[place]
    mine, found = meeting.implied.union(line.guards), []
    for other in rules.named(meeting.mask & rules.denies):
        both = meeting.implied.union(other.guards).issuperset(line.guards)
        later = both and rules.lines.index(other) > place
        if other is not line and mine.issuperset(other.guards) and not later:
            found.append(other.id)
    return tuple(found)


def _unproved(snapshot: Snapshot) -> Iterator[Finding]:
    """Floor lines that no statement needs: somebody could take them out and nothing would tell."""
    needed = needed_floor(snapshot.book)
    for line in snapshot.book.floor:
        if line.id not in needed:
            told = "no invariant would notice if it were lost; state what it protects"
            yield _finding(Oddity.UNPROVED, line, (), told)


def _unmet(snapshot: Snapshot) -> Iterator[Finding]:
    """Allow lines that fit questions abroad which the other side never allows."""
    engine = snapshot.engine
    fitting, met = Fitting(engine), dict[int, int]()
    for grant in possible(engine):
        for rules, mask in fitting.masks(grant):
            met[id(rules)] = met.get(id(rules), 0) | mask
    for owned in (True, False):
        for rules in (engine.owners if owned else engine.asking).values():
            who = "no other country lets its own ask" if owned else "no owner allows"
            for line in rules.named(rules.allows & ~met.get(id(rules), 0)):
                told = f"grants nothing yet: {who} for what it allows"
                yield _finding(Oddity.IDLE, line, (), told)


def _pairs(rules: RuleSet, meetings: Sequence[_Meeting]) -> Iterator[Finding]:
    """Allow lines of one cell of which each brings duties that the other lacks."""
    pairs: dict[tuple[int, int], None] = {}
    for mask in {meeting.mask & rules.allows for meeting in meetings}:
        lines = rules.named(mask)
        for number, line in enumerate(lines):
            for other in lines[number + 1 :]:
                if set(line.duties) != set(other.duties):
                    pairs[(rules.lines.index(line), rules.lines.index(other))] = None
    for first, second in pairs:
        line, other = rules.lines[first], rules.lines[second]
        differ = sorted(set(line.duties) ^ set(other.duties))
        told = f"allows some of the same cells as {other.id} with other duties: {', '.join(differ)}"
        yield _finding(Oddity.DUTIES, line, (other.id,), told)


def _finding(oddity: Oddity, line: Line, others: tuple[str, ...], message: str) -> Finding:
    return Finding(oddity, line.file, line.number, line.id, others, message)


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
