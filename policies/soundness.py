# SPDX-License-Identifier: EUPL-1.2
"""Whether a rule folder that loads is also sound: lines, worked examples, invariants.

One report for whoever is about to sign: what is odd about a line, which example comes out
otherwise, and which statement does not hold, with a counter-example. `cuvar policy check` and the
console rely on it; `docs/formats/rules.md` says what counts as a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from policies.examples import Example
from policies.invariants import Invariant
from policies.lint import Finding, lint
from policies.proof import Breach, breaches
from policies.snapshot import Snapshot
from policies.trial import Failure, failures


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A statement that does not hold, and one question that shows it."""

    invariant: Invariant
    breach: Breach

    def __str__(self) -> str:
        row = self.invariant
        although = f", although {' and '.join(sorted(row.when))} may hold" if row.when else ""
        without = f" without {' or '.join(sorted(row.carries))}" if row.carries else ""
        lacking = "the floor does not refuse" if row.floor else "granted"
        return (
            f"{row.file}:{row.line}: {row.id} does not hold: {row.statement}; "
            f"{lacking}{without}: {self.breach.example}{although}"
        )


@dataclass(frozen=True, slots=True)
class Soundness:
    """Everything that was looked at, and everything that was found.

    Attributes:
        lines: how many lines were read; `examples` and `invariants` likewise.
        findings: of the lines, faults and notes.
        failures: examples that come out otherwise.
        counterexamples: one for each invariant that does not hold.
    """

    digest: str
    lines: int
    examples: int
    invariants: int
    findings: tuple[Finding, ...]
    failures: tuple[Failure, ...]
    counterexamples: tuple[Counterexample, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that must be mended."""
        return tuple(finding for finding in self.findings if finding.fault)

    @property
    def sound(self) -> bool:
        """Whether nothing must be mended."""
        return not (self.faults or self.failures or self.counterexamples)


def examine(
    snapshot: Snapshot,
    more: tuple[Example, ...] = (),
    tick: Callable[[], None] = lambda: None,
) -> Soundness:
    """The whole report; `more` are examples beside those of the folder.

    `tick` is called now and then; what it raises ends the work.
    """
    book = snapshot.book
    sides = (*book.owners.values(), *book.asking.values())
    return Soundness(
        digest=snapshot.digest,
        lines=len(book.floor) + sum(map(len, sides)),
        examples=len(snapshot.examples) + len(more),
        invariants=len(book.invariants),
        findings=lint(snapshot, tick),
        failures=failures(snapshot, more),
        counterexamples=counterexamples(snapshot),
    )


def counterexamples(snapshot: Snapshot) -> tuple[Counterexample, ...]:
    """One for each invariant that does not hold."""
    rows = {row.id: row for row in snapshot.book.invariants}
    return tuple(Counterexample(rows[breach.invariant], breach) for breach in breaches(snapshot))
