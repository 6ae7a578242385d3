# SPDX-License-Identifier: EUPL-1.2
"""Names of every culture on the route, as arrays that persons are drawn from.

Own lists cover what Faker has no or only silent English lists for (Dari and Pashto, Urdu, Arabic,
Kurdish, Somali, Tigrinya, Bengali, Serbian, Bosnian, Montenegrin, Albanian, Persian in Latin);
Faker's lists, sampled by numpy rather than one call a name, serve the rest. Each name has three
romanisations, because two registers rarely agree on one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from gateway.region.datafiles import read_rows
from gateway.region.orthography import feminine_of, latin_of
from gateway.region.randomness import Floats, Ints, Texts, texts

__all__ = ["ROMANISATIONS", "Lexicon", "Pool", "lexicon"]

ROMANISATIONS: Final = 3
_OWN: Final = (
    *("dari", "urdu", "mashriq", "maghreb", "farsi", "kurdish", "somali", "tigrinya", "bangla"),
    *("turkish", "serbian", "bosnian", "montenegrin", "albanian"),
)
_FROM_FAKER: Final = 160
"""Names taken from each of Faker's lists; more only costs start-up time."""
_ALTERATIONS: Final = (
    (("sh", "sch"), ("y", "i"), ("v", "w"), ("k", "c"), ("e", "ee"), ("a", "aa"), ("i", "y")),
    (("ch", "tsh"), ("w", "v"), ("i", "ee"), ("s", "ss"), ("n", "nn"), ("l", "ll"), ("o", "ou")),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """A run of entries of one kind, commonest first, with cumulative Zipf-like weights."""

    start: int
    edges: Floats

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """Entry numbers of `count` people."""
        found = np.searchsorted(self.edges, rng.random(count) * self.edges[-1], side="right")
        return np.asarray(np.minimum(found, len(self.edges) - 1) + self.start, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Entries by number: `romanised` is (entries, 3), `script` holds None where Latin is native.

    `feminine` gives, for a surname, the entry that a woman of that family bears.
    """

    romanised: Texts
    script: Texts
    culture: tuple[str, ...]
    culture_of: Ints
    feminine: Ints
    pools: dict[tuple[str, str], Pool]


def _altered(name: str, rules: Iterable[tuple[str, str]]) -> str:
    body = name[1:]
    for old, new in rules:
        if old in body:
            return name[0] + body.replace(old, new, 1)
    return name + name[-1]


def _entry(name: str, script: str | None) -> tuple[tuple[str, ...], str | None]:
    return (name, *(_altered(name, rules) for rules in _ALTERATIONS)), script


def _first(names: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(names))
    return distinct[:: max(1, len(distinct) // _FROM_FAKER)][:_FROM_FAKER]


def _faker_lists() -> dict[tuple[str, str], Sequence[str]]:
    from faker.providers.person.en_IN import Provider as Indian
    from faker.providers.person.en_NG import Provider as Nigerian
    from faker.providers.person.mk_MK import Provider as Macedonian
    from faker.providers.person.ru_RU import Provider as Russian
    from faker.providers.person.tr_TR import Provider as Turkish
    from faker.providers.person.uk_UA import Provider as Ukrainian

    return {
        ("turkish", "m"): _first(Turkish.first_names_male),
        ("turkish", "f"): _first(Turkish.first_names_female),
        ("indian", "m"): _first(Indian.first_names_male),
        ("indian", "f"): _first(Indian.first_names_female),
        ("indian", "s"): _first(Indian.last_names),
        ("nigerian", "m"): _first(Nigerian.first_names_male),
        ("nigerian", "f"): _first(Nigerian.first_names_female),
        ("nigerian", "s"): _first(Nigerian.last_names),
        ("macedonian", "m"): _first(Macedonian.first_names_male),
        ("macedonian", "f"): _first(Macedonian.first_names_female),
        ("macedonian", "s"): _first(Macedonian.last_names_male),
        ("russian", "m"): _first(Russian.first_names_male),
        ("russian", "f"): _first(Russian.first_names_female),
        ("russian", "s"): _first(Russian.last_names_male),
        ("ukrainian", "m"): _first(Ukrainian.first_names_male),
        ("ukrainian", "f"): _first(Ukrainian.first_names_female),
        ("ukrainian", "s"): _first(Ukrainian.last_names_male),
    }


_CYRILLIC_CULTURES: Final = frozenset({"macedonian", "russian", "ukrainian"})


class _Collector:
    """Gathers entries and pools; owned by `lexicon` while it runs."""

    def __init__(self) -> None:
        self.romanised: list[tuple[str, ...]] = []
        self.script: list[str | None] = []
        self.cultures: list[str] = []
        self.culture_of: list[int] = []
        self.feminine: dict[int, int] = {}
        self.pools: dict[tuple[str, str], Pool] = {}

    def add(
        self, culture: str, kind: str, entries: Sequence[tuple[tuple[str, ...], str | None]]
    ) -> None:
        if culture not in self.cultures:
            self.cultures.append(culture)
        start = len(self.romanised)
        for romanised, script in entries:
            self.romanised.append(romanised)
            self.script.append(script)
            self.culture_of.append(self.cultures.index(culture))
        weights = 1.0 / (np.arange(len(entries)) + 2.7) ** 0.9
        self.pools[culture, kind] = Pool(start, np.cumsum(weights))

    def add_faker(self, culture: str, kind: str, names: Sequence[str]) -> None:
        if culture not in _CYRILLIC_CULTURES:
            self.add(culture, kind, [_entry(name, None) for name in names])
            return
        self.add(culture, kind, [_entry(latin_of(name), name) for name in names])
        if kind == "s":
            man = self.pools[culture, kind].start
            women = [feminine_of(name) for name in names]
            self.add(culture, "w", [_entry(latin_of(name), name) for name in women])
            woman = self.pools[culture, "w"].start
            self.feminine.update({man + i: woman + i for i in range(len(names))})


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The whole lexicon; built once a process."""
    made = _Collector()
    for culture in _OWN:
        rows = read_rows("names", culture)
        for kind in ("m", "f", "s"):
            entries = [
                (tuple(row["latin"].split("|")), row["script"] or None)
                for row in rows
                if row["kind"] == kind
            ]
            if entries:
                made.add(culture, kind, entries)
    for (culture, kind), names in _faker_lists().items():
        made.add_faker(culture, kind, names)
    romanised = np.empty((len(made.romanised), ROMANISATIONS), dtype=np.object_)
    romanised[:] = made.romanised
    feminine = np.arange(len(made.romanised), dtype=np.int64)
    for man, woman in made.feminine.items():
        feminine[man] = woman
    return Lexicon(
        romanised,
        texts(made.script),
        tuple(made.cultures),
        np.asarray(made.culture_of, dtype=np.int64),
        feminine,
        made.pools,
    )
