# SPDX-License-Identifier: EUPL-1.2
"""Names made comparable: without case, accents, script and order, and nothing cleverer.

The rules compare what an officer typed with what a data-protection officer keeps in his lists, so
both sides go through here. It is no matcher: a person whom it fails to recognise is missed by a
rule that compares names, which is why references and document numbers are compared too.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

# Letter and Latin for it, as Latin letters look without their accents: Serbian, Macedonian,
# Bulgarian, Russian, Greek, and Latin letters that no decomposition takes apart.
_TABLE: Final = """
а=a б=b в=v г=g ѓ=g д=d ђ=d е=e ё=e ж=z з=z ѕ=dz и=i й=i ј=j к=k ќ=k л=l љ=lj м=m н=n њ=nj о=o п=p
р=r с=s т=t ћ=c у=u ф=f х=h ц=c ч=c џ=dz ш=s щ=s ъ= ы=y ь= э=e ю=ju я=ja
α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r σ=s ς=s τ=t υ=y φ=f χ=h ψ=ps
ω=o đ=d ł=l ø=o ß=ss æ=ae œ=oe ı=i þ=th
"""  # noqa: RUF001  other scripts are the point
_LETTERS: Final = str.maketrans(
    {letter: latin for letter, _, latin in (pair.partition("=") for pair in _TABLE.split())}
)
_WORD: Final = re.compile(r"[^\W_]+")
_SAME_SOUND: Final = (
    ("dj", "d"), ("ou", "u"), ("oo", "u"), ("ee", "i"), ("kh", "h"), ("gh", "g"), ("dh", "d"),
    ("th", "t"), ("ph", "f"), ("ch", "c"), ("sh", "s"), ("zh", "z"), ("q", "k"), ("ck", "k"),
    ("x", "ks"), ("w", "v"), ("y", "i"), ("j", "i"),
)  # fmt: skip
_DOUBLED: Final = re.compile(r"(.)\1+")
_VOWELS: Final = re.compile(r"(?<=.)[aeiou]")
_SHORT: Final = 6


@lru_cache(maxsize=65_536)
def fold(name: str) -> str:
    """The words of a name in Latin letters, without accents or case, in alphabetical order."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(sorted(_WORD.findall(plain.translate(_LETTERS))))


@lru_cache(maxsize=65_536)
def skeleton(name: str) -> str:
    """What the usual transliterations of one name have in common: its consonants, by sound."""
    found = []
    for word in fold(name).split():
        sounds = word
        for written, sound in _SAME_SOUND:
            sounds = sounds.replace(written, sound)
        found.append(_VOWELS.sub("", _DOUBLED.sub(r"\1", sounds)))
    return " ".join(sorted(found))


def near(first: str, second: str) -> bool:
    """Whether two folded names are so alike that one may be a trial for the other."""
    if first == second:
        return True
    most = 1 if min(len(first), len(second)) < _SHORT else 2
    return abs(len(first) - len(second)) <= most and _distance(first, second, most) <= most


def _distance(first: str, second: str, most: int) -> int:
    """Letters to change, add or drop; any number above `most` once it is sure to be above."""
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        here = [row]
        for column, other in enumerate(second, 1):
            change = above[column - 1] + (letter != other)
            here.append(min(change, above[column] + 1, here[-1] + 1))
        if min(here) > most:
            return most + 1
        above = here
    return above[-1]


def code(text: str) -> str:
    """A document number or reference without spaces, signs and case."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).upper() if char.isalnum())
