# SPDX-License-Identifier: EUPL-1.2
"""Erasing details before their time, on the orders of every country whose logs hold them.

A question between two countries has the same sealed detail in both their logs. One order erases one
side; the other needs an order of its own authority, or is left on purpose. All conditions of all
logs are looked at before the first entry is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from audit import AuditError
from audit.concern import country_of
from audit.copies import Copy
from audit.erasure import Batch, Erased, Eraser, erase_together, ordered
from audit.journal import Journal
from audit.leftovers import Leftovers, tidy
from audit.ranges import ranges_of
from audit.shards import HOUSE
from audit.standing import Standing, read_country
from audit.twins import LeftBehind, left_behind, still_there, twins_of
from gateway.opening import open_journal, open_rules, utc_now
from gateway.retaining import Held, Orderer, Progress, opened_logs, order_of
from gateway.retention import clock_of
from gateway.settings import Settings

ORDERING: Final = ("supervisory_authority", "court", "dpo_office")


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order to erase.

    Attributes:
        held: the entries of one log.
        orderer: who ordered it, of that log's country.
        abroad: by country who ordered the same for the other sides of these entries.
        leave: whether other sides without an order are left.
    """

    held: Held
    orderer: Orderer
    abroad: Mapping[str, Orderer] = field(default_factory=dict)
    leave: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it.

    Attributes:
        erased: by country.
        left: other sides that still have their details, by log.
        leftovers: what the store's files may still hold.
    """

    erased: Mapping[str, Erased]
    left: Mapping[str, tuple[int, ...]]
    leftovers: Leftovers


@dataclass(frozen=True, slots=True)
class _Plan:
    """What goes, by log, what is left, and the standings of the countries concerned."""

    going: Mapping[str, tuple[int, ...]]
    left: Mapping[str, tuple[int, ...]]
    standings: Mapping[str, Standing]

    def batches(self, country: str) -> list[Batch]:
        """What goes in a country's logs; refused where something is held."""
        standing = self.standings[country]
        mine = [log for log in self.going if country_of(log) == country]
        return [one for log in mine for one in ordered(standing, log, self.going[log])]


def require_body(settings: Settings, orderer: Orderer, country: str) -> Orderer:
    """Only an authority, a court or the officers of the log's own country may order.

    Raises:
        AuditError: it is another's, no such body, nobody knows it, or the order is not signed.
        RuleSetError: there is no sound rule set, whose vocabulary names the bodies.
    """
    if not (orderer.person.strip() and orderer.file_no.strip()):
        raise AuditError("an order has a signatory and a file number; name both")
    known = open_rules(settings, utc_now().date()).vocabulary.organisations.get(orderer.org)
    if known is None or country not in {known.country, HOUSE}:
        raise AuditError(
            f"{orderer.org} is no body of {country}, whose log it is; name the one that orders it"
            " (policies/rules/vocabulary/organisations.csv)"
        )
    if known.kind not in ORDERING:
        raise AuditError(
            f"{orderer.org} is of kind {known.kind}, which orders nothing of a log; a body of kind"
            f" {', '.join(ORDERING)} does"
        )
    return orderer


async def erase_ordered(settings: Settings, wanted: Ordered, plan: _Plan, *, rewrite: bool) -> Done:
    """Erase what a plan says (`plan_ordered`), in all its logs or in none.

    Raises:
        AuditError: something is held or was erased, so that nothing was; or a log can't be used
            now, and what was declared is finished by the next run.
    """
    home = country_of(wanted.held.log)
    orderers = {**wanted.abroad, home: wanted.orderer}
    planned = {country: plan.batches(country) for country in plan.standings}
    journal = await open_journal(settings, utc_now)
    try:
        parts = {
            country: (_eraser(settings, journal, plan.standings[country], orderers), batches)
            for country, batches in planned.items()
        }
        erased = await erase_together(journal, parts)
    finally:
        await journal.close()
    if not any(one.details or one.finished for one in erased.values()):
        raise AuditError("these details were erased already, on every side that this order names")
    leftovers = await tidy(settings.log.url.get_secret_value(), rewrite=rewrite)
    return Done(erased, plan.left, leftovers)


def _eraser(
    settings: Settings, journal: Journal, standing: Standing, orderers: Mapping[str, Orderer]
) -> Eraser:
    country = standing.country
    return Eraser(
        journal, standing, lambda log: order_of(settings, country, log, orderers[country], None)
    )


def plan_ordered(settings: Settings, wanted: Ordered, on_progress: Progress) -> _Plan:
    """Look at all logs: what goes and what is left. Not inside an event loop.

    Raises:
        AuditError: a log can't be read or is not whole, other
            sides stand that no order names, or an order names a country that has none.
    """
    held = wanted.held
    home = country_of(held.log)
    with opened_logs(settings.log.url.get_secret_value()) as copies:
        if held.log not in copies:
            raise AuditError(f"there is no log {held.log} here; `cuvar audit logs` lists them")
        standings = {home: _read(settings, home, copies, on_progress)}
        twins = twins_of(copies, held.log, held.indices)
        for country in sorted({country_of(log) for log in twins} - {home}):
            standings[country] = _read(settings, country, copies, on_progress)
    none = sorted(set(wanted.abroad) - {country_of(log) for log in twins})
    if none:
        raise AuditError(f"no log of {', '.join(none)} has these questions; leave that order out")
    there = {log: still_there(standings[country_of(log)], log, n) for log, n in twins.items()}
    ordering = {home, *wanted.abroad}
    left = {log: n for log, n in there.items() if n and country_of(log) not in ordering}
    if left and not wanted.leave:
        raise AuditError(_two_ways(left))
    going = {held.log: _not_yet(standings[home], held)}
    going |= {log: n for log, n in there.items() if n and country_of(log) in ordering}
    return _Plan(going, left, {c: one for c, one in standings.items() if c in ordering})


def _not_yet(standing: Standing, held: Held) -> tuple[int, ...]:
    """Those entries whose erasure no entry declares; one that never had a detail is refused."""
    log = standing.logs[held.log]
    return tuple(i for i in held.indices if i not in log.declared)


def _two_ways(left: Mapping[str, tuple[int, ...]]) -> str:
    sides = "; ".join(f"{name}: entries {','.join(ranges_of(n))}" for name, n in left.items())
    orders = " ".join(
        f'--with-order {country}-… "WHO" FILE-NO'
        for country in sorted({country_of(name) for name in left})
    )
    return (
        f"nothing was erased: the same details stand on the other side too, in {sides}. Erase them"
        f" in the same run with {orders}, each the order of a body of that country; or erase this"
        " side alone with --leave-twins, and the other country's officer is told of it"
    )


def _read(
    settings: Settings, country: str, copies: Mapping[str, Copy], on_progress: Progress
) -> Standing:
    return read_country(country, copies, clock_of(settings).terms, on_progress)


def erased_elsewhere(settings: Settings, found: Mapping[str, Standing]) -> list[LeftBehind]:
    """What other countries' authorities ordered erased and these countries' logs still hold.

    Raises:
        AuditError: a log can't be read.
    """
    with opened_logs(settings.log.url.get_secret_value()) as copies:
        return [one for standing in found.values() for one in left_behind(copies, standing)]
