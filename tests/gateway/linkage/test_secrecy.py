# SPDX-License-Identifier: EUPL-1.2
"""Whoever holds one half can test nobody: tried with a dictionary that holds every true person.

The thief of the first test has the gateway's whole folder, keyset opened, peppers opened. The thief
of the second is a nation: it has the nations' key, every name and date, and a copy of the database.
Both together do find everybody, so the dictionaries are good.
"""

import itertools
import sqlite3
from contextlib import closing

import pytest

from anonymise.linkage.blinding import BlindKey, HmacBlinder, Pepper
from anonymise.linkage.oprf import OprfBlinder, derive_key, evaluate
from gateway.linkage.building import KeyHolder, Order, build
from gateway.linkage.index import handle_cipher
from gateway.linkage.loading import load_file
from tests.gateway.linkage.making import (
    EPOCH,
    NATIONS,
    NOW,
    ROOTS,
    Register,
    asked,
    gateway_half,
    keys_of_values,
    loaded,
    people,
    surrogate,
    values,
)

PEOPLE = people(12)
DICTIONARY = sorted({key for fields in PEOPLE.values() for key in keys_of_values(fields)}, key=str)


def dumped(folder):
    """Every value of sixteen bytes or more in the stolen database."""
    with closing(sqlite3.connect(folder / "state.sqlite")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
        rows = [
            row
            for name in names
            if name.startswith("link_") and "serving" not in name
            for row in connection.execute(f"SELECT * FROM {name}")  # noqa: S608  our own names
        ]
    return {bytes(value) for row in rows for value in row if isinstance(value, bytes)}


def guesses(nations, peppers):
    """Every person of the dictionary under every pair of keys, as an index would hold him."""
    for first, second in itertools.product(nations, peppers):
        blind = HmacBlinder(first, EPOCH).blind(DICTIONARY)
        yield from map(Pepper(second, EPOCH).stored, blind)


@pytest.fixture
async def stolen(house_folder, tmp_path):
    async with gateway_half(house_folder) as parts:
        await parts.peppers.open(EPOCH, NOW)
        await loaded(parts, Register("BA", PEOPLE, page=100), tmp_path / "BA.index")
        pepper = await parts.peppers.pepper(EPOCH)
        secrets = {
            pepper.secret[0],
            parts.keyring.service_key("linkage pepper"),
            parts.keyring.service_key("handles"),
            *ROOTS.values(),
            *(path.read_bytes()[:32] for path in house_folder.rglob("*.key")),
        }
        yield parts, dumped(house_folder), secrets


async def test_with_everything_of_the_gateway_and_no_nations_key_nobody_can_be_tested(stolen):
    parts, found, secrets = stolen
    assert len(found) > len(DICTIONARY)
    assert found.isdisjoint(guesses(secrets, secrets))
    plain = {key.encoded() for key in DICTIONARY} | {key.text.encode() for key in DICTIONARY}
    kinds = [BlindKey(key.kind, key.encoded().ljust(32, b"\0")[:32]) for key in DICTIONARY]
    for secret in secrets:
        assert found.isdisjoint(map(Pepper(secret, EPOCH).stored, kinds))
    assert not [text for text in plain if any(text in value for value in found)]
    # What it does give: which surrogates are in the index. The keyset alone reads those.
    cipher = handle_cipher(parts.keyring, "BA", EPOCH, 1)
    assert {cipher.pseudonym(surrogate(label)) for label in PEOPLE} <= found


async def test_with_the_nations_key_and_the_database_and_no_pepper_nobody_can_be_tested(stolen):
    _, found, secrets = stolen
    sealed = [value for value in found if len(value) == 60]
    assert len(sealed) == 1
    known = {NATIONS, bytes(32)} | {sealed[0][at : at + 32] for at in range(29)}
    assert found.isdisjoint(guesses([NATIONS], known))
    assert NATIONS not in secrets


async def test_both_halves_together_find_everybody_so_the_dictionary_is_good(stolen):
    _, found, secrets = stolen
    assert set(guesses([NATIONS], secrets)) & found
    with_both = {one for one in guesses([NATIONS], secrets) if one in found}
    assert len(with_both) == len(DICTIONARY)


async def test_under_a_key_holder_even_pepper_and_nations_key_test_nobody(house_folder, tmp_path):
    key = derive_key(bytes(32), b"x")
    blinder = OprfBlinder(lambda sent: [evaluate(key, one) for one in sent], EPOCH)
    few = dict(itertools.islice(PEOPLE.items(), 3))
    async with gateway_half(house_folder) as parts:
        await parts.peppers.open(EPOCH, NOW)
        order = Order(EPOCH, tmp_path / "BA.index", NOW)
        await build(Register("BA", few), order, KeyHolder(blinder), lambda _: None)
        await load_file(parts, tmp_path / "BA.index", NOW, lambda _: None)
        pepper = await parts.peppers.pepper(EPOCH)
        assert dumped(house_folder).isdisjoint(guesses([NATIONS], [pepper.secret[0]]))
        assert await asked(parts, values(1), {"BA"}) == {"BA": set()}
