# SPDX-License-Identifier: EUPL-1.2
"""What the commands on retention and holds share: reading all logs, and who acts."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import orjson

from audit import AuditError, Requester
from audit.concern import country_of
from audit.copies import Copy, open_copy, origins
from audit.erasure import Erased, Eraser, plan
from audit.holds import Hold, Order, hold_entries, lifting_entries
from audit.leftovers import Leftovers, tidy
from audit.ranges import ranges_of, spans_of
from audit.retention import year_after
from audit.standing import Standing, entries_of, read_country
from gateway.logkeys import read_log_keys
from gateway.opening import open_journal, utc_now
from gateway.plausible import require_plausible_clock
from gateway.readers import open_sealer
from gateway.retention import clock_of
from gateway.settings import Settings
from gateway.witness.watching import read_policies

Progress = Callable[[int, int], None]


@contextlib.contextmanager
def opened_logs(place: str) -> Iterator[dict[str, Copy]]:
    """Every log of a place, to be read. Not inside an event loop.

    Raises:
        LogUnavailableError: there is nothing to read.
    """
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(open_copy(place, name)) for name in origins(place)}


def standings(
    settings: Settings, country: str | None, on_progress: Progress
) -> dict[str, Standing]:
    """The details of every country's logs, or of one's.

    Raises:
        AuditError: a log can't be read, or is not whole, or the country keeps none here.
    """
    terms = clock_of(settings).terms
    with opened_logs(settings.log.url.get_secret_value()) as copies:
        countries = sorted({country_of(origin) for origin in copies})
        if country is not None and country not in countries:
            raise AuditError(f"{country} keeps no log here; {', '.join(countries)} do")
        wanted = countries if country is None else [country]
        return {one: read_country(one, copies, terms, on_progress) for one in wanted}


def unfinished(settings: Settings, found: Mapping[str, Standing]) -> dict[str, int]:
    """By log how many details still stand although entries declare them erased.

    A run was cut off between its entry and the deletion; the next one finishes it.

    Raises:
        AuditError: a log can't be read.
    """
    told: dict[str, int] = {}
    with opened_logs(settings.log.url.get_secret_value()) as copies:
        for standing in found.values():
            for log in standing.logs:
                spans = spans_of(ranges_of(standing.to_finish(log)))
                there = sum(1 for s in spans for _ in copies[log].details(s.start, s.stop))
                if there:
                    told[log] = there
    return told


def require_clock(settings: Settings) -> None:
    """Refuse a clock that is far ahead of all that anybody stated (`gateway.plausible`).

    Raises:
        ClockError: it is.
        AuditError: a log or a trust policy can't be read.
    """
    keys = read_log_keys(settings)
    policies = read_policies(settings.log.witnesses)
    with opened_logs(settings.log.url.get_secret_value()) as copies:
        known = {name: copy for name, copy in copies.items() if country_of(name) in keys}
        verifiers = {name: keys[country_of(name)].signer(name).verifier for name in known}
        require_plausible_clock(known, policies, verifiers, utc_now())


async def erase_due(
    settings: Settings,
    found: Mapping[str, Standing],
    today: date,
    *,
    rewrite: bool,
    on_progress: Callable[[int], None],
) -> tuple[dict[str, Erased], Leftovers]:
    """Erase what is due in these countries' logs.

    Raises:
        AuditError: a log can't be written to now; what was begun is finished by the next run.
    """
    done: dict[str, Erased] = {}
    journal = await open_journal(settings, utc_now)
    try:
        for country, standing in found.items():
            eraser = Eraser(journal, standing, _unsigned(country))
            done[country] = await eraser.run(plan(standing, today), on_progress)
    finally:
        await journal.close()
    return done, await tidy(settings.log.url.get_secret_value(), rewrite=rewrite)


def _unsigned(country: str) -> Callable[[str], Order]:
    """Erasing by the clock is ordered by the law; nobody's name is needed."""
    return lambda log: Order(log=log, country=country, at=utc_now())


@dataclass(frozen=True, slots=True)
class Orderer:
    """Who orders a hold or its end: the body is named in the envelope, the rest is sealed."""

    org: str
    person: str
    file_no: str


@dataclass(frozen=True, slots=True)
class Held:
    """What is to be held: entries of one log, or all of one question."""

    log: str
    indices: tuple[int, ...] = ()
    correlation: str | None = None


def question_entries(settings: Settings, held: Held) -> tuple[int, ...]:
    """The entries that are meant.

    Raises:
        AuditError: the log can't be read, or none are meant.
    """
    if held.correlation is None:
        return held.indices
    with open_copy(settings.log.url.get_secret_value(), held.log) as copy:
        return tuple(entries_of(copy, copy.count(), held.correlation))


async def hold(
    settings: Settings, held: Held, name: str, basis: str, orderer: Orderer
) -> list[str]:
    """Put entries under a hold; the addresses of the entries that say so.

    Raises:
        AuditError: no such entries or ground, or the log can't be written to.
    """
    country = country_of(held.log)
    journal = await open_journal(settings, utc_now)
    try:
        if held.indices and held.indices[-1] >= journal.log(held.log).size:
            raise AuditError(f"{held.log} has {journal.log(held.log).size} entries; name those")
        order = order_of(settings, country, journal.current(country), orderer, basis)
        told = await journal.append(hold_entries(order, name, held.log, held.indices))
    finally:
        await journal.close()
    return [f"{position.log}/{position.index}" for position in told]


async def lift(settings: Settings, hold: Hold, orderer: Orderer) -> list[str]:
    """End a hold; the addresses of the entries that say so.

    Raises:
        AuditError: the log can't be written to.
    """
    country = country_of(hold.log)
    journal = await open_journal(settings, utc_now)
    try:
        order = order_of(settings, country, journal.current(country), orderer, None)
        told = await journal.append(lifting_entries(order, hold))
    finally:
        await journal.close()
    return [f"{position.log}/{position.index}" for position in told]


def order_of(
    settings: Settings, country: str, log: str, orderer: Orderer, basis: str | None
) -> Order:
    """Who orders what is entered in a country's open log, and sealed to its officers.

    Raises:
        AuditError: nobody's key is at hand to seal it to.
    """
    now: datetime = utc_now()
    sealer, readers = open_sealer(settings, utc_now)
    keys: Sequence[str] = readers.of(country) or readers.everybody()
    detail = {
        "v": 2,
        "ordered_by": orderer.person,
        "file_no": orderer.file_no,
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
    }
    return Order(
        log=log,
        country=country,
        at=now,
        basis=basis,
        requester=Requester(country, orderer.org, None),
        sealed=sealer.seal(orjson.dumps(detail), tuple(keys)),
        keys=tuple(keys),
        erase=year_after(now),
    )
