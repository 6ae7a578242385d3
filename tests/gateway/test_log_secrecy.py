# SPDX-License-Identifier: EUPL-1.2
"""What the operator's disk and keys tell of who asked about whom: nothing; and whose entries an
officer's key opens: her own country's (audit-log.md 3.7, GDP-21, AUD-05, AUD-06)."""

import base64
import hashlib
import hmac
import itertools
import urllib.parse

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit import SealError, open_sealed, parse_envelope, read_private_key
from audit.copies import open_copy, origins
from gateway.keyset import open_keyring
from gateway.logkeys import read_log_keys
from gateway.settings import load_settings
from tests.gateway import house as houses
from tests.gateway.small import CANARY_NAME, CANARY_NUMBER
from tests.gateway.test_pipeline import border

OFFICERS = {"BA": "canaryofficerba", "HR": "canaryofficerhr", "RS": "canaryofficerrs"}
CASE = "CANARY-CASE-77"
REASON = "Canaryreason: a person stands at the counter and says who he is"
TERMS = (CANARY_NAME, "Zvoncicanary", CANARY_NUMBER, CASE, REASON, "1985-04-03")
SECRETS = (*TERMS, *OFFICERS.values())


@pytest.fixture
async def asked(house_folder):
    """The folder of a gateway that three officers asked, at home and abroad, and that stopped."""
    async with houses.running(house_folder) as house:
        for country, officer in OFFICERS.items():
            await house.attest("presence", org=f"{country}-BP")
            token = house.token(f"{country}-BP", "border_officer", officer=officer)
            for owner in OFFICERS:
                question = border(owners=[owner], case_no=CASE, reason=REASON)
                if owner != country:
                    question |= {
                        "dataset": "registrations",
                        "categories": ["record"],
                        "view": "hit",
                        "subject": {"doc_number": CANARY_NUMBER},
                    }
                answer = await house.ask("find", question, token=token)
                assert answer.status_code in {200, 403}, answer.text
    return house_folder


def forms(secret):
    """A secret as a curious operator would look for it."""
    texts = {secret, secret.lower(), secret.upper()}
    for text in texts:
        data = text.encode()
        yield data
        yield text.encode("utf-16-le")
        yield data.hex().encode()
        yield base64.b64encode(data).rstrip(b"=")[: len(data)]
        yield urllib.parse.quote(text).encode()
        yield text.encode("ascii", "backslashreplace")
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(name, data, usedforsecurity=False)
            yield from (digest.digest(), digest.hexdigest().encode())


def keyed(secret, keys):
    """What every key of the operator makes of a secret, whole or cut to 16 bytes."""
    for key, name in itertools.product(keys, ("sha256", "sha512")):
        yield hmac.new(key, secret.encode(), name).digest()[:16]


def store_files(folder):
    return [file for file in folder.iterdir() if file.name.startswith("log.sqlite")]


def operator_keys(folder):
    """Every private key on the operator's disk, the keyset's opened with its passphrase."""
    settings = load_settings(folder / "cuvar.toml")
    keys = [key.private.private_bytes_raw() for key in read_log_keys(settings).values()]
    ring = open_keyring(settings)
    keys += [ring.service_key(label) for label in ("handles", "reviews", "log", "lookup")]
    return keys


def rows(folder):
    place = str(folder / "log.sqlite")
    for origin in origins(place):
        with open_copy(place, origin) as copy:
            for row in copy.rows(0, copy.count()):
                yield origin, row.entry()


async def test_no_file_of_the_logs_store_tells_whom_a_question_was_about_or_who_asked(asked):
    files = store_files(asked)
    assert sum(file.stat().st_size for file in files) > 10_000
    held = b"".join(file.read_bytes() for file in files)
    keys = operator_keys(asked)
    assert len(keys) > 10
    for secret in SECRETS:
        for form in (*forms(secret), *keyed(secret, keys)):
            assert form not in held, secret


async def test_the_same_search_finds_what_stands_in_the_clear(asked):
    """The control: words of the vocabulary stand in the envelopes, so looking can find."""
    held = b"".join(file.read_bytes() for file in store_files(asked))
    assert b"border_check" in held
    assert any(form in held for form in forms("HR-BP"))


async def test_an_officers_key_opens_her_countrys_entries_and_no_others(asked):
    seen = dict.fromkeys(OFFICERS, 0)
    shut = dict.fromkeys(OFFICERS, 0)
    for _, entry in rows(asked):
        if entry.sealed is None:
            continue
        envelope = parse_envelope(entry.envelope)
        sides = {side.country for side in (envelope.owner, envelope.requester) if side}
        for country in OFFICERS:
            key = read_private_key(asked / f"dpo/{country}.key")
            if country in sides or not sides:
                assert b"canary" in open_sealed(entry.sealed, key).lower() or not sides
                seen[country] += 1
            else:
                with pytest.raises(SealError):
                    open_sealed(entry.sealed, key)
                shut[country] += 1
    assert min(seen.values()) >= 5
    assert min(shut.values()) >= 2


async def test_no_key_of_the_operator_opens_a_detail(asked):
    keys = [X25519PrivateKey.from_private_bytes(key[:32]) for key in operator_keys(asked)]
    sealed = [entry.sealed for _, entry in rows(asked) if entry.sealed is not None]
    assert sealed
    for one, key in itertools.product(sealed, keys):
        with pytest.raises(SealError):
            open_sealed(one, key)


async def test_her_own_log_holds_every_question_that_concerns_her_country(asked):
    place = {country: set() for country in OFFICERS}
    everywhere = {country: set() for country in OFFICERS}
    for origin, entry in rows(asked):
        envelope = parse_envelope(entry.envelope)
        sides = {side.country for side in (envelope.owner, envelope.requester) if side}
        for country in sides & OFFICERS.keys():
            everywhere[country].add(envelope.id)
            if f"/{country}/" in origin:
                place[country].add(envelope.id)
    assert place == everywhere
    assert all(place.values())
