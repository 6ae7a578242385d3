# SPDX-License-Identifier: EUPL-1.2
"""The officers who typed the records in: names from Faker's lists, or our own where it has none."""

from __future__ import annotations

import numpy as np

from gateway.region.columns import Codes, Frame, Numbers, Words
from gateway.region.lexicon import lexicon
from gateway.region.local import Local
from gateway.region.orthography import write
from gateway.region.randomness import choose, texts
from gateway.region.registering import OFFICERS

__all__ = ["officer_frame"]

_UNITS = ("BP", "RA", "AS", "RC")
_OWN = {"BA": "bosnian", "RS": "serbian", "ME": "montenegrin", "AL": "albanian"}


def _from_faker(country: str) -> tuple[list[str], list[str]]:
    if country == "HR":
        from faker.providers.person.hr_HR import Provider as Croatian

        return [*Croatian.first_names_female, *Croatian.first_names_male], [*Croatian.last_names]
    if country == "SI":
        from faker.providers.person.sl_SI import Provider as Slovene

        return [*Slovene.first_names_female, *Slovene.first_names_male], [*Slovene.last_names]
    if country == "GR":
        from faker.providers.person.el_GR import Provider as Greek

        return [*Greek.first_names_male], [*Greek.last_names_male]
    if country == "MK":
        from faker.providers.person.mk_MK import Provider as Macedonian

        return [*Macedonian.first_names_male], [*Macedonian.last_names_male]
    from faker.providers.person.de_AT import Provider as Austrian

    return [*Austrian.first_names_female, *Austrian.first_names_male], [*Austrian.last_names]


def _own(country: str) -> tuple[list[str], list[str]]:
    culture, book = _OWN[country], lexicon()
    found: list[list[str]] = []
    for kinds in (("m", "f"), ("s",)):
        entries = [
            entry
            for kind in kinds
            for entry in range(
                book.pools[culture, kind].start,
                book.pools[culture, kind].start + len(book.pools[culture, kind].edges),
            )
        ]
        names = [str(book.romanised[entry, 0]) for entry in entries]
        found.append([write(name, culture, country, heard=True) for name in names])
    return found[0], found[1]


def officer_frame(local: Local) -> Frame:
    """Number, name and unit of each officer; the unit is an organisation id such as HR-BP."""
    rng = local.stream("officers")
    first, last = _own(local.country) if local.country in _OWN else _from_faker(local.country)
    given = rng.integers(0, len(first), OFFICERS).tolist()
    family = rng.integers(0, len(last), OFFICERS).tolist()
    return {
        "officer_key": Numbers(np.arange(OFFICERS)),
        "officer_name": Words(
            texts([f"{first[a]} {last[b]}" for a, b in zip(given, family, strict=True)])
        ),
        "unit": Codes(
            choose(rng, [0.6, 0.15, 0.15, 0.1], OFFICERS),
            tuple(f"{local.country}-{unit}" for unit in _UNITS),
        ),
    }
