# SPDX-License-Identifier: EUPL-1.2
"""All frames of one country's register, from the world and the journeys."""

from __future__ import annotations

import numpy as np

from gateway.region.columns import Codes, Column, Frame, Numbers, Several, Words
from gateway.region.identity import identity_frame
from gateway.region.journeys import Journeys
from gateway.region.local import Local, origins, standing
from gateway.region.officers import officer_frame
from gateway.region.papers import Documents, papers_frame
from gateway.region.procedures import asylum_frame, readmission_frame
from gateway.region.protecting import family_frame, protection_frame
from gateway.region.reception import centre_frame, stay_frame
from gateway.region.registering import CATEGORIES, register_everybody
from gateway.region.world import Plan, World

__all__ = ["fill_register"]

_DETACHED = (
    ("persons", "nationalities"),
    ("stays", "languages"),
    ("protection", "needs_codes"),
)
"""Lists that some registers keep in a table of their own, as frame `dataset.list`."""


def _detached(frame: Frame, name: str) -> Frame:
    several = frame[name]
    if not isinstance(several, Several):
        raise TypeError(f"{name} holds no lists")
    rows, codes = several.exploded()
    parent = "person_key" if "record_key" not in frame else "record_key"
    return {"parent_key": frame[parent].at(rows), "row": Numbers(np.arange(len(rows))), name: codes}


def _row_numbers(count: int) -> Column:
    return Numbers(np.arange(count))


def fill_register(
    plan: Plan, world: World, journeys: Journeys, documents: Documents, country: str
) -> dict[str, Frame]:
    """The frames of one country by name: seven datasets, centres, officers and detached lists."""
    local = Local(plan, world, journeys.of(country), country)
    persons: Frame = {
        "person_key": _row_numbers(local.count),
        **identity_frame(local),
        **papers_frame(local, documents),
    }
    fingers = persons["fingerprint_ref"]
    taken = fingers.values != None if isinstance(fingers, Words) else None  # noqa: E711  elementwise
    if taken is None:
        raise TypeError("references are words")
    registered = register_everybody(local, taken.astype(np.bool_))
    persons |= {
        "reference_number": Words(registered.reference[registered.first]),
        **standing(
            local, "persons", registered.until, "migration", Codes(registered.category, CATEGORIES)
        ),
        **origins(local, "persons", local.seen.previous),
    }
    stays = stay_frame(local, persons)
    frames: dict[str, Frame] = {
        "persons": persons,
        "registrations": registered.frame,
        "asylum": asylum_frame(local, registered),
        "stays": stays.frame,
        "protection": protection_frame(local, persons),
        "family": family_frame(local, registered),
        "readmissions": readmission_frame(local, journeys, persons),
        "centres": centre_frame(local, stays),
        "officers": officer_frame(local),
    }
    for dataset, name in _DETACHED:
        frames[f"{dataset}.{name}"] = _detached(frames[dataset], name)
    return frames
