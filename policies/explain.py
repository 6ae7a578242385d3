# SPDX-License-Identifier: EUPL-1.2
"""Why a question is answered or not: every condition in order, every line, the nearest miss.

An explanation never decides: `cells` repeats what the engine decided, and the steps beside it are
read from the same masks. The near miss names the one condition that kept the nearest allow line
from firing, or the facts that a denial would have needed to hear. `policies.snapshot` makes it;
`cuvar policy explain` and the console show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies import checks
from policies.decision import Decision
from policies.engine import Engine, Side
from policies.facts import Known
from policies.line import Line
from policies.masks import Request
from policies.question import Question
from policies.vocabulary import Vocabulary

GUARDS = "guards"
_COLUMNS = Request._fields


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold, in the order in which it is looked at.

    Attributes:
        id: a check ("Q-ROLE"), or "owner allow", "owner deny", "asking allow", "asking deny".
        holds: whether it does.
        lines: the lines that make it so: allow lines that match, or denials that fire.
    """

    id: str
    holds: bool
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """What kept the nearest line from granting.

    Attributes:
        line: an allow line that would have fired, or the denial that did.
        column: the one column that does not accept the question, or "guards".
        needed: what that column accepts; for "guards", the facts that are not sure; for a denial,
            the facts of which it would be enough to be sure that they do not hold.
    """

    line: Line
    column: str
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellExplanation:
    """One category at the view that was granted, or at the wanted one.

    `nearest` is None for what is granted, and where no single change would help.
    """

    category: str
    view: str
    granted: bool
    conditions: tuple[Condition, ...]
    nearest: NearMiss | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One owner's decision with its reasons.

    Attributes:
        checks: what is looked at before any line, for the whole question.
        cells: empty when a check failed.
    """

    question: Question
    owner: str
    decision: Decision
    checks: tuple[Condition, ...]
    cells: tuple[CellExplanation, ...]


def explain(
    engine: Engine, question: Question, owner: str, known: Known | None, decision: Decision
) -> Explanation:
    """The explanation of a decision; `known` is None when a check refused the whole question."""
    before = _checks(engine.vocabulary, question, owner)
    if known is None:
        return Explanation(question, owner, decision, before, ())
    sides = engine.sides(question, owner)
    cells = tuple(
        _cell(engine.vocabulary, question, sides, known, (name, decision.cells[name].view))
        for name in checks.categories(engine.vocabulary, question)
    )
    return Explanation(question, owner, decision, before, cells)


def _checks(vocabulary: Vocabulary, question: Question, owner: str) -> tuple[Condition, ...]:
    """The checks up to the first that fails: the later ones are not looked at."""
    failed = checks.refusal(vocabulary, question, owner)
    found = []
    for name in (checks.WORD, checks.KIND, checks.ROLE, checks.BASIS):
        found.append(Condition(name, name != failed))
        if name == failed:
            break
    return tuple(found)


def _cell(
    vocabulary: Vocabulary,
    question: Question,
    sides: tuple[Side, ...],
    known: Known,
    decided: tuple[str, str | None],
) -> CellExplanation:
    category, granted = decided
    views = checks.views(vocabulary, question, category)
    if not views:
        no_cell = (Condition(checks.CELL, holds=False),)
        return CellExplanation(
            category, question.view, granted=False, conditions=no_cell, nearest=None
        )
    view = granted or views[0]
    named = checks.named_refusal(vocabulary, question) is None
    conditions = [Condition(checks.CELL, holds=True), Condition(checks.NAMED, named)]
    for name, side in zip(("owner", "asking"), sides, strict=False):
        lines = side.rules.named(side.matching(category, view, known))
        allows = tuple(line for line in lines if line.eft == "allow")
        denies = tuple(line for line in lines if line.eft != "allow")
        conditions.append(Condition(f"{name} allow", bool(allows), allows))
        conditions.append(Condition(f"{name} deny", not denies, denies))
    nearest = None
    if named and not granted:
        nearest = _nearest(vocabulary, question, sides, known, (category, view))
    return CellExplanation(category, view, granted is not None, tuple(conditions), nearest)


def _nearest(
    vocabulary: Vocabulary,
    question: Question,
    sides: tuple[Side, ...],
    known: Known,
    cell: tuple[str, str],
) -> NearMiss | None:
    """The one condition to change; None when more than one stands in the way.

    A side that does not allow is looked at first, then denials. Two of these are a single condition
    only where the same fact settles both: a line that needs it and a denial for want of it.
    """
    stops: list[NearMiss | None] = []
    for side in sides:
        found = side.matching(*cell, known)
        if not found & side.rules.allows:
            stops.append(_miss(question, side, known, cell))
        denials = side.rules.named(found & side.rules.denies)
        stops += [_denial(line, known) for line in denials]
    if len(stops) == 1 or _same_fact(vocabulary, stops):
        return stops[0]
    return None


def _same_fact(vocabulary: Vocabulary, stops: list[NearMiss | None]) -> bool:
    """Whether one fact, true or false, settles every stop."""
    settled: set[tuple[str, bool]] = set()
    for stop in stops:
        if stop is None or stop.column != GUARDS:
            return False
        allows = stop.line.eft == "allow"
        for name in stop.needed:
            bases = vocabulary.negatives.get(name)
            settled.update((base, not allows) for base in bases or ())
            if bases is None:
                settled.add((name, allows))
    return len(settled) == 1


def _miss(question: Question, side: Side, known: Known, cell: tuple[str, str]) -> NearMiss | None:
    """The allow line of this side that only one condition keeps from firing."""
    rules = side.rules
    # Owner is fixed by whose rules they are: no change of the question would alter it.
    values = {
        "role": question.role,
        "org": side.asker,
        "dataset": question.dataset,
        "category": cell[0],
        "view": cell[1],
        "action": question.action,
        "purpose": question.purpose,
    }
    masks = {name: rules.accepting(name, value) for name, value in values.items()}
    firing = rules.firing(known.sure, known.maybe)
    fits = rules.allows
    for mask in masks.values():
        fits &= mask
    waiting = sorted(rules.named(fits), key=lambda line: len(set(line.guards) - known.sure))
    if waiting:
        missing = tuple(g for g in waiting[0].guards if g not in known.sure)
        return NearMiss(waiting[0], GUARDS, missing)
    for name in ("purpose", "view", "action", "category", "dataset", "role", "org"):
        others = firing & rules.allows
        for other, mask in masks.items():
            others &= mask if other != name else -1
        for line in rules.named(others):
            return NearMiss(line, name, getattr(line, name))
    return None


def _denial(line: Line, known: Known) -> NearMiss:
    """What would have to be surely not so; nothing for a denial without conditions."""
    doubtful = tuple(guard for guard in line.guards if guard not in known.sure)
    return NearMiss(line, GUARDS, doubtful or line.guards)


def lines_of(explanation: Explanation) -> Iterator[Line]:
    """Every line that the explanation names, once each."""
    found: dict[str, Line] = {}
    for cell in explanation.cells:
        for condition in cell.conditions:
            found.update({line.id: line for line in condition.lines})
        if cell.nearest is not None:
            found.setdefault(cell.nearest.line.id, cell.nearest.line)
    yield from found.values()
