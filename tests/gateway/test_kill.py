# SPDX-License-Identifier: EUPL-1.2
"""Kill -9 of the real gateway under load, at random moments: no received answer is missing from
the log, the log verifies, and the next start needs no repair.

`CUVAR_KILLS` sets how often; CI does a few, the acceptance of the main job did fifty.
"""

import asyncio
import os
import random
import signal

import httpx2
import pytest

from gateway.identity import DevIssuer
from tests.gateway import house as houses
from tests.gateway.test_pipeline import border

KILLS = int(os.environ.get("CUVAR_KILLS", "5"))
CLIENTS = 8


@pytest.fixture
def served(house_template, tmp_path, unused_tcp_port):
    return houses.serve_at(house_template, tmp_path / "served", unused_tcp_port)


async def until_ready(client, process, folder):
    for _ in range(600):
        assert process.poll() is None, (folder / "stderr.log").read_text()
        try:
            if (await client.get("/healthz")).status_code == 200:
                return
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
    pytest.fail("the gateway did not start")


async def load(client, token, received):
    """Ask until the gateway is gone; note the entries of every answer that arrived."""
    headers = {"authorization": f"Bearer {token}"}
    while True:
        try:
            answer = await client.post("/v1/find", json=border(), headers=headers)
        except httpx2.TransportError:
            return
        for entry in answer.headers.get_list("audit-entry"):
            log, _, index = entry.rpartition("/")
            assert log.startswith("test.invalid/BA/")
            received.append(int(index))


@pytest.mark.long
@pytest.mark.timeout(120 + 20 * KILLS)
async def test_no_received_answer_is_missing_after_kill_9(served):
    folder, url = served
    issuer = DevIssuer(folder / "issuer", issuer=houses.ISSUER, audience=houses.AUDIENCE)
    token = issuer.issue(org="BA-BP", country="BA", roles=("border_officer",), officer="o")
    moments = random.Random(17)  # noqa: S311  moments, not secrets
    received: list[int] = []
    for _ in range(KILLS):
        process = houses.start(folder)
        async with httpx2.AsyncClient(base_url=url, timeout=20) as client:
            await until_ready(client, process, folder)
            asking = [asyncio.create_task(load(client, token, received)) for _ in range(CLIENTS)]
            await asyncio.sleep(moments.uniform(0.05, 0.6))
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
            await asyncio.gather(*asking)
        found = await asyncio.to_thread(houses.reports, folder)
        assert all(report.ok for report in found.values()), found
        assert not received or max(received) < found["BA"].size
    assert len(received) > KILLS
    assert len(set(received)) == len(received), "one entry for two answers"


async def test_sigterm_answers_what_is_under_way_and_leaves_a_whole_log(served):
    folder, url = served
    issuer = DevIssuer(folder / "issuer", issuer=houses.ISSUER, audience=houses.AUDIENCE)
    token = issuer.issue(org="BA-BP", country="BA", roles=("border_officer",), officer="o")
    process = houses.start(folder)
    received: list[int] = []
    async with httpx2.AsyncClient(base_url=url, timeout=20) as client:
        await until_ready(client, process, folder)
        asking = [asyncio.create_task(load(client, token, received)) for _ in range(CLIENTS)]
        await asyncio.sleep(0.3)
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    # uvicorn ends by the signal that it was asked to stop with
    assert process.poll() in {0, -signal.SIGTERM}, (folder / "stderr.log").read_text()[-2000:]
    found = await asyncio.to_thread(houses.reports, folder)
    assert all(report.ok for report in found.values()), found
    assert received
    assert max(received) < found["BA"].size
