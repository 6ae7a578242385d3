# SPDX-License-Identifier: EUPL-1.2
"""Which rows a question may see: the selector as bound values, and their shape as part of a plan.

Only equality is ever asked, with values that have been cleaned and fitted to the column's live
type, so neither a wildcard nor SQL in a name can mean anything (access matrix, Q-NAMED).
Lists are padded to a few lengths by repeating the last value, so that few plans serve all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from gateway.sources.errors import SourceQuestionError, SourceUnavailableError
from gateway.sources.mapping import Column, Dataset, RegisterMapping, Search
from gateway.sources.native import BINARY, UnfittingError, day_span, fit, fit_day
from gateway.sources.question import (
    ByReference,
    BySurrogate,
    BySurrogates,
    Everything,
    NamedPerson,
    Selector,
)
from gateway.sources.spelling import mrz_forms
from gateway.sources.tables import Live, SchemaError, Tables

__all__ = ["MAX_PERSONS", "SPAN", "Branch", "Selection", "Selections"]

MAX_PERSONS = 1024
_SIZES = (1, 2, 4, 8, 16, 32, 64, 256, MAX_PERSONS)
_LONGEST = 128
_SURROGATE = 16
_MOST_SURROGATES = 64

SPAN = -2
"""In place of a number of values: the column holds moments, and the two values bound a day."""

Branch = tuple[tuple[str, int], ...]
"""One complete criterion: search columns, each with its number of values (or SPAN)."""

_CRITERIA: tuple[tuple[str, ...], ...] = (
    ("biometric_ref",),
    ("doc_number",),
    ("surnames", "forenames", "date_of_birth"),
)


@dataclass(frozen=True, slots=True, repr=False)
class Selection:
    """What a plan is compiled for (`shape`, `branches`) and what it is run with (`values`)."""

    shape: tuple[tuple[str, int], ...]
    branches: tuple[Branch, ...]
    values: dict[str, Any]

    def __repr__(self) -> str:
        return f"Selection({self.shape}, {self.branches}, <redacted>)"


@dataclass(frozen=True, slots=True)
class Selections:
    """Reads selectors against one live register."""

    mapping: RegisterMapping
    live: Live
    dialect: str
    # Only asked for the types of columns. To describe every column anew for each question cost
    # more than the question itself.
    _described: dict[str | None, Tables] = field(default_factory=dict, repr=False)

    def read(self, dataset: Dataset, selector: Selector) -> Selection | None:
        """The selector's values; None when no row of this register can fit them.

        Raises:
            SourceQuestionError: it names nothing that could be looked up.
            SourceUnavailableError: wrong; this register cannot be searched that way.
        """
        match selector:
            case NamedPerson():
                self._need_persons(dataset)
                return self._named(selector)
            case ByReference(kind="person", ref=ref):
                self._need_persons(dataset)
                return self._key("person", self._person_type(dataset), ref)
            case ByReference(ref=ref):
                return self._key("record", self._type(dataset, dataset.record), ref)
            case BySurrogate(value=value):
                self._need_persons(dataset)
                return self._surrogates(dataset, (value,))
            case BySurrogates(values=values):
                self._need_persons(dataset)
                return self._surrogates(dataset, values)
            case Everything():
                return self._everything(dataset, selector)

    def fit_key(self, dataset: Dataset, text: str) -> Any:
        """A record key from text; raises UnfittingError."""
        return fit(_known(text), self._type(dataset, dataset.record), self.dialect)

    def _need_persons(self, dataset: Dataset) -> None:
        if self._tables(dataset).person_key() is None:
            raise SourceQuestionError(f"{dataset.name} holds no persons; ask it for everything")

    def _key(self, kind: str, column: sa.types.TypeEngine[Any], ref: str) -> Selection | None:
        try:
            value = fit(_known(ref), column, self.dialect)
        except UnfittingError:
            return None
        return Selection(((kind, 1),), (), {"key": value})

    def _surrogates(self, dataset: Dataset, wanted: Sequence[bytes]) -> Selection | None:
        person = self.mapping.person
        if person is None or not person.surrogate:
            raise SourceUnavailableError("wrong", self.mapping.country, fault=False)
        if len(wanted) > _MOST_SURROGATES:
            raise SourceQuestionError(f"at most {_MOST_SURROGATES} surrogates; ask in parts")
        if any(len(value) != _SURROGATE for value in wanted):
            raise SourceQuestionError("a surrogate is 16 bytes")
        column = self._tables(dataset).person_column(Column("", person.surrogate)).type
        if isinstance(column, BINARY):
            return self._listed("surrogate", list(wanted))
        texts = [
            text
            for value in wanted
            for text in ([value.hex()] if isinstance(column, sa.Uuid) else _hex_forms(value))
        ]
        return self._listed("surrogate", self._fitted(texts, column))

    def _everything(self, dataset: Dataset, selector: Everything) -> Selection | None:
        shape: tuple[tuple[str, int], ...] = ()
        values: dict[str, Any] = {}
        for kind, wanted in self._limits(dataset, selector):
            part = self._listed(kind, wanted)
            if part is None:
                return None
            shape += part.shape
            values |= part.values
        return Selection(shape or (("all", 0),), (), values)

    def _limits(self, dataset: Dataset, selector: Everything) -> Iterable[tuple[str, list[Any]]]:
        if selector.centre is not None:
            yield "centre", self._centre(dataset, selector.centre)
        if selector.persons is not None:
            self._need_persons(dataset)
            if len(selector.persons) > MAX_PERSONS:
                raise SourceQuestionError(f"at most {MAX_PERSONS} persons at once; ask in parts")
            texts = [text for ref in selector.persons if (text := _clean(ref)) is not None]
            yield "persons", self._fitted(texts, self._person_type(dataset))

    def _centre(self, dataset: Dataset, centre: str) -> list[Any]:
        spec = self.mapping.centre(dataset)
        if spec is None or spec.column is None:
            raise SourceUnavailableError("wrong", self.mapping.country, fault=False)
        texts = spec.codes.natives(centre) if spec.codes is not None else (centre,)
        kept = [text for value in texts if (text := _clean(value)) is not None]
        return self._fitted(kept, self._tables(dataset).column(spec.column).type)

    def _named(self, person: NamedPerson) -> Selection | None:
        branches: list[Branch] = []
        values: dict[str, Any] = {}
        complete = answerable = False
        for criterion in _CRITERIA:
            asked = _asked(person, criterion)
            if not asked:
                continue
            complete = True
            mapped = self._mapped(criterion, asked)
            if not mapped:
                continue
            answerable = True
            bound = [(search, self._search_values(search, asked[search.name])) for search in mapped]
            if all(found for _, found in bound):
                label = f"b{len(branches)}_"
                branches.append(tuple(_bind(values, label, s.name, v) for s, v in bound))
        if not complete:
            raise SourceQuestionError(
                "a named person needs a biometric reference, a document number, or a name with "
                "date of birth in letters that can be spelled"
            )
        if not answerable:
            raise SourceUnavailableError("wrong", self.mapping.country, fault=False)
        return Selection((("named", len(branches)),), tuple(branches), values) if branches else None

    def _mapped(self, criterion: tuple[str, ...], asked: dict[str, Any]) -> list[Search]:
        """The register's columns for a criterion; [] when it cannot be searched by it."""
        known = self.mapping.person.search if self.mapping.person is not None else {}
        found = [known[name] for name in criterion if name in asked and name in known]
        if criterion[-1] == "date_of_birth" and (
            "date_of_birth" not in known or len(found) < len(("one name", "date of birth"))
        ):
            return []
        return found

    def _search_values(self, search: Search, asked: str | date) -> list[Any] | tuple[Any, Any]:
        """Every value that the column may hold for what was asked, or the two ends of a day."""
        column = self._search_type(search)
        if isinstance(asked, date):
            return self._day_values(search, asked, column)
        if search.form == "mrz":
            texts: Iterable[str] = sorted(mrz_forms(asked))
        elif search.form == "written":
            texts = _written(asked)
        else:
            texts = dict.fromkeys((asked, asked.upper(), "".join(asked.upper().split())))
        return self._fitted(texts, column)

    def _day_values(
        self, search: Search, day: date, column: sa.types.TypeEngine[Any]
    ) -> list[Any] | tuple[Any, Any]:
        if search.date is None:
            raise SchemaError
        try:
            span = day_span(day, search.date, column, self.dialect)
            if span is not None:
                return span
            value = fit_day(day, search.date, column, self.dialect)
        except UnfittingError:
            return []
        if "%" not in search.date.name:
            return [value]
        short = search.date.name.replace("%d", str(day.day)).replace("%m", str(day.month))
        return list(dict.fromkeys((value, short.replace("%Y", str(day.year)))))

    def _search_type(self, search: Search) -> sa.types.TypeEngine[Any]:
        if search.child is not None:
            return self._named_type(search.child.table, search.child.column)
        if search.column is None:
            raise SchemaError
        return self._tables(None).type_of(search.column)

    def _named_type(self, table: str, column: str) -> sa.types.TypeEngine[Any]:
        try:
            return self.live[table][column]
        except KeyError:
            raise SchemaError from None

    def _person_type(self, dataset: Dataset) -> sa.types.TypeEngine[Any]:
        key = self._tables(dataset).person_key()
        if key is None:
            raise SchemaError
        return key.type

    def _type(self, dataset: Dataset, column: str) -> sa.types.TypeEngine[Any]:
        return self._named_type(dataset.table, column)

    def _tables(self, dataset: Dataset | None) -> Tables:
        name = None if dataset is None else dataset.name
        found = self._described.get(name)
        if found is None:
            found = Tables(self.mapping, self.live, self.dialect, dataset)
            self._described[name] = found
        return found

    def _fitted(self, texts: Iterable[str], column: sa.types.TypeEngine[Any]) -> list[Any]:
        found = []
        for text in texts:
            try:
                found.append(fit(text, column, self.dialect))
            except UnfittingError:
                continue
        return found

    @staticmethod
    def _listed(kind: str, wanted: Sequence[Any]) -> Selection | None:
        """`wanted` as padded parameters; None when there is nothing to look for."""
        if not wanted:
            return None
        values: dict[str, Any] = {}
        bound = _bind(values, "", kind, list(wanted))
        return Selection((bound,), (), values)


