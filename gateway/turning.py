# SPDX-License-Identifier: EUPL-1.2
"""The turn of a half-year: each country's log is closed and the next one opened, by itself."""

import asyncio
from typing import Final

from audit import AuditError, Journal
from audit.shards import parse_origin
from gateway.logs import Event, EventLog

EVERY_S: Final = 30.0


async def turn(journal: Journal, events: EventLog, every_s: float) -> None:
    """Look now and then until cancelled; what fails is told and tried again.

    Until the turn is done the old logs take entries, so that nothing waits for it.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            opened = await journal.rotate()
        except AuditError as error:
            events.error(Event.LOG_NOT_TURNED, error=error)
            continue
        for origin in opened:
            events.info(Event.LOG_TURNED, owner=parse_origin(origin).country)
