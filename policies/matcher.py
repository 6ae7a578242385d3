# SPDX-License-Identifier: EUPL-1.2
"""casbin's side: one rule set as a stock enforcer, and its matcher cut into parts (ADR 0001, 0003).

`model.conf` says what a line means, and casbin's own evaluator says whether a part of the matcher
holds for a value. A stock enforcer is too slow and not safe to share between threads, so it never
answers a question; `policies.masks` takes tables that were filled from it. The tests, and the
shadow of a running gateway, ask it again as the judge. This is the only module that knows casbin.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from casbin import Enforcer as StockEnforcer
from casbin.model import Model
from casbin.util import SimpleEval, generate_g_function

from policies.errors import PolicyError
from policies.line import POLICY, Line, join
from policies.table import AND, EVERY, NONE

__all__ = [
    "COLUMNS",
    "Compiler",
    "ModelRefusedError",
    "StockEnforcer",
    "Tables",
    "covers",
    "holds",
    "stock_enforcer",
]

EFFECT = "some(where (p_eft == allow)) && !some(where (p_eft == deny))"
COLUMNS = ("role", "org", "owner", "dataset", "category", "view", "action", "purpose")
"""The dimensions of a question that one column of a line answers each."""
FACTS = "facts"
PARTS: Mapping[str, str] = MappingProxyType(
    {
        **{name: f"covers(r_{name}, p_{name})" for name in COLUMNS},
        "role": "g(r_role, p_role)",
        FACTS: "holds(p_eft, p_guards, r_sure, r_maybe)",
    }
)
"""What each conjunct of the matcher must be, as casbin writes it."""
_NOBODY = "nobody "
"""A value that no cell can name, since cells have no space at an edge."""


class ModelRefusedError(PolicyError):
    """`model.conf` means something that this engine cannot answer; restore the packaged one."""


def covers(value: str, cell: str) -> bool:
    """Whether a list cell names a value: "*", the value alone, or one of "a + b"."""
    return cell in (EVERY, value) or value in cell.split(AND)


def holds(eft: str, guards: str, sure: frozenset[str], maybe: frozenset[str]) -> bool:
    """Whether a line fires: allow lines on what is sure, all others on what is only possible."""
    known = sure if eft == "allow" else maybe
    return guards == NONE or known.issuperset(guards.split(AND))


def stock_enforcer(
    conf: str, lines: Sequence[Line], groups: Mapping[str, frozenset[str]]
) -> StockEnforcer:
    """A stock casbin enforcer that holds exactly these lines.

    Raises:
        ModelRefusedError: casbin cannot read the model, or it is not the model of these columns.
    """
    model = Model()
    try:
        model.load_model_from_text(conf)
        _check_meaning(model)
        model.add_policies("p", "p", [line.policy() for line in lines])
        model.add_policies("g", "g", list(_role_links(lines, groups)))
        enforcer = StockEnforcer(model)
        enforcer.build_role_links()
    except (AttributeError, KeyError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise ModelRefusedError("model.conf cannot be read by casbin; restore it") from error
    enforcer.add_function("covers", covers)
    enforcer.add_function("holds", holds)
    if len(model["p"]["p"].policy) != len(lines):
        raise ModelRefusedError("casbin did not take every line; no rule is used")
    return enforcer


def _check_meaning(model: Model) -> None:
    """The effect is allow-and-deny, the columns are those of a line, and there is one matcher."""
    if model["e"]["e"].value != EFFECT:
        raise ModelRefusedError("the effect of model.conf must be some allow and no deny")
    if tuple(model["p"]["p"].tokens) != tuple(f"p_{name}" for name in POLICY):
        raise ModelRefusedError(f"the policy of model.conf must be {', '.join(POLICY)}")
    if not model["m"]["m"].value:
        raise ModelRefusedError("model.conf must have a matcher")


def _role_links(lines: Iterable[Line], groups: Mapping[str, frozenset[str]]) -> Iterable[list[str]]:
    """Each role with every role cell that names it or a group of it: flat, one step deep."""
    for cell in dict.fromkeys(line.role for line in lines):
        members = frozenset[str]().union(*(groups.get(word, {word}) for word in cell))
        for role in sorted(members):
            if role != join(cell):
                yield [role, join(cell)]


@dataclass(frozen=True, slots=True)
class Tables:
    """The masks of one set of lines.

    Attributes:
        columns: by dimension, the mask of each word that some line names, and of every other value.
        needs: by guard, the lines that fire only while it is sure, and only while it is possible.
    """

    columns: Mapping[str, tuple[Mapping[str, int], int]]
    needs: Mapping[str, tuple[int, int]]


class Compiler:
    """Fills tables with the answers of casbin's own evaluator, and remembers those answers.

    One compiler serves all sets of one rule folder: an answer depends on the words of a cell and of
    a question alone. Not safe to share between threads, and not needed once the sets are made.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[object, ...], tuple[str, ...]], bool] = {}

    def compile(self, enforcer: StockEnforcer) -> Tables:
        """The tables of a stock enforcer's lines.

        Raises:
            ModelRefusedError: the matcher is not the one conjunct for each dimension that masks
                can answer, or casbin answers a part otherwise than masks would.
        """
        functions = enforcer.fm.get_functions()
        functions["g"] = generate_g_function(enforcer.model["g"]["g"].rm)
        parts = _parts(enforcer.model["m"]["m"].value)
        policies: list[list[str]] = enforcer.model["p"]["p"].policy
        links: list[list[str]] = enforcer.model["g"]["g"].policy
        columns = {}
        for dimension in COLUMNS:
            ask = _Asking(self._known, parts[dimension], functions)
            place = POLICY.index(dimension)
            rows = _positions((policy[place],) for policy in policies)
            words = {word for (cell,) in rows for word in cell.split(AND)}
            if dimension == "role":
                words.update(role for role, _ in links)
            found = {word: ask.mask((word,), rows) for word in sorted(words - {EVERY})}
            columns[dimension] = (found, ask.mask((_NOBODY,), rows))
        ask = _Asking(self._known, parts[FACTS], functions)
        places = POLICY.index("eft"), POLICY.index("guards")
        rows = _positions(tuple(policy[place] for place in places) for policy in policies)
        return Tables(columns, _needs(ask, rows))


