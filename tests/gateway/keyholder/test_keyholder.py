# SPDX-License-Identifier: EUPL-1.2
"""The key holder over real HTTP: who may ask, how much, and what it never says."""

import asyncio
import base64
import json

import aiohttp
import pytest

from anonymise.errors import KeysetPermissionError, LinkageError
from anonymise.linkage.keys import Key, KeyKind
from anonymise.linkage.oprf import blind, finalize, random_scalar
from gateway.keyholder.app import MOST_ELEMENTS, KeyHolderApp
from gateway.keyholder.client import KeyHolderClient
from gateway.keyholder.errors import KeyHolderError
from gateway.keyholder.folder import KeyHolderFolder, read_client
from gateway.keyholder.memory import HOUR_S, Memory
from tests.gateway.witness_serving import listening

EPOCH = "2027q1"
ELEMENTS = [blind(bytes([n]), random_scalar()) for n in range(16)]
BODY = b"".join(ELEMENTS)
KEYS = [Key(kind, "secret value") for kind in list(KeyKind)[:2]]


class Service:
    """A key holder whose hour is set by hand."""

    def __init__(self, folder, per_hour):
        self.files, self.clock, self.told = KeyHolderFolder(folder), 1_800_000_000, []
        self.memory = Memory(self.files.memory)
        self.app = KeyHolderApp(
            self.files,
            self.memory,
            lambda: self.clock,
            per_hour=per_hour,
            tell=self.told.append,
        )


@pytest.fixture
def folder(tmp_path):
    files = KeyHolderFolder(tmp_path / "holder")
    files.create()
    files.open(EPOCH)
    for country in ("BA", "RS"):
        files.admit(country, tmp_path / f"{country}.client")
    return tmp_path


@pytest.fixture
async def service(folder):
    found = Service(folder / "holder", per_hour=64)
    async with listening(found.app) as url:
        found.url = url
        yield found
    found.memory.close()


def shown(folder, country="BA"):
    token = base64.urlsafe_b64encode(read_client(folder / f"{country}.client")).decode()
    return {"authorization": f"Bearer {token}"}


async def ask(service, body=BODY, *, epoch=EPOCH, headers=None, path=None, method="POST"):
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, service.url + (path or f"/v1/evaluate/{epoch}"), data=body, headers=headers
        ) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.read()


async def test_a_nation_learns_the_value_and_another_nation_learns_the_same(service, folder):
    found = []
    for country in ("BA", "RS"):
        client = KeyHolderClient.of(service.url, folder / f"{country}.client")
        found.append(await asyncio.to_thread(client.blinder(EPOCH).blind, KEYS))
    assert found[0] == found[1]
    assert len({key.value for key in found[0]}) == len(KEYS)


async def test_each_element_is_evaluated_in_its_place(service, folder):
    scalar = random_scalar()
    twice = [blind(b"x", scalar), *ELEMENTS[1:]]
    status, _, answer = await ask(service, b"".join(twice), headers=shown(folder))
    assert status == 200
    assert len(answer) == len(BODY)
    client = KeyHolderClient.of(service.url, folder / "RS.client")
    other = random_scalar()
    again = await asyncio.to_thread(client.evaluate, EPOCH, [*ELEMENTS[1:], blind(b"x", other)])
    assert finalize(b"x", scalar, answer[:32]) == finalize(b"x", other, again[-1])


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {"authorization": "Bearer "},
        {"authorization": "Bearer " + base64.urlsafe_b64encode(bytes(32)).decode()},
        {"authorization": "Basic x"},
        {"authorization": "Bearer é"},
    ],
    ids=str,
)
async def test_who_is_not_admitted_is_told_nothing_else(service, headers):
    for body in (BODY, b"", b"x" * 31):
        status, told, _ = await ask(service, body, headers=headers)
        assert (status, told["WWW-Authenticate"]) == (401, "Bearer")
    assert (await ask(service, headers=headers, epoch="2031q1"))[0] == 401


async def test_a_nation_that_is_dismissed_is_a_stranger_at_once(service, folder):
    assert (await ask(service, headers=shown(folder)))[0] == 200
    assert service.memory.dismiss("BA")
    assert (await ask(service, headers=shown(folder)))[0] == 401
    assert (await ask(service, headers=shown(folder, "RS")))[0] == 200


async def test_an_hour_is_bounded_for_each_nation_and_says_when_to_come_back(service, folder):
    service.clock = 500_000 * HOUR_S + 100
    for _ in range(4):
        assert (await ask(service, headers=shown(folder)))[0] == 200
    status, headers, _ = await ask(service, headers=shown(folder))
    assert (status, headers["Retry-After"]) == (429, str(HOUR_S - 100))
    assert (await ask(service, headers=shown(folder, "RS")))[0] == 200
    service.clock += HOUR_S
    assert (await ask(service, headers=shown(folder)))[0] == 200


async def test_the_count_outlives_the_process(service, folder):
    for _ in range(4):
        assert (await ask(service, headers=shown(folder)))[0] == 200
    again = Memory(service.files.memory)
    assert again.spend("BA", 16, 64, service.clock) > 0
    assert again.spend("RS", 16, 64, service.clock) == 0
    again.close()


