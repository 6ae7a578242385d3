# SPDX-License-Identifier: EUPL-1.2
"""A person who does not exist: names as sounds, a birth date, a passport."""

from dataclasses import dataclass
from datetime import date, timedelta

from bench.linkage.dice import Dice
from bench.linkage.half import Culture, Lists

DOUBLE = 0.25
LISTED = 0.45
WOMEN = 0.28
NEW_YEAR = 0.22
NEWEST = 2010
OLDEST_AGE = 62


@dataclass(frozen=True, slots=True)
class Person:
    """The truth.

    Attributes:
        given: Phonemes of one or two given names.
        surname: Phonemes.
        man_surname: The same as a man of the family bears it.
        father: The father's given name.
        passport: Given names and surname as the passport spells them.
    """

    culture: Culture
    sex: str
    given: tuple[str, ...]
    surname: str
    man_surname: str
    father: str
    birth: date
    nationality: str
    document: str
    passport: tuple[str, str]


def make_person(lists: Lists, dice: Dice) -> Person:
    """One person."""
    culture = dice.among(lists.cultures)
    sex = "F" if dice.chance(WOMEN) else "M"
    names = culture.women if sex == "F" else culture.men
    first = dice.among(names)
    given = (first,)
    if dice.chance(DOUBLE):
        second = dice.among(names)
        given = (first, second) if second != first else given
    father = dice.among(culture.men)
    own = dice.among(culture.surnames) if dice.chance(LISTED) else _derived(culture, dice)
    surname = feminine(own, culture.name) if sex == "F" else own
    nationality = dice.among(culture.origins)
    spells = lists.passports[culture.passports.get(nationality, "english")]
    return Person(
        culture,
        sex,
        given,
        surname,
        own,
        father,
        _birth(dice),
        nationality,
        _document(dice),
        (" ".join(spells.write(name, dice) for name in given), spells.write(surname, dice)),
    )


def feminine(surname: str, culture: str) -> str:
    """A woman's form of a family's name."""
    if culture == "cyrillic":
        return surname + "a" if surname.endswith(("ov", "jev", "in", "ev")) else surname
    if culture == "greek":
        for ending in ("os", "is"):
            if surname.endswith(ending):
                return surname.removesuffix(ending) + ("u" if ending == "os" else "i")
    return surname


def _derived(culture: Culture, dice: Dice) -> str:
    base = dice.among(culture.men)
    suffix = dice.among(culture.suffixes)
    if suffix and base[-1] in "aāeiīou":
        base = base[:-1]
    return base + suffix


def _birth(dice: Dice) -> date:
    age = int(dice.stream.betavariate(1.6, 3.6) * OLDEST_AGE)
    year = NEWEST - age
    return (
        date(year, 1, 1) if dice.chance(NEW_YEAR) else date(year, 1, 1) + timedelta(dice.below(365))
    )


def _document(dice: Dice) -> str:
    letters = "ABCDEFGHKLMNPRSTUVXYZ"
    return letters[dice.below(len(letters))] + f"{dice.below(10**8):08d}"
