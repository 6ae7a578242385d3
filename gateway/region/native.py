# SPDX-License-Identifier: EUPL-1.2
"""A register's own schema, as declared in `registers/XX.toml`.

Each table names the frame that fills it and, a line a column, the native column, the frame's
column, and how it is written: `codes:LIST`, `date:FORM` (an underscore stands for a space),
`sep:MARK` between several values, `key:PREFIX####` or `key:NUMBER` for running numbers. `a+b`
writes two texts into one column as "a, b". The mapping files of `mappings/` describe the same
schemas from the gateway's side; a test holds the two together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gateway.region.columns import Codes, Column, Days, Form, Frame, Minutes, Numbers
from gateway.region.datafiles import read_rows

__all__ = ["NativeColumn", "NativeTable", "Register", "country_codes", "read_register"]


@dataclass(frozen=True, slots=True)
class NativeColumn:
    """One column of a native table; `sources` are the frame's columns, usually one."""

    name: str
    sources: tuple[str, ...]
    form: Form
    codes: str = ""

    def type_in(self, frame: Frame) -> str:
        """The SQL type that its values have."""
        column: Column = frame[self.sources[0]]
        whole = False
        if isinstance(column, Numbers):
            whole = not isinstance(self.form.keys, str)
        elif isinstance(column, Days | Minutes):
            whole = self.form.date in {"yyyymmdd", "epoch_days", "epoch_seconds"}
        elif isinstance(column, Codes) and self.form.codes:
            whole = all(isinstance(code, int) for code in self.form.codes.values())
        return "INTEGER" if whole else "TEXT"


@dataclass(frozen=True, slots=True)
class NativeTable:
    """One native table: what fills it, its key, and the indexes it has."""

    name: str
    frame: str
    columns: tuple[NativeColumn, ...]
    key: str = ""
    only: str = ""
    """the yes/no column of the frame that says which rows stand in this table"""
    indexes: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """A country's register: title, code lists (common word to native code) and tables."""

    country: str
    title: str
    codes: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    tables: tuple[NativeTable, ...] = ()


@lru_cache(maxsize=8)
def country_codes(kind: str) -> Mapping[str, str] | None:
    """Alpha-2 to the register's way of naming countries; None where that is alpha-2 itself."""
    if kind == "alpha2":
        return None
    return {row["code"]: row[kind] for row in read_rows("data", "countries")}


def _date(form: str | None) -> str | None:
    return form.replace("_", " ") if form is not None and "%" in form else form


def _column(line: str, codes: Mapping[str, Mapping[str, str | int]]) -> NativeColumn:
    name, source, *options = line.split()
    known = dict(option.split(":", 1) for option in options)
    keys = known.get("key")
    return NativeColumn(
        name=name,
        sources=tuple(source.split("+")),
        form=Form(
            codes=codes.get(known.get("codes", "")),
            date=_date(known.get("date")),
            separator=known.get("sep"),
            keys=int(keys) if keys is not None and keys.isdigit() else keys,
        ),
        codes=known.get("codes", ""),
    )


def _table(raw: Mapping[str, Any], codes: Mapping[str, Mapping[str, str | int]]) -> NativeTable:
    lines = [line for line in raw["columns"].splitlines() if line.strip()]
    return NativeTable(
        name=raw["name"],
        frame=raw["frame"],
        columns=tuple(_column(line, codes) for line in lines),
        key=raw.get("key", ""),
        only=raw.get("only", ""),
        indexes=tuple(tuple(index.split(", ")) for index in raw.get("index", [])),
    )


@lru_cache(maxsize=16)
def read_register(country: str) -> Register:
    """The declaration of one country's register."""
    path = files("gateway.region") / "registers" / f"{country}.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    codes: dict[str, Mapping[str, str | int]] = dict(raw["codes"])
    countries = country_codes(raw["countries"])
    if countries is not None:
        codes["country"] = countries
    return Register(
        country, raw["register"], codes, tuple(_table(table, codes) for table in raw["table"])
    )
