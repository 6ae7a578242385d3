# SPDX-License-Identifier: EUPL-1.2
"""The words of rules in the languages of the region: docs/formats/rule-languages.md.

Everything here is an unverified draft; the line of the rule file is what counts. Bosnian is the
base of Croatian, Serbian and Montenegrin, which name what they say otherwise; Serbian is also
written in Cyrillic, letter by letter. `policies.render` relies on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from policies.errors import PolicyError, Problems
from policies.table import read_table

ENGLISH = "en"
_COLUMNS = ("bs", "sl", "mk", "sq", "el", "de")
_VARIANTS = ("hr", "sr", "cnr")
CYRILLIC = "sr-Cyrl"
LANGUAGES = (ENGLISH, *_COLUMNS, *_VARIANTS, CYRILLIC)
OF_COUNTRY: Mapping[str, str] = MappingProxyType(
    {
        "BA": "bs",
        "HR": "hr",
        "RS": "sr",
        "ME": "cnr",
        "AL": "sq",
        "GR": "el",
        "AT": "de",
        "SI": "sl",
        "MK": "mk",
    }
)
_FOLDER = Path(__file__).parent
_PAIRS = {"lj": "љ", "nj": "њ", "dž": "џ", "Lj": "Љ", "Nj": "Њ", "Dž": "Џ"}
_LETTERS = str.maketrans(
    "abvgdđežzijklmnoprstćufhcčšABVGDĐEŽZIJKLMNOPRSTĆUFHCČŠ",
    "абвгдђежзијклмнопрстћуфхцчшАБВГДЂЕЖЗИЈКЛМНОПРСТЋУФХЦЧШ",
)


class NoSuchLanguageError(PolicyError):
    """A language that has no words here."""


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language, by "role.border_officer", "label.purpose" and the like."""

    id: str
    words: Mapping[str, str]

    def word(self, kind: str, name: str, otherwise: str) -> str:
        """The word, or `otherwise` when the language has none."""
        return self.words.get(f"{kind}.{name}", otherwise)

    def label(self, name: str) -> str:
        """A fixed word of a sentence or page; every language has all of them."""
        return self.words[f"label.{name}"]


@cache
def language(name: str) -> Language:
    """The words of a language.

    Raises:
        NoSuchLanguageError: there are none.
    """
    if name not in LANGUAGES:
        raise NoSuchLanguageError(f"no words for {name}; known are {', '.join(LANGUAGES)}")
    if name == CYRILLIC:
        latin = language("sr").words
        return Language(name, MappingProxyType({k: cyrillic(v) for k, v in latin.items()}))
    files = {
        f"{n}.csv": (_FOLDER / f"{n}.csv").read_bytes() for n in ("labels", "words", "variants")
    }
    problems = Problems()
    column = "bs" if name in _VARIANTS else name
    labels = read_table(files, "labels.csv", ("id", ENGLISH, *_COLUMNS), problems)
    rows = read_table(files, "words.csv", ("id", *_COLUMNS), problems)
    variants = read_table(files, "variants.csv", ("language", "id", "text"), problems)
    problems.raise_if_any()
    found = {f"label.{row['id']}": row[column] for row in labels}
    if name != ENGLISH:
        found |= {row["id"]: row[column] for row in rows}
    found |= {row["id"]: row["text"] for row in variants if row["language"] == name}
    return Language(name, MappingProxyType(found))


def cyrillic(text: str) -> str:
    """Serbian Latin text in Cyrillic; words in capitals and with digits, such as ids, stay."""
    return " ".join(_word(word) for word in text.split(" "))


def _word(word: str) -> str:
    if any(char.isdigit() for char in word):
        return word
    for latin, letter in _PAIRS.items():
        word = word.replace(latin, letter)
    return word.translate(_LETTERS)
