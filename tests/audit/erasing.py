# SPDX-License-Identifier: EUPL-1.2
"""A log filled for erasing, and the part of a journal that erasing needs, over one log."""

import asyncio

from audit import Journal, Requester
from audit.copies import open_copy
from audit.holds import HoldGround, Order, hold_entries, lifting_entries
from audit.retention import Terms
from audit.standing import read_country
from tests.audit.making import KEY, NOON, ORIGIN, new_sealer, sealed

TODAY = NOON.date()
DUE, LATER = "2026-10", "2026-11"
TERMS = Terms()


def create(url):
    """A journal of one country; its log's entry 0 is the opening."""
    Journal.create(url, keys={"BA": KEY}, now=NOON)


def order(basis=None, log=ORIGIN):
    return Order(
        log=log, country="BA", at=NOON, basis=basis, requester=Requester("BA", "BA-SA", "dpo")
    )


def signed(country="BA", log=ORIGIN):
    """The order of an authority: who signed it and its file number are sealed."""
    detail = b'{"v":2,"ordered_by":"Judge A.","file_no":"7/26"}'
    return Order(
        log=log,
        country=country,
        at=NOON,
        requester=Requester(country, f"{country}-SA", None),
        sealed=new_sealer().seal(detail, (country,)),
        keys=(country,),
        erase=LATER,
    )


def held(indices, name="case-1", of=ORIGIN, log=ORIGIN):
    (found,) = hold_entries(order(HoldGround.COURT_ORDER, log), name, of, indices)
    return found


def lifted(hold, log=ORIGIN):
    (found,) = lifting_entries(order(log=log), hold)
    return found


def detailed(sealer, month, detail=b"officer 17 asked about person 4711", **changed):
    return sealed(sealer, detail, erase=month, **changed)


def standing_of(url, origin=ORIGIN, terms=TERMS):
    with open_copy(url) as copy:
        return read_country("BA", {origin: copy}, terms)


async def standing(url, **options):
    return await asyncio.to_thread(standing_of, url, **options)


async def details_of(log, start=0, stop=None):
    """The entries whose details stand."""
    end = log.size if stop is None else stop
    found = []
    for first in range(start, end, 1000):
        found += await log.read(first, min(first + 1000, end))
    return [entry.index for entry in found if entry.sealed is not None]
