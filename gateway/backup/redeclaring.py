# SPDX-License-Identifier: EUPL-1.2
"""Erasures that a restored log lacks, declared once more in its successor.

A backup is put in place without the details that newer logs say were erased. The entries that said
so are lost with those logs, so the successor says it again, on the same ground and for the same
body: else the missing details would look as if somebody had taken them.
"""

from collections.abc import Mapping, Sequence

from audit import Journal, Pending
from audit.concern import Ground, country_of
from audit.erasure import batches, erasure_entry
from audit.holds import Order
from audit.ranges import ranges_of
from audit.standing import Standing
from gateway.backup.erasures import Declared
from gateway.opening import open_journal, utc_now
from gateway.retaining import Orderer, order_of, standings
from gateway.settings import Settings


async def declare_again(
    settings: Settings, found: Sequence[Declared], known: Mapping[str, Standing]
) -> list[str]:
    """Write the entries; a line for each log on what was declared.

    Args:
        settings: of the gateway.
        found: what newer logs declare.
        known: the standing of each country's logs as restored.

    Raises:
        AuditError: the logs take no entry.
    """
    journal = await open_journal(settings, utc_now)
    try:
        entries, told = [], []
        for one in found:
            standing = known.get(country_of(one.log))
            lacking = _lacking(one, standing) if standing is not None else []
            if lacking:
                entries += _entries(settings, journal, one, lacking)
                told.append(
                    f"{one.log}: erased before, declared again: {','.join(ranges_of(lacking))}"
                )
            kept = [n for n in _named(one) if standing is not None and n in standing.held(one.log)]
            if kept:
                named = ",".join(ranges_of(kept))
                told.append(
                    f"{one.log}: {named} were erased, and a hold stands here that newer logs"
                    " lifted: lift it (`cuvar audit hold lift`), then run this again"
                )
        if entries:
            await journal.append(entries)
    finally:
        await journal.close()
    return told


def standings_of(settings: Settings) -> dict[str, Standing]:
    """The standing of all logs; outside an event loop."""
    return standings(settings, None, lambda _done, _all: None)


def _lacking(one: Declared, standing: Standing) -> list[int]:
    """Those of the entries that the logs here do not declare themselves."""
    log = standing.logs.get(one.log)
    if log is None:
        return []
    held = standing.held(one.log)
    return [
        n
        for n in _named(one)
        if n not in log.declared and n not in held and standing.sealed(one.log, n)
    ]


def _named(one: Declared) -> list[int]:
    return [index for span in one.spans for index in span]


def _entries(
    settings: Settings, journal: Journal, one: Declared, lacking: Sequence[int]
) -> list[Pending]:
    country, ground = country_of(one.log), Ground(str(one.basis))
    log = journal.current(country)
    order = Order(log=log, country=country, at=utc_now(), requester=one.requester)
    if ground is Ground.GDP_ORDER and one.requester is not None and one.requester.org is not None:
        # Who signed it stands sealed in the entry that is lost; this names that entry.
        by = Orderer(one.requester.org, "declared again after a restore", one.place)
        order = order_of(settings, country, log, by, None)
    return [erasure_entry(order, batch) for batch in batches(one.log, ground, lacking)]
