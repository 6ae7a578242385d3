# SPDX-License-Identifier: EUPL-1.2
"""One country's part of the region while its register is being filled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.region.columns import Codes, Days, Frame, Numbers, flags
from gateway.region.datafiles import COUNTRIES, MEMBERS
from gateway.region.journeys import Appearances
from gateway.region.randomness import Flags, Ints, stream, thin
from gateway.region.rates import Rates
from gateway.region.world import Plan, World

__all__ = ["RETENTION_YEARS", "Local", "origins", "running", "standing"]

RETENTION_YEARS = {
    "ASY": 10,
    "RSA": 5,
    "RSX": 3,
    "RSN": 5,
    "IRR": 5,
    "ILL": 5,
    "SAR": 5,
    "TMP": 1,
}
"""Years of keeping by category, Regulation (EU) 2024/1358 Art 29; the others follow by analogy."""


@dataclass(frozen=True, slots=True)
class Local:
    """What a frame builder needs: the world, who appeared here, and a stream of its own."""

    plan: Plan
    world: World
    seen: Appearances
    country: str

    @property
    def rates(self) -> Rates:
        """How often things happen."""
        return self.plan.rates

    @property
    def count(self) -> int:
        """How many persons this register knows."""
        return self.seen.count

    @property
    def member(self) -> bool:
        """Whether this country is a member state."""
        return self.country in MEMBERS

    def stream(self, part: str) -> np.random.Generator:
        """Randomness of one part of this register."""
        return stream(self.plan.seed, self.country, part)

    def ages(self, born: Ints) -> Ints:
        """Whole years on the day of appearance, by the true date of birth."""
        return np.asarray(np.maximum((self.seen.day - born) * 100 // 36525, 0))


def origins(local: Local, part: str, previous: Ints, *, aid: float | None = None) -> Frame:
    """Provenance and receiving of each record: `provenance`, `received_from`.

    Args:
        local: the country.
        part: the stream's name.
        previous: position of the country that registered the person before, -1 for none.
        aid: share that came from an aid body, where it is not the common rate.
    """
    rng, rates = local.stream(f"origin {part}"), local.rates
    draw = rng.random(len(previous))
    edges = np.cumsum(
        [
            rates.from_aid_body if aid is None else aid,
            rates.from_abroad,
            rates.from_eurodac if local.member else 0.0,
        ]
    )
    kind = np.searchsorted(edges, draw, side="right")
    kind = np.where((kind == 1) & (previous < 0), 3, kind)
    sender = np.where(kind == 1, previous, -1)
    return {
        "provenance": Codes(kind, ("aid_body", "abroad", "eurodac", "national")),
        "received_from": Codes(sender, COUNTRIES),
    }


def standing(local: Local, part: str, until: Ints, compartment: str, kept: Codes) -> Frame:
    """What every record carries besides its origin.

    `retain_until`, `compartment`, `retention_class` and `notice_given`; a few records are past
    their time, because the nightly sweep of a real register is never quite done.
    """
    rng, rates = local.stream(f"standing {part}"), local.rates
    count = len(until)
    over = thin(rng, rates.retention_over, count)
    late = local.plan.today - rng.integers(1, 60, count)
    informed: Flags = ~thin(rng, rates.notice_missing, count)
    return {
        "retain_until": Days(np.where(over, late, until)),
        "compartment": Codes(np.zeros(count, dtype=np.int64), (compartment,)),
        "retention_class": kept,
        "notice_given": flags(informed),
    }


def running(rows: Ints) -> Numbers:
    """Running numbers of a frame's rows, in their order."""
    return Numbers(np.arange(len(rows)))
