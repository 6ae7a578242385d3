# SPDX-License-Identifier: EUPL-1.2
"""One rule set, compiled: which lines match a question, as bits of a number (ADR 0003).

Bit n stands for line n. For each dimension of a question the lines that accept a value are one
mask; a decision is a few ANDs, and its set bits are every deciding line. All tables are filled when
the rules are loaded, by casbin's own evaluator, and never change afterwards, so that threads share
a set without a lock. `policies.engine` relies on it; the tests hold it against stock casbin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from policies.facts import Known
from policies.line import Line
from policies.matcher import Compiler, stock_enforcer

_FACT_SETS = 8192


class Request(NamedTuple):
    """What a line is held against, but for the facts; `org` is an asker name ("UNHCR/BA")."""

    role: str
    org: str
    owner: str
    dataset: str
    category: str
    view: str
    action: str
    purpose: str


class Table(dict[str, int]):
    """The masks of one dimension; a value that no line names has the mask of `other`.

    A dict, so that looking up costs no call: a decision looks up eight times.
    """

    __slots__ = ("_other",)

    def __init__(self, masks: Mapping[str, int], other: int) -> None:
        super().__init__(masks)
        self._other = other

    def __missing__(self, value: str) -> int:
        return self._other


class RuleSet:
    """Lines that decide together; immutable, safe to share between threads.

    A value outside the vocabulary is answered as casbin would: only "*" covers it. Callers refuse
    such values, and empty ones, before they ask (`policies.checks`).

    Attributes:
        lines: in the order in which they are named: files as given, lines as written.
        allows: mask of the allow lines; `denies` of the deny lines.
    """

    def __init__(
        self,
        conf: str,
        lines: Sequence[Line],
        groups: Mapping[str, frozenset[str]],
        compiler: Compiler | None = None,
    ) -> None:
        """Compile; sets of one folder share a compiler, which remembers casbin's answers.

        Raises:
            ModelRefusedError: the model means something that masks cannot answer.
        """
        enforcer = stock_enforcer(conf, lines, groups)
        tables = (compiler or Compiler()).compile(enforcer)
        self.lines = tuple(lines)
        self.guards = frozenset[str]().union(*(line.guards for line in self.lines))
        self._columns = {d: Table(masks, other) for d, (masks, other) in tables.columns.items()}
        self._tables = tuple(self._columns[dimension] for dimension in Request._fields)
        self._needs = tables.needs
        self._live_set((1 << len(self.lines)) - 1)

    def _live_set(self, live: int) -> None:
        self._live = live
        self.allows = _mask(line.eft == "allow" for line in self.lines) & live
        self.denies = _mask(line.eft == "deny" for line in self.lines) & live
        self._firing = lru_cache(maxsize=_FACT_SETS)(self._fire)

    def without(self, ids: Iterable[str]) -> RuleSet:
        """The same set with some allow lines out of force; denials always stay."""
        gone = frozenset(ids)
        left = _mask(line.eft == "allow" and line.id in gone for line in self.lines)
        if not left & self._live:
            return self
        other = object.__new__(RuleSet)
        other.lines, other.guards = self.lines, self.guards
        other._columns, other._needs = self._columns, self._needs
        other._tables = self._tables
        other._live_set(self._live & ~left)
        return other

    @property
    def in_force(self) -> tuple[Line, ...]:
        """The lines but for those that `without` took out."""
        return self.named(self._live)

    def accepting(self, dimension: str, value: str) -> int:
        """The lines whose column accepts a value."""
        return self._columns[dimension][value]

    def firing(self, sure: frozenset[str], maybe: frozenset[str]) -> int:
        """The lines whose guards let them fire; `sure` and `maybe` as the model means them."""
        return self._firing(sure, maybe)

    def matching(self, request: Request, facts: Known) -> int:
        """Every line that matches: allow lines and denials."""
        return self._fitting(request) & self._firing(facts.sure, facts.maybe)

    def _fitting(self, request: Request) -> int:
        """The lines whose columns accept a request; what is known is not looked at."""
        role, org, owner, dataset, category, view, action, purpose = request
        roles, orgs, owners, datasets, categories, views, actions, purposes = self._tables
        return (
            roles[role]
            & orgs[org]
            & owners[owner]
            & datasets[dataset]
            & categories[category]
            & views[view]
            & actions[action]
            & purposes[purpose]
        )

    def allowed(self, request: Request, facts: Known) -> bool:
        """What stock casbin's enforce answers: some allow line matches, and no denial."""
        found = self._fitting(request)
        if not found & self.allows:
            return False
        found &= self._firing(facts.sure, facts.maybe)
        return found & self.allows != 0 and not found & self.denies

    def allowed_cells(
        self, request: Request, cells: Sequence[tuple[str, str]], facts: Known
    ) -> list[bool]:
        """`allowed` for many (dataset, category) of one question; the rest of `request` is fixed.

        The columns that do not change are joined once, and so is each dataset.
        """
        columns = self._columns
        fixed = (
            self._firing(facts.sure, facts.maybe)
            & columns["role"][request.role]
            & columns["org"][request.org]
            & columns["owner"][request.owner]
            & columns["view"][request.view]
            & columns["action"][request.action]
            & columns["purpose"][request.purpose]
        )
        allows, denies = fixed & self.allows, fixed & self.denies
        found = [False] * len(cells)
        if not allows:
            return found
        datasets, categories = columns["dataset"], columns["category"]
        last, some, none = None, 0, 0
        for place, (dataset, category) in enumerate(cells):
            if dataset != last:
                mask, last = datasets[dataset], dataset
                some, none = allows & mask, denies & mask
            if some:
                mask = categories[category]
                if some & mask and not none & mask:
                    found[place] = True
        return found

    def named(self, mask: int) -> tuple[Line, ...]:
        """The lines of a mask, in order."""
        return tuple(self.lines[bit] for bit in _bits(mask))

    def _fire(self, sure: frozenset[str], maybe: frozenset[str]) -> int:
        stopped = 0
        for guard, (in_sure, in_maybe) in self._needs.items():
            if guard not in sure:
                stopped |= in_sure
            if guard not in maybe:
                stopped |= in_maybe
        return self._live & ~stopped


def _mask(flags: Iterator[bool]) -> int:
    return sum(1 << bit for bit, flag in enumerate(flags) if flag)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