class _Asking:
    """One part of the matcher, asked of casbin's evaluator."""

    def __init__(
        self,
        known: dict[tuple[str, tuple[object, ...], tuple[str, ...]], bool],
        text: str,
        functions: Mapping[str, Any],
    ) -> None:
        self._known = known
        self._text = text
        self._evaluator = SimpleEval(text, functions)
        self._request = _arguments(text, "r_")
        self._columns = _arguments(text, "p_")

    def holds(self, request: tuple[object, ...], row: tuple[str, ...]) -> bool:
        key = (self._text, request, row)
        if key not in self._known:
            names = dict(zip(self._request, request, strict=True))
            answer = self._evaluator.eval({**names, **dict(zip(self._columns, row, strict=True))})
            if not isinstance(answer, bool):
                raise ModelRefusedError(f"{self._text} answers neither yes nor no")
            self._known[key] = answer
        return self._known[key]

    def mask(self, request: tuple[object, ...], rows: Mapping[tuple[str, ...], int]) -> int:
        mask = 0
        for row, bits in rows.items():
            if self.holds(request, row):
                mask |= bits
        return mask


def _needs(ask: _Asking, rows: Mapping[tuple[str, ...], int]) -> Mapping[str, tuple[int, int]]:
    """Which lines each guard stops when it is not sure, and when it is not even possible.

    A line fires when everything it needs is there. That casbin means just that is asked of it for
    every distinct pair of effect and guards: with all of them, without each, with the needs alone.
    """
    found: dict[str, tuple[int, int]] = {}
    for row, bits in rows.items():
        named = frozenset() if row[1] == NONE else frozenset(row[1].split(AND))
        sure = frozenset(g for g in named if not ask.holds((named - {g}, named), row))
        maybe = frozenset(g for g in named if not ask.holds((named, named - {g}), row))
        if not ask.holds((named, named), row) or not ask.holds((sure, maybe), row):
            raise ModelRefusedError(f"the guards of a line ({row[1]}) cannot be compiled")
        for guard in sorted(named):
            old = found.get(guard, (0, 0))
            in_sure, in_maybe = bits if guard in sure else 0, bits if guard in maybe else 0
            found[guard] = (old[0] | in_sure, old[1] | in_maybe)
    return found


def _positions(rows: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """For each distinct row of cells, the bits of the lines that hold it."""
    found: dict[tuple[str, ...], int] = {}
    for bit, row in enumerate(rows):
        found[row] = found.get(row, 0) | 1 << bit
    return found


def _arguments(text: str, prefix: str) -> tuple[str, ...]:
    call = ast.parse(text, mode="eval").body
    return tuple(
        node.id
        for node in ast.walk(call)
        if isinstance(node, ast.Name) and node.id.startswith(prefix)
    )


def _parts(text: str) -> Mapping[str, str]:
    """The matcher cut at its top-level "and", by dimension; refused unless it is exactly ours.

    A part that compares in any other way, looks at two dimensions, is missing or stands twice
    could not be answered by one mask for each value.
    """
    try:
        tree = ast.parse(text.replace("&&", " and ").strip(), mode="eval").body
    except SyntaxError as error:
        raise ModelRefusedError("the matcher must be tests joined by &&") from error
    nodes = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else []
    found = [ast.unparse(node) for node in nodes]
    for part in found:
        if part not in PARTS.values():
            raise ModelRefusedError(f"the matcher tests {part}, which cannot be compiled")
    if sorted(found) != sorted(PARTS.values()):
        raise ModelRefusedError("the matcher must test each dimension of a question once")
    return PARTS
