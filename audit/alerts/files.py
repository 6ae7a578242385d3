# SPDX-License-Identifier: EUPL-1.2
"""Reads the folder of a data-protection officer's own files (docs/formats/review-context.md).

Strict: a column more or less, a value of another form or a row that could fit nobody is refused
with file and line, because a typing error in an explanation would hide what it does not explain. A
file that is not there says nothing. No message repeats a value: it may be somebody's name.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final, TypeVar

from audit.alerts.access import Searched
from audit.alerts.context import Case, Context, Duty, Officer, Person, Relative, Span
from audit.alerts.names import code, fold
from audit.errors import ContextError

_T = TypeVar("_T")
_Row = Mapping[str, str]
_PERSON: Final = ("owner", "reference", "document", "surnames", "forenames", "born")
_DUTY: Final = ("officer", "unit", "purpose", "from", "to")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "protected": _PERSON,
    "officers": ("officer", "unit", *_PERSON),
    "relatives": ("officer", *_PERSON),
    "surnames": ("surname", "one_in"),
    "rosters": ("officer", "from", "to"),
    "swaps": ("officer", "from", "to"),
    "vetting": ("officer", "unit", "from", "to"),
    "campaigns": _DUTY,
    "orders": _DUTY,
    "postings": ("officer", "unit", "from", "to"),
    "cases": ("case_no", "officer", "unit", "owner", "reference", "from", "to"),
    "actions": ("case_no", "at"),
    "reasons": ("log", "entry", "file"),
}
"""Every file, without `.csv`, and its columns in order."""
_LARGEST: Final = 64 * 2**20
_COUNTRY: Final = 2
_COUNTRY_LONGEST: Final = 8


def load_context(folder: Path) -> Context:
    """Everything that a folder says.

    Raises:
        ContextError: the folder is missing, holds a file of another name, or a row can't be read.
    """
    if not folder.is_dir():
        raise ContextError(f"{folder.name} is no folder; see docs/formats/review-context.md")
    strange = sorted(p.name for p in folder.glob("*.csv") if p.stem not in COLUMNS)
    if strange:
        raise ContextError(
            f"{len(strange)} files of the folder have a name that says nothing here; "
            f"known are {', '.join(f'{name}.csv' for name in COLUMNS)}"
        )
    protected = _read(folder, "protected", _somebody)
    surnames = _read(folder, "surnames", _surname)
    actions = _read(folder, "actions", _action)
    return Context(
        protected=protected,
        officers=_read(folder, "officers", _officer),
        relatives=_read(folder, "relatives", _relative),
        surnames=None if surnames is None else dict(surnames),
        rosters=_read(folder, "rosters", _of_officer),
        swaps=_read(folder, "swaps", _of_officer),
        vetting=_read(folder, "vetting", _of_either),
        campaigns=_read(folder, "campaigns", _of_either),
        orders=_read(folder, "orders", _ordered),
        postings=_read(folder, "postings", _posted),
        cases=_read(folder, "cases", _case),
        actions=None if actions is None else _by_case(actions),
        reasons=_reasons(_read(folder, "reasons", _reason)),
    )


class _FormError(Exception):
    """A value is not of its form; the message says which; never leaves this module."""


def _read(folder: Path, name: str, build: Callable[[_Row], _T]) -> tuple[_T, ...] | None:
    path, columns = folder / f"{name}.csv", COLUMNS[name]
    if not path.exists():
        return None
    try:
        if path.stat().st_size > _LARGEST:
            raise ContextError(f"{path.name} is over 64 MiB; split off what is over")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(_rows(path.name, file, columns, build))
    except (OSError, UnicodeDecodeError):
        raise ContextError(f"{path.name} can't be read as a UTF-8 file") from None


def _rows(
    name: str, file: Iterable[str], columns: tuple[str, ...], build: Callable[[_Row], _T]
) -> Iterator[_T]:
    reader = csv.reader(file, strict=True)
    try:
        if tuple(next(reader, ())) != columns:
            raise ContextError(f"{name}:1: the columns are {','.join(columns)}, in this order")
        for cells in reader:
            if len(cells) != len(columns):
                raise ContextError(f"{name}:{reader.line_num}: {len(columns)} cells are needed")
            try:
                row = dict(zip(columns, (c.strip() for c in cells), strict=True))
                yield build(row)
            except _FormError as error:
                raise ContextError(f"{name}:{reader.line_num}: {error}") from None
    except csv.Error:
        raise ContextError(f"{name}:{reader.line_num}: this is no row of a CSV file") from None


def _needed(row: _Row, column: str) -> str:
    if not row[column]:
        raise _FormError(f"{column} is needed")
    return row[column]


def _country(text: str) -> str:
    if text and not (_COUNTRY <= len(text) <= _COUNTRY_LONGEST and text.isascii()):
        raise _FormError("owner is a country code such as BA")
    if text != text.upper():
        raise _FormError("owner is a country code such as BA")
    return text


def _person(row: _Row) -> Person:
    born = row.get("born", "")
    if born:
        born = _date("born", born).isoformat()
    owner, reference = _country(row["owner"]), row["reference"]
    if bool(owner) != bool(reference):
        raise _FormError("owner and reference belong together")
    named = Searched(
        surnames=fold(row.get("surnames", "")),
        forenames=fold(row.get("forenames", "")),
        born=born,
        document=code(row.get("document", "")),
    )
    return Person(owner, reference, named)


def _somebody(row: _Row) -> Person:
    person = _person(row)
    named = person.named
    if not (person.reference or named.document or (named.surnames and named.forenames)):
        by_birth = named.surnames and named.born
        if not by_birth:
            raise _FormError(
                "say who: owner and reference, a document, or surnames with forenames or birth"
            )
    return person


def _officer(row: _Row) -> Officer:
    return Officer(_needed(row, "officer"), row["unit"], _person(row))


def _relative(row: _Row) -> Relative:
    return Relative(_needed(row, "officer"), _somebody(row))


def _surname(row: _Row) -> tuple[str, int]:
    one_in = row["one_in"]
    if not (one_in.isascii() and one_in.isdigit()) or int(one_in) < 1:
        raise _FormError("one_in is a whole number: one in how many people bears the surname")
    surname = fold(_needed(row, "surname"))
    if not surname:
        raise _FormError("surname holds no letter")
    return surname, int(one_in)


def _of_officer(row: _Row) -> Duty:
    return Duty(_needed(row, "officer"), "", "", _span(row))


def _of_either(row: _Row) -> Duty:
    if not row["officer"] and not row["unit"]:
        raise _FormError("say for which officer or unit")
    return Duty(row["officer"], row["unit"], row.get("purpose", ""), _span(row))


def _ordered(row: _Row) -> Duty:
    _needed(row, "purpose")
    return _of_either(row)


def _posted(row: _Row) -> Duty:
    return Duty(_needed(row, "officer"), _needed(row, "unit"), "", _span(row))


def _case(row: _Row) -> Case:
    if not row["officer"] and not row["unit"]:
        raise _FormError("say to which officer or unit the case is assigned")
    number = code(_needed(row, "case_no"))
    return Case(number, Duty(row["officer"], row["unit"], "", _span(row)), _person(row))


def _action(row: _Row) -> tuple[str, datetime]:
    return code(_needed(row, "case_no")), _moment("at", row["at"])


def _by_case(actions: tuple[tuple[str, datetime], ...]) -> dict[str, tuple[datetime, ...]]:
    found: dict[str, list[datetime]] = {}
    for number, at in actions:
        found.setdefault(number, []).append(at)
    return {number: tuple(sorted(times)) for number, times in found.items()}


def _reason(row: _Row) -> tuple[str, int]:
    _needed(row, "file")
    if not (row["entry"].isascii() and row["entry"].isdigit()):
        raise _FormError("entry is the number of an entry in that log")
    return _needed(row, "log"), int(row["entry"])


def _reasons(rows: tuple[tuple[str, int], ...] | None) -> frozenset[tuple[str, int]] | None:
    return None if rows is None else frozenset(rows)


def _span(row: _Row) -> Span:
    start = _moment("from", row["from"])
    # A day without a time of day, as an end, is a whole day more.
    end = _moment("to", row["to"], whole_day=True)
    if end <= start:
        raise _FormError("to is not after from")
    return Span(start, end)


def _date(column: str, text: str) -> date:
    try:
        if len(text) == len("2026-11-24"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _FormError(f"{column} is a date such as 2026-11-24")


def _moment(column: str, text: str, *, whole_day: bool = False) -> datetime:
    """A day, in UTC, or a moment with its offset."""
    if "T" not in text:
        day = _date(column, text)
        if whole_day and day < date.max:
            day += timedelta(days=1)
        return datetime.combine(day, time(), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901  told apart by its missing zone
    if moment.tzinfo is None:
        raise _FormError(
            f"{column} is a day such as 2026-11-24 (UTC) or a moment such as 2026-11-24T06:00+01:00"
        )
    return moment.astimezone(UTC)
