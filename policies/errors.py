# SPDX-License-Identifier: EUPL-1.2
"""What this package refuses, and where the refused thing stands.

Every broken rule file is reported with its file and line, all at once, so that a lawyer can mend a
folder in one pass. Nothing here ever carries personal data: rule files hold none, and questions are
named only by words of the closed vocabulary. The gateway relies on `PolicyError` as the one root.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a rule folder; `line` counts from 1, and 0 means the file as a whole."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


class PolicyError(Exception):
    """Rules or facts were refused; `problems` names each place, and may be empty."""

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([message, *map(str, self.problems)]))


class RulesRefusedError(PolicyError):
    """A rule folder is broken somewhere, so none of it is used; mend every named line."""


class UnknownGuardError(PolicyError):
    """A caller stated a fact under a name that the vocabulary does not know as a base guard."""


class Problems:
    """Collects problems while reading, so that one pass names them all."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, file: str, line: int, message: str) -> None:
        """Note one problem."""
        self._found.append(Problem(file, line, message))

    @property
    def any(self) -> bool:
        """Whether something was found."""
        return bool(self._found)

    @property
    def found(self) -> tuple[Problem, ...]:
        """Everything found, in file and line order."""
        return tuple(sorted(set(self._found), key=lambda p: (p.file, p.line, p.message)))

    def raise_if_any(self) -> None:
        """Raise `RulesRefusedError` with everything found, in file and line order."""
        if self._found:
            raise RulesRefusedError("the rules are refused; mend these places", self.found)
