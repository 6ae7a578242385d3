# SPDX-License-Identifier: EUPL-1.2
"""One rule set, compiled: which lines match a question, as bits of a number (ADR 0003).

Bit n stands for line n. For each dimension of a question the lines that accept a value are one
mask, filled on first use by casbin's own evaluator; a decision is a few ANDs, and its set bits are
every deciding line. `policies.engine` relies on it; the tests hold it against stock casbin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from threading import Lock

from policies.line import Line
from policies.matcher import Matcher, Part, stock_enforcer

FACTS = ("sure", "maybe")
_FACT_SETS = 4096


class RuleSet:
    """Lines that decide together. Safe to share between threads; values must be of the vocabulary.

    Attributes:
        lines: in the order in which they are named: files as given, lines as written.
        allows: mask of the allow lines; `denies` of the deny lines.
    """

    def __init__(
        self, conf: str, lines: Sequence[Line], groups: Mapping[str, frozenset[str]]
    ) -> None:
        self.lines = tuple(lines)
        self.allows = _mask(line.eft == "allow" for line in self.lines)
        self.denies = _mask(line.eft == "deny" for line in self.lines)
        self.guards = frozenset[str]().union(*(line.guards for line in self.lines))
        self._matcher = Matcher(stock_enforcer(conf, self.lines, groups))
        self._lock = Lock()
        self._tables = {
            part.dimensions[0]: _Table(self._matcher, part, self._lock)
            for part in self._matcher.parts
            if part.dimensions != FACTS
        }
        facts = next(part for part in self._matcher.parts if part.dimensions == FACTS)
        self._fact_table = _Table(self._matcher, facts, self._lock)
        self._firing = lru_cache(maxsize=_FACT_SETS)(self._fact_table.fill)

    def accepting(self, dimension: str, value: str) -> int:
        """The lines whose column accepts a value."""
        return self._tables[dimension][value]

    def firing(self, sure: frozenset[str], maybe: frozenset[str]) -> int:
        """The lines whose guards let them fire; `sure` and `maybe` as the model means them."""
        return self._firing(sure & self.guards, maybe & self.guards)

    def named(self, mask: int) -> tuple[Line, ...]:
        """The lines of a mask, in order."""
        return tuple(self.lines[bit] for bit in _bits(mask))


class _Table:
    """The masks of one part of the matcher, by request value; grows only by known words."""

    def __init__(self, matcher: Matcher, part: Part, lock: Lock) -> None:
        self._matcher = matcher
        self._part = part
        self._lock = lock
        self._masks: dict[str, int] = {}
        rows: dict[tuple[str, ...], int] = {}
        for bit, row in enumerate(matcher.rows(part)):
            rows[row] = rows.get(row, 0) | 1 << bit
        self._rows = rows

    def __getitem__(self, value: str) -> int:
        mask = self._masks.get(value)
        if mask is None:
            mask = self._masks[value] = self.fill(value)
        return mask

    def fill(self, *request: object) -> int:
        """Asks casbin's evaluator for every distinct row of cells."""
        with self._lock:
            answers = self._matcher.evaluate(self._part, request, self._rows)
        mask = 0
        for answer, bits in zip(answers, self._rows.values(), strict=True):
            if answer:
                mask |= bits
        return mask


def _mask(flags: Iterator[bool]) -> int:
    return sum(1 << bit for bit, flag in enumerate(flags) if flag)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
