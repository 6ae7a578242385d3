# SPDX-License-Identifier: EUPL-1.2
"""Why a rule set is not taken: a closed word for metrics and health, and places for people.

What `/readyz` shows is built from `Trouble.shown`: file names and sentences of our own, never a
cell of a rule file. The full problems go to whoever runs `cuvar policy verify`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError
from gateway.signals import RulesRefusal as Refusal
from policies import Problem

__all__ = ["NoRulesError", "Refusal", "RuleSetError", "Trouble", "troubles"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./-]{1,120}", re.ASCII)
_MOST_SHOWN: Final = 8


_ADVICE: Final = {
    Refusal.UNREADABLE: "can't be read",
    Refusal.RULES: "is refused; `cuvar policy check` says why",
}


class RuleSetError(GatewayError):
    """A rule set is not taken; the message names every place."""

    def __init__(self, refusal: Refusal, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__("\n".join([message, *map(str, problems)]))
        self.refusal = refusal
        self.problems = tuple(problems)


class NoRulesError(GatewayError):
    """No rule set is valid now, so no question can be decided."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that keeps a rule set from being taken, fit for readiness."""

    refusal: Refusal
    folder: str
    file: str
    line: int
    reason: str

    def shown(self) -> dict[str, object]:
        """As `/readyz` says it."""
        return {
            "why": self.refusal.value,
            "folder": self.folder,
            "file": self.file,
            "line": self.line,
            "reason": self.reason,
        }


def troubles(folder: str, error: RuleSetError) -> tuple[Trouble, ...]:
    """An error as readiness may show it; the loader's sentences may quote a cell and are not."""
    known = _ADVICE.get(error.refusal)
    places = error.problems or (Problem("", 0, str(error)),)
    return tuple(
        Trouble(
            error.refusal,
            folder if _PLAIN.fullmatch(folder) else "a rule folder",
            place.file if not place.file or _PLAIN.fullmatch(place.file) else "a file",
            place.line,
            known or place.message,
        )
        for place in places[:_MOST_SHOWN]
    )
