# SPDX-License-Identifier: EUPL-1.2
"""Chooses the person of the demonstration: ordinary, adult, and known in several countries."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gateway.demo.build import COUNTRIES, DemoError
from gateway.opening import open_rules
from gateway.registers import known_fields
from gateway.settings import Settings
from gateway.sources import (
    Everything,
    Fetch,
    Limits,
    NamedPerson,
    Record,
    Source,
    open_source,
)

_PAGE = 200
_PAGES = 20
_ADULT = 25
_FIELDS = frozenset(
    {
        "direct_identifier.surnames",
        "direct_identifier.forenames",
        "biographic.date_of_birth",
        "biographic.nationalities",
    }
)
_TRAITS = frozenset(
    {
        "date_of_birth",
        "dob_precision",
        "nationalities",
        "blocked",
        "deceased",
        "naturalised",
        "trafficking",
        "unaccompanied",
        "provenance",
        "retain_until",
        "notice_given",
        "declared_persecutor",
        "habitual_residence",
    }
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the demonstration asks about; synthetic, so it may be printed."""

    person: str
    surnames: str
    forenames: str
    born: date


def choose(settings: Settings, today: date) -> Subject:
    """Somebody in Bosnia's register who is also in another.

    Raises:
        DemoError: the region has nobody fit; make it larger.
    """
    return asyncio.run(_choose(settings, today))


async def _choose(settings: Settings, today: date) -> Subject:
    fields = known_fields(open_rules(settings, today))
    sources = {
        country: open_source(
            country,
            settings.registers[country].url.get_secret_value(),
            settings.registers[country].mapping,
            Limits(timeout_s=5.0),
            fields=fields,
        )
        for country in COUNTRIES
    }
    try:
        return await _search(sources, today)
    finally:
        for source in sources.values():
            await source.close()


async def _search(sources: Mapping[str, Source], today: date) -> Subject:
    after = None
    for _ in range(_PAGES):
        page = await sources["BA"].fetch(
            Fetch("persons", _FIELDS, _TRAITS, Everything(), today, _PAGE, after)
        )
        for record in page.records:
            subject = _ordinary(record, today)
            if subject is not None and await _elsewhere(sources, subject, today):
                return subject
        after = page.next
        if after is None:
            break
    raise DemoError("nobody fit for the story in this region; run again with more --persons")


def harmless(record: Record, today: date) -> bool:
    """Whether nothing about this record would keep it from anybody who may ask for such."""
    traits = record.traits
    marks = (traits.blocked, traits.deceased, traits.naturalised, traits.trafficking)
    return (
        all(mark is False for mark in marks)
        and traits.provenance == "national"
        and traits.notice_given is True
        and traits.retain_until is not None
        and traits.retain_until > today
    )


def _ordinary(record: Record, today: date) -> Subject | None:
    traits, values = record.traits, record.values
    born = traits.date_of_birth
    surnames = values.get("direct_identifier.surnames")
    forenames = values.get("direct_identifier.forenames")
    known = harmless(record, today) and traits.dob_precision == "day"
    if not (known and born and surnames and forenames and record.person):
        return None
    if today.year - born.year < _ADULT or (born.month, born.day) == (1, 1):
        return None
    return Subject(record.person, _text(surnames), _text(forenames), born)


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


async def _elsewhere(sources: Mapping[str, Source], subject: Subject, today: date) -> bool:
    named = NamedPerson(subject.surnames, subject.forenames, subject.born)
    for country in ("RS", "ME", "MK", "AL"):
        page = await sources[country].fetch(
            Fetch("registrations", frozenset(), frozenset(), named, today, 2)
        )
        if page.records:
            return True
    return False
