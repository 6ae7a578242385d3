# SPDX-License-Identifier: EUPL-1.2
"""The same people do not go out twice, cut in two ways: the log knows what was released."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace

import pytest

from anonymise.release.check import Verdict
from anonymise.release.publish import Copy
from anonymise.release.watermark import Mark
from audit import LogCorruptError
from gateway.opening import open_journal, utc_now
from gateway.released import ReleasedBeforeError, Source, require_new
from gateway.releases import Order, check_order, record, ticket_of
from gateway.settings import load_settings
from tests.anonymise.release import making
from tests.gateway.house import copy

FOUND = SimpleNamespace(k=5, l=2, t=0.1, classes=9)
EVALUATION = SimpleNamespace(proof=None, attacks=())


def hexed(word):
    return sha256(word.encode()).hexdigest()


@pytest.fixture
def settings(house_template, tmp_path):
    return load_settings(copy(house_template, tmp_path / "house") / "cuvar.toml")


@pytest.fixture
def manifest(tmp_path):
    return making.made(tmp_path, k=5, l=2, steps=0.0).manifest()


def order(owner="BA", recipient="UNHCR"):
    expires = utc_now().date() + timedelta(days=90)
    return Order(owner, recipient, "statistics", expires, "Officer", "1/26")


def published(settings, manifest, one, ticket=None):
    """As the command does it, but for gate and file; gives the ticket."""

    async def run():
        got = ticket or await ticket_of(settings, one, manifest)
        made = Copy(got, manifest.sha256, hexed(got.entry), 100, Mark(bytes(32)))
        passed = Verdict(manifest, FOUND, EVALUATION, ())
        await record(settings, one, check_order(settings, one, utc_now().date()), made, passed)
        return got

    return asyncio.run(run())


def test_one_draft_goes_to_several_recipients_and_another_table_beside_it(settings, manifest):
    published(settings, manifest, order())
    published(settings, manifest, order())
    published(settings, replace(manifest, source=hexed("other"), sha256=hexed("x")), order("HR"))


@pytest.mark.parametrize("owner", ["BA", "HR"])
def test_another_draft_of_a_published_table_is_refused(settings, manifest, owner):
    published(settings, manifest, order())
    with pytest.raises(ReleasedBeforeError, match=r"entry .*/BA/"):
        asyncio.run(ticket_of(settings, order(owner), replace(manifest, sha256=hexed("x"))))


def test_a_published_draft_is_not_published_as_another_countrys(settings, manifest):
    published(settings, manifest, order())
    with pytest.raises(ReleasedBeforeError, match="for that owner"):
        asyncio.run(ticket_of(settings, order("HR"), manifest))


def test_of_two_drafts_that_are_published_side_by_side_one_is_refused(settings, manifest):
    other = replace(manifest, sha256=hexed("x"))
    ticket = asyncio.run(ticket_of(settings, order(), other))
    published(settings, manifest, order())
    with pytest.raises(ReleasedBeforeError):
        published(settings, other, order(), ticket)


def test_a_log_whose_entry_was_edited_is_not_believed(settings, manifest):
    published(settings, manifest, order())
    place = settings.log.url.get_secret_value()

    async def edited():
        journal = await open_journal(settings)
        try:
            with closing(sqlite3.connect(place.removeprefix("sqlite:///"))) as log, log:
                log.execute(
                    "UPDATE log_entry SET envelope ="
                    " CAST(replace(CAST(envelope AS TEXT), ?, ?) AS BLOB)",
                    (manifest.source[:16], hexed("other")[:16]),
                )
            await require_new(journal, place, Source(manifest.source, hexed("x"), "BA"))
        finally:
            await journal.close()

    with pytest.raises(LogCorruptError, match="not those that were signed"):
        asyncio.run(edited())