async def test_a_memory_that_is_gone_blinds_nothing(service, folder):
    service.memory._connection.execute("DROP TABLE spent")
    status, headers, body = await ask(service, headers=shown(folder))
    assert (status, headers["Retry-After"]) == (503, "5")
    assert len(body) < 100


async def test_a_quarter_that_is_closed_blinds_nothing_and_counts_nothing(service, folder):
    assert (await ask(service, headers=shown(folder), epoch="2027q2"))[0] == 404
    service.files.close(EPOCH)
    assert (await ask(service, headers=shown(folder)))[0] == 404
    assert service.memory.spend("BA", 64, 64, service.clock) == 0
    assert not list((folder / "holder/keys").iterdir())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (BODY[:-1], 400),
        (BODY[:-32], 400),
        (bytes(512), 400),
        (b"\xff" * 512, 400),
        (bytes(32 * (MOST_ELEMENTS + 16)), 413),
    ],
    ids=["empty", "cut", "not a multiple of 16", "identity", "no element", "too many"],
)
async def test_what_is_no_batch_of_elements_is_refused(service, folder, body, status):
    assert (await ask(service, body, headers=shown(folder)))[0] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/evaluate/{EPOCH}", 405),
        ("POST", "/health", 405),
        ("POST", "/v1/evaluate/2027q5", 404),
        ("POST", "/v1/evaluate/..%2fkeys", 404),
        ("GET", "/", 404),
    ],
)
async def test_there_is_nothing_at_other_addresses(service, folder, method, path, status):
    found = await ask(service, b"", headers=shown(folder), path=path, method=method)
    assert found[0] == status


async def test_health_tells_of_nobody(service):
    status, _, body = await ask(service, None, path="/health", method="GET")
    assert status == 200
    told = json.loads(body)
    assert told == {
        "status": "ok",
        "epochs": [EPOCH],
        "nations": 2,
        "most_elements": MOST_ELEMENTS,
        "per_hour": 64,
    }


async def test_nothing_that_is_sent_is_written_anywhere(service, folder, capfd):
    await ask(service, headers=shown(folder))
    await ask(service, b"\xff" * 512, headers=shown(folder))
    await ask(service, headers=None)
    kept = b"".join(path.read_bytes() for path in (folder / "holder").rglob("*") if path.is_file())
    token = read_client(folder / "BA.client")
    assert not [one for one in (*ELEMENTS, token) if one in kept]
    assert service.told == []
    assert capfd.readouterr() == ("", "")


async def test_a_client_waits_for_the_next_hour_only_if_it_is_told_to(service, folder):
    waited = []

    def wait(seconds):
        waited.append(seconds)
        service.clock += HOUR_S

    many = [*ELEMENTS] * 5
    hasty = KeyHolderClient.of(service.url, folder / "BA.client")
    with pytest.raises(LinkageError, match="spent"):
        await asyncio.to_thread(hasty.evaluate, EPOCH, many)
    patient = KeyHolderClient(hasty.url, hasty.token, wait)
    for _ in range(5):
        found = await asyncio.to_thread(patient.evaluate, EPOCH, ELEMENTS)
    assert len(found) == 16
    assert len(waited) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [({"epoch": "2031q1"}, "not opened"), ({"token": bytes(32)}, "token")],
)
async def test_a_client_says_in_its_own_words_what_was_refused(service, folder, change, told):
    client = KeyHolderClient(service.url, change.get("token", read_client(folder / "BA.client")))
    with pytest.raises(LinkageError, match=told):
        await asyncio.to_thread(client.evaluate, change.get("epoch", EPOCH), ELEMENTS)


def test_a_client_asks_over_tls_unless_the_key_holder_is_here(folder):
    for url in ("http://k.example", "ftp://k.example", "k.example"):
        with pytest.raises(LinkageError):
            KeyHolderClient.of(url, folder / "BA.client")
    client = KeyHolderClient.of("https://localhost:1", folder / "BA.client")
    with pytest.raises(LinkageError, match="does not answer"):
        client.evaluate(EPOCH, ELEMENTS)
    assert str(client.token) not in repr(client)


def test_files_are_private_and_a_damaged_one_is_told(folder):
    seed = folder / "holder/keys" / f"{EPOCH}.key"
    files = KeyHolderFolder(folder / "holder")
    seed.chmod(0o644)
    with pytest.raises(KeysetPermissionError):
        files.key(EPOCH)
    seed.chmod(0o600)
    seed.write_bytes(seed.read_bytes().replace(EPOCH.encode(), b"2031q1"))
    with pytest.raises(KeyHolderError):
        files.key(EPOCH)
    seed.write_bytes(b"x")
    with pytest.raises(KeyHolderError):
        files.key(EPOCH)
    with pytest.raises(KeyHolderError):
        files.create()
    with pytest.raises(KeyHolderError):
        Memory(folder / "nowhere.sqlite")


def test_each_quarter_has_a_key_of_its_own(folder):
    files = KeyHolderFolder(folder / "holder")
    files.open("2027q2")
    assert files.epochs() == [EPOCH, "2027q2"]
    assert files.key(EPOCH) != files.key("2027q2")
    assert files.key("2027q3") is None
