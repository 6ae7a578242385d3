# SPDX-License-Identifier: EUPL-1.2
"""The room's own lists: nations, places, centres and names, as packaged CSV.

Countries are addressed by their position in `COUNTRIES`, nations by their position in
`nations()`. Everything here is the project's own compilation from general knowledge; capacities
marked "reported" follow published figures (docs/region.md).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

__all__ = [
    "COUNTRIES",
    "MEMBERS",
    "Centre",
    "Nation",
    "Place",
    "centres",
    "nations",
    "places",
    "read_rows",
]

COUNTRIES: Final = ("BA", "HR", "RS", "ME", "AL", "GR", "AT", "SI", "MK")
MEMBERS: Final = frozenset({"HR", "GR", "AT", "SI"})


@dataclass(frozen=True, slots=True)
class Nation:
    """A nationality: its share, naming cultures, languages and the shapes of its documents."""

    code: str
    alpha3: str
    weight: float
    cultures: tuple[tuple[str, float], ...]
    languages: tuple[str, ...]
    year_only: float
    passport: str
    identity: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where people are registered; `name` is "place, region" in the country's own language."""

    name: str
    kind: str
    weight: float


@dataclass(frozen=True, slots=True)
class Centre:
    """A reception centre; `use` is its typical occupancy as a share of `capacity` beds."""

    centre: str
    name: str
    region: str
    capacity: int
    use: float
    families: bool


def read_rows(folder: str, name: str) -> list[dict[str, str]]:
    """The rows of one packaged CSV file."""
    text = (files("gateway.region") / folder / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _cultures(text: str) -> tuple[tuple[str, float], ...]:
    parts = [part.split(":") for part in text.split("|")]
    return tuple((name, float(share)) for name, share in parts)


@lru_cache(maxsize=1)
def nations() -> tuple[Nation, ...]:
    """Every nationality in the region, in file order."""
    return tuple(
        Nation(
            row["code"],
            row["alpha3"],
            float(row["weight"]),
            _cultures(row["cultures"]),
            tuple(row["languages"].split("|")),
            float(row["year_only"]),
            row["passport"],
            row["identity"],
        )
        for row in read_rows("data", "nations")
    )


@lru_cache(maxsize=len(COUNTRIES))
def places(country: str) -> tuple[Place, ...]:
    """The places of registration of one country."""
    return tuple(
        Place(row["place"], row["kind"], float(row["weight"]))
        for row in read_rows("data", "places")
        if row["country"] == country
    )


@lru_cache(maxsize=len(COUNTRIES))
def centres(country: str) -> tuple[Centre, ...]:
    """The reception centres of one country."""
    return tuple(
        Centre(
            row["centre"],
            row["name"],
            row["region"],
            int(row["capacity"]),
            float(row["use"]),
            row["families"] == "yes",
        )
        for row in read_rows("data", "centres")
        if row["country"] == country
    )
