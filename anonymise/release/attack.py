# SPDX-License-Identifier: EUPL-1.2
"""Attacks on a release, by Anonymeter: singling out, linkability, inference (WP29 Opinion 05/2014).

Anonymeter compares values, and a release holds nodes: so the attacker's best guess is put in the
place of each node, a leaf below it, drawn as often as the control rows hold it; these stand for
what an outsider knows of the population anyway. The attacker is told more than a real one knows:
which published rows are those of the people he looks for. The risk is how much better an attack
does on people who are in the release than on people who are not (Giomi et al., PETS 2023, eq. 4).

An attack that could be tried too seldom has no result, and no result is never a pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from anonymise.release.attacker import Attacker, Proof, Task
from anonymise.release.columns import Columns
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.keeping import Targets
from anonymise.release.verdict import FEWEST, Attack

ATTACKS: Final = ("singling_out", "linkability", "inference")
MOST_RELEASED: Final = 20_000
_SEED: Final = 20_261_124

Lines = Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How the attacks went, and by what; no proof where nothing was run."""

    attacks: tuple[Attack, ...]
    proof: Proof | None


def attack(
    released: Lines,
    targets: Targets,
    columns: Columns,
    hierarchies: Sequence[Hierarchy],
    python: Path,
) -> Evaluation:
    """Attack a release.

    Args:
        released: Rows of it: nodes, then the sensitive value; at most `MOST_RELEASED` are used,
            beside those of the people attacked.
        targets: Rows that are in it, and rows that are not.
        columns: Of the release.
        hierarchies: One for each quasi-identifier.
        python: The interpreter of an environment that has Anonymeter.

    Raises:
        AttackError: Anonymeter is not there, broke off, or what answered is not Anonymeter.
    """
    fewest = min(len(targets.known), len(targets.control))
    attacker = Attacker(python)
    if fewest < FEWEST:
        return Evaluation(tuple(Attack(name, fewest) for name in _wanted(columns)), None)
    generator = np.random.default_rng(_SEED)
    drawn = [*targets.shown, *_draw(released, MOST_RELEASED - len(targets.shown), generator)]
    guessed = _guess(drawn, targets.control, hierarchies, generator)
    task = Task(
        header=(*columns.quasi_identifiers, *((columns.sensitive,) if columns.sensitive else ())),
        quasi_identifiers=columns.quasi_identifiers,
        sensitive=columns.sensitive,
        numeric=tuple(
            name
            for name, hierarchy in zip(columns.quasi_identifiers, hierarchies, strict=True)
            if all(leaf.lstrip("-").isdecimal() for leaf in hierarchy.leaves)
        ),
        known=targets.known,
        control=targets.control,
        theirs=guessed[: len(targets.shown)],
        released=guessed,
    )
    found, proof = attacker.run(task)
    return Evaluation(_attacks(found, columns), proof)


def _attacks(found: Mapping[str, Any], columns: Columns) -> tuple[Attack, ...]:
    told = []
    for name in _wanted(columns):
        one = found.get(name, {})
        rates = one.get("rates") or {}
        told.append(
            Attack(
                name=name,
                attempts=one.get("attempts", 0),
                risk=one.get("risk"),
                high=one.get("high"),
                **rates,
            )
        )
    return tuple(told)


def _wanted(columns: Columns) -> list[str]:
    """The attacks that these columns allow."""
    wanted = [name for name in ATTACKS if name != "inference" or columns.sensitive is not None]
    if len(columns.quasi_identifiers) == 1:
        wanted.remove("linkability")
    return wanted


def _draw(lines: Lines, many: int, generator: np.random.Generator) -> Lines:
    if len(lines) <= many:
        return lines
    chosen = generator.choice(len(lines), max(many, 0), replace=False)
    return [lines[place] for place in np.sort(chosen)]


def _guess(
    lines: Lines,
    control: Lines,
    hierarchies: Sequence[Hierarchy],
    generator: np.random.Generator,
) -> Lines:
    """A leaf for every node, drawn as the control rows are spread; the secret stays."""
    made = [list(line) for line in lines]
    for place, hierarchy in enumerate(hierarchies):
        codes, nodes = hierarchy.codes(), hierarchy.labelled()
        weights = np.ones(len(hierarchy.leaves))
        np.add.at(weights, [codes[line[place]] for line in control], 1000.0)
        at_node: dict[str, list[int]] = {}
        for number, line in enumerate(made):
            at_node.setdefault(line[place], []).append(number)
        for label, numbers in at_node.items():
            lo, hi = nodes[label]
            share = weights[lo : hi + 1] / weights[lo : hi + 1].sum()
            for number, code in zip(
                numbers, generator.choice(hi + 1 - lo, len(numbers), p=share) + lo, strict=True
            ):
                made[number][place] = hierarchy.leaves[code]
    return [tuple(line) for line in made]