def _asked(person: NamedPerson, criterion: tuple[str, ...]) -> dict[str, Any]:
    """The criterion's values as given and cleaned; {} unless it is complete."""
    given: dict[str, Any] = {}
    for name in criterion:
        value = getattr(person, name)
        if value is None:
            continue
        cleaned = value if isinstance(value, date) else _clean(value)
        if cleaned is None or (name.endswith("names") and not mrz_forms(cleaned)):
            return {}
        given[name] = cleaned
    whole = criterion[-1] != "date_of_birth" or (
        "date_of_birth" in given and len(given) >= len(("one name", "date of birth"))
    )
    return given if whole else {}


def _clean(text: str) -> str | None:
    """The text without outer blanks; None when nothing, far too much or control signs remain."""
    kept = text.strip()
    return kept if kept and len(kept) <= _LONGEST and kept.isprintable() else None


def _known(text: str) -> str:
    kept = _clean(text)
    if kept is None:
        raise UnfittingError
    return kept


def _written(name: str) -> Iterable[str]:
    """How a name may stand in a column that keeps it as written."""
    plain = sorted(mrz_forms(name))
    return dict.fromkeys(
        form
        for text in (" ".join(name.split()), *plain)
        for form in (text, text.upper(), text.title(), text.lower())
    )


def _hex_forms(value: bytes) -> list[str]:
    return list(dict.fromkeys((value.hex(), value.hex().upper())))


def _bind(
    values: dict[str, Any], label: str, name: str, found: list[Any] | tuple[Any, Any]
) -> tuple[str, int]:
    """Adds parameters `label name_0 ...` and gives the column with their number."""
    if isinstance(found, tuple):
        values[f"{label}{name}_0"], values[f"{label}{name}_1"] = found
        return name, SPAN
    size = next(size for size in _SIZES if size >= len(found))
    for index in range(size):
        values[f"{label}{name}_{index}"] = found[min(index, len(found) - 1)]
    return name, size
