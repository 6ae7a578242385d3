# SPDX-License-Identifier: EUPL-1.2
"""The environment that attacks, and the proof that it does.

A program that prints "no risk" would pass every release. So beside each release two tables of
chance are attacked in the same run, under random names: one that is published as it is, in which
everybody must be found, and one that has nothing of its people, in which nobody may be. What
answers must give its version too. The log entry of a copy keeps that and the interpreter's digest:
docs/formats/release.md, section 5.
"""

import json
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from anonymise.errors import AttackError
from anonymise.release.keeping import write_lines
from anonymise.release.placing import digest
from anonymise.release.verdict import FEWEST

PROGRAM: Final = Path(__file__).with_name("attack_program.py")
ATTEMPTS: Final = 2000
TRIES: Final = 20_000
NEIGHBOURS: Final = 1
_SECONDS: Final = 1800
_PLANTED: Final = ("a", "b", "c", "secret")
_ALL: Final = ("singling_out", "linkability", "inference")
_FOUND: Final = 0.6  # the least risk of a table that is published as it is
_NOT_FOUND: Final = 0.5  # the most of one that has nothing of its people: five deviations
_QUICK: Final = (60, 400)
_VALUES: Final = (10_000, 10_000, 10_000, 5)

Lines = Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be attacked; rows have the columns of the header.

    Attributes:
        header: Quasi-identifiers, then the sensitive column.
        quasi_identifiers: Their names.
        sensitive: The name of the other, if there is one.
        numeric: Those that hold numbers only.
        known: People in the release, as they are.
        control: People who are not in it.
        theirs: How the first are published, each node filled in.
        released: Rows of the release, filled in likewise.
        effort: Attacks to make, and descriptions of one person to look for in all.
    """

    header: tuple[str, ...]
    quasi_identifiers: tuple[str, ...]
    sensitive: str | None
    numeric: tuple[str, ...]
    known: Lines
    control: Lines
    theirs: Lines
    released: Lines
    effort: tuple[int, int] = (ATTEMPTS, TRIES)


@dataclass(frozen=True, slots=True)
class Proof:
    """What attacked.

    Attributes:
        version: Of Anonymeter, as it says.
        python: SHA-256 of the interpreter, in hex.
        program: SHA-256 of the program that it ran.
    """

    version: str
    python: str
    program: str


@dataclass(frozen=True, slots=True)
class Attacker:
    """An environment that has Anonymeter, by its interpreter.

    Raises:
        AttackError: It isn't there, or not named in full.
    """

    python: Path

    def __post_init__(self) -> None:
        """Refuse what would be looked for along PATH, or is not there."""
        if not self.python.is_absolute():
            raise AttackError(
                "the interpreter that has Anonymeter is named in full, from / on; mend "
                "`[releases] anonymeter` of the settings"
            )
        if not self.python.is_file():
            raise AttackError(
                "the gate attacks each release with Anonymeter, in an environment of its own: "
                "`make .venv/anonymeter.done`, or `python3 -m venv DIR && DIR/bin/pip install "
                "anonymeter` and `[releases] anonymeter` of the settings"
            )

    def run(self, task: Task) -> tuple[Mapping[str, Any], Proof]:
        """Attack, beside the two tables of chance; what came of it, attack by attack.

        Raises:
            AttackError: Anonymeter broke off, or what answered is not Anonymeter.
        """
        leaky, safe = planted(leaks=True), planted(leaks=False)
        words = [secrets.token_hex(8) for _ in range(3)]
        with TemporaryDirectory(prefix="cuvar-attack-") as place:  # mode 0700
            folders = []
            for word, one in zip(words, (task, leaky, safe), strict=True):
                folders.append(Path(place) / secrets.token_hex(8))
                _write(folders[-1], word, one)
            answer = self._answer(sorted(folders))
        try:
            version = str(answer["version"])
            found: list[Mapping[str, Any]] = [answer["found"][word] for word in words]
            caught = all(found[1][name]["risk"] >= _FOUND for name in _ALL)
            spared = all(found[2][name]["risk"] <= _NOT_FOUND for name in _ALL)
        except (KeyError, TypeError):
            caught = spared = False
        if not (caught and spared):
            raise AttackError(
                "what answers in the place of Anonymeter does not find people in a table that is "
                "published as it is, or finds them where they are not, so the release does not "
                "pass; make the environment anew: `make .venv/anonymeter.done`"
            )
        return found[0], Proof(version, digest(self.python.resolve()), digest(PROGRAM))

    def _answer(self, folders: Sequence[Path]) -> Mapping[str, Any]:
        try:
            done = subprocess.run(  # noqa: S603 - our own environment, or the operator's
                [self.python, "-I", PROGRAM, *folders],
                check=False,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
            if done.returncode == 0:
                answer: Mapping[str, Any] = json.loads(done.stdout)
                return answer
        except (OSError, subprocess.TimeoutExpired, ValueError):
            pass
        raise AttackError(
            "Anonymeter broke off, so the release has no result and does not pass; try "
            "`PYTHON -c 'import anonymeter'` with the interpreter of its environment"
        )


def planted(*, leaks: bool) -> Task:
    """People of chance, published as they are, or others in their place."""
    dice = np.random.default_rng(secrets.randbits(128))

    def people() -> Lines:
        columns = [dice.integers(0, values, FEWEST).astype(str) for values in _VALUES]
        return [tuple(row) for row in np.column_stack(columns).tolist()]

    known = people()
    told = known if leaks else people()
    return Task(
        header=_PLANTED,
        quasi_identifiers=_PLANTED[:3],
        sensitive=_PLANTED[3],
        numeric=_PLANTED[:3],
        known=known,
        control=people(),
        theirs=told,
        released=told,
        effort=_QUICK,
    )


def _write(folder: Path, word: str, task: Task) -> None:
    folder.mkdir(mode=0o700)
    for name in ("known", "control", "theirs", "released"):
        write_lines(folder / f"{name}.csv", task.header, getattr(task, name))
    document = {
        "word": word,
        "quasi_identifiers": task.quasi_identifiers,
        "sensitive": task.sensitive,
        "numeric": task.numeric,
        "attempts": task.effort[0],
        "tries": task.effort[1],
        "neighbours": NEIGHBOURS,
    }
    (folder / "task.json").write_text(json.dumps(document), encoding="utf-8")
