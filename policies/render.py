# SPDX-License-Identifier: EUPL-1.2
"""Each line of a rule file as a sentence, in a country's language and in English.

The sentence names every column and says nothing else: "Role: …; purpose: …". Words are not
inflected, so that what is printed is right in each language, if plain. It is a reading aid beside
the line that is signed; `cuvar policy render` and the console rely on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.errors import PolicyError, Problems
from policies.languages import ENGLISH, OF_COUNTRY, Language, language
from policies.line import COLUMNS, Line
from policies.snapshot import RuleBook, Snapshot
from policies.table import BUT, EVERY, NONE, Row, read_table, split_items
from policies.vocabulary import Vocabulary

FLOOR = "floor.csv"
_ZONES: Mapping[str, str] = MappingProxyType(
    {
        "own": "own organisations",
        "here": "offices of international bodies in this country",
        "states": "organisations of all other countries",
        "offices": "offices of international bodies in other countries",
        "EU": "organisations of other member states",
        "NON": "organisations of countries that are no members",
        "personal": "all personal data",
        "case_bound": "all purposes bound to a case",
    }
)


class NoSuchFileError(PolicyError):
    """A country that has no rules here."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line in two languages, with what it rests on."""

    line: Line
    local: str
    english: str


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file: SHA-256, hex, of its exact bytes, and its lines in order."""

    name: str
    digest: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a country has to sign, in words; `country` is None for what is common to all."""

    country: str | None
    language: str
    digest: str
    files: tuple[RenderedFile, ...]


def render(snapshot: Snapshot, country: str | None, lang: str | None = None) -> Rendering:
    """A country's rules and asking lines, or the floor, in words.

    Raises:
        NoSuchFileError: the country is not in these rules.
        NoSuchLanguageError: there are no words for the language.
    """
    book = snapshot.book
    if country is not None and country not in book.owners:
        raise NoSuchFileError(f"no rules of {country} here; known are {', '.join(book.owners)}")
    local = language(lang or OF_COUNTRY.get(country or "", ENGLISH))
    lines = {FLOOR: book.floor}
    if country is not None:
        lines = {
            f"{country}/rules.csv": book.owners[country],
            f"{country}/asking.csv": book.asking[country],
        }
    files = tuple(_file(book, name, some, local) for name, some in lines.items())
    return Rendering(country, local.id, snapshot.digest, files)


def _file(book: RuleBook, name: str, lines: tuple[Line, ...], local: Language) -> RenderedFile:
    rows = {r.line: r for r in read_table(book.files, name, COLUMNS, Problems())}
    writers = _Writer(book.vocabulary, local), _Writer(book.vocabulary, language(ENGLISH))
    sentences = tuple(
        Sentence(line, *(writer.sentence(rows[line.number]) for writer in writers))
        for line in lines
    )
    return RenderedFile(name, hashlib.sha256(book.files[name]).hexdigest(), sentences)


class _Writer:
    """Writes lines in one language; a word without translation is given in English."""

    def __init__(self, words: Vocabulary, tongue: Language) -> None:
        self._words = words
        self._tongue = tongue
        self._english = english_words(words)

    def sentence(self, row: Row) -> str:
        label = self._tongue.label
        allow = row["eft"] == "allow"
        parts = [
            f"{label(column)}: {self._list(kind, row[column])}"
            for column, kind in (
                ("role", "role"),
                ("org", "org"),
                ("owner", "country"),
                ("dataset", "dataset"),
                ("category", "category"),
                ("view", "view"),
                ("action", "action"),
                ("purpose", "purpose"),
            )
        ]
        guards = " + ".join(map(self._guard, row.items("guards"))) or label("always")
        parts.append(f"{label('only_if' if allow else 'also_if')}: {guards}")
        if allow:
            parts.append(f"{label('duties')}: {self._list('duty', row['duties'])}")
        parts.append(f"{label('law')}: {row['law']}")
        parts.append(f"{label('status')}: {label(row['status'])}")
        return f"{label('allow' if allow else 'deny')}. {'; '.join(parts)}."

    def _list(self, kind: str, cell: str) -> str:
        if cell == NONE:
            return self._tongue.label("none")
        base, but, without = cell.partition(BUT)
        told = self._items(kind, base)
        if but:
            all_but = f"{self._tongue.label('all_but')} {self._items(kind, without)}"
            return all_but if base == EVERY else f"{told}: {all_but}"
        return told

    def _items(self, kind: str, cell: str) -> str:
        if cell == EVERY:
            return self._tongue.label("every")
        return ", ".join(self._word(kind, item) for item in split_items(cell))

    def _word(self, kind: str, item: str) -> str:
        if item in _ZONES and kind in ("org", "dataset", "purpose"):
            kind = "zone"
        elif item in self._words.groups and kind == "role":
            kind = "group"
        name = f"{kind}.{item}"
        if kind == "org":
            org = self._words.organisations.get(item.partition("/")[0])
            return f"{item} {org.name}" if org is not None else item
        return self._tongue.words.get(name, self._english.get(name, item))

    def _guard(self, guard: str) -> str:
        positives = self._words.negatives.get(guard)
        if positives is None:
            return self._word("guard", guard)
        told = " / ".join(self._word("guard", positive) for positive in positives)
        return f"{self._tongue.label('not_sure')}: {told}"


def english_words(words: Vocabulary) -> dict[str, str]:
    """Every word that a line may use, by "kind.id", as the vocabulary says it in English."""
    found = {f"zone.{zone}": told for zone, told in _ZONES.items()}
    categories = {c for d in words.datasets.values() for c in d.categories}
    for kind, names in (
        ("role", words.roles),
        ("group", words.groups),
        ("dataset", words.datasets),
        ("category", categories),
        ("action", words.actions),
        ("purpose", words.purposes),
    ):
        found |= {f"{kind}.{name}": name.replace("_", " ") for name in names}
    found |= {f"view.{view.id}": view.meaning for view in words.views.values()}
    found |= {f"guard.{guard.id}": guard.meaning for guard in words.guards.values()}
    found |= {f"duty.{duty}": meaning for duty, meaning in words.duties.items()}
    found |= {f"country.{country.id}": country.name for country in words.countries.values()}
    return found
