# SPDX-License-Identifier: EUPL-1.2
"""One spelling for one name, whatever script a register writes it in.

`mrz` follows ICAO Doc 9303 part 3 §6 (Latin diacritics; Serbian and Macedonian Cyrillic) and
ELOT 743 / ISO 843 for Greek, which ICAO leaves to the issuing state. Where a document may
print one letter in two ways (Ä as A or AE, Đ as D or DJ), `mrz` gives the one that the region's
registers store and `mrz_forms` gives all. Relied on by every named search and by the synthetic
region. The tables speak of spelling only; they never say that two people are the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from gateway.sources.alphabets import (
    CYRILLIC,
    DIGRAPHS,
    GREEK,
    LATIN,
    SPACES,
    UPSILON_PAIRS,
    VOICED,
)

__all__ = ["MAX_FORMS", "mrz", "mrz_forms"]

MAX_FORMS = 32
"""More spellings than this are never searched; the first ones are the likeliest."""


def mrz(name: str) -> str:
    """The name in A-Z and single spaces; "" when it holds no letter that ICAO spells."""
    return _spell(tuple(_letters(name)), {})


@lru_cache(maxsize=4096)
def mrz_forms(name: str) -> frozenset[str]:
    """Every accepted spelling, `mrz(name)` among them; empty when `mrz(name)` is "".

    A letter that occurs twice is spelled the same way both times.
    """
    letters = tuple(_letters(name))
    open_letters = sorted({unit for unit in letters if len(_choices(unit)) > 1})
    forms: dict[str, None] = {}
    for picked in product(*(_choices(unit) for unit in open_letters)):
        forms.setdefault(_spell(letters, dict(zip(open_letters, picked, strict=True))))
        if len(forms) == MAX_FORMS:
            break
    forms.pop("", None)
    for form in tuple(forms)[: MAX_FORMS - len(forms)]:
        if "DJ" in form:  # Đ typed on a keyboard without it; stored as D
            forms.setdefault(form.replace("DJ", "D"))
    return frozenset(forms)


def _spell(letters: tuple[str, ...], picked: dict[str, str]) -> str:
    text = "".join(picked.get(unit) or _choices(unit)[0] for unit in letters)
    return " ".join(text.split())


def _choices(unit: str) -> tuple[str, ...]:
    """The spellings of one letter or digraph, the stored one first."""
    known = LATIN.get(unit) or CYRILLIC.get(unit) or GREEK.get(unit) or DIGRAPHS.get(unit)
    return known or (unit,)


def _letters(name: str) -> Iterator[str]:
    """Upper-case letters, Greek digraphs and spaces; all else is dropped."""
    text = unicodedata.normalize("NFC", name).replace("ẞ", "SS").replace("ß", "SS")
    text = unicodedata.normalize("NFC", text.upper())
    previous = ""
    for position, char in enumerate(text):
        if previous == "*":  # second half of a digraph already spelled
            previous = char
            continue
        pair = _digraph(text, position)
        if pair:
            previous = "*"
            yield pair
            continue
        previous = char
        yield from _single(char)


def _single(char: str) -> Iterator[str]:
    if char in LATIN or char in CYRILLIC or char in GREEK or "A" <= char <= "Z":
        yield char
    elif char in SPACES:
        yield " "
    else:
        for part in unicodedata.normalize("NFKD", char).upper():
            if part in CYRILLIC or part in GREEK or part in LATIN or "A" <= part <= "Z":
                yield part


def _digraph(text: str, position: int) -> str:
    """The Greek digraph at this place, "" if none. An accent on its first letter undoes it."""
    pair = _unaccented(text[position : position + 2])
    if pair in UPSILON_PAIRS:
        following = _unaccented(text[position + 2 : position + 3])
        return pair + ("+" if following and following in VOICED else "-")
    if pair == "ΜΠ":
        inside = position > 0 and text[position - 1].isalpha() and text[position + 2 : position + 3]
        return "ΜΠ+" if inside and inside.isalpha() else "ΜΠ-"
    return pair if pair in DIGRAPHS else ""


def _unaccented(pair: str) -> str:
    """The pair without an accent on its last letter; dialytika stay and keep the letters apart."""
    if not pair:
        return ""
    last = unicodedata.normalize("NFD", pair[-1])
    return pair[:-1] + last.replace("\u0301", "")
