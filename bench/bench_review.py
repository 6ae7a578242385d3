# SPDX-License-Identifier: EUPL-1.2
"""What an officer waits for: look-ups and whole-log reports over five million entries.

Index and monthly files are made once, through the code that makes them from a real copy; only the
details come out of a generator instead of being unsealed. They are kept in bench/out. Beside them
stands what a copy costs to take in, an entry, unsealing included.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit import Sealer
from audit.review.columnar import write_months
from audit.review.following import Frontier
from audit.review.index import Indexer
from audit.review.index_file import create_index, open_index
from audit.review.month import month_report
from audit.review.opened import Opener
from audit.review.queries import Filter, count, find
from audit.review.searchkey import SearchKey
from audit.sealing import Unsealer
from audit.store import Head
from bench.figure import Figure, at_most, interleaved

NAME = "review"
ENTRIES = int(os.environ.get("CUVAR_BENCH_ENTRIES", "5000000"))
SEALED = 4_000
ROUNDS = 21
ORIGIN = "audit.example/BA/2026h2"
START = datetime(2026, 7, 1, tzinfo=UTC)
APART = timedelta(seconds=int(184 * 86_400 / ENTRIES * 1000) / 1000)
OUT = Path(__file__).parent / "out"
PRIVATE = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"bench review").digest())
KEY = SearchKey(PRIVATE)
PURPOSES = ["border_check"] * 6 + [
    "identification",
    "asylum_procedure",
    "readmission",
    "law_enforcement",
    "reception",
    "family_tracing",
    "statistics",
    "oversight",
]
COUNTRIES = ["HR", "RS", "ME", "AL", "GR", "AT", "SI", "MK", "BA"]
DETAIL = "0" * 64


def _mixed(number: int, salt: int) -> int:
    """A number that looks random and is the same every time."""
    return ((number + salt) * 0x9E3779B97F4A7C15 ^ (number >> 7)) & 0xFFFFFFFFFFFF


def envelope(number: int) -> bytes:
    """The entry with this number, in the form of the log."""
    country = COUNTRIES[_mixed(number, 1) % 9]
    purpose = PURPOSES[_mixed(number, 2) % len(PURPOSES)]
    denied = number % 7 == 0
    t = (START + number * APART).replace(tzinfo=None).isoformat(timespec="microseconds")
    return (
        f'{{"about":[],"asked":null,"basis":"NAT-{_mixed(number, 3) % 20}",'
        f'"correlation":"{number:012x}","count":{0 if denied else 1},'
        f'"decision":"{"deny" if denied else "allow"}","detail":"{DETAIL}",'
        f'"duties":["notify_owner"],"erase":"2036-12",'
        f'"fields":["biographic.sex","direct_identifier.surnames"],'
        f'"id":"019ab5f0-0000-7000-8000-{number:012x}","keys":["BA","{country}"],'
        f'"kind":"{"denial" if denied else "access"}","link":null,"log":"{ORIGIN}",'
        f'"op":"consult","owner":{{"country":"BA","dataset":"persons"}},"policy":"{DETAIL}",'
        f'"purpose":"{purpose}","requester":{{"country":"{country}",'
        f'"org":"{country}-{_mixed(number, 4) % 6}","role":"role_{_mixed(number, 5) % 12}"}},'
        f'"rules":["BA-A{_mixed(number, 6) % 40:02}","{country}-Q{_mixed(number, 7) % 8:02}"],'
        f'"status":"{"denied" if denied else "hit" if number % 2 else "no_hit"}",'
        f'"t":"{t}Z","v":3,"view":"{"full" if number % 2 else "hit"}"}}'
    ).encode("ascii")


def detail(number: int) -> dict[str, Any]:
    """Who and about whom: 4,000 officers of 400 units, a million and a half persons."""
    officer = _mixed(number, 8) % 4000
    return {
        "v": 2,
        "officer": f"officer-{officer}",
        "unit": f"unit-{officer % 400}",
        "case_no": f"CASE/{_mixed(number, 9) % (ENTRIES // 2)}",
        "reason": "seen at the crossing with papers of another person",
        "query": {"reference": {"kind": "person", "ref": f"P{_mixed(number, 10) % 1_500_000}"}},
        "persons": [f"P{_mixed(number, 10) % 1_500_000}"],
    }


@dataclass(frozen=True, slots=True)
class _Row:
    index: int
    envelope: object
    blob: object = b""
    salt: object = b""
    header: object = b""


class _Made:
    """A copy that makes its entries as they are asked for."""

    def __init__(self) -> None:
        known = Frontier()
        for number in range(ENTRIES):
            known.push(envelope(number))
        self._head = Head(ORIGIN, known.size, known.root, "")

    def head(self) -> Head:
        return self._head

    def rows(self, start: int, stop: int) -> Sequence[_Row]:
        return [_Row(number, envelope(number)) for number in range(start, stop)]

    def envelopes(self, start: int, stop: int) -> Sequence[tuple[int, object]]:
        return [(number, envelope(number)) for number in range(start, stop)]


class _Told(Opener):
    """Details out of the generator."""

    def detail(self, row: Any, commitment: str | None) -> Any:  # noqa: ARG002
        return "open", detail(row.index)


def _built() -> tuple[Path, Path]:
    """Index and monthly files, made at the first run."""
    index, months = OUT / f"review-{ENTRIES}.idx", OUT / f"review-{ENTRIES}-months"
    mark = OUT / f"review-{ENTRIES}.done"
    if not mark.exists():
        index.unlink(missing_ok=True)
        shutil.rmtree(months, ignore_errors=True)
        print(f"making an index of {ENTRIES:,} entries, once", flush=True)
        made = _Made()
        create_index(index, KEY)
        with open_index(index, KEY) as con:
            indexer = Indexer(con, KEY, Unsealer(PRIVATE))
            indexer._opener = _Told(None)  # noqa: SLF001 - details are not unsealed here
            indexer.sync(made)
        write_months(made, months)
        mark.touch()
    return index, months


LOOK_UPS = {
    "one person": Filter(persons=(f"P{_mixed(4242, 10) % 1_500_000}",)),
    "one officer in one month": Filter(
        officers=("officer-17",),
        since=datetime(2026, 9, 1, tzinfo=UTC),
        until=datetime(2026, 10, 1, tzinfo=UTC),
    ),
    "one case": Filter(cases=(f"CASE/{_mixed(777, 9) % (ENTRIES // 2)}",)),
    "newest of one country": Filter(countries=("HR",)),
    "an officer's refusals under one rule": Filter(
        officers=("officer-17",), decisions=("deny",), rules=("BA-A07",), purposes=("reception",)
    ),
    "a unit, several purposes": Filter(
        units=("unit-3",), purposes=("law_enforcement", "oversight"), statuses=("hit",)
    ),
    "three frequent words that never meet": Filter(
        statuses=("hit",), decisions=("deny",), purposes=("border_check",)
    ),
    "seven words that never meet": Filter(
        statuses=("hit",),
        decisions=("deny",),
        kinds=("denial",),
        purposes=("border_check",),
        owners=("BA",),
        ops=("consult",),
        datasets=("persons",),
    ),
    "any of several, in several columns, never": Filter(
        statuses=("hit", "no_hit"),
        decisions=("deny", "partial"),
        roles=("role_1", "role_2", "role_3"),
        purposes=("border_check", "identification"),
        owners=("BA",),
    ),
    "a person who was never asked about": Filter(persons=("nobody",)),
}


def _taking_in() -> float:
    """Microseconds an entry costs to index, unsealing included."""
    moment = [START]
    sealer = Sealer({"BA": PRIVATE.public_key()}, lambda: moment[0])
    rows = []
    for number in range(SEALED):
        found = sealer.seal(json.dumps(detail(number)).encode(), ["BA"])
        told = envelope(number).replace(DETAIL.encode(), found.commitment.hex().encode(), 1)
        rows.append(_Row(number, told, found.blob, found.salt, found.window))
    made = object.__new__(_Made)
    known = Frontier()
    for row in rows:
        known.push(row.envelope)  # type: ignore[arg-type]
    made._head = Head(ORIGIN, known.size, known.root, "")
    made.rows = lambda start, stop: rows[start:stop]  # type: ignore[method-assign]
    made.envelopes = lambda a, b: [(r.index, r.envelope) for r in rows[a:b]]  # type: ignore[method-assign]
    path = OUT / "review-small.idx"
    path.unlink(missing_ok=True)
    create_index(path, KEY)
    with open_index(path, KEY) as con:
        start = perf_counter()
        Indexer(con, KEY, Unsealer(PRIVATE)).sync(made)
        taken = perf_counter() - start
    path.unlink()
    return taken / SEALED * 1e6


def _figures(index: Path, months: Path) -> Iterator[Figure]:
    with open_index(index, KEY) as con:
        for name, wanted in LOOK_UPS.items():
            matches = count(con, KEY, ORIGIN, wanted)
            jobs = {"look": lambda wanted=wanted: find(con, KEY, ORIGIN, wanted)}
            taken = interleaved(jobs, rounds=ROUNDS)["look"]
            yield at_most(f"look-up, {name} ({matches:,})", taken * 1e3, "ms", 20)
    report = interleaved({"report": lambda: month_report(months)}, rounds=3)["report"]
    yield at_most("whole-log report, by month, country, purpose, basis, rule", report, "s", 3)
    one = interleaved({"one": lambda: month_report(months, "2026-09", "BA")}, rounds=3)["one"]
    yield Figure("report of one month", one, "s")
    size = index.stat().st_size / ENTRIES
    yield Figure("index, bytes an entry", size, "B")
    files = sum(path.stat().st_size for path in months.iterdir()) / ENTRIES
    yield Figure("monthly files, bytes an entry", files, "B")
    yield Figure("taking an entry into the index, unsealing included", _taking_in(), "us")


def run() -> list[Figure]:
    """The figures."""
    OUT.mkdir(exist_ok=True)
    return list(_figures(*_built()))
