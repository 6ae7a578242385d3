# SPDX-License-Identifier: EUPL-1.2
"""The flag over nine countries by blind keys, beside a plain federated find on the exact name.

Both ask the same registers about the same person in turn, one question of each, so that the
machine's noise falls on both alike. Every owner knows the person under one spelling; half of the
persons asked for are known to nobody. Blinding is the asker's work and is told apart.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import orjson
import uvloop

from anonymise import epoch_of
from anonymise.linkage.blinding import HmacBlinder
from bench.figure import Figure, at_most
from bench.gateways import Gateway, fill, json_body, opened, prepared
from gateway.linkage.asked import LinkedSubject
from gateway.linkage.asking import blinded_of
from tests.gateway.house import today
from tests.gateway.linkage.looking import NATIONS, index
from tests.gateway.small import COUNTRIES

NAME = "flag"
PERSONS = 1_000
PAIRS = 400
WARM = 20
OUT = Path(__file__).parent / "out"
OK = 200
QUESTION: dict[str, Any] = {
    "dataset": "registrations",
    "owners": list(COUNTRIES),
    "categories": ["record"],
    "view": "hit",
    "purpose": "border_check",
    "basis": "CIR-20",
    "reason": "Bench: a reason of more than thirty characters",
}
_SYLLABLES = ("ba", "ko", "ri", "du", "me", "za", "to", "vi", "lu", "ne")


def surname(number: int) -> str:
    """A surname of its own for each number."""
    return "".join(_SYLLABLES[int(digit)] for digit in f"{number:05d}").capitalize()


def born(number: int) -> str:
    """A date of birth; none of the registers' for who is in none of them."""
    year = 1960 + number % 40 if number < PERSONS else 1930 + number % 30
    return f"{year}-{1 + number % 12:02d}-{2 + number % 27:02d}"


def name_everybody(path: Path) -> None:
    """Give every person of a filled register a name and a date, and index the surrogates."""
    with closing(sqlite3.connect(path)) as connection:
        rows = [
            {
                "ref": f"person-{n:09d}",
                "name": surname(n),
                "loud": surname(n).upper(),
                "on": born(n),
            }
            for n in range(PERSONS)
        ]
        connection.executemany(
            "UPDATE person SET s_surnames = :loud, s_date_of_birth = :on, t_date_of_birth = :on "
            "WHERE id = :ref",
            rows,
        )
        connection.executemany(
            "UPDATE persons SET direct_identifier__surnames = :name, "
            "biographic__date_of_birth = :on, direct_identifier__forenames = 'Amir', "
            "direct_identifier__birth_names = '', direct_identifier__previous_names = '', "
            "direct_identifier__aliases = '', direct_identifier__original_script = '' "
            "WHERE person = :ref",
            rows,
        )
        connection.execute("CREATE UNIQUE INDEX person_surrogate ON person (surrogate)")
        connection.execute("ANALYZE")
        connection.commit()


def _bodies(number: int, blinder: HmacBlinder) -> tuple[bytes, bytes, float]:
    """The question in clear, the blinded one, and the milliseconds that blinding took."""
    plain = {"surnames": surname(number), "forenames": "Amir", "date_of_birth": born(number)}
    began = perf_counter()
    subject = {"surnames": surname(number), "given_names": "Amir", "date_of_birth": born(number)}
    made = blinded_of(LinkedSubject.model_validate(subject), blinder, "hmac")
    took = (perf_counter() - began) * 1e3
    return (
        json_body({**QUESTION, "subject": plain}),
        json_body({**QUESTION, "blinded": made["blinded"]}),
        took,
    )


async def _ask(gateway: Gateway, token: str, body: bytes) -> tuple[float, list[str]]:
    asked = perf_counter()
    answer = await gateway.ask("find", body, token)
    took = (perf_counter() - asked) * 1e3
    assert answer.status == OK, answer.body
    return took, [part["flag"] for part in orjson.loads(answer.body)["owners"]]


async def _measure(folder: Path) -> list[Figure]:
    blinder = HmacBlinder(NATIONS, epoch_of(today()))  # type: ignore[no-untyped-call]
    plain: list[float] = []
    blind: list[float] = []
    making: list[float] = []
    async with opened(folder) as gateway:
        await gateway.attest("presence", "transfer_basis", org="AT-BP")
        token = gateway.token("AT-BP", "border_officer")
        for turn in range(WARM + PAIRS):
            known = turn % 2 == 0
            first, second, made = _bodies(turn * 7 % PERSONS + (0 if known else PERSONS), blinder)
            clear, told = await _ask(gateway, token, first)
            hidden, flags = await _ask(gateway, token, second)
            assert [flag != "none" for flag in told] == [flag != "none" for flag in flags], flags
            if turn >= WARM:
                plain.append(clear)
                blind.append(hidden)
                making.append(made)
    return [
        Figure("registers asked", float(len(COUNTRIES) - 1), "registers"),
        Figure("plain find on the exact name, p50", median(plain), "ms"),
        Figure("  p99", quantiles(plain, n=100)[98], "ms"),
        Figure("flag by blind keys, p50", median(blind), "ms"),
        Figure("  p99", quantiles(blind, n=100)[98], "ms"),
        at_most("flag, p50", median(blind) / median(plain), "x plain", 1.5),
        Figure("blinding at the asker, p50", median(making), "ms"),
    ]


def run() -> list[Figure]:
    """Nine registers of 1,000 persons each, all indexed, on the disk of bench/out."""
    with TemporaryDirectory(dir=OUT) as place:
        folder = prepared(Path(place) / "house")
        for country in COUNTRIES:
            path = folder / f"region/registers/{country}.sqlite"
            fill(path, PERSONS)
            name_everybody(path)
        asyncio.run(index(folder, *COUNTRIES))  # type: ignore[no-untyped-call]  # tests' own
        return uvloop.run(_measure(folder))
