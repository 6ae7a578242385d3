# SPDX-License-Identifier: EUPL-1.2
"""The limits around a register: time, places, and a breaker; and the way to open one.

A slow, dead or wrong register costs its own answer and nobody else's (architecture 3, step 5):
each has its own time limit, its own places, and after several failures in a row it is left
alone for a moment, then probed by one question.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TypeVar

from gateway.sources.breaker import Breaker
from gateway.sources.drivers import open_driver
from gateway.sources.errors import MappingError, MappingProblem, SourceUnavailableError
from gateway.sources.mapping_file import load_mapping
from gateway.sources.question import Fetch
from gateway.sources.record import Page
from gateway.sources.register import DatabaseRegister
from gateway.sources.source import Finding, Limits, Source

__all__ = ["GuardedRegister", "open_source"]

_T = TypeVar("_T")
_CHECK_S = 60.0
_FETCHING = 0.9
"""Share of the time limit for the register; the rest is for treating and recording the answer."""
_WAITING = 2


class GuardedRegister:
    """A register with its limits. Mutable state is owned by the event loop's thread."""

    def __init__(
        self, register: Source, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` gives monotonic seconds; only the breaker reads it."""
        self._register, self._limits = register, limits
        self._places = asyncio.Semaphore(limits.concurrency)
        self._table_place = asyncio.Semaphore(1)  # a long count must not take a question's place
        self._breaker = Breaker(limits.breaker_failures, limits.breaker_open_s, clock)
        self._inside = 0
        self._state = "up"

    @property
    def country(self) -> str:
        """The owner's id."""
        return self._register.country

    @property
    def datasets(self) -> Mapping[str, frozenset[str]]:
        """The mapped datasets, each with its field ids."""
        return self._register.datasets

    @property
    def state(self) -> str:
        """What the register last did: up, timeout, down, open, wrong or busy."""
        return self._state

    async def fetch(self, wanted: Fetch) -> Page:
        """One page, within the limits."""
        seconds = self._limits.timeout_s
        return await self._guarded(lambda: self._register.fetch(wanted), self._places, seconds)

    async def tabulate(self, layout: str, today: date) -> Mapping[tuple[str, ...], int]:
        """A table, one at a time, within its own longer limit."""
        return await self._guarded(
            lambda: self._register.tabulate(layout, today),
            self._table_place,
            self._limits.tabulate_s,
        )

    async def members(self, layout: str, today: date) -> Mapping[tuple[str, ...], frozenset[str]]:
        """Whom a table counts, one table at a time, within the same limit."""
        return await self._guarded(
            lambda: self._register.members(layout, today),
            self._table_place,
            self._limits.tabulate_s,
        )

    async def check(self) -> list[Finding]:
        """Where mapping and register disagree."""
        return await self._timed(self._register.check, _CHECK_S)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._register.close()

    async def _guarded(
        self, work: Callable[[], Awaitable[_T]], places: asyncio.Semaphore, limit_s: float
    ) -> _T:
        probe = self._admit()
        self._inside += 1
        try:
            found = await self._placed(work, places, limit_s)
        except SourceUnavailableError as error:
            # A table that takes too long says nothing of the register's health.
            if error.fault and not (places is self._table_place and error.reason == "timeout"):
                self._state = error.reason
                self._breaker.failed()
            raise
        finally:
            self._inside -= 1
            self._breaker.leave(probe=probe)
        self._breaker.succeeded()
        self._state = "up"
        return found

    def _admit(self) -> bool:
        """Let a question in, or refuse it; whether it is the one that probes an open breaker."""
        if self._inside >= self._limits.concurrency * (1 + _WAITING):
            raise SourceUnavailableError("busy", self.country, fault=False)
        probe = self._breaker.admit()
        if probe is None:
            self._state = "open"
            raise SourceUnavailableError("open", self.country, fault=False)
        return probe

    async def _placed(
        self, work: Callable[[], Awaitable[_T]], places: asyncio.Semaphore, limit_s: float
    ) -> _T:
        """Waiting for a place counts against the time limit; never getting one is `busy`."""
        placed = False
        try:
            async with asyncio.timeout(limit_s * _FETCHING), places:
                placed = True
                return await work()
        except TimeoutError:
            if not placed:
                raise SourceUnavailableError("busy", self.country, fault=False) from None
            raise SourceUnavailableError("timeout", self.country) from None

    async def _timed(self, work: Callable[[], Awaitable[_T]], limit_s: float) -> _T:
        try:
            async with asyncio.timeout(limit_s):
                return await work()
        except TimeoutError:
            raise SourceUnavailableError("timeout", self.country) from None


def open_source(
    country: str,
    url: str,
    mapping: Path,
    limits: Limits | None = None,
    *,
    fields: Mapping[str, frozenset[str]] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> GuardedRegister:
    """A country's register; its database may be down, its mapping may not be wrong.

    Args:
        country: owner's id; the mapping must say the same.
        url: SQLAlchemy address.
        mapping: the mapping file.
        limits: patience with it.
        fields: field ids of each dataset that a mapping may name.
        clock: monotonic seconds, for the breaker.

    Raises:
        MappingError: the mapping is refused, with file and lines.
        GatewayError: the address names no database that can be read.
    """
    limits = limits or Limits()
    read = load_mapping(mapping, fields)
    if read.country != country:
        problem = MappingProblem(mapping, 1, f"is the mapping of {read.country}, not of {country}")
        raise MappingError((problem,))
    driver = open_driver(url, size=limits.concurrency, longest_s=limits.tabulate_s)
    return GuardedRegister(DatabaseRegister(read, driver), limits, clock)
