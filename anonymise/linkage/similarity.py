# SPDX-License-Identifier: EUPL-1.2
"""Same, similar or different identity data, by the closed lists of the Union's law.

Delegated Regulation (EU) 2023/332, Annex I ("same") and Annex II ("similar"); INT-12 and INT-19.
Every rule always runs, and each that holds is named, so that a person sees why two records were
put side by side. There are no percentages. Sex has no rule of similarity: it must be equal (D).
What is missing on either side is neither same nor similar.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

from anonymise.linkage.calendars import conversions
from anonymise.linkage.names import skeleton, tokens

_SHORTEST_CUT: Final = 5  # (D): shorter beginnings are names of their own
_JOINTS: Final = re.compile(r"[-‐‑‒–—,'’ʼ`´.]")  # noqa: RUF001


class Sameness(StrEnum):
    """What two sets of identity data are to one another."""

    SAME = "same"
    SIMILAR = "similar"
    DIFFERENT = "different"


class NameReason(StrEnum):
    """Annex II, names: the eight ways in which they are similar."""

    TRANSLITERATION = "known transliteration"
    SWAPPED_FIELDS = "surname and forename in one another's field"
    ONE_FIELD = "all names in one field"
    SWAPPED_WORDS = "two words swapped"
    SWAPPED_LETTERS = "two letters swapped"
    ONE_CHARACTER = "one character more, less or changed"
    PUNCTUATION = "hyphen, comma or apostrophe"
    TRUNCATION = "cut short"


class DateReason(StrEnum):
    """Annex II, birth date."""

    DAY_MONTH = "day and month swapped"
    CALENDAR = "another calendar"
    ONE_CHARACTER = "one character changed"


class PlaceReason(StrEnum):
    """Annex II, nationality and place of birth."""

    TRANSLITERATION = "known transliteration"
    ONE_CHARACTER = "one character more, less or changed"
    RENAMED = "renamed country or city"


Reason = NameReason | DateReason | PlaceReason


@dataclass(frozen=True, slots=True, repr=False)
class IdentityData:
    """What the rules compare. Every spelling of a name is one member.

    Attributes:
        surnames: fields of surnames, at birth, used before, aliases.
        forenames: fields of forenames.
        birth: year, month and day as written.
        nationalities: codes of three letters.
        places: towns and countries of birth.
    """

    surnames: tuple[str, ...] = ()
    forenames: tuple[str, ...] = ()
    birth: tuple[int, int, int] | None = None
    sex: str | None = None
    nationalities: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "IdentityData(<redacted>)"


@dataclass(frozen=True, slots=True)
class Compared:
    """The verdict, and every rule of Annex II that held."""

    sameness: Sameness
    reasons: frozenset[Reason]


def compare_identity(one: IdentityData, other: IdentityData) -> Compared:
    """Same, similar or different, with the reasons."""
    names, name_reasons = _names(one, other)
    born, date_reasons = _births(one.birth, other.birth)
    from_, place_reasons = _origins(one, other)
    reasons = name_reasons | date_reasons | place_reasons
    sex = one.sex is not None and one.sex == other.sex
    if not sex:
        return Compared(Sameness.DIFFERENT, reasons)
    parts = (names, born, from_)
    if Sameness.DIFFERENT in parts:
        return Compared(Sameness.DIFFERENT, reasons)
    similar = Sameness.SIMILAR in parts
    return Compared(Sameness.SIMILAR if similar else Sameness.SAME, reasons)


def _names(one: IdentityData, other: IdentityData) -> tuple[Sameness, frozenset[Reason]]:
    surname, why_surname = _fields(one.surnames, other.surnames)
    forename, why_forename = _fields(one.forenames, other.forenames)
    reasons: set[Reason] = {*why_surname, *why_forename, *_across(one, other)}
    if surname is Sameness.SAME and forename is Sameness.SAME:
        return Sameness.SAME, frozenset(reasons)
    across = reasons & {NameReason.SWAPPED_FIELDS, NameReason.ONE_FIELD}
    if across or Sameness.DIFFERENT not in (surname, forename):
        return Sameness.SIMILAR, frozenset(reasons)
    return Sameness.DIFFERENT, frozenset(reasons)


def _fields(ones: Iterable[str], others: Iterable[str]) -> tuple[Sameness, frozenset[NameReason]]:
    """The best of all pairs of spellings."""
    pairs = [(x, y) for a in ones for b in others if (x := _plain(a)) and (y := _plain(b))]
    reasons = frozenset(
        reason for x, y in pairs if x != y for reason, holds in _NAME_RULES.items() if holds(x, y)
    )
    if any(x == y for x, y in pairs):
        return Sameness.SAME, reasons
    return (Sameness.SIMILAR if reasons else Sameness.DIFFERENT), reasons


def _across(one: IdentityData, other: IdentityData) -> set[Reason]:
    """The two rules that look at surnames and forenames together."""
    found: set[Reason] = set()
    mine, theirs = _sides(one), _sides(other)
    if any(a and b and (b, a) in theirs and a != b for a, b in mine):
        found.add(NameReason.SWAPPED_FIELDS)
    for these, those in ((mine, theirs), (theirs, mine)):
        single = {a or b for a, b in these if not (a and b)}
        whole = {joined for a, b in those if a and b for joined in (f"{a} {b}", f"{b} {a}")}
        if single & whole:
            found.add(NameReason.ONE_FIELD)
    return found


def _sides(of: IdentityData) -> set[tuple[str, str]]:
    surnames = {_plain(name) for name in of.surnames} or {""}
    forenames = {_plain(name) for name in of.forenames} or {""}
    return {(a, b) for a in surnames for b in forenames}


def _births(
    one: tuple[int, int, int] | None, other: tuple[int, int, int] | None
) -> tuple[Sameness, frozenset[Reason]]:
    if one is None or other is None:
        return Sameness.DIFFERENT, frozenset()
    if one == other:
        return Sameness.SAME, frozenset()
    reasons: set[Reason] = set()
    if one == (other[0], other[2], other[1]):
        reasons.add(DateReason.DAY_MONTH)
    if _day(one) in conversions(other) or _day(other) in conversions(one):
        reasons.add(DateReason.CALENDAR)
    if sum(a != b for a, b in zip(_written(one), _written(other), strict=True)) == 1:
        reasons.add(DateReason.ONE_CHARACTER)
    return (Sameness.SIMILAR if reasons else Sameness.DIFFERENT), frozenset(reasons)


def _written(birth: tuple[int, int, int]) -> str:
    return "{:04d}{:02d}{:02d}".format(*birth)


def _day(birth: tuple[int, int, int]) -> date | None:
    try:
        return date(*birth)
    except ValueError:
        return None


def _origins(one: IdentityData, other: IdentityData) -> tuple[Sameness, frozenset[Reason]]:
    """A nationality must agree (Annex I); else nationality or place of birth may be similar."""
    reasons = frozenset(
        reason
        for a in one.places
        for b in other.places
        if _plain(a) != _plain(b)
        for reason, holds in _PLACE_RULES.items()
        if holds(_plain(a), _plain(b))
    )
    if set(one.nationalities) & set(other.nationalities):
        return Sameness.SAME, reasons
    places = {_plain(p) for p in one.places} & {_plain(p) for p in other.places}
    if places or reasons:
        return Sameness.SIMILAR, reasons
    return Sameness.DIFFERENT, reasons


def _plain(text: str) -> str:
    """Formats harmonised (Annex I): case, width and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _transliterated(x: str, y: str) -> bool:
    mine, theirs = tokens(x), tokens(y)
    if mine == theirs:
        return True
    return bool(mine) and [skeleton(t) for t in mine] == [skeleton(t) for t in theirs]


