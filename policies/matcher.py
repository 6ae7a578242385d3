# SPDX-License-Identifier: EUPL-1.2
"""casbin's side: one rule set as a stock enforcer, and its matcher cut into parts (ADR 0001, 0003).

`model.conf` says what a line means, and casbin's own evaluator says whether a part of the matcher
holds for a value. A stock enforcer is too slow and not safe to share between threads, so it never
answers a question; `policies.masks` asks it once per value and remembers. The tests ask it again as
the judge. This is the only module that knows casbin.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casbin import Enforcer
from casbin.model import Model
from casbin.util import SimpleEval, generate_g_function

from policies.errors import PolicyError
from policies.line import POLICY, Line, join
from policies.table import AND, EVERY, NONE

EFFECT = "some(where (p_eft == allow)) && !some(where (p_eft == deny))"
DIMENSIONS = (
    ("role",),
    ("org",),
    ("owner",),
    ("dataset",),
    ("category",),
    ("view",),
    ("action",),
    ("purpose",),
    ("sure", "maybe"),
)
"""What each part of the matcher may look at; the two sets of facts belong together."""


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
) -> Enforcer:
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
        enforcer = Enforcer(model)
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
class Part:
    """One conjunct of the matcher: `text` reads `dimensions` of a request, `columns` of a line."""

    text: str
    dimensions: tuple[str, ...]
    columns: tuple[str, ...]


class Matcher:
    """The matcher of a stock enforcer in parts, each answered by casbin's own evaluator.

    Not safe to share between threads without a lock: casbin's role manager changes when asked.
    """

    def __init__(self, enforcer: Enforcer) -> None:
        """Raises ModelRefusedError for a matcher that is not one conjunct per dimension."""
        self._functions = enforcer.fm.get_functions()
        self._functions["g"] = generate_g_function(enforcer.model["g"]["g"].rm)
        self._request: tuple[str, ...] = tuple(enforcer.model["r"]["r"].tokens)
        self._columns: tuple[str, ...] = tuple(enforcer.model["p"]["p"].tokens)
        self._policies: list[list[str]] = enforcer.model["p"]["p"].policy
        text: str = enforcer.model["m"]["m"].value
        self.parts = tuple(map(self._part, _conjuncts(text)))
        if sorted(part.dimensions for part in self.parts) != sorted(DIMENSIONS):
            raise ModelRefusedError("the matcher must test each dimension of a question once")

    def _part(self, node: ast.expr) -> Part:
        named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        for word in named:
            if word not in (*self._request, *self._columns, *self._functions):
                raise ModelRefusedError(f"the matcher names {word}, which is unknown")
        return Part(
            ast.unparse(node),
            tuple(t.removeprefix("r_") for t in self._request if t in named),
            tuple(t for t in self._columns if t in named),
        )

    def evaluate(
        self, part: Part, request: Sequence[object], rows: Iterable[tuple[str, ...]]
    ) -> list[bool]:
        """Whether the part holds for these request values with each row of its columns."""
        names: dict[str, Any] = {
            f"r_{name}": value for name, value in zip(part.dimensions, request, strict=True)
        }
        evaluator = SimpleEval(part.text, self._functions)
        found = []
        for row in rows:
            answer = evaluator.eval({**names, **dict(zip(part.columns, row, strict=True))})
            if not isinstance(answer, bool):
                raise ModelRefusedError(f"{part.text} answers neither yes nor no")
            found.append(answer)
        return found

    def rows(self, part: Part) -> Iterable[tuple[str, ...]]:
        """The cells that a part looks at, for each line of the enforcer in its order."""
        places = [self._columns.index(column) for column in part.columns]
        return (tuple(policy[place] for place in places) for policy in self._policies)


def _conjuncts(text: str) -> list[ast.expr]:
    """The matcher cut at its top-level "and"."""
    try:
        tree = ast.parse(text.replace("&&", " and ").strip(), mode="eval").body
    except SyntaxError as error:
        raise ModelRefusedError("the matcher must be tests joined by &&") from error
    if not (isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)):
        raise ModelRefusedError("the matcher must be tests joined by &&")
    return tree.values
