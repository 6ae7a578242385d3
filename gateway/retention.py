# SPDX-License-Identifier: EUPL-1.2
"""The clocks of this gateway's log details, from its settings (docs/retention.md)."""

from typing import Final

from audit.retention import LawClock, Terms
from gateway.settings import Settings

LAW_ENFORCEMENT: Final = frozenset({"law_enforcement"})


def clock_of(settings: Settings) -> LawClock:
    """What sets the month of each new detail, and tells later which are due."""
    told = settings.log.retention
    return LawClock(
        Terms(
            le_months=dict(told.le_months),
            le_default=told.le_default_months,
            le_purposes=LAW_ENFORCEMENT,
            unknown_years=told.unknown_years,
            round_months=told.round_months,
        )
    )
