# SPDX-License-Identifier: EUPL-1.2
"""Ladders: the ever coarser forms of a generalised column, and what of it is sensitive.

A quasi-identifier (age, nationality, week, region …) is something that others may know of a
person; it climbs its ladder until enough persons share it, and the last step is "any". A
sensitive value (a need, a claim, a tracing) is what must not be learned of a person; it is told
or "withheld" for the whole view. docs/anonymisation/views.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

from anonymise.treatment import GENERALISED, TREATMENTS, Treatment

SENSITIVE = frozenset(
    {
        "claim_open",
        "claim_state_3",
        "contact_unit",
        "has_value",
        "procedural_need",
        "vulnerable",
        "yes_no",
    }
)
# Treatment -> the steps from fine to coarse. What is not named has its own treatment only.
_LADDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "age_band": ("age_band", "age_band_3"),
        "age_band_10": ("age_band_10", "age_band_3"),
        "nationality_or_region": ("nationality_or_region", "region_of_origin"),
        "week_or_month": ("week", "month"),
    }
)


def ladder(treatment: Treatment) -> tuple[Treatment, ...]:
    """The treatments of a column from fine to coarse, without the last step that tells nothing."""
    return tuple(TREATMENTS[name] for name in _LADDERS.get(treatment.name, (treatment.name,)))


def is_sensitive(treatment: Treatment) -> bool:
    """Whether a column is what must not be learned, rather than what may be known."""
    return treatment.name in SENSITIVE


def generalised_treatments() -> frozenset[str]:
    """Names of the treatments that may stand in a generalised view and tell something."""
    return frozenset(
        name
        for name, treatment in TREATMENTS.items()
        if GENERALISED in treatment.views and treatment.output("x") is not None
    )
