# SPDX-License-Identifier: EUPL-1.2
"""Tells the operator when a part of the gateway fails or comes back.

One look a second over what readiness is made of; only changes become log lines, so that a night
without trouble is a quiet one. Nothing here decides anything.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from audit.errors import Trouble
from gateway.logs import Event, EventLog

EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How the parts stand at one moment.

    `keys` is by issuer, `registers` by owner: the word that `Source.state` gives.
    """

    ready: bool
    log: bool
    facts: bool
    keys: Mapping[str, bool]
    registers: Mapping[str, str]
    trouble: Trouble | None = None
    """why the log takes nothing"""


def tell_changes(before: Standing, now: Standing, events: EventLog) -> None:
    """Write a line for each part that is not as it was."""
    for was, still, down, up in (
        (before.log, now.log, Event.LOG_UNAVAILABLE, Event.LOG_AVAILABLE),
        (before.facts, now.facts, Event.FACTS_STALE, Event.FACTS_FRESH),
        (before.ready, now.ready, Event.NOT_READY, Event.READY),
    ):
        if was and not still:
            why = now.trouble if down is Event.LOG_UNAVAILABLE else None
            events.error(down, **({} if why is None else {"trouble": why.value}))
        elif still and not was:
            events.info(up)
    for issuer, fresh in now.keys.items():
        if before.keys.get(issuer) is True and not fresh:
            events.error(Event.KEYS_UNAVAILABLE, issuer=issuer)
        elif fresh and before.keys.get(issuer) is False:
            events.info(Event.KEYS_REFRESHED, issuer=issuer)
    for owner, state in now.registers.items():
        if before.registers.get(owner) != state:
            tell = events.info if state == "up" else events.warning
            tell(Event.SOURCE_CHANGED, owner=owner, state=state)


async def watch(look: Callable[[], Standing], events: EventLog, every_s: float = EVERY_S) -> None:
    """Look again and again until cancelled."""
    before = look()
    if not before.ready:
        events.error(Event.NOT_READY)
    while True:
        await asyncio.sleep(every_s)
        now = look()
        tell_changes(before, now, events)
        before = now
