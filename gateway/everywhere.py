# SPDX-License-Identifier: EUPL-1.2
"""Entries that concern every country alike: a change of rules, of keys, of who is suspended.

Each stands in every open log, so that whoever reads one country's log alone finds in it under which
rules, keys and suspensions its entries were made. A detail beside it goes a year later (INT-10).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from os import urandom

from audit import (
    Envelope,
    Journal,
    Kind,
    Operation,
    Pending,
    Sealed,
    Status,
    addressed,
    encode_envelope,
    new_entry_id,
)
from audit.retention import year_after
from audit.shards import HOUSE
from gateway.identity import KeyChange


def everywhere(journal: Journal, envelope: Envelope, sealed: Sealed | None) -> list[Pending]:
    """The entries of one event; what `envelope` says of its log does not count.

    Raises:
        EnvelopeError: the envelope breaks the format.
        LogUnavailableError: a country has no open log.
    """
    if sealed is not None and envelope.erase is None:
        envelope = replace(envelope, erase=year_after(envelope.t))
    first = encode_envelope(replace(envelope, log=journal.current(HOUSE)))
    others = sorted(journal.countries - {HOUSE})
    logs = [journal.current(country) for country in others]
    return [Pending(side, sealed) for side in (first, *(addressed(first, log) for log in logs))]


def key_change(
    log: Journal, clock: Callable[[], datetime]
) -> Callable[[KeyChange], Awaitable[None]]:
    """Every change of an issuer's keys is an entry before the keys count."""

    async def record(_change: KeyChange) -> None:
        now = clock()
        envelope = Envelope(
            id=new_entry_id(now, urandom(10)),
            kind=Kind.KEY_CHANGE,
            t=now,
            log=log.current(HOUSE),
            op=Operation.ADMINISTER,
            status=Status.DONE,
        )
        await log.append(everywhere(log, envelope, None))

    return record
