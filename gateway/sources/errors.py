# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong between the gateway and one national register.

`SourceUnavailableError` becomes the owner's status `unavailable` (never "no hit"); `MappingError`
stops the start; `SourceQuestionError` is a question that no register can be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.errors import GatewayError

__all__ = [
    "MappingError",
    "MappingProblem",
    "Reason",
    "SourceQuestionError",
    "SourceUnavailableError",
]

Reason = Literal["timeout", "down", "open", "wrong", "busy"]

_SAID: dict[str, str] = {
    "timeout": "did not answer within its time limit",
    "down": "cannot be reached",
    "open": "failed repeatedly and is left alone for a moment",
    "wrong": "answered in a shape that its mapping does not describe; run `cuvar doctor`",
    "busy": "has all its places taken; ask again shortly",
}


class SourceUnavailableError(GatewayError):
    """A register gave no full answer. `reason` is timeout, down, open, wrong or busy.

    `fault` is False when the register is well but is not made for the question (it does not hold
    that dataset, or cannot be searched that way): no reason to leave it alone.
    """

    def __init__(self, reason: Reason, country: str = "", *, fault: bool = True) -> None:
        self.reason: Reason = reason
        self.fault = fault
        self.country = country
        super().__init__(f"the register {country or 'asked'} {_SAID[reason]}")


class SourceQuestionError(GatewayError):
    """The question names nothing that a register could look up (the message names no value)."""


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One broken line of a mapping file; `line` counts from 1."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class MappingError(GatewayError):
    """A mapping file was refused; `problems` lists every broken line, in file order."""

    def __init__(self, problems: tuple[MappingProblem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
