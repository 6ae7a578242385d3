# SPDX-License-Identifier: EUPL-1.2
"""A country's register, as the pipeline sees it.

The one implementation is over SQLAlchemy Core (`gateway.sources.database`), guarded by time limit,
breaker and bounded concurrency (`gateway.sources.guarded`); `open_source` joins the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Protocol

from gateway.sources.question import Fetch
from gateway.sources.record import Page

__all__ = ["Finding", "Limits", "Source"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience one register gets.

    `timeout_s`: seconds for a fetch, `tabulate_s`: for a table. `concurrency`: questions at once;
    twice as many more may wait, the rest are told busy. After `breaker_failures` failures in a row
    the register is left alone for `breaker_open_s` seconds, then one question probes it.
    """

    timeout_s: float = 0.3
    concurrency: int = 16
    breaker_failures: int = 5
    breaker_open_s: float = 2.0
    tabulate_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a mapping and its live register disagree; `line` is the mapping's."""

    file: Path
    line: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.message}"


class Source(Protocol):
    """One owner's register."""

    @property
    def country(self) -> str:
        """The owner's id, e.g. RS."""

    @property
    def datasets(self) -> Mapping[str, frozenset[str]]:
        """The datasets that this register maps, each with its field ids."""

    @property
    def state(self) -> str:
        """What it last did: up, timeout, down, open, wrong or busy."""

    async def fetch(self, wanted: Fetch) -> Page:
        """One page; raises SourceUnavailableError, SourceQuestionError."""

    async def tabulate(self, layout: str, today: date) -> Mapping[tuple[str, ...], int]:
        """Exact counts of a statistics layout; raises as `fetch`. Protect before release."""

    async def members(self, layout: str, today: date) -> Mapping[tuple[str, ...], frozenset[str]]:
        """Whom each cell of a layout counts, by reference; raises as `fetch`. Never release."""

    async def check(self) -> list[Finding]:
        """Where mapping and live schema disagree; raises SourceUnavailableError."""

    async def close(self) -> None:
        """Let go of every connection and thread."""
