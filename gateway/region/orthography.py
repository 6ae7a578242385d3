# SPDX-License-Identifier: EUPL-1.2
"""How each country writes a foreign name that its officer hears or copies.

A name is held in a romanisation that English readers know. To write it as heard, it is first
brought to sounds (a Serbian j is y, a Turkish c is j, an Albanian xh is j), then written in the
receiving country's letters: Širzad, Shirzad, Schirzad, Ширзад, ΣΙΡΖΑΝΤ. To write it as read, Latin
registers copy the document; Cyrillic ones convert letter by letter, which is where Схирзад comes
from. Greek letters follow ELOT 743 read backwards.

Relied on by gateway.region.lexicon; the finding side has its own, independent table in
gateway.sources.spelling, so that the two can disagree as real people do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from gateway.region.datafiles import read_rows

__all__ = ["TRADITIONS", "feminine_of", "latin_of", "write"]

_DOUBLED: Final = re.compile(r"([bdfgklmnprstvz])\1")
_DROPPED: Final = str.maketrans("", "", "'\u2019\u02bc\u200c")
_SOUNDS_OF: Final[Mapping[str, str]] = {
    "serbian": "south_slavic",
    "bosnian": "south_slavic",
    "montenegrin": "south_slavic",
    "macedonian": "south_slavic",
    "albanian": "albanian",
    "turkish": "turkish",
    "kurdish": "kurdish",
    "somali": "somali",
}

TRADITIONS: Final[Mapping[str, str]] = {
    "BA": "bcs",
    "HR": "bcs",
    "ME": "bcs",
    "SI": "sl",
    "AL": "sq",
    "AT": "de",
    "GR": "el",
    "RS": "sr",
    "MK": "mk",
}
"""Country to writing tradition."""


@lru_cache(maxsize=1)
def _letters() -> Mapping[tuple[str, str], str]:
    """The rows of letters.csv: how each culture sounds, and how each country writes."""
    return {(row["kind"], row["name"]): row["table"] for row in read_rows("data", "letters")}


@lru_cache(maxsize=32)
def _table(spec: str) -> tuple[re.Pattern[str], dict[str, str]]:
    table = dict(pair.split("=", 1) for pair in spec.split())
    longest_first = sorted(table, key=lambda key: (-len(key), key))
    return re.compile("|".join(map(re.escape, longest_first))), table


def _apply(spec: str, text: str) -> str:
    pattern, table = _table(spec)
    return pattern.sub(lambda match: table[match.group()], text)


def _titled(text: str) -> str:
    return re.sub(r"(^|[\s-])(\w)", lambda m: m.group(1) + m.group(2).upper(), text)


def latin_of(cyrillic: str) -> str:
    """A Ukrainian, Russian or Macedonian name in Latin letters, first letter of each part large."""
    return _titled(_apply(_letters()["latin", "cyrillic"], cyrillic.lower()).translate(_DROPPED))


@lru_cache(maxsize=65536)
def _sounds(name: str, culture: str) -> str:
    spoken = name.lower().translate(_DROPPED)
    sounds = _SOUNDS_OF.get(culture)
    if sounds is not None:
        spoken = _apply(_letters()["sounds", sounds], spoken)
    return _DOUBLED.sub(r"\1", spoken)


def write(name: str, culture: str, country: str, *, heard: bool) -> str:
    """The name in a country's letters.

    Args:
        name: a romanisation from the lexicon.
        culture: the lexicon's culture, which says how its letters sound.
        country: whose register writes.
        heard: written by ear; otherwise read from the person's document.
    """
    tradition = TRADITIONS[country]
    south_slavic = _SOUNDS_OF.get(culture) == "south_slavic"
    if tradition in {"sr", "mk"}:
        plain = _sounds(name, culture) if heard else _plain(name, keep_marks=south_slavic)
        latin = _apply(_letters()["letters", "bcs" if heard else "cyrillic_read"], plain)
        return _titled(_apply(_letters()["cyrillic", tradition], latin))
    if not heard or (south_slavic and tradition in {"bcs", "sl"}):
        return name
    written = _apply(_letters()["letters", tradition], _sounds(name, culture))
    return written.upper() if tradition == "el" else _titled(written)


def _plain(name: str, *, keep_marks: bool) -> str:
    return name.lower() if keep_marks else name.lower().translate(_DROPPED)


def feminine_of(surname: str) -> str:
    """The form of a Slavic surname that a woman bears."""
    for pair in _letters()["feminine", "slavic"].split():
        man, woman = pair.split("=")
        if surname.endswith(man):
            return surname.removesuffix(man) + woman
    return surname
