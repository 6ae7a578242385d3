# SPDX-License-Identifier: EUPL-1.2
"""After a flag question neither the gateway's memory nor its database can be tried with names.

The gateway runs as a process of its own; its writable memory is read through /proc. Whoever holds
the dump has every secret of the gateway too, and tries the very person asked for, which is the best
guess that a dictionary can hold. Nobody gives him the nations' key.
"""

import base64
import hashlib
import hmac
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from anonymise.linkage.blinding import BlindKey, HmacBlinder, Pepper
from anonymise.linkage.keys import keys_of
from anonymise.linkage.person import person_of
from gateway.commands.facts import write_facts
from gateway.commands.index.holding import open_parts
from gateway.facts import Attestation, Scope
from gateway.identity import DevIssuer
from gateway.opening import utc_now
from gateway.settings import load_settings
from policies import Truth
from tests.gateway import house as houses
from tests.gateway.linkage.looking import HELD, NATIONS, epoch, flag
from tests.gateway.test_kill import until_ready

ASKED = {
    "given_names": "Tzvelindroxy",
    "surnames": "Grquorvanu",
    "sex": "M",
    "date_of_birth": "1964-11-02",
    "nationality": "IRN",
    "document_number": "XQ90417733",
}
LABELS = ("handles", "linkage pepper", "statistics", "review officer", "review question")


@pytest.fixture
def served(looking_template, tmp_path, unused_tcp_port):
    return houses.serve_at(looking_template, tmp_path / "served", unused_tcp_port)


def memory_of(pid):
    """Everything writable that the process holds."""
    parts = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="ascii").splitlines():
            span, rights, *rest = line.split(maxsplit=5)
            if not rights.startswith("rw") or (len(rest) > 3 and rest[3].startswith("[v")):
                continue
            start, end = (int(bound, 16) for bound in span.split("-"))
            memory.seek(start)
            with suppress(OSError):  # a page that nobody may read
                parts.append(memory.read(end - start))
    return b"\0".join(part.strip(b"\0") for part in parts)


def dump_of(folder):
    """Every database of the gateway's own, with what is not yet written into it."""
    files = sorted(path for path in folder.glob("*.sqlite*") if path.is_file())
    return b"".join(path.read_bytes() for path in files)


async def secrets_of(folder):
    """Every key that the gateway's settings, keyset and database lead to, and the pepper."""
    async with open_parts(load_settings(folder / "cuvar.toml")) as parts:
        pepper = await parts.peppers.pepper(epoch())
        keys = [parts.keyring.service_key(label) for label in LABELS]
        return pepper, [pepper.secret[0], *keys]


def guesses(subject, pepper, secrets):
    """What may stand for a subject in a dump, computed by somebody without the nations' key."""
    for key in keys_of(person_of(**subject))[:2]:
        plain = key.encoded()
        yield plain
        digest = hashlib.sha256(plain).digest()
        yield digest[:16]
        yield pepper.stored(BlindKey(key.kind, digest))
        for secret in secrets:
            yield hmac.digest(secret, plain, "sha256")[:16]
            blind = HmacBlinder(secret, epoch()).blind([key])[0]
            yield blind.value[:16]
            yield base64.urlsafe_b64encode(blind.value)[:40]
            yield pepper.stored(blind)
            yield Pepper(secret, epoch()).stored(blind)


def words(subject):
    for word in (subject["given_names"], subject["surnames"], subject["document_number"]):
        for form in (word, word.upper(), word.lower()):
            yield form.encode()
            yield form.encode("utf-16-le")
    yield subject["date_of_birth"].encode()


async def asked(folder, url, process):
    issuer = DevIssuer(folder / "issuer", issuer=houses.ISSUER, audience=houses.AUDIENCE)
    token = issuer.issue(org="HR-AS", country="HR", roles=("asylum_officer",), officer="o")
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=url, timeout=20) as client:
        await until_ready(client, process, folder)
        answer = await client.post("/v1/find", json=flag(ASKED), headers=headers)
        assert answer.status_code == 200, answer.text
        flags = {part["flag"] for part in answer.json()["owners"]}
        assert flags == {"none", "unavailable"}
        return memory_of(process.pid)


@pytest.mark.timeout(120)
async def test_after_a_flag_no_name_or_date_can_be_tried_on_memory_and_database(served):
    folder, url = served
    now = utc_now()
    scope = Scope(org="HR-AS")
    fact = Attestation("case_number", Truth.TRUE, scope, now, now.replace(year=now.year + 1), "t")
    await write_facts(load_settings(folder / "cuvar.toml"), [fact])
    process = houses.start(folder)
    try:
        memory = await asked(folder, url, process)
    finally:
        process.kill()
        process.wait()
    pepper, secrets = await secrets_of(folder)
    database = dump_of(folder)
    assert url.encode() in memory, "the memory that was read is not the gateway's"
    for place in (memory, database):
        found = place.find(NATIONS)
        assert found == -1, "the nations' key is where it must never be"
        assert not [guess for guess in words(ASKED) if guess in place]
        assert not [guess for guess in guesses(ASKED, pepper, secrets) if guess in place]
    assert not [guess for guess in guesses(HELD, pepper, secrets) if guess in database]


async def test_the_dump_could_be_tried_by_whoever_held_the_nations_key_too(looking_folder):
    """That the test above finds nothing is not because it looks in the wrong place."""
    pepper, secrets = await secrets_of(looking_folder)
    database = dump_of(looking_folder)
    with_key = guesses(HELD, pepper, [*secrets, NATIONS])
    assert [guess for guess in with_key if guess in database]
