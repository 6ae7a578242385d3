# SPDX-License-Identifier: EUPL-1.2
"""Attacks on a release, by Anonymeter: singling out, linkability, inference (WP29 Opinion 05/2014).

Anonymeter compares values, and a release holds nodes: so the attacker's best guess is put in the
place of each node, a leaf below it, drawn as often as the control rows hold it; these stand for
what an outsider knows of the population anyway. The attacker is told more than a real one knows:
which published rows are those of the people he looks for. The risk is how much better an attack
does on people who are in the release than on people who are not (Giomi et al., PETS 2023, eq. 4).

An attack that could be tried too seldom has no result, and no result is never a pass.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from anonymise.errors import AttackError
from anonymise.release.columns import Columns
from anonymise.release.hierarchy import Hierarchy
from anonymise.release.keeping import Targets, write_lines
from anonymise.release.verdict import FEWEST, Attack

PROGRAM: Final = Path(__file__).with_name("attack_program.py")
ATTACKS: Final = ("singling_out", "linkability", "inference")
ATTEMPTS: Final = 2000
NEIGHBOURS: Final = 1
MOST_RELEASED: Final = 20_000
_SECONDS: Final = 1800
_SEED: Final = 20_261_124

Lines = Sequence[tuple[str, ...]]


def attack(
    released: Lines,
    targets: Targets,
    columns: Columns,
    hierarchies: Sequence[Hierarchy],
    python: Path,
) -> tuple[Attack, ...]:
    """Attack a release.

    Args:
        released: Rows of it: nodes, then the sensitive value; at most `MOST_RELEASED` are used,
            beside those of the people attacked.
        targets: Rows that are in it, and rows that are not.
        columns: Of the release.
        hierarchies: One for each quasi-identifier.
        python: The interpreter of an environment that has Anonymeter.

    Raises:
        AttackError: Anonymeter is not there, or broke off.
    """
    if not python.is_file():
        raise AttackError(
            "the gate attacks each release with Anonymeter, in an environment of its own: "
            "`python3 -m venv DIR && DIR/bin/pip install anonymeter`, then name DIR/bin/python "
            "with --anonymeter"
        )
    fewest = min(len(targets.known), len(targets.control))
    if fewest < FEWEST:
        return tuple(Attack(name, fewest) for name in _wanted(columns))
    generator = np.random.default_rng(_SEED)
    drawn = [*targets.shown, *_draw(released, MOST_RELEASED - len(targets.shown), generator)]
    guessed = _guess(drawn, targets.control, hierarchies, generator)
    header = (*columns.quasi_identifiers, *((columns.sensitive,) if columns.sensitive else ()))
    task = {
        "quasi_identifiers": columns.quasi_identifiers,
        "sensitive": columns.sensitive,
        "numeric": [
            name
            for name, hierarchy in zip(columns.quasi_identifiers, hierarchies, strict=True)
            if all(leaf.lstrip("-").isdecimal() for leaf in hierarchy.leaves)
        ],
        "attempts": ATTEMPTS,
        "neighbours": NEIGHBOURS,
    }
    with TemporaryDirectory(prefix="cuvar-attack-") as place:  # mode 0700
        folder = Path(place)
        for name, lines in (
            ("known", targets.known),
            ("control", targets.control),
            ("theirs", guessed[: len(targets.shown)]),
            ("released", guessed),
        ):
            write_lines(folder / f"{name}.csv", header, lines)
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        return _attacks(_run(python, folder), columns)


def _run(python: Path, folder: Path) -> Mapping[str, Any]:
    try:
        done = subprocess.run(  # noqa: S603 - the operator names the interpreter
            [python, "-I", PROGRAM, folder],
            check=False,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        if done.returncode == 0:
            found: Mapping[str, Any] = json.loads(done.stdout)
            return found
    except (OSError, subprocess.TimeoutExpired, ValueError):
        pass
    raise AttackError(
        "Anonymeter broke off, so the release has no result and does not pass; try "
        "`PYTHON -c 'import anonymeter'` with the interpreter named by --anonymeter"
    )


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
