# SPDX-License-Identifier: EUPL-1.2
"""Letter tables behind `gateway.sources.spelling`: each letter's ICAO spellings, stored one first.

Sources: ICAO Doc 9303 part 3 §6 tables A (Latin) and B (Cyrillic, Serbian and Macedonian columns);
ELOT 743 type 2 for Greek. Letters that only lose a mark (Š, Ć, É) need no row: NFKD drops it.
"""

# ruff: noqa: RUF001 - these are the look-alike letters themselves, on purpose

from __future__ import annotations

from typing import Final

__all__ = ["CYRILLIC", "DIGRAPHS", "GREEK", "LATIN", "SPACES", "UPSILON_PAIRS", "VOICED"]

SPACES: Final = frozenset(" \t\n\r\u00a0\u2009\u202f-\u2010\u2011\u2012\u2013\u2014,<_/")
"""What ICAO turns into a filler between two parts of a name; apostrophes and stops vanish."""

LATIN: Final[dict[str, tuple[str, ...]]] = {
    "Ä": ("A", "AE"),
    "Ö": ("O", "OE"),
    "Ü": ("U", "UE"),
    "Å": ("A", "AA"),
    "Ñ": ("N",),
    "Æ": ("AE",),
    "Ø": ("O", "OE"),
    "Œ": ("OE",),
    "Þ": ("TH",),
    "Ð": ("D",),
    "Đ": ("D", "DJ"),
    "Ħ": ("H",),
    "Ł": ("L",),
    "Ŋ": ("N",),
    "Ŧ": ("T",),
    "ĸ": ("Q",),
    "Ə": ("E", "A"),
    "Ë": ("E",),
    "Ç": ("C",),
}

CYRILLIC: Final[dict[str, tuple[str, ...]]] = {
    "А": ("A",),
    "Б": ("B",),
    "В": ("V",),
    "Г": ("G",),
    "Д": ("D",),
    "Ђ": ("D", "DJ"),
    "Ѓ": ("GJ", "G"),
    "Е": ("E",),
    "Ж": ("Z", "ZH"),
    "З": ("Z",),
    "Ѕ": ("DZ",),
    "И": ("I",),
    "Ј": ("J",),
    "К": ("K",),
    "Л": ("L",),
    "Љ": ("LJ",),
    "М": ("M",),
    "Н": ("N",),
    "Њ": ("NJ",),
    "О": ("O",),
    "П": ("P",),
    "Р": ("R",),
    "С": ("S",),
    "Т": ("T",),
    "Ћ": ("C",),
    "Ќ": ("KJ", "K"),
    "У": ("U",),
    "Ф": ("F",),
    "Х": ("H", "KH"),
    "Ц": ("C", "TS"),
    "Ч": ("C", "CH"),
    "Џ": ("DZ", "DJ"),
    "Ш": ("S", "SH"),
    "Й": ("I",),
    "Ё": ("E",),
    "Щ": ("SHCH", "SHT"),
    "Ъ": ("IE",),
    "Ы": ("Y",),
    "Э": ("E",),
    "Ю": ("IU",),
    "Я": ("IA",),
    "Є": ("IE",),
    "І": ("I",),
    "Ї": ("I",),
    "Ґ": ("G",),
    "Ў": ("U",),
}

GREEK: Final[dict[str, tuple[str, ...]]] = {
    "Α": ("A",),
    "Β": ("V",),
    "Γ": ("G",),
    "Δ": ("D",),
    "Ε": ("E",),
    "Ζ": ("Z",),
    "Η": ("I",),
    "Θ": ("TH",),
    "Ι": ("I",),
    "Κ": ("K",),
    "Λ": ("L",),
    "Μ": ("M",),
    "Ν": ("N",),
    "Ξ": ("X",),
    "Ο": ("O",),
    "Π": ("P",),
    "Ρ": ("R",),
    "Σ": ("S",),
    "Τ": ("T",),
    "Υ": ("Y",),
    "Φ": ("F",),
    "Χ": ("CH", "H"),
    "Ψ": ("PS",),
    "Ω": ("O",),
}

DIGRAPHS: Final[dict[str, tuple[str, ...]]] = {
    "ΟΥ": ("OU",),
    "ΑΥ+": ("AV", "AY"),
    "ΑΥ-": ("AF", "AY"),
    "ΕΥ+": ("EV", "EY"),
    "ΕΥ-": ("EF", "EY"),
    "ΗΥ+": ("IV",),
    "ΗΥ-": ("IF",),
    "ΓΓ": ("NG",),
    "ΓΞ": ("NX",),
    "ΓΧ": ("NCH",),
    "ΜΠ+": ("MP", "B"),
    "ΜΠ-": ("B", "MP"),
}
"""Greek letter pairs; + before a voiced sound or inside a word, - elsewhere."""

UPSILON_PAIRS: Final = frozenset({"ΑΥ", "ΕΥ", "ΗΥ"})
"""Pairs whose upsilon is V before a voiced sound, else F."""

VOICED: Final = frozenset("ΑΕΗΙΟΥΩΒΓΔΖΛΜΝΡ")
