# SPDX-License-Identifier: EUPL-1.2
"""The full comparison of two records, on the side of the country that holds one of them.

A sum of log-odds, feature by feature, each in one of a few states that can be said in plain words
(`words`). A missing part has a state of its own that never weighs more than a different one: a
question that leaves a part out is never answered more surely than one that gives it (matching.md
section 2). A strong answer needs a date of birth or a document number that agrees; a name alone,
however rare, is no proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from anonymise.linkage.grading import Grade
from anonymise.linkage.keys import number_of
from anonymise.linkage.likeness import distance, likeness, paired
from anonymise.linkage.names import letters, skeleton, tokens
from anonymise.linkage.person import BirthDate, LinkagePerson
from anonymise.linkage.weights import Weights

WORDS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("names", "more"): "three or more names agree",
        ("names", "two"): "two names agree",
        ("names", "one"): "one name agrees",
        ("names", "none"): "no name agrees",
        ("names", "missing"): "a name is missing",
        ("given", "same"): "all given names are found again",
        ("given", "different"): "a given name is not found again",
        ("given", "missing"): "given names are missing",
        ("surname", "same"): "all surnames are found again",
        ("surname", "different"): "a surname is not found again",
        ("surname", "missing"): "surnames are missing",
        ("whole", "same"): "the whole names are one, however divided and ordered",
        ("whole", "different"): "the whole names differ",
        ("whole", "missing"): "the names are too incomplete to compare them whole",
        ("birth", "same"): "the date of birth agrees",
        ("birth", "swapped"): "the date of birth agrees with day and month exchanged",
        ("birth", "slip"): "the date of birth differs by one day",
        ("birth", "day-month"): "day and month of birth agree, the year differs by up to three",
        ("birth", "year-both"): "the year of birth agrees; neither has a certain day and month",
        ("birth", "year-one"): "the year of birth agrees; only one has a certain day and month",
        ("birth", "near"): "the years of birth differ by up to three; a day or month is uncertain",
        ("birth", "different"): "the dates of birth differ",
        ("birth", "missing"): "a date of birth is missing",
        ("sex", "same"): "the sex agrees",
        ("sex", "different"): "the sex differs",
        ("sex", "missing"): "the sex is missing",
        ("nationality", "same"): "a nationality agrees",
        ("nationality", "different"): "the nationalities differ",
        ("nationality", "missing"): "a nationality is missing",
        ("document", "same"): "a document number agrees",
        ("document", "near"): "a document number agrees but for one character",
        ("document", "different"): "the document numbers differ",
        ("document", "missing"): "a document number is missing",
        ("place", "same"): "the place agrees",
        ("place", "part"): "a part of the place agrees",
        ("place", "different"): "the places differ",
        ("place", "missing"): "a place is missing",
    }
)
"""What each state of each feature is told as: the closed list."""

_COUNTED: Final = ("none", "one", "two")
_NEAR_YEARS: Final = 3
_PROOFS: Final = frozenset(
    {("birth", state) for state in ("same", "swapped", "slip", "day-month")}
    | {("document", "same")}
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that was compared.

    Attributes:
        name: Which.
        state: One of the closed list of that feature.
        log_odds: What it weighs.
    """

    name: str
    state: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two records compared.

    Attributes:
        log_odds: Natural logarithm of the odds that they are of one person.
        features: What it is the sum of, but for the prior.
        grade: How it is told.
    """

    log_odds: float
    features: tuple[Feature, ...]
    grade: Grade


def compare(
    asked: LinkagePerson, held: LinkagePerson, weights: Weights | None = None
) -> Comparison:
    """Compare the person asked about with a record.

    Args:
        asked: As the question has him.
        held: As the register has him.
        weights: Another file's, or with the register's own count of names; the packaged if None.
    """
    used = weights or Weights.packaged()
    states = {
        "birth": _birth(asked.birth, held.birth),
        "document": _document(asked.documents, held.documents),
        "sex": _equal(asked.sex, held.sex),
        "nationality": _shared(asked.nationalities, held.nationalities),
        "place": _place(asked.places, held.places),
    }
    names = _names(asked, held, used)
    features = (
        *names,
        *(Feature(name, state, used.states[name][state]) for name, state in states.items()),
    )
    log_odds = used.prior + sum(feature.log_odds for feature in features)
    return Comparison(log_odds, features, _grade(log_odds, features, used))


def words(feature: Feature) -> str:
    """A feature in plain words, which tell no value of either record."""
    return WORDS[feature.name, feature.state]


def _grade(log_odds: float, features: Sequence[Feature], weights: Weights) -> Grade:
    proven = any((feature.name, feature.state) in _PROOFS for feature in features)
    if log_odds >= weights.grades.strong and proven:
        return Grade.STRONG
    return Grade.POSSIBLE if log_odds >= weights.grades.possible else Grade.NONE


def _names(asked: LinkagePerson, held: LinkagePerson, weights: Weights) -> tuple[Feature, ...]:
    given, surname = _tokens(asked.given_names), _tokens(asked.surnames)
    its_given, its_surname = _tokens(held.given_names), _tokens(held.surnames)
    ours, theirs = given + surname, its_given + its_surname
    rarity, slopes = weights.frequencies.rarity, weights.name

    def worth(one: str, other: str) -> float:
        alike = likeness(one, other)
        if not alike:
            return 0.0
        first, second = skeleton(one), skeleton(other)
        rare = rarity(first)
        return slopes[alike] * (rare if first == second else min(rare, rarity(second)))

    pairs = paired(ours, theirs, worth)
    state = "missing" if not ours or not theirs else _counted(len(pairs))
    total = weights.no_name + sum(value for value, _, _ in pairs)
    whole = "missing"
    if given and surname and its_given and its_surname:
        whole = "same" if _one(ours, theirs) else "different"
    parts = {
        "given": _part(given, its_given, ours, theirs),
        "surname": _part(surname, its_surname, ours, theirs),
        "whole": whole,
    }
    return (
        Feature("names", state, total),
        *(Feature(name, its, weights.states[name][its]) for name, its in parts.items()),
    )


def _counted(pairs: int) -> str:
    return _COUNTED[pairs] if pairs < len(_COUNTED) else "more"


def _tokens(names: Sequence[str]) -> list[str]:
    return [token for name in names for token in tokens(name)]


def _one(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether two names have the same consonants, however divided and ordered."""
    first = letters(tuple(map(skeleton, ours)))
    return first != "" and first == letters(tuple(map(skeleton, theirs)))


