# SPDX-License-Identifier: EUPL-1.2
"""The ministers' question of the demonstration: was this person registered elsewhere?

Every country builds its half of the blind index from its own register; the gateway gets blind keys.
The nations' key lies in the demonstration's folder because one person plays all nine nations here.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from anonymise import epoch_of
from anonymise.keyring.document import Work
from anonymise.linkage.blinding import HmacBlinder
from anonymise.linkage.keyfile import create_nations_key, read_nations_key
from anonymise.linkage.person import LinkagePerson
from gateway.commands.index.build import register_of
from gateway.commands.index.holding import open_parts
from gateway.demo.build import COUNTRIES, DemoError
from gateway.demo.subject import harmless
from gateway.linkage.asked import LinkedSubject
from gateway.linkage.asking import blinded_of
from gateway.linkage.building import NationsKey, Order, build
from gateway.linkage.loading import load_file
from gateway.linkage.persons import DATASET, PERSON_FIELDS, persons_of
from gateway.settings import Settings
from gateway.sources import TRAITS, ByReference, Fetch, Record

KEY: Final = "nations.key"
ASKER: Final = "HR"
OWNER: Final = "RS"
_UNLOCKS: Final = "nations.unlock"
_CHEAP: Final = Work(n=1 << 14)
_FILES: Final = "index"
_READ: Final = 4


@dataclass(frozen=True, slots=True)
class Traveller:
    """Somebody in two registers, as each of them has him; synthetic, so he may be printed."""

    here: Mapping[str, str]
    there: Mapping[str, str]


def index_all(settings: Settings, folder: Path) -> None:
    """Let every country build its index and the gateway load it.

    Raises:
        GatewayError, AnonymiseError, AuditError: a part can't be read or written.
    """
    (folder / _UNLOCKS).write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
    create_nations_key(folder / KEY, _passphrase(folder), work=_CHEAP)
    (folder / _FILES).mkdir()
    asyncio.run(indexed(settings, folder, datetime.now(UTC)))


async def indexed(settings: Settings, folder: Path, now: datetime) -> None:
    """What `index_all` does once the nations' key is there."""
    blinding = NationsKey(_nations_key(folder))
    epoch = epoch_of(now.date())
    async with open_parts(settings) as parts:
        await parts.peppers.open(epoch, now)
        for country in COUNTRIES:
            out = folder / _FILES / f"{country}-{epoch}.index"
            source = register_of(settings, country, now.date())
            try:
                await build(source, Order(epoch, out, now), blinding, _quiet)
            finally:
                await source.close()
            await load_file(parts, out, now, _quiet)


def traveller(settings: Settings, folder: Path, today: date) -> Traveller:
    """Somebody whom Croatia and Serbia spell differently, on 1 January in one of them.

    Raises:
        DemoError: the region has nobody fit; make it larger.
    """
    found = asyncio.run(travellers(settings, folder, today))
    if not found:
        raise DemoError(
            "nobody whom two registers spell differently here; run again with more --persons"
        )
    return found[0]


async def travellers(settings: Settings, folder: Path, today: date) -> list[Traveller]:
    """All such; the truth table of the region says who is who, and no gateway may read it."""
    return [
        Traveller(subject_of(here), subject_of(there))
        for here, there in await _both(settings, list(_same(folder)), today)
        if _spelled(here) != _spelled(there) and _guessed(here) != _guessed(there)
    ]


def blind(folder: Path, subject: Mapping[str, str]) -> Mapping[str, Any]:
    """What the Croatian side sends of a subject, and keeps of it."""
    blinder = HmacBlinder(_nations_key(folder), epoch_of(datetime.now(UTC).date()))
    return blinded_of(LinkedSubject.model_validate(subject), blinder, NationsKey.name)


def _same(folder: Path) -> Iterator[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "region/truth.sqlite")) as truth:
        yield from truth.execute(
            "SELECT h.person_key, t.person_key FROM appearance h JOIN appearance t USING (person) "
            "WHERE h.country = ? AND t.country = ? ORDER BY person",
            (ASKER, OWNER),
        )


async def _both(
    settings: Settings, pairs: Sequence[tuple[str, str]], today: date
) -> list[tuple[LinkagePerson, LinkagePerson]]:
    ours, theirs = (register_of(settings, country, today) for country in (ASKER, OWNER))
    found = []
    try:
        for ours_ref, theirs_ref in pairs:
            here, there = await _one(ours, ours_ref, today), await _one(theirs, theirs_ref, today)
            if here is not None and there is not None and harmless(there, today):
                found.append((persons_of(here.values)[0], persons_of(there.values)[0]))
    finally:
        await ours.close()
        await theirs.close()
    return found


async def _one(source: Any, person: str, today: date) -> Record | None:
    fields = PERSON_FIELDS & source.datasets[DATASET]
    selector = ByReference("person", str(person))
    page = await source.fetch(Fetch(DATASET, fields, frozenset(TRAITS), selector, today, _READ))
    return page.records[0] if page.records else None


def _spelled(person: LinkagePerson) -> tuple[str, ...]:
    return (*person.given_names, *person.surnames)


def _guessed(person: LinkagePerson) -> bool:
    birth = person.birth
    return birth is not None and (birth.day is None or (birth.month, birth.day) == (1, 1))


def subject_of(person: LinkagePerson) -> dict[str, str]:
    """A register's person as an asker writes him."""
    birth = person.birth
    parts = () if birth is None else (birth.year, birth.month, birth.day)
    told = {
        "given_names": " ".join(person.given_names),
        "surnames": " ".join(person.surnames),
        "sex": person.sex or "",
        "date_of_birth": "-".join(f"{part:02d}" for part in parts if part is not None),
        "nationality": ";".join(person.nationalities),
        "document_number": ";".join(person.documents),
    }
    return {name: text for name, text in told.items() if text}


def _nations_key(folder: Path) -> bytes:
    return read_nations_key(folder / KEY, _passphrase(folder))


def _passphrase(folder: Path) -> str:
    return (folder / _UNLOCKS).read_text(encoding="utf-8").strip()


def _quiet(_more: int) -> None:
    """The demonstration tells one line a part, not every row."""
