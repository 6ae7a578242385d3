# SPDX-License-Identifier: EUPL-1.2
"""How long a log's entries have stood without a quorum of witnesses, and what follows; pure.

Nobody waits for witnesses inside a border check. But a log that nobody watches is a log that its
operator can rewrite: after one limit the operator is told, after a second one, which each country
sets for its own data, no identity answer leaves. A log that is proven to contradict a witness
blocks at once. The pipeline and the metrics rely on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from gateway.witness.contradiction import Contradiction


class Standing(StrEnum):
    """What the age of unwitnessed entries means for a log."""

    FINE = "fine"
    ALARM = "alarm"
    BLOCK = "block"


class WitnessState(StrEnum):
    """What became of the last call to a witness for a log."""

    WAITING = "waiting"
    COSIGNED = "cosigned"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    DISPUTED = "disputed"  # it says that the log is behind or forked, and shows no proof


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that an entry may stand without a quorum.

    Attributes:
        alarm_s: then the operator is told.
        block_s: then identity answers stop; where a country sets nothing of its own.
        countries: what countries set for their logs.
    """

    alarm_s: float = 900.0
    block_s: float = 86_400.0
    countries: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def block_after(self, country: str) -> float:
        """The second limit of a country's log."""
        return self.countries.get(country, self.block_s)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """How one log stands with its witnesses.

    Attributes:
        origin: the log.
        size: entries in it.
        cosigned_size: entries under the newest checkpoint that fulfils the policy.
        cosigned_at: POSIX second by which that quorum stood, None if there is none.
        oldest: time of the oldest entry that is not under it, None if all are.
        witnesses: by policy name of each witness, what became of the last call.
        contradiction: proof that the log is behind or forked; it is fed no more.
    """

    origin: str
    size: int
    cosigned_size: int
    cosigned_at: int | None
    oldest: datetime | None
    witnesses: Mapping[str, WitnessState]
    contradiction: Contradiction | None = None

    def unwitnessed_s(self, now: datetime) -> float:
        """Age of the oldest entry that no quorum cosigned, 0 if there is none."""
        if self.oldest is None:
            return 0.0
        return max(0.0, (now - self.oldest).total_seconds())

    def standing(self, now: datetime, limits: Limits, country: str) -> Standing:
        """What follows from it for this country's log."""
        age = self.unwitnessed_s(now)
        if self.contradiction is not None or age >= limits.block_after(country):
            return Standing.BLOCK
        disputed = WitnessState.DISPUTED in self.witnesses.values()
        return Standing.ALARM if disputed or age >= limits.alarm_s else Standing.FINE
