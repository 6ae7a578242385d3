# SPDX-License-Identifier: EUPL-1.2
"""The keys by which two records of one person meet in the blind index.

INVARIANT: every kind holds a date part or a document number; a name alone would be found again by
its frequency (matching.md section 4). Day and month of 1 January are no date part: registers write
them when only the year is known. Rules and vectors: docs/formats/linkage-grammar.md.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import combinations
from typing import Final, NamedTuple

from anonymise.linkage.names import GRAMMAR, letters, skeletons
from anonymise.linkage.person import BirthDate, LinkagePerson

MOST_KEYS: Final = 16
MOST_TOKENS: Final = 4
_LAST_MONTH: Final = 12
_NOT_WRITTEN: Final = re.compile("[^0-9A-Z]+")
_SHORTEST: Final = 5
_FEWEST_DIGITS: Final = 3
_FEWEST_LETTERS: Final = 2
_Names = tuple[tuple[str, ...], tuple[str, ...]]  # all skeletons, and those that keys are made of
_SEEN_ALIKE: Final = str.maketrans("OI", "01")


class KeyKind(StrEnum):
    """What a key is made of; the tag is bound into the blinded value."""

    DOCUMENT = "doc"
    TOKEN_BIRTH = "tok-birth"  # noqa: S105 - a token of a name
    ALL_BIRTH = "all-birth"
    TOKEN_SWAP = "tok-swap"  # noqa: S105
    TOKEN_DAY = "tok-day"  # noqa: S105
    PAIR_YEAR = "pair-year"
    ALL_YEAR = "all-year"
    BIRTH_ETC = "birth-etc"


class Key(NamedTuple):
    """One key of a person, not yet blinded; a tuple, since an index of a million makes ten million.

    Attributes:
        kind: What it is made of.
        text: The parts, divided by a bar, which no part contains.
    """

    kind: KeyKind
    text: str

    def encoded(self) -> bytes:
        """The bytes that are blinded: grammar, kind and text, divided by bars."""
        return f"{GRAMMAR}|{self.kind}|{self.text}".encode()

    def __repr__(self) -> str:
        return f"Key({self.kind}, text redacted)"


def keys_of(person: LinkagePerson) -> tuple[Key, ...]:
    """The keys of a person, distinct, at most 16, the strongest first.

    Where there would be more than 16, the weakest are left out.
    """
    numbers = dict.fromkeys(number_of(document) for document in person.documents)
    found = [Key(KeyKind.DOCUMENT, number) for number in numbers if number is not None]
    if (birth := person.birth) is not None:
        names = skeletons(person.given_names, person.surnames)
        chosen = names if len(names) <= MOST_TOKENS else _longest(names)
        if birth.certain:
            _add_dated(found, person, birth, (names, chosen))
        else:
            _add_of_year(found, birth, (names, chosen))
    return tuple(found[:MOST_KEYS])


@lru_cache(maxsize=1 << 12)
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


def _longest(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(sorted(names, key=lambda name: (-len(name), name))[:MOST_TOKENS]))


def _add_of_year(found: list[Key], birth: BirthDate, both: _Names) -> None:
    names, chosen = both
    year = birth.year
    if len(whole := letters(names)) >= _FEWEST_LETTERS and len(names) > 1:
        found.append(Key(KeyKind.ALL_YEAR, f"{whole}|{year}"))
    found += [
        Key(KeyKind.PAIR_YEAR, f"{first}|{second}|{year}")
        for first, second in combinations(chosen, 2)
    ]


def _add_dated(found: list[Key], person: LinkagePerson, birth: BirthDate, both: _Names) -> None:
    names, chosen = both
    year, month, day, sex = birth.year, birth.month or 0, birth.day or 0, person.sex or "-"
    day_of_year = f"{month:02}-{day:02}"
    found += [Key(KeyKind.TOKEN_BIRTH, f"{name}|{year}-{day_of_year}") for name in chosen]
    if len(whole := letters(names)) >= _FEWEST_LETTERS and len(names) > 1:
        found.append(Key(KeyKind.ALL_BIRTH, f"{whole}|{year}-{day_of_year}"))
    _add_of_year(found, birth, both)
    found += [Key(KeyKind.TOKEN_DAY, f"{name}|{day_of_year}|{sex}") for name in chosen]
    if day <= _LAST_MONTH and day != month:
        low, high = (day, month) if day < month else (month, day)
        found += [Key(KeyKind.TOKEN_SWAP, f"{name}|{year}|{low:02}+{high:02}") for name in chosen]
    if person.nationalities:
        head = f"{year}-{day_of_year}|{person.nationalities[0]}|{sex}"
        initials = dict.fromkeys(name[0] for name in names)
        found += [Key(KeyKind.BIRTH_ETC, f"{head}|{initial}") for initial in [*initials][:2]]
