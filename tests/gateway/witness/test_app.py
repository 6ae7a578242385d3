# SPDX-License-Identifier: EUPL-1.2
"""The witness as a service, over real HTTP."""

import asyncio
import contextlib
import json
import ssl

import aiohttp
import pytest

from audit.note import open_note
from audit.witness import origin_digest
from audit.witness.submission import LARGEST
from gateway.witness.app import WitnessApp
from gateway.witness.serving import PatientProtocol
from tests.audit.making import vectors
from tests.audit.witnessing import LOG, Tree
from tests.gateway.witness_serving import listening, serving
from tests.servers.certificates import Authority

TREE, FORK = Tree(), Tree(fork=3)
DIGEST = origin_digest(LOG.name)


async def ask(method, url, body=None, **options):
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=body, **options) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.text()


async def test_a_log_is_cosigned_and_the_checkpoint_is_there_for_everybody(folder):
    async with serving(folder) as url:
        assert (await ask("GET", f"{url}/{DIGEST}/checkpoint"))[0] == 404
        status, headers, lines = await ask("POST", f"{url}/add-checkpoint", TREE.submission(0, 9))
        assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        note = TREE.note(9) + lines
        assert open_note(note.encode(), folder.cosigner().verifiers)
        status, headers, shown = await ask("GET", f"{url}/{DIGEST}/checkpoint")
        assert (status, shown) == (200, note)
        assert headers["Content-Type"] == "text/plain; charset=utf-8"
        status, headers, nothing = await ask("HEAD", f"{url}/{DIGEST}/checkpoint")
        assert (status, nothing) == (200, "")


@pytest.mark.parametrize(
    "told", vectors("add-checkpoint.json")["cases"], ids=lambda told: told["name"]
)
async def test_each_published_submission_gets_its_status_over_http(folder, told):
    async with serving(folder) as url:
        if told["cosigned"]:
            first = TREE.submission(0, told["cosigned"])
            assert (await ask("POST", f"{url}/add-checkpoint", first))[0] == 200
        found = await ask("POST", f"{url}/add-checkpoint", told["body"].encode())
    assert found[0] == told["status"]
    if told["status"] == 409:
        assert found[1]["Content-Type"] == "text/x.tlog.size"
        assert found[2] == f"{told['size']}\n"


async def test_a_prefix_stands_before_every_address(folder):
    async with serving(folder, "/dpa/w") as url:
        root = url.removesuffix("/dpa/w")
        assert (await ask("GET", f"{url}/health"))[0] == 200
        for path in ("/health", "/dpa/health", "/dpa/wx/health", "/add-checkpoint", "/"):
            assert (await ask("GET", root + path))[0] == 404


NOWHERE = [
    ("GET", "/add-checkpoint", 405),
    ("POST", f"/{DIGEST}/checkpoint", 405),
    ("POST", "/health", 405),
    ("GET", f"/{DIGEST.upper()}/checkpoint", 404),
    ("GET", f"/{DIGEST[:-1]}/checkpoint", 404),
    ("GET", f"/{DIGEST}/checkpoint/", 404),
    ("GET", "/", 404),
    ("GET", "/%2e%2e/witness.key", 404),
    ("GET", "/witness.key", 404),
]


async def test_there_is_nothing_else(folder):
    async with serving(folder) as url:
        for method, path, status in NOWHERE:
            assert (await ask(method, url + path))[0] == status, path


async def test_the_health_page_tells_keys_and_counts_and_nothing_else(folder):
    async with serving(folder) as url:
        await ask("POST", f"{url}/add-checkpoint", TREE.submission(0, 9))
        await ask("POST", f"{url}/add-checkpoint", FORK.submission(9, 9))
        told = json.loads((await ask("GET", f"{url}/health"))[2])
        assert told == {
            "status": "ok",
            "name": "witness.example/w1",
            "vkeys": [folder.cosigner().verifiers[0].vkey],
            "logs": 1,
            "refused": {"fork": 1, "unproven": 0, "behind": 0},
            "trusted": "ok",
        }
        folder.trusted.write_text("nonsense\n")
        assert json.loads((await ask("GET", f"{url}/health"))[2])["status"] == "degraded"


async def test_a_log_that_is_trusted_while_the_witness_runs_is_cosigned_at_once(folder):
    folder.trusted.write_text("")
    async with serving(folder) as url:
        body = TREE.submission(0, 9)
        assert (await ask("POST", f"{url}/add-checkpoint", body))[0] == 404
        folder.trust(LOG.vkey, country=False)
        assert (await ask("POST", f"{url}/add-checkpoint", body))[0] == 200


async def test_the_operator_hears_of_a_fork_once(folder):
    told = []
    async with serving(folder, told=told) as url:
        await ask("POST", f"{url}/add-checkpoint", TREE.submission(0, 9))
        for _ in range(3):
            await ask("POST", f"{url}/add-checkpoint", FORK.submission(9, 9))
    assert len(told) == 1
    assert "size 9: fork" in told[0]


async def test_a_body_that_is_too_large_is_refused_whether_declared_or_not(folder):
    async def chunks():
        for _ in range(3):
            yield b"x" * (LARGEST // 2)

    async with serving(folder) as url:
        assert (await ask("POST", f"{url}/add-checkpoint", b"x" * (LARGEST + 1)))[0] == 413
        assert (await ask("POST", f"{url}/add-checkpoint", chunks()))[0] == 413


@contextlib.contextmanager
def impatient(folder):
    with folder.app(prefix="", tell=print) as app:
        yield WitnessApp(app._witness, app._book, app._trusted, tell=print, body_s=0.05)


async def test_a_body_that_does_not_come_is_not_waited_for(folder):
    with impatient(folder) as app:
        async with listening(app) as url:
            reader, writer = await asyncio.open_connection("localhost", int(url.split(":")[-1]))
            writer.write(
                b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nold"
            )
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 408")
            writer.close()


async def test_a_head_that_does_not_come_is_not_waited_for(folder, monkeypatch):
    monkeypatch.setattr(PatientProtocol, "head_s", 0.05)
    async with serving(folder) as url:
        for sent in (b"", b"GET /health HTTP/1.1\r\nHos"):
            reader, writer = await asyncio.open_connection("localhost", int(url.split(":")[-1]))
            writer.write(sent)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()


async def test_a_memory_that_cannot_be_used_is_503_and_nothing_is_cosigned(folder):
    told = []
    with folder.app(prefix="", tell=told.append) as app:
        app._book.close()
        async with listening(app) as url:
            status, headers, body = await ask(
                "POST", f"{url}/add-checkpoint", TREE.submission(0, 9)
            )
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "\u2014" not in body
    assert told


async def test_it_is_served_over_tls(folder, tmp_path):
    authority = Authority(tmp_path)
    certificate = authority.server()
    context = ssl.create_default_context(cafile=str(authority.ca))
    async with serving(folder, tls=(certificate.cert, certificate.key)) as url:
        assert url.startswith("https")
        assert (await ask("GET", f"{url}/health", ssl=context))[0] == 200
