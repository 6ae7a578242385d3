# SPDX-License-Identifier: EUPL-1.2
"""The same lines as Cedar policies, answered by `cedarpy` in this process.

A line becomes one `permit` or `forbid`: the role is the principal (an entity with its groups as
parents), the action the action, the owner the resource, so that Cedar's own scope says as much as
it can; the other columns and the guards are conditions on the context. Policies and entities are
parsed once, and a request is built once, in the quickest of the forms that the package takes. The
context names only facts that some line asks for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cedarpy import Entities, PolicySet, is_authorized, is_authorized_batch

from bench.policy.cases import Case, Cell
from policies.line import Line
from policies.table import EVERY

NAME = "cedarpy"
_CONTEXT = ("org", "dataset", "category", "view", "purpose")


class Cedar:
    """One rule set; requests are prepared by `asked` and `question`, outside what is timed.

    Attributes:
        evaluated_us: what the package says that each evaluation took, its request built already.
    """

    def __init__(self, lines: Sequence[Line], groups: Mapping[str, frozenset[str]]) -> None:
        self._guards = frozenset[str]().union(*(line.guards for line in lines))
        self._policies = PolicySet.from_str("\n".join(policy(line, groups) for line in lines))
        self.evaluated_us: list[int] = []
        self._entities = Entities.from_json_str(json.dumps(_entities(groups)))
        assert len(self._policies) == len(lines), "Cedar took another number of policies"

    def asked(self, case: Case) -> dict[str, Any]:
        """A case as Cedar's request."""
        request, facts = case
        context = {column: getattr(request, column) for column in _CONTEXT}
        return {
            "principal": {"type": "Role", "id": request.role},
            "action": {"type": "Action", "id": request.action},
            "resource": {"type": "Owner", "id": request.owner},
            "context": {
                **context,
                "sure": sorted(facts.sure & self._guards),
                "maybe": sorted(facts.maybe & self._guards),
            },
        }

    def question(self, case: Case, cells: Sequence[Cell]) -> list[dict[str, Any]]:
        """All cells of one question, for `allowed_cells`."""
        return [
            self.asked(case._replace(request=case.request._replace(dataset=d, category=c)))
            for d, c in cells
        ]

    def allowed(self, asked: dict[str, Any]) -> bool:
        """Raises AssertionError if a policy could not be evaluated: Cedar would just skip it."""
        answer = is_authorized(asked, self._policies, self._entities)
        assert not answer.diagnostics.errors, answer.diagnostics.errors
        self.evaluated_us.append(answer.metrics["authz_duration_micros"])
        return bool(answer.allowed)

    def allowed_cells(self, asked: list[dict[str, Any]]) -> list[bool]:
        """The cells in the package's one call for many requests."""
        return [a.allowed for a in is_authorized_batch(asked, self._policies, self._entities)]


def policy(line: Line, groups: Mapping[str, frozenset[str]]) -> str:
    """One line in Cedar's language."""
    effect, known = ("permit", "sure") if line.eft == "allow" else ("forbid", "maybe")
    tests = [_member(column, getattr(line, column)) for column in _CONTEXT]
    if len(line.role) > 1:
        roles = ", ".join(_principal(word, groups) for word in line.role)
        tests.insert(0, f"principal in [{roles}]")
    if line.guards:
        tests.append(f"context.{known}.containsAll({json.dumps(line.guards)})")
    when = " && ".join(test for test in tests if test)
    scope = f"{_principal_scope(line, groups)}, {_action_scope(line)}, {_resource_scope(line)}"
    conditions = f" when {{ {when} }}" if when else ""
    return f'@id("{line.id}")\n{effect} ({scope}){conditions};'


def _principal(word: str, groups: Mapping[str, frozenset[str]]) -> str:
    return f'{"Group" if word in groups else "Role"}::"{word}"'


def _principal_scope(line: Line, groups: Mapping[str, frozenset[str]]) -> str:
    if len(line.role) > 1 or line.role == (EVERY,):
        return "principal"
    return f"principal in {_principal(line.role[0], groups)}"


def _action_scope(line: Line) -> str:
    if line.action == (EVERY,):
        return "action"
    words = ", ".join(f'Action::"{word}"' for word in line.action)
    return f"action in [{words}]"


def _resource_scope(line: Line) -> str:
    if line.owner == (EVERY,):
        return "resource"
    assert len(line.owner) == 1, line.id
    return f'resource == Owner::"{line.owner[0]}"'


def _member(column: str, cell: tuple[str, ...]) -> str | None:
    if cell == (EVERY,):
        return None
    if len(cell) == 1:
        return f'context.{column} == "{cell[0]}"'
    return f"{json.dumps(cell)}.contains(context.{column})"


def _entities(groups: Mapping[str, frozenset[str]]) -> list[dict[str, Any]]:
    """Every role with its groups as parents."""
    parents: dict[str, list[str]] = {}
    for group, members in groups.items():
        for role in members:
            parents.setdefault(role, []).append(group)
    roles = [
        {
            "uid": {"type": "Role", "id": role},
            "attrs": {},
            "parents": [{"type": "Group", "id": group} for group in sorted(found)],
        }
        for role, found in sorted(parents.items())
    ]
    known = [{"uid": {"type": "Group", "id": g}, "attrs": {}, "parents": []} for g in groups]
    return [*roles, *known]
