# SPDX-License-Identifier: EUPL-1.2
"""Names in any script and any spelling, brought to what stays: docs/formats/linkage-grammar.md.

A text becomes tokens of Latin letters (`tokens`): NFKC, casefold, script to Latin by `scripts.csv`
(what it does not know, by anyascii), particles dropped, joined parts joined. A token becomes its
skeleton (`skeleton`): the folds of `folds.csv` in their order, then vowels dropped. The tables are
the matcher's own: the generator of synthetic people has others, so that neither grades itself.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from anyascii import anyascii

GRAMMAR: Final = 1
"""The version of the whole grammar, of names and of keys; a change of any vector raises it."""

_CACHED: Final = 1 << 18
_ARABIC: Final = re.compile("[\u0600-\u06ff\u0750-\u077f]")
_GREEK: Final = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_UNSEEN: Final = re.compile(
    "['\u2019\u2018`\u02bc\u02bb\u00b4\u02bf\u02be\"\u200b-\u200f\u2060\ufeff]"
)
_BETWEEN: Final = re.compile(r"[\s\-\u2010-\u2015,.;:/\\()\[\]_|+&\u060c\u061b\u00b7]+")
_OTHER: Final = re.compile("[^a-z]+")
_SERVANT: Final = re.compile(r"[ae](?:b|mp)(?:d+|nt)(?:[aeou]+l?)?")
_JOINED: Final = re.compile(
    r"[aeiou]*l+ak?h?i?|allh|alah"
    r"|[aeou]*d+[ie]+ne?|za[iyj]|ze[iyj]|za[gy]i|z[ae]h?d[ae]h?|nt?zante|p[uo]+r|kh?e[iyj]l"
    r"|o?[gk]h?lou?|oglu|ogullari"
)
_SERVANT_OF: Final = re.compile(r"^[aei]BD(?:[aeiou]+L?)?(?=.)")
_GOD: Final = re.compile(r"^L?[aeou]*(?=[aeiou]*$|[SJ])")
_LAST_I: Final = re.compile(r"(?<=.)(?:[aeiou]*i|ee|ie)$")
_VOWELS: Final = re.compile("[aeiou]+")
_ALIKE: Final = re.compile(r"(.)\1+")
_MARKS: Final = str.maketrans("", "", "AI")
_OPEN: Final = str.maketrans("eo", "au")
_LARGE: Final = str.maketrans("bdflmnprstzh", "BDFLMNPRSTSH")


def _rows(name: str) -> list[dict[str, str]]:
    text = files("anonymise.linkage").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _letters() -> tuple[re.Pattern[str], Mapping[str, str]]:
    table: dict[str, str] = {}
    for row in _rows("scripts.csv"):
        for letter, latin in zip(row["from"].split(), row["to"].split(), strict=True):
            table.setdefault(letter, "" if latin == "-" else latin)
    longest_first = sorted(table, key=lambda letter: (-len(letter), letter))
    return re.compile("|".join(map(re.escape, longest_first))), table


_LETTER, _LATIN = _letters()
_PARTICLES: Final = frozenset(row["particle"] for row in _rows("particles.csv"))


def _rules(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(row["pattern"]), row["to"]) for row in _rows(name))


_ARABIC_RULES: Final = _rules("arabic.csv")
_FOLDS: Final = _rules("folds.csv")


@lru_cache(maxsize=_CACHED)
def tokens(text: str) -> tuple[str, ...]:
    """The tokens of a name: small letters a to z, particles dropped, in the order written."""
    plain = unicodedata.normalize("NFKC", text).replace("\u0130", "i").casefold()
    words = [
        word
        for written in _BETWEEN.split(_UNSEEN.sub("", plain))
        for part in _latin(written).split()
        if (word := _OTHER.sub("", part))
    ]
    return tuple(_joined(words))


@lru_cache(maxsize=_CACHED)
def skeleton(token: str) -> str:
    """What stays of a token in every spelling: large letters, A before a vowel, I for a last i."""
    text = _folded(token).translate(_LARGE)
    if text.endswith("T"):
        text = text[:-1] + "D"
    before = ""
    if servant := _SERVANT_OF.match(text):
        text = text[servant.end() :]
        if god := _GOD.match(text):
            before, text = "ABD", "L" + text[god.end() :]
    first = "A" if text[:1] in {"a", "e", "i", "o", "u"} else ""
    last = "I" if _LAST_I.search(text) else ""
    return first + before + _VOWELS.sub("", text) + last


@lru_cache(maxsize=_CACHED)
def sound(token: str) -> str:
    """A token with its consonants folded and its vowels kept, as a, i or u; to compare by."""
    return _ALIKE.sub(r"\1", _folded(token).lower().translate(_OPEN))


def skeletons(*names: tuple[str, ...]) -> tuple[str, ...]:
    """The distinct skeletons of several texts, in the order of the alphabet."""
    found: set[str] = set()
    for texts in names:
        for text in texts:
            found.update(_skeletons(text))
    return tuple(sorted(found))


@lru_cache(maxsize=_CACHED)
def letters(names: tuple[str, ...]) -> str:
    """The consonants of several skeletons, sorted: the same for a name split or joined."""
    return "".join(sorted("".join(names).translate(_MARKS)))


@lru_cache(maxsize=_CACHED)
def _skeletons(text: str) -> frozenset[str]:
    return frozenset(map(skeleton, tokens(text)))


def _folded(token: str) -> str:
    for pattern, to in _FOLDS:
        token = pattern.sub(to, token)
    return token


def _latin(word: str) -> str:
    if word.isascii():
        return word
    if _ARABIC.search(word):
        for pattern, to in _ARABIC_RULES:
            word = pattern.sub(to, word)
    elif _GREEK.search(word):
        word = _bare(word).replace("\u03c2", "\u03c3")
    else:
        word = unicodedata.normalize("NFC", word)
    word = _LETTER.sub(lambda match: _LATIN[match.group()], word)
    if not word.isascii():
        word = _bare(word)
    return word if word.isascii() else anyascii(word).lower()


def _bare(word: str) -> str:
    apart = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _joined(words: list[str]) -> list[str]:
    """Particles dropped, "Abdul" dropped before a name, "Ullah", "Uddin", -zai … joined to it."""
    found: list[str] = []
    servant = False
    for place, word in enumerate(words):
        more = place + 1 < len(words)
        if more and (servant_here := _SERVANT.fullmatch(word) is not None):
            servant = servant_here
        elif more and word in _PARTICLES:
            continue
        elif (found or servant) and _JOINED.fullmatch(word):
            if servant:
                found.append("abdu" + (word if word[0] == "l" else word.lstrip("aeou")))
            else:
                found[-1] += word
            servant = False
        else:
            found.append(word)
            servant = False
    return found
