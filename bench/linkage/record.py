# SPDX-License-Identifier: EUPL-1.2
"""A person as one country's clerk wrote them down, with all that goes wrong (matching.md §2)."""

from dataclasses import dataclass
from datetime import date, timedelta

from bench.linkage.dice import Choice, Dice
from bench.linkage.half import Lists
from bench.linkage.person import Person
from bench.linkage.spelling import Tradition

HOLDS, COPIES = 0.35, 0.80
TYPO, SWAPPED, ONE_GIVEN, FATHERS = 0.06, 0.04, 0.05, 0.04
MISSING, NEW_YEAR, DAY_MONTH, YEAR, DAY = 0.05, 0.04, 0.03, 0.04, 0.03
OTHER_NATION, DOCUMENT_TYPO = 0.03, 0.05
PATRONYMIC, MAN_FORM, NO_SURNAME, CAPITALS = 0.3, 0.1, 0.3, 0.12
NO_SEX, OTHER_SEX = 0.01, 0.005


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a list; the last four columns only tell the bench what kind it is."""

    given_names: str
    surnames: str
    sex: str
    date_of_birth: str
    nationality: str
    document_number: str
    country: str
    culture: str
    script: str
    tradition: str


def register(person: Person, country: str, lists: Lists, dice: Dice) -> Record:
    """The person's record in one country."""
    document = person.document if dice.chance(HOLDS) else ""
    script, tradition = _hand(person, country, lists, dice)
    if document and dice.chance(COPIES):
        given, surname = person.passport
        script, spelled = "latin", "passport"
    else:
        given, surname = _heard(person, tradition, dice)
        spelled = tradition.name
    if dice.chance(TYPO):
        given = typo(given, dice)
    if dice.chance(TYPO):
        surname = typo(surname, dice)
    if dice.chance(SWAPPED):
        given, surname = surname, given
    case = str.upper if dice.chance(CAPITALS) else _titled
    nationality = person.nationality
    if dice.chance(OTHER_NATION):
        nationality = dice.among(dice.among(lists.cultures).origins)
    return Record(
        case(given),
        case(surname),
        _sex(person.sex, dice),
        _birth(person.birth, dice),
        nationality,
        typo(document, dice) if dice.chance(DOCUMENT_TYPO) else document,
        country,
        person.culture.name,
        script,
        spelled,
    )


def _hand(person: Person, country: str, lists: Lists, dice: Dice) -> tuple[str, Tradition]:
    arabic, share = lists.arabic
    if person.culture.script == "arabic" and dice.chance(share):
        return "arabic", arabic
    if country in lists.scripts:
        script, share = lists.scripts[country]
        if dice.chance(share):
            return ("greek" if country == "GR" else "cyrillic"), script
    return "latin", lists.writes[country]


def _heard(person: Person, tradition: Tradition, dice: Dice) -> tuple[str, str]:
    given, surname = list(person.given), person.surname
    if person.man_surname != surname and dice.chance(MAN_FORM):
        surname = person.man_surname
    if dice.chance(ONE_GIVEN):
        if len(given) > 1:
            del given[1:]
        elif dice.chance(NO_SURNAME):
            surname = ""
    if person.culture.name == "cyrillic" and dice.chance(PATRONYMIC):
        given.append(person.father + person.culture.father)
    elif dice.chance(FATHERS):
        surname = person.father
    written = [tradition.write(name, dice) for name in given]
    return " ".join(written), tradition.write(surname, dice) if surname else ""


def typo(text: str, dice: Dice) -> str:
    """One slip: a letter dropped, doubled, changed or two turned round."""
    if not text:
        return text
    at = dice.below(len(text))
    other = dice.among(
        Choice.of(
            [c for c in text if c.isalnum()] or ["x"], [1.0] * max(1, sum(map(str.isalnum, text)))
        )
    )
    if text.isascii() and dice.chance(0.5):
        other = (
            "0123456789"[dice.below(10)]
            if text[at].isdigit()
            else "aeioubdgklmnrst"[dice.below(15)]
        )
    match dice.below(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + other + text[at:]
        case 2:
            return text[:at] + other + text[at + 1 :]
        case _:
            return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


def _titled(text: str) -> str:
    return " ".join(
        "-".join(part[:1].upper() + part[1:] for part in word.split("-"))
        for word in text.split(" ")
    )


def _sex(sex: str, dice: Dice) -> str:
    if dice.chance(NO_SEX):
        return ""
    return ("F" if sex == "M" else "M") if dice.chance(OTHER_SEX) else sex


def _birth(born: date, dice: Dice) -> str:
    roll = dice.stream.random()
    steps = (MISSING, NEW_YEAR, DAY_MONTH, YEAR, DAY)
    kind, reached = len(steps), 0.0
    for number, share in enumerate(steps):
        reached += share
        if roll < reached:
            kind = number
            break
    match kind:
        case 0:
            return ""
        case 1:
            return date(born.year, 1, 1).isoformat()
        case 2 if born.day <= 12:
            return date(born.year, born.day, born.month).isoformat()
        case 3:
            away = (1 + dice.below(3)) * (1 if dice.chance(0.5) else -1)
            return date(born.year + away, born.month, min(born.day, 28)).isoformat()
        case 4:
            return (born + timedelta(-1 if dice.chance(0.5) else 1)).isoformat()
        case _:
            return born.isoformat()
