# SPDX-License-Identifier: EUPL-1.2
"""Draining lets the running finish and nobody else begin."""

import asyncio

from gateway.web.drain import Drain


async def test_nothing_in_flight_drains_at_once():
    drain = Drain()
    drain.close()
    assert await drain.wait(0.0)


async def test_closing_turns_newcomers_away_and_waits_for_the_running():
    drain = Drain()
    assert drain.enter()
    assert drain.enter()
    drain.close()
    assert drain.closing
    assert not drain.enter()
    assert drain.in_flight == 2
    waiting = asyncio.create_task(drain.wait(30.0))
    drain.leave()
    await asyncio.sleep(0)
    assert not waiting.done()
    drain.leave()
    assert await waiting


async def test_waiting_ends_at_the_grace_period_and_says_so():
    drain = Drain()
    drain.enter()
    assert not await drain.wait(0.001)
    assert drain.in_flight == 1


async def test_a_drain_that_was_empty_once_still_waits_for_the_next():
    drain = Drain()
    drain.enter()
    drain.leave()
    drain.enter()
    assert not await drain.wait(0.001)
