# SPDX-License-Identifier: EUPL-1.2
"""A small register in memory, and what it takes to index it."""

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import ClassVar

from anonymise import Keyring
from anonymise.keyring.memory_vault import HeldRoot, Keyset, MemoryVault
from anonymise.keyring.root import FIRST_EPOCH, Root, RootState
from anonymise.linkage.blinding import HmacBlinder
from gateway.linkage.building import NationsKey, Order, build
from gateway.linkage.index import LinkIndex, handle_cipher
from gateway.linkage.loading import Parts, load_file
from gateway.linkage.peppers import Peppers
from gateway.linkage.persons import PERSON_FIELDS, keys_of_all, persons_of
from gateway.linkage.recording import IndexRecorder
from gateway.linkage.tables import LINKAGE
from gateway.settings import load_settings
from gateway.sources import Page, Record
from gateway.sources.errors import SourceUnavailableError
from gateway.sources.record import Traits
from gateway.store import Store

NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
EPOCH, NEXT = "2027q1", "2027q2"
NATIONS = bytes(range(32))
ROOTS = {country: sha256(country.encode()).digest() for country in ("BA", "RS", "HR", "XK")}
GIVEN = ("Ahmad", "Yusuf", "Omid", "Zahra", "Layla", "Bilal", "Farid", "Hassan", "Karim", "Nadia")
FAMILY = ("Karimi", "Rahimi", "Haddad", "Safi", "Mansour", "Darwish", "Khalil", "Noori")


def surrogate(label):
    return sha256(label.encode()).digest()[:16]


def values(number, **more):
    """The fields of a person; each number is another person with a document and a full date."""
    found = dict.fromkeys(PERSON_FIELDS) | {
        "direct_identifier.forenames": GIVEN[number % len(GIVEN)],
        "direct_identifier.surnames": FAMILY[number // len(GIVEN) % len(FAMILY)],
        "biographic.date_of_birth": date(1980, 1, 2) + timedelta(days=number * 397 % 20_000),
        "biographic.dob_precision": "day",
        "biographic.sex": "M",
        "biographic.nationalities": ("SY",),
        "document.doc_number": f"N{number:07}",
    }
    return found | {name.replace("__", "."): value for name, value in more.items()}


class Register:
    """A country's register: a real small one, which may stop answering at a page."""

    datasets: ClassVar = {"persons": PERSON_FIELDS}
    state = "up"

    def __init__(self, country, people, *, page=4, fails_at=None):
        """`people` is label to fields; the label is the record's key."""
        self.country, self.people, self._page, self._fails_at = country, people, page, fails_at

    async def fetch(self, wanted):
        keys = sorted(key for key in self.people if wanted.after is None or key > wanted.after)
        if self._fails_at is not None and (wanted.after or "") >= self._fails_at:
            raise SourceUnavailableError("down", self.country)
        size = min(self._page, wanted.limit)
        records = tuple(
            Record(key, key, surrogate(key), self.people[key], Traits()) for key in keys[:size]
        )
        return Page(records, keys[size - 1] if len(keys) > size else None)


def people(count, label="p"):
    return {f"{label}{number:04}": values(number) for number in range(count)}


def keys_of_values(fields):
    return keys_of_all(persons_of(fields))


async def file_of(register, path, *, epoch=EPOCH, key=NATIONS):
    return await build(register, Order(epoch, path, NOW), NationsKey(key), lambda _: None)


async def loaded(parts, register, path, *, epoch=EPOCH):
    await file_of(register, path, epoch=epoch)
    return await load_file(parts, path, NOW, lambda _: None)


async def asked(parts, fields, countries, *, epoch=EPOCH, key=NATIONS):
    """Who shares keys with a person: country to the surrogates that the handles lead to."""
    pepper = await parts.peppers.pepper(epoch)
    blind = HmacBlinder(key, epoch).blind(keys_of_values(fields))
    stored = [(one.kind, pepper.stored(one)) for one in blind]
    found = await LinkIndex(parts.store).candidates(epoch, stored, countries)
    return {
        country: {
            handle_cipher(parts.keyring, country, epoch, answer.root).reverse(handle)
            for handle in answer.handles
        }
        for country, answer in found.items()
    }


@asynccontextmanager
async def gateway_half(folder, *, url=None):
    """The gateway's half on a house's settings; with another state database if `url` is given."""
    settings = load_settings(folder / "cuvar.toml")
    held = {
        country: (HeldRoot(Root(country, 1, FIRST_EPOCH, RootState.ACTIVE), secret),)
        for country, secret in ROOTS.items()
    }
    store = Store(url or settings.state.url.get_secret_value(), name="linkage index")
    keyring = Keyring(MemoryVault(Keyset(held, bytes(32))))
    if url is not None:
        await store.run(LINKAGE.create_all)
    try:
        await store.open(LINKAGE)
        recorder = IndexRecorder(settings, lambda: datetime.now(UTC))
        yield Parts(
            store, keyring, Peppers(store, keyring), recorder, frozenset({"BA", "RS", "HR"})
        )
    finally:
        await store.close()