def _part(ours: list[str], theirs: list[str], all_ours: list[str], all_theirs: list[str]) -> str:
    """Whether each token of a part is found in the other name, in whichever part of it."""
    if not ours or not theirs:
        return "missing"
    found = _within(ours, all_theirs) and _within(theirs, all_ours)
    return "same" if found or _one(ours, theirs) else "different"


def _within(few: list[str], many: list[str]) -> bool:
    return all(any(likeness(one, other) for other in many) for one in few)


def _birth(asked: BirthDate | None, held: BirthDate | None) -> str:
    if asked is None or held is None:
        return "missing"
    years = abs(asked.year - held.year)
    if asked.certain and held.certain:
        return _dated(asked, held, years)
    if years == 0:
        return "year-one" if asked.certain or held.certain else "year-both"
    return "near" if years <= _NEAR_YEARS else "different"


def _dated(asked: BirthDate, held: BirthDate, years: int) -> str:
    same_day = (asked.month, asked.day) == (held.month, held.day)
    if years:
        return "day-month" if same_day and years <= _NEAR_YEARS else "different"
    if same_day:
        return "same"
    if (asked.month, asked.day) == (held.day, held.month):
        return "swapped"
    if asked.month == held.month and abs((asked.day or 0) - (held.day or 0)) == 1:
        return "slip"
    return "different"


def _document(asked: Sequence[str], held: Sequence[str]) -> str:
    ours = {number for text in asked if (number := number_of(text)) is not None}
    theirs = {number for text in held if (number := number_of(text)) is not None}
    if not ours or not theirs:
        return "missing"
    if ours & theirs:
        return "same"
    near = any(distance(one, other, 1) <= 1 for one in ours for other in theirs)
    return "near" if near else "different"


def _equal(asked: str | None, held: str | None) -> str:
    if asked is None or held is None:
        return "missing"
    return "same" if asked == held else "different"


def _shared(asked: Sequence[str], held: Sequence[str]) -> str:
    if not asked or not held:
        return "missing"
    return "same" if set(asked) & set(held) else "different"


def _place(asked: Sequence[str], held: Sequence[str]) -> str:
    ours, theirs = _tokens(asked), _tokens(held)
    if not ours or not theirs:
        return "missing"
    found = sum(any(likeness(one, other) for other in theirs) for one in ours)
    if found == 0:
        return "different"
    return "same" if _within(theirs, ours) and found == len(ours) else "part"
