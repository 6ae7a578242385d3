# SPDX-License-Identifier: EUPL-1.2
"""What can be wrong with a settings file, said with file, key and line.

A value of the file is never repeated: it may be a password.
"""

from dataclasses import dataclass
from pathlib import Path

from gateway.errors import GatewayError

__all__ = ["SettingProblem", "SettingsError"]


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One thing wrong in one settings file.

    `key` is the dotted path of the option ("" for the file as a whole); `line` counts from 1 and
    is None where the option is absent.
    """

    file: Path
    key: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class SettingsError(GatewayError):
    """The settings file was refused; `problems` names every option that needs a change."""

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
