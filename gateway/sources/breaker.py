# SPDX-License-Identifier: EUPL-1.2
"""When to leave a failing register alone.

After a number of failures in a row nobody is let through for a while; then one question probes,
and its outcome closes the breaker or opens it for another while. Pure but for its own state;
the clock is passed in.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Breaker"]


class Breaker:
    """Counts failures in a row. Owned by one event loop; no lock."""

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float]) -> None:
        self._most, self._open_s, self._clock = failures, open_s, clock
        self._failed = 0
        self._open_until = 0.0
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether the register is being left alone, probe or not."""
        return self._failed >= self._most

    def admit(self) -> bool | None:
        """None: stay out. Else whether this question is the probe; hand that back to `leave`."""
        if not self.is_open:
            return False
        if self._probing or self._clock() < self._open_until:
            return None
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The register answered."""
        self._failed = 0

    def failed(self) -> None:
        """The register did not answer, or not well."""
        self._failed += 1
        if self.is_open:
            self._open_until = self._clock() + self._open_s

    def leave(self, *, probe: bool) -> None:
        """A question ends, however; a cancelled probe must let another one try."""
        if probe:
            self._probing = False
