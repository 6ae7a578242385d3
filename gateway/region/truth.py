# SPDX-License-Identifier: EUPL-1.2
"""The truth table: which records of which registers are the same person.

It lies in a file of its own, apart from the registers, because no gateway may ever read it; only
benches and tests of matching do. It holds the person's true names and birth, so that an error of a
register can be told from an error of a matcher.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from gateway.region.columns import Codes, Days, Form, Frame, Numbers
from gateway.region.datafiles import COUNTRIES, nations
from gateway.region.journeys import Journeys
from gateway.region.lexicon import lexicon
from gateway.region.native import read_register
from gateway.region.world import World
from gateway.region.writer import BUILDING, insert_rows

__all__ = ["write_truth"]

_CHUNK: Final = 50_000
_SCHEMA: Final = (
    """CREATE TABLE person (
        person INTEGER PRIMARY KEY, unit INTEGER, role TEXT, surname TEXT, forename TEXT,
        forename2 TEXT, date_of_birth TEXT, sex TEXT, nationality TEXT, lone_minor TEXT,
        namesake_of INTEGER, twin_of_previous TEXT)""",
    """CREATE TABLE appearance (
        person INTEGER, country TEXT, person_key TEXT, hop INTEGER, day TEXT)""",
)
_ROLES: Final = ("lone", "head", "spouse", "child", "sibling")


def _people(world: World) -> Frame:
    names = tuple(str(name) for name in lexicon().romanised[:, 0])
    return {
        "person": Numbers(np.arange(world.count)),
        "unit": Numbers(world.unit),
        "role": Codes(world.role, _ROLES),
        "surname": Codes(world.names.surname, names),
        "forename": Codes(world.names.forename, names),
        "forename2": Codes(world.names.forename2, names),
        "date_of_birth": Days(world.born),
        "sex": Codes(world.female, ("M", "F")),
        "nationality": Codes(world.nation, tuple(row.code for row in nations())),
        "lone_minor": Codes(world.lone_minor.astype(np.int64), ("no", "yes")),
        "namesake_of": Numbers(np.where(world.namesake_of < 0, -(2**31), world.namesake_of)),
        "twin_of_previous": Codes(world.twin.astype(np.int64), ("no", "yes")),
    }


def _person_key(country: str) -> Form:
    """How this register writes its persons' keys."""
    table = read_register(country).tables[0]
    return next(column.form for column in table.columns if column.sources == ("person_key",))


def _chunked(
    frame: Frame, forms: dict[str, Form], on_rows: Callable[[int], None]
) -> Iterator[list[list[Any]]]:
    count = len(next(iter(frame.values())))
    plain = Form()
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        yield [
            column.written(forms.get(name, plain), start, stop) for name, column in frame.items()
        ]
        on_rows(stop - start)


def write_truth(
    path: Path, world: World, journeys: Journeys, on_rows: Callable[[int], None]
) -> dict[str, int]:
    """Write the truth table; gives the rows of each of its tables."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in BUILDING:
            connection.execute(pragma)
        connection.execute("BEGIN")
        for statement in _SCHEMA:
            connection.execute(statement)
        counts = {
            "person": insert_rows(connection, "person", _chunked(_people(world), {}, on_rows))
        }
        total = 0
        for number, country in enumerate(COUNTRIES):
            seen = journeys.of(country)
            frame: Frame = {
                "person": Numbers(seen.person),
                "country": Codes(np.full(seen.count, number), COUNTRIES),
                "person_key": Numbers(np.arange(seen.count)),
                "hop": Numbers(seen.hop),
                "day": Days(seen.day),
            }
            forms = {"person_key": _person_key(country)}
            total += insert_rows(connection, "appearance", _chunked(frame, forms, on_rows))
        connection.execute("CREATE INDEX appearance_person ON appearance (person)")
        connection.execute("CREATE INDEX appearance_key ON appearance (country, person_key)")
        connection.execute("COMMIT")
    return {**counts, "appearance": total}
