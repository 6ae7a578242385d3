# SPDX-License-Identifier: EUPL-1.2
"""Phonemes written down, as each tradition hears and writes them.

A tradition is a table: phoneme -> spellings with their weights. What it lacks is written by the
table `[plain]`; what that lacks stands for itself. Arabic joins (`ʕabd+raħmān`) and the article
(`al+ħasan`) have templates: `{a}` and `{b}` are the parts, `{c}` the article's consonant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.linkage.dice import Choice, Dice

SUN = frozenset("tdrzsʃṣḍṭnlθð")
VOWELS = frozenset("aāeēiīoōuūəɯöü")  # noqa: RUF001 the vowel, not a w
SPACED = Choice.of((" ", "", "-"), (7, 2, 1))
JOINED = Choice.of(("", " ", "-"), (7, 2, 1))


def weighted(entries: Sequence[str]) -> Choice[str]:
    """`["sh 3", "s"]` as a choice; "-" is nothing, and a weight left out is 1."""
    split = [entry.rsplit(" ", 1) if entry[-1:].isdigit() else [entry, "1"] for entry in entries]
    return Choice.of(
        ["" if text == "-" else text for text, _ in split], [float(w) for _, w in split]
    )


@dataclass(frozen=True, slots=True)
class Tradition:
    """One way to write phonemes.

    Attributes:
        name: As in the table.
        table: Phonemes, one or two letters, to their spellings.
        geminates: Share of doubled consonants that stay doubled.
        joins: Templates of `a+b`.
        article: Templates of `al+b`.
        initial: Written before a word whose first vowel the script leaves out.
        sun: The article's consonant where it does not assimilate.
    """

    name: str
    table: Mapping[str, Choice[str]]
    geminates: float
    joins: Choice[str]
    article: Choice[str]
    initial: str = ""
    sun: str = "l"

    def write(self, name: str, dice: Dice) -> str:
        """A name of a list in this tradition, in lower case."""
        words = [self._word(word, dice) for word in name.split("_")]
        text = words[0]
        for word in words[1:]:
            text += dice.among(SPACED) + word
        return text

    def _word(self, word: str, dice: Dice) -> str:
        first, plus, second = word.partition("+")
        if not plus:
            return self._letters(word, dice)
        if second.startswith("ll"):
            return (
                self._letters(first, dice) + dice.among(JOINED) + self._letters("u" + second, dice)
            )
        after = self._letters(second, dice)
        consonant = after[:1] if second[0] in SUN else self.sun
        if first == "al":
            return dice.among(self.article).format(b=after, c=consonant)
        return dice.among(self.joins).format(a=self._letters(first, dice), b=after, c=consonant)

    def _letters(self, phonemes: str, dice: Dice) -> str:
        made = (
            [self.initial] if self.initial and phonemes[0] in VOWELS and phonemes[0] != "ā" else []
        )
        at = 0
        while at < len(phonemes):
            pair, one = phonemes[at : at + 2], phonemes[at]
            if pair in self.table:
                made.append(dice.among(self.table[pair]))
                at += 2
                continue
            spelled = dice.among(self.table[one]) if one in self.table else one
            made.append(spelled)
            at += 1
            if pair == one * 2 and one not in VOWELS:
                at += 1
                if dice.chance(self.geminates):
                    made.append(spelled[:1])
        return "".join(made)


def tradition(name: str, entry: Mapping[str, Any], plain: Mapping[str, Any]) -> Tradition:
    """A Latin tradition of the spelling file."""
    letters = plain | {key: value for key, value in entry.items() if _is_phoneme(key)}
    return Tradition(
        name,
        {key: weighted(value) for key, value in letters.items()},
        entry["geminates"],
        weighted(entry["joins"]),
        weighted(entry["article"]),
    )


def script(name: str, entry: Mapping[str, Any]) -> Tradition:
    """A script of the spelling file: its first sign is the phoneme, the rest the letters."""
    table = {pair[0]: [pair[1:]] for pair in entry["letters"].split()}
    table |= {phoneme: ["-"] for phoneme in entry["none"]}
    return Tradition(
        name,
        {key: weighted(value) for key, value in table.items()},
        entry["geminates"],
        weighted(entry["joins"]),
        weighted(entry["article"]),
        entry.get("initial", ""),
        entry.get("c", "") or "l",
    )


def _is_phoneme(key: str) -> bool:
    return len(key) <= 2
