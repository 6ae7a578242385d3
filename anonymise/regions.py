# SPDX-License-Identifier: EUPL-1.2
"""Regions of the world: what a rare nationality is coarsened to.

Table `regions.csv` (ISO 3166-1 alpha-2 and XK -> region), grouped after the United Nations' M49
sub-regions; the four of the Pacific are one, because each alone would single people out here.
Stateless (XX) and unlisted codes share "unknown", so that the coarse form never tells them apart.
"""

import csv
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

UNKNOWN_REGION = "unknown"


def _read() -> Mapping[str, str]:
    text = files("anonymise").joinpath("regions.csv").read_text(encoding="utf-8")
    table = {row["country"]: row["region"] for row in csv.DictReader(text.splitlines())}
    return MappingProxyType(table)


REGIONS: Mapping[str, str] = _read()


def region_of(country: str) -> str:
    """The region of an alpha-2 country code; "unknown" for any other text."""
    return REGIONS.get(country, UNKNOWN_REGION)
