# SPDX-License-Identifier: EUPL-1.2
"""Letting running requests finish while new ones are turned away.

At a stop signal app.py calls `close`, waits, and only then closes the log: no question may be
answered after the log stopped taking entries, and none that was recorded should go unanswered.
"""

import asyncio

__all__ = ["Drain"]


class Drain:
    """Counts requests in flight. Owned by one event loop."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._closing = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def in_flight(self) -> int:
        """Requests being answered now."""
        return self._in_flight

    @property
    def closing(self) -> bool:
        """Whether new requests are turned away."""
        return self._closing

    def enter(self) -> bool:
        """Count one request in; False, and not counted, while closing."""
        if self._closing:
            return False
        if self._in_flight == 0:
            self._empty.clear()
        self._in_flight += 1
        return True

    def leave(self) -> None:
        """Count one request out."""
        self._in_flight -= 1
        if self._in_flight == 0:
            self._empty.set()

    def close(self) -> None:
        """Turn away new requests from now on. Cannot be undone."""
        self._closing = True

    async def wait(self, timeout_s: float) -> bool:
        """Wait until none is left; False if some still run after `timeout_s` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
