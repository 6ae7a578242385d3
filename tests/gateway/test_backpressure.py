# SPDX-License-Identifier: EUPL-1.2
"""A full queue of the log is 503 with Retry-After, and never an answer without an entry."""

import asyncio

import pytest

from audit import LogUnavailableError
from tests.gateway import house as houses
from tests.gateway.test_pipeline import border
from tests.gateway.test_removal import BA_BORDER


@pytest.fixture
def folder(house_template, tmp_path):
    return houses.copy(house_template, tmp_path / "house")


@pytest.mark.parametrize("room", [0, 2])
async def test_a_full_queue_is_503_and_a_time_to_come_back(folder, room):
    async with houses.running(folder) as house:
        await house.attest("presence", org="BA-BP")
        token = house.token(*BA_BORDER)
        log = house.runtime.log
        log._sequencer._limit = room
        answers = await asyncio.gather(
            *(house.ask("find", border(), token=token) for _ in range(6))
        )
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) == 6 if room == 0 else len(refused) < 6
        for answer in refused:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["type"].endswith("log_unavailable")
        for answer in answers:
            assert (answer.status_code == 200) == ("audit-entry" in answer.headers)
        log._sequencer._limit = 4096
        assert (await house.ask("find", border(), token=token)).status_code == 200


async def test_the_queue_refuses_before_it_waits(folder):
    async with houses.running(folder) as house:
        log = house.runtime.log
        log._sequencer._limit = 0
        before = log.size
        with pytest.raises(LogUnavailableError, match="queue of 0 entries is full") as refused:
            log._sequencer.submit([None])
        assert refused.value.retry_after > 0
        assert (log.queue_depth, log.size) == (0, before)
