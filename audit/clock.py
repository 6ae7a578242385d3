# SPDX-License-Identifier: EUPL-1.2
"""Whether the gateway's clock agrees with those of the witnesses.

A cosignature bears the witness's time in whole seconds. It was made between sending the checkpoint
and hearing the answer, so that each bounds how far the two clocks can stand apart, whatever the
network did. What is told is the least offset that explains the answer: never an alarm for a slow
line. One witness whose clock is wrong alone is named, not believed; the middle of them decides.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Final

LIMIT: Final = timedelta(seconds=2)
_SECOND: Final = timedelta(seconds=1)
_NONE: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer of a witness.

    Attributes:
        witness: its name.
        sent, received: when the checkpoint left and the cosignature came, by our clock, aware.
        stamped: the cosignature's time, aware; whole seconds.
    """

    witness: str
    sent: datetime
    received: datetime
    stamped: datetime


def least_offset(reading: Reading) -> timedelta:
    """How far our clock stands ahead of the witness's, at least; negative if behind, 0 if it may
    be right.
    """
    earliest = reading.sent - reading.stamped - _SECOND
    latest = reading.received - reading.stamped
    if earliest > _NONE:
        return earliest
    return min(latest, _NONE)


class ClockWatch:
    """The newest offset to each witness. Owned by the feed's one task."""

    def __init__(self, limit: timedelta = LIMIT) -> None:
        """Alarm beyond `limit`."""
        self._limit = limit
        self._offsets: dict[str, timedelta] = {}

    def note(self, reading: Reading) -> None:
        """Take an answer."""
        self._offsets[reading.witness] = least_offset(reading)

    @property
    def offset(self) -> timedelta | None:
        """The middle of the offsets by size, None before any answer."""
        return median_low(self._offsets.values()) if self._offsets else None

    @property
    def alarm(self) -> bool:
        """Whether our own clock is wrong, as most witnesses see it."""
        return self.offset is not None and abs(self.offset) > self._limit

    @property
    def strays(self) -> tuple[str, ...]:
        """Witnesses whose clock stands apart from the middle of all."""
        middle = self.offset or _NONE
        return tuple(
            sorted(n for n, found in self._offsets.items() if abs(found - middle) > self._limit)
        )
