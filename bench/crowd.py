# SPDX-License-Identifier: EUPL-1.2
"""A large register of people who do not exist, in a plain schema of its own, for the index's bench.

Names are drawn from the region's lists in any of their romanisations, commonest first; a fifth was
born on 1 January, a third has a document. Nothing here says how well anybody is matched.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from gateway.region.lexicon import lexicon

MAPPING = """\
format: "1"
country: BA
register: A large register for the bench
codes:
  country: {Syria: SY, Afghanistan: AF, Pakistan: PK, Iraq: IQ}
person:
  table: person
  key: id
  surrogate: surrogate
  search:
    doc_number: {column: number}
datasets:
  persons:
    record: id
    fields:
      direct_identifier.surnames: {column: surname}
      direct_identifier.forenames: {column: forename}
      biographic.date_of_birth: {column: born, date: iso}
      biographic.sex: {column: sex}
      biographic.nationalities: {column: nation, codes: country, many: "yes"}
      document.doc_number: {column: number}
"""
NATIONS = np.array(["Syria", "Afghanistan", "Pakistan", "Iraq"], dtype=object)
_AT_ONCE = 100_000


def create(folder: Path, persons: int, seed: int = 1) -> tuple[str, Path]:
    """The register's address and its mapping."""
    rng = np.random.default_rng(seed)
    (folder / "BA.yaml").write_text(MAPPING, encoding="utf-8")
    path = folder / "BA.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE person (id INTEGER PRIMARY KEY, surrogate TEXT, surname TEXT,"
            " forename TEXT, born TEXT, sex TEXT, nation TEXT, number TEXT)"
        )
        for start in range(0, persons, _AT_ONCE):
            count = min(_AT_ONCE, persons - start)
            connection.executemany(
                "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _rows(rng, start, count)
            )
        connection.commit()
    return f"sqlite:///{path}", folder / "BA.yaml"


def _rows(rng: np.random.Generator, start: int, count: int) -> list[tuple[object, ...]]:
    book = lexicon()
    entries = len(book.romanised)
    # Squared: the commonest names of a list stand far more often than the rest.
    drawn = (rng.random((3, count)) ** 2 * entries).astype(np.int64)
    spelled = rng.integers(0, 3, (3, count))
    first, second, family = (book.romanised[drawn[n], spelled[n]] for n in range(3))
    double = rng.random(count) < 0.25
    days = np.datetime64("1950-01-01") + rng.integers(0, 24_000, count)
    january = days.astype("datetime64[Y]").astype("datetime64[D]")
    born = np.where(rng.random(count) < 0.22, january, days).astype(str)
    sexes = np.where(rng.random(count) < 0.28, "F", "M")
    nations = NATIONS[rng.integers(0, len(NATIONS), count)]
    numbers = rng.integers(10**7, 10**8, count)
    held = rng.random(count) < 0.35
    surrogates = os.urandom(16 * count)
    return [
        (
            start + n + 1,
            surrogates[16 * n : 16 * n + 16].hex(),
            str(family[n]),
            f"{first[n]} {second[n]}" if double[n] else str(first[n]),
            str(born[n]),
            str(sexes[n]),
            str(nations[n]),
            f"P{numbers[n]}" if held[n] else None,
        )
        for n in range(count)
    ]
