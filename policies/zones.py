# SPDX-License-Identifier: EUPL-1.2
"""Expands the short words of rule files into ids: docs/formats/rules.md, section "Zones".

`own`, `here`, `states`, `offices`, `EU` and `NON` are seen from the country whose folder holds the
line; `personal` and `case_bound` are the same for all; `* but a + b` is the closed list without a
and b. Expanding here, once, leaves casbin with plain ids, so that no rule depends on how a zone is
worked out at decision time. `policies.ruleset` relies on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from policies.table import BUT, EVERY, split_items
from policies.vocabulary import INTERNATIONAL, Organisation, Vocabulary

ORG_ZONES = frozenset(("own", "here", "states", "offices", "EU", "NON"))
PERSONAL = "personal"
CASE_BOUND = "case_bound"
"""Short words; no id of their column may be one of them (`policies.vocabulary_loader`)."""


def asker_name(org: Organisation, country: str) -> str:
    """How an asker is called in a rule's org column: "BA-BP", "FRONTEX", or "UNHCR/BA"."""
    return f"{org.id}/{country}" if org.stations else org.id


class Zones:
    """The words that a file may use, for the folder of one country, organisation, or none."""

    def __init__(self, vocabulary: Vocabulary, folder: str | None) -> None:
        self._words = vocabulary
        self._orgs = MappingProxyType(self._org_words(folder))

    @property
    def own(self) -> frozenset[str]:
        """The askers that belong to this folder."""
        return frozenset(self._orgs.get("own", ()))

    def org(self, cell: str) -> tuple[str, ...] | str:
        """Askers of an org cell, or why it is refused."""
        return _expand(cell, None, self._orgs)

    def dataset(self, cell: str) -> tuple[str, ...] | str:
        """Datasets of a cell, or why it is refused."""
        every = tuple(self._words.datasets)
        personal = tuple(n for n, d in self._words.datasets.items() if d.personal)
        return _expand(cell, every, {**_same(every), PERSONAL: personal})

    def purpose(self, cell: str) -> tuple[str, ...] | str:
        """Purposes of a cell, or why it is refused."""
        every = tuple(self._words.purposes)
        bound = tuple(n for n, p in self._words.purposes.items() if "case_number" in p.needs)
        return _expand(cell, every, {**_same(every), CASE_BOUND: bound})

    def plain(self, cell: str, words: Iterable[str]) -> tuple[str, ...] | str:
        """Words of a cell that knows no zones, or why it is refused."""
        every = tuple(words)
        return _expand(cell, every, _same(every))

    def _org_words(self, folder: str | None) -> dict[str, tuple[str, ...]]:
        places = tuple(self._words.countries)
        orgs = self._words.organisations.values()
        words: dict[str, tuple[str, ...]] = {}
        for org in orgs:
            names = tuple(asker_name(org, place) for place in places) if org.stations else (org.id,)
            words.update({name: (name,) for name in names})
            words[org.id] = names
        if folder is not None and folder in self._words.countries:
            others = [o for o in orgs if o.country not in (INTERNATIONAL, folder)]
            member = {c.id for c in self._words.countries.values() if c.member}
            offices = [o for o in orgs if o.stations]
            words["own"] = tuple(o.id for o in orgs if o.country == folder)
            words["here"] = tuple(asker_name(o, folder) for o in offices)
            words["states"] = tuple(o.id for o in others)
            words["offices"] = tuple(
                asker_name(o, place) for o in offices for place in places if place != folder
            )
            words["EU"] = tuple(o.id for o in others if o.country in member)
            words["NON"] = tuple(o.id for o in others if o.country not in member)
        elif folder is not None:
            words["own"] = words.get(folder, ())
        return words


def _same(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return {word: (word,) for word in words}


def _expand(
    cell: str, every: tuple[str, ...] | None, words: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...] | str:
    """The ids of a cell in the order written; a text is the reason of a refusal."""
    base, but, without = cell.partition(BUT)
    if cell == EVERY:
        return (EVERY,)
    if but and every is None:
        return f"cannot use{BUT}here"
    found: dict[str, None] = {}
    parts = split_items(base) if base != EVERY else every or ()
    for part in parts:
        if part not in words:
            return f"names {part}, which is not in the vocabulary"
        if any(word in found for word in words[part]):
            return f"names {part} twice"
        found.update(dict.fromkeys(words[part]))
    for part in split_items(without) if but else ():
        if part not in words or words[part] != (part,) or part not in found:
            return f"leaves out {part}, which it does not name"
        del found[part]
    return tuple(found) or "names nothing"
