# SPDX-License-Identifier: EUPL-1.2
"""One half of the set: its name lists and its spelling tables, read from bench/linkage/data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.linkage.dice import Choice
from bench.linkage.spelling import Tradition, script, tradition, weighted

DATA = Path(__file__).parent / "data"
Half = Literal["train", "held_out"]
ZIPF = 0.9  # a name's weight is rank ** -ZIPF


@dataclass(frozen=True, slots=True)
class Culture:
    """The names of one group of people."""

    name: str
    men: Choice[str]
    women: Choice[str]
    surnames: Choice[str]
    suffixes: Choice[str]
    origins: Choice[str]
    passports: Mapping[str, str]
    script: str
    father: str


@dataclass(frozen=True, slots=True)
class Lists:
    """All that a half draws from.

    Attributes:
        cultures: By their share of persons.
        countries: By their share of registrations.
        writes: The tradition of a country's clerks.
        passports: All Latin traditions; a nation's passports are in one of them.
        scripts: Scripts other than Latin, and the share of a country's records in them.
    """

    cultures: Choice[Culture]
    countries: Choice[str]
    writes: Mapping[str, Tradition]
    passports: Mapping[str, Tradition]
    scripts: Mapping[str, tuple[Tradition, float]]
    arabic: tuple[Tradition, float]


def ranked(names: str) -> Choice[str]:
    """Names in their order, most frequent first."""
    listed = names.split()
    return Choice.of(listed, [rank**-ZIPF for rank in range(1, len(listed) + 1)])


def read_half(half: Half) -> Lists:
    """The lists of one half."""
    names, spelling = _read(f"{half}_names"), _read(f"{half}_spelling")
    common = _read("common")
    cultures = [_culture(name, entry, names[name]) for name, entry in common.items()]
    latin = {
        name: tradition(name, entry, spelling["plain"])
        for name, entry in spelling["traditions"].items()
    }
    shares = [
        (name, *share.split())
        for name, entry in spelling["traditions"].items()
        for share in entry.get("countries", ())
    ]
    scripts = {name: script(name, entry) for name, entry in spelling["scripts"].items()}
    return Lists(
        Choice.of(cultures, [entry["weight"] for entry in common.values()]),
        Choice.of([country for _, country, _ in shares], [float(share) for *_, share in shares]),
        {country: latin[name] for name, country, _ in shares},
        latin,
        {
            country: (scripts[name], float(share))
            for name, entry in spelling["scripts"].items()
            for country, share in (one.split() for one in entry.get("share", ()))
        },
        (scripts["arabic"], spelling["scripts"]["arabic"]["cultures"]),
    )


def _culture(name: str, common: Mapping[str, Any], own: Mapping[str, Any]) -> Culture:
    origins = [entry.split() for entry in common["origins"]]
    return Culture(
        name,
        ranked(common["men"] + " " + own["men"]),
        ranked(common["women"] + " " + own["women"]),
        ranked(own["surnames"]),
        weighted([entry or "-" for entry in own["suffixes"]]),
        Choice.of([country for country, *_ in origins], [float(one[1]) for one in origins]),
        {one[0]: one[2] for one in origins if one[2:]},
        common["script"],
        own["fathers"],
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))
