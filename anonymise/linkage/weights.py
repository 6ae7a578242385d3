# SPDX-License-Identifier: EUPL-1.2
"""What each agreement weighs: the packaged, versioned file `weights.json`, or a country's own.

Weights are data that a person can read and a country can change (docs/linkage/names.md section 4).
INVARIANT, checked when read: within a feature nothing weighs less than "missing", and "missing"
weighs nothing or less. So whoever leaves a part of a person out can't raise a score by it.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from anonymise.errors import LinkageError
from anonymise.linkage.frequency import Frequencies
from anonymise.linkage.keys import KeyKind
from anonymise.linkage.likeness import Likeness
from anonymise.linkage.names import GRAMMAR

FORMAT: Final = "cuvar-linkage-weights"
VERSION: Final = 1
STATES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "given": ("same", "different", "missing"),
        "surname": ("same", "different", "missing"),
        "whole": ("same", "different", "missing"),
        "birth": (
            *("same", "swapped", "slip", "day-month", "year-both", "year-one", "near"),
            *("different", "missing"),
        ),
        "sex": ("same", "different", "missing"),
        "nationality": ("same", "different", "missing"),
        "document": ("same", "near", "different", "missing"),
        "place": ("same", "part", "different", "missing"),
    }
)
"""The features that have one weight a state; "names" alone is reckoned from the tokens."""

_MEMBERS: Final = frozenset(
    {"format", "version", "grammar", "prior", "names", "grades", "index", *STATES}
)


@dataclass(frozen=True, slots=True)
class Grades:
    """From which log-odds on a grade is given."""

    strong: float
    possible: float


@dataclass(frozen=True, slots=True)
class Weights:
    """All weights of a file, and the count of names that the rarity is taken from.

    Attributes:
        prior: The log-odds before anything is compared.
        no_name: What it weighs that no name agrees.
        name: For each likeness, what a pair of tokens weighs for each unit of its rarity.
        states: Feature to state to log-odds.
        grades: Where the grades of the full comparison begin.
        index_prior: The log-odds of the index before any kind agrees.
        kinds: What it weighs that a kind of key agrees.
        index_grades: Where the grades of the index begin.
        frequencies: Whose count of names is used.
    """

    prior: float
    no_name: float
    name: Mapping[Likeness, float]
    states: Mapping[str, Mapping[str, float]]
    grades: Grades
    index_prior: float
    kinds: Mapping[KeyKind, float]
    index_grades: Grades
    frequencies: Frequencies

    @classmethod
    @lru_cache(maxsize=1)
    def packaged(cls) -> "Weights":
        """The weights and the count that come with the package."""
        text = files("anonymise.linkage").joinpath("weights.json").read_text(encoding="utf-8")
        return _weights(text, "weights.json")

    @classmethod
    def read(cls, path: Path) -> "Weights":
        """A country's own weights, with the packaged count.

        Raises:
            LinkageError: the file can't be read, or is no weights of this version and grammar.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError):
            raise LinkageError(f"{path.name} can't be read; name a file of weights") from None
        return _weights(text, path.name)

    def counted(self, frequencies: Frequencies) -> "Weights":
        """The same weights with a register's own count of names."""
        return replace(self, frequencies=frequencies)


def _weights(text: str, name: str) -> Weights:
    try:
        document = json.loads(text)
        about = (document["format"], document["version"], document["grammar"])
        weights = _made(document)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LinkageError(
            f"{name} lacks a weight, or has one too many; compare it with docs/linkage/names.md"
        ) from None
    if about != (FORMAT, VERSION, GRAMMAR):
        raise LinkageError(
            f"{name} is no weights of version {VERSION} for grammar {GRAMMAR}; make it again"
        )
    _check(weights, name)
    return weights


def _made(document: Any) -> Weights:
    names, index = document["names"], document["index"]
    likenesses = [likeness for likeness in Likeness if likeness]
    _only(document, _MEMBERS)
    _only(names, {"none", *(likeness.name.lower() for likeness in likenesses)})
    _only(index, {"prior", "kinds", "grades"})
    return Weights(
        prior=_number(document["prior"]),
        no_name=_number(names["none"]),
        name=MappingProxyType(
            {likeness: _number(names[likeness.name.lower()]) for likeness in likenesses}
        ),
        states=MappingProxyType(
            {feature: _all(document[feature], states) for feature, states in STATES.items()}
        ),
        grades=_grades(document["grades"]),
        index_prior=_number(index["prior"]),
        kinds=MappingProxyType(
            {KeyKind(kind): value for kind, value in _all(index["kinds"], tuple(KeyKind)).items()}
        ),
        index_grades=_grades(index["grades"]),
        frequencies=Frequencies.packaged(),
    )


def _only(given: Any, members: Collection[str]) -> None:
    if given.keys() != set(members):
        raise ValueError


def _check(weights: Weights, name: str) -> None:
    least = min((*weights.name.values(), *weights.kinds.values()))
    if weights.no_name > 0 or least < 0:
        raise LinkageError(f"{name} lets an agreement of names or keys lower a score; correct it")
    ordered = [weights.name[likeness] for likeness in Likeness if likeness]
    if ordered != sorted(ordered):
        raise LinkageError(f"{name} gives a weaker likeness of names more weight; correct it")
    for feature, states in weights.states.items():
        if states["missing"] > min(0.0, *states.values()):
            raise LinkageError(f'{name} lets a missing "{feature}" raise a score; correct it')


def _all(given: Any, states: Collection[str]) -> Mapping[str, float]:
    _only(given, states)
    return MappingProxyType({state: _number(given[state]) for state in states})


def _grades(given: Any) -> Grades:
    _only(given, {"strong", "possible"})
    grades = Grades(_number(given["strong"]), _number(given["possible"]))
    if grades.strong <= grades.possible:
        raise ValueError
    return grades


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not isfinite(given):
        raise TypeError
    return float(given)
