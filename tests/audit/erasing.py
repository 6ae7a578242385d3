# SPDX-License-Identifier: EUPL-1.2
"""A log filled for erasing, and the part of a journal that erasing needs, over one log."""

import asyncio
import contextlib
from datetime import date

from audit import Requester
from audit.copies import open_copy
from audit.holds import HoldGround, Order, hold_entry, lifting_entry, question_hold_entry
from audit.retention import Terms
from audit.standing import read_country
from tests.audit.making import NOON, ORIGIN, opened, sealed

TODAY = date(2030, 6, 10)
DUE, LATER = "2030-05", "2030-06"
TERMS = Terms()


class OneLog:
    """One log as a journal."""

    def __init__(self, log):
        self._log = log

    def current(self, _country):
        return self._log.origin

    def log(self, _origin):
        return self._log

    async def append(self, entries):
        return await self._log.append(entries)

    async def erase_details(self, _origin, indices):
        return await self._log.erase_details(indices)


@contextlib.asynccontextmanager
async def journal(url):
    async with opened(url) as log:
        yield OneLog(log)


def order(basis=None, log=ORIGIN):
    return Order(
        log=log, country="BA", at=NOON, basis=basis, requester=Requester("BA", "BA-DPA", "dpo")
    )


def held(indices, of=ORIGIN, basis=HoldGround.COURT_ORDER):
    return hold_entry(order(basis), of, indices)


def held_question(correlation, of=ORIGIN):
    return question_hold_entry(order(HoldGround.COURT_ORDER), of, correlation)


def lifted(hold):
    return lifting_entry(order(), hold)


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