def _swapped_words(x: str, y: str) -> bool:
    return _swapped(x.split(), y.split())


def _swapped(x: list[str] | str, y: list[str] | str) -> bool:
    """Whether two places, and only they, hold one another's."""
    if len(x) != len(y):
        return False
    apart = [place for place, (a, b) in enumerate(zip(x, y, strict=True)) if a != b]
    return len(apart) == 2 and x[apart[0]] == y[apart[1]] and x[apart[1]] == y[apart[0]]  # noqa: PLR2004


def _one_character(x: str, y: str) -> bool:
    if len(x) == len(y):
        return sum(a != b for a, b in zip(x, y, strict=True)) == 1
    short, long = sorted((x, y), key=len)
    if len(long) - len(short) != 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at:] == long[at + 1 :]


def _punctuation(x: str, y: str) -> bool:
    return _JOINTS.sub("", x).replace(" ", "") == _JOINTS.sub("", y).replace(" ", "")


def _cut(x: str, y: str) -> bool:
    short, long = sorted((x, y), key=len)
    return len(short) >= _SHORTEST_CUT and long.startswith(short)


def _renamed(x: str, y: str) -> bool:
    return y in _names_of_places().get(x, ())


@cache
def _names_of_places() -> Mapping[str, frozenset[str]]:
    text = resources.files(__package__).joinpath("renamed.csv").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for line in csv.DictReader(text.splitlines()):
        one, other = _plain(line["one"]), _plain(line["other"])
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {name: frozenset(others) for name, others in found.items()}


_Rule = Callable[[str, str], bool]
_NAME_RULES: Final[Mapping[NameReason, _Rule]] = {
    NameReason.TRANSLITERATION: _transliterated,
    NameReason.SWAPPED_WORDS: _swapped_words,
    NameReason.SWAPPED_LETTERS: _swapped,
    NameReason.ONE_CHARACTER: _one_character,
    NameReason.PUNCTUATION: _punctuation,
    NameReason.TRUNCATION: _cut,
}
_PLACE_RULES: Final[Mapping[PlaceReason, _Rule]] = {
    PlaceReason.TRANSLITERATION: _transliterated,
    PlaceReason.ONE_CHARACTER: _one_character,
    PlaceReason.RENAMED: _renamed,
}
