# SPDX-License-Identifier: EUPL-1.2
"""The keys by which two records of one person meet in the blind index.

INVARIANT: every kind holds a date part or a document number; a name alone would be found again by
its frequency (matching.md section 4). Day and month of 1 January are no date part: registers write
them when only the year is known. Rules and vectors: docs/formats/linkage-grammar.md.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import combinations
from typing import Final

from anonymise.linkage.names import GRAMMAR, skeletons
from anonymise.linkage.person import BirthDate, LinkagePerson

MOST_KEYS: Final = 16
MOST_TOKENS: Final = 4
_LAST_MONTH: Final = 12
_NOT_WRITTEN: Final = re.compile("[^0-9A-Z]+")
_SHORTEST: Final = 5
_FEWEST_DIGITS: Final = 3
_SEEN_ALIKE: Final = str.maketrans("OI", "01")


class KeyKind(StrEnum):
    """What a key is made of; the tag is bound into the blinded value."""

    DOCUMENT = "doc"
    TOKEN_BIRTH = "tok-birth"
    ALL_BIRTH = "all-birth"
    TOKEN_SWAP = "tok-swap"
    TOKEN_DAY = "tok-day"
    PAIR_YEAR = "pair-year"
    ALL_YEAR = "all-year"
    BIRTH_ETC = "birth-etc"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a person, not yet blinded.

    Attributes:
        kind: What it is made of.
        text: The parts, divided by a bar, which no part contains.
    """

    kind: KeyKind
    text: str = field(repr=False)

    def encoded(self) -> bytes:
        """The bytes that are blinded: grammar, kind and text, divided by bars."""
        return f"{GRAMMAR}|{self.kind}|{self.text}".encode()


def keys_of(person: LinkagePerson) -> tuple[Key, ...]:
    """The keys of a person, the strongest first: distinct, at most 16, none without a date or number.

    Where there would be more than 16, the weakest are left out.
    """
    found = dict.fromkeys(_keys(person))
    return tuple(found)[:MOST_KEYS]


@lru_cache(maxsize=4096)
def number_of(text: str) -> str | None:
    """A document number as keys hold it, or None where it is too short or plainly filled in.

    Letters are made large, all but A to Z and 0 to 9 is dropped, the letters O and I are read as
    digits.
    """
    written = _NOT_WRITTEN.sub("", unicodedata.normalize("NFKC", text).upper())
    number = written.translate(_SEEN_ALIKE)
    digits = sum(character.isdigit() for character in written)
    if len(number) < _SHORTEST or digits < _FEWEST_DIGITS or len(set(number)) == 1:
        return None
    return number


def _keys(person: LinkagePerson) -> Iterator[Key]:
    for document in person.documents:
        if (number := number_of(document)) is not None:
            yield Key(KeyKind.DOCUMENT, number)
    birth = person.birth
    if birth is None:
        return
    names = skeletons(person.given_names, person.surnames)
    chosen = sorted(names, key=lambda name: (-len(name), name))[:MOST_TOKENS]
    chosen.sort()
    if birth.certain:
        yield from _dated(person, birth, names, chosen)
    else:
        yield from _of_year(birth, names, chosen)


def _of_year(birth: BirthDate, names: Iterable[str], chosen: list[str]) -> Iterator[Key]:
    if len(chosen) > 1:
        yield Key(KeyKind.ALL_YEAR, f"{_letters(names)}|{birth.year}")
    for first, second in combinations(chosen, 2):
        yield Key(KeyKind.PAIR_YEAR, f"{first}|{second}|{birth.year}")


def _dated(
    person: LinkagePerson, birth: BirthDate, names: Iterable[str], chosen: list[str]
) -> Iterator[Key]:
    year, month, day = birth.year, birth.month or 0, birth.day or 0
    whole = f"{year}-{month:02}-{day:02}"
    for name in chosen:
        yield Key(KeyKind.TOKEN_BIRTH, f"{name}|{whole}")
    if len(chosen) > 1:
        yield Key(KeyKind.ALL_BIRTH, f"{_letters(names)}|{whole}")
    yield from _of_year(birth, names, chosen)
    sex = person.sex or "-"
    for name in chosen:
        yield Key(KeyKind.TOKEN_DAY, f"{name}|{month:02}-{day:02}|{sex}")
    if day <= _LAST_MONTH and day != month:
        low, high = sorted((day, month))
        for name in chosen:
            yield Key(KeyKind.TOKEN_SWAP, f"{name}|{year}|{low:02}+{high:02}")
    initials = sorted({name[0] for name in names})
    for nation in person.nationalities[:1]:
        for initial in initials[:2]:
            yield Key(KeyKind.BIRTH_ETC, f"{whole}|{nation}|{sex}|{initial}")


def _letters(names: Iterable[str]) -> str:
    """The letters of all tokens in order, so that a name split or joined stays the same."""
    return "".join(sorted("".join(names)))
