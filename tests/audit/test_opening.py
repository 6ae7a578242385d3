# SPDX-License-Identifier: EUPL-1.2
"""Creating and opening a log, and what happens when two want to write to it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from audit import (
    AuditLog,
    LogCorruptError,
    LogExistsError,
    LogUnavailableError,
    NoteError,
    encode_envelope,
)
from audit.errors import HeadMovedError
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.state import Accepted, advance
from tests.audit.making import (
    NOON,
    ORIGIN,
    SIGNER,
    STRANGER,
    envelope,
    fill,
    opened,
    plain,
    until,
    verified,
)


async def test_a_log_is_never_created_over_another(place):
    async with opened(place.url) as log:
        await fill(log, 2)
    with pytest.raises(LogExistsError):
        AuditLog.create(place.url, origin=ORIGIN, signer=SIGNER)
    async with opened(place.url) as log:
        assert log.size == 2


async def test_a_missing_log_is_not_opened_nor_made(nowhere):
    for _ in range(2):
        with pytest.raises(LogUnavailableError, match="create a log on purpose"):
            await AuditLog.open(nowhere.url, origin=ORIGIN, signer=SIGNER)


async def test_a_log_is_not_opened_under_another_name_or_key(place):
    other = "audit.example/HR/2026h2"
    signer = type(SIGNER)(other, SIGNER.private)
    with pytest.raises(LogCorruptError, match="this is the log"):
        await AuditLog.open(place.url, origin=other, signer=signer)
    with pytest.raises(LogCorruptError, match="no known key"):
        await AuditLog.open(place.url, origin=ORIGIN, signer=STRANGER)
    with pytest.raises(NoteError):
        await AuditLog.open(place.url, origin=other, signer=SIGNER)


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql+asyncpg://a/b", "http://x"])
async def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(LogUnavailableError, match="address"):
        await AuditLog.open(url, origin=ORIGIN, signer=SIGNER)
    with pytest.raises(LogUnavailableError, match="address"):
        AuditLog.create(url, origin=ORIGIN, signer=SIGNER)


TAMPERINGS = {
    "an entry's bytes": ("UPDATE log_entry SET envelope = leaf WHERE idx = 298", "entry 298"),
    "the last entry's bytes": ("UPDATE log_entry SET envelope = leaf WHERE idx = 299", "entry 299"),
    "the last entry gone": ("DELETE FROM log_entry WHERE idx = 299", "makes 299"),
    "an entry of the edge gone": ("DELETE FROM log_entry WHERE idx = 280", "last tile of level 0"),
    "the last full tile's entry gone": ("DELETE FROM log_entry WHERE idx = 9", "entry 9"),
    "an entry beyond the head": (
        "INSERT INTO log_entry SELECT 300, root, root, 1, '', '', '' FROM log_head",
        "makes 301",
    ),
    "a leaf hash of the edge": (
        "UPDATE log_entry SET leaf = (SELECT leaf FROM log_entry WHERE idx = 7) WHERE idx = 290",
        "head's root",
    ),
    "a tile": (
        "UPDATE log_tile SET hashes = (SELECT root FROM log_head) WHERE level = 0",
        "tile 0/0",
    ),
    "an upper tile gone": ("DELETE FROM log_tile WHERE level = 1", "tile 0/0"),
    "the head's size": ("UPDATE log_head SET size = 298", "head says 298"),
    "the head's root": (
        "UPDATE log_head SET root = (SELECT leaf FROM log_entry WHERE idx = 7)",
        "roots differ",
    ),
    "the head's origin": ("UPDATE log_head SET origin = 'audit.example/HR'", "this is the log"),
    "the checkpoint": ("UPDATE log_head SET note = 'x'", "last checkpoint"),
    "the format": ("UPDATE log_head SET format = 2", "format 1"),
    "the head row gone": ("DELETE FROM log_head", "format 1"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_a_log_that_was_tampered_with_is_not_opened(place, name):
    statement, message = TAMPERINGS[name]
    async with opened(place.url) as log:
        await fill(log, 300)
    place.execute(statement)
    with pytest.raises(LogCorruptError, match=message):
        await AuditLog.open(place.url, origin=ORIGIN, signer=SIGNER)


async def test_a_head_moved_by_another_writer_fails_the_batch_and_is_then_followed(
    place, monkeypatch
):
    """The lease taken away, two writers contend: refusals, but never a lost or doubled entry."""
    without_leases(monkeypatch)
    async with opened(place.url) as one, opened(place.url) as other:
        acknowledged = {}

        async def ask(log):
            for _ in range(12):
                try:
                    (position,) = await log.append([plain()])
                except LogUnavailableError:
                    await until(lambda: log.healthy)
                    continue
                assert position.index not in acknowledged
                acknowledged[position.index] = position.leaf_hash

        await asyncio.gather(ask(one), ask(other))
        assert acknowledged
    report = await verified(place.url)
    assert report.ok
    async with opened(place.url) as log:
        for entry in await log.read(0, log.size):
            if entry.index in acknowledged:
                assert leaf_hash(entry.envelope) == acknowledged.pop(entry.index)
    assert acknowledged == {}


async def test_a_batch_built_on_a_head_that_moved_is_not_written(place):
    async with opened(place.url) as log:
        await fill(log, 3)
        store, old = log._store, log._sequencer.state
        entry = encode_envelope(envelope())
        state, batch, _ = advance(old, [Accepted(entry, None)], NOON + timedelta(days=1), SIGNER)
        other_root = replace(batch, old=replace(old.head, root=EMPTY_ROOT))
        other_size = replace(batch, old=replace(old.head, size=2))
        for stale in (other_root, other_size):
            with pytest.raises(HeadMovedError):
                await store.commit(stale)
        assert (await store.head(), await store.count()) == (old.head, 3)
        await store.commit(batch)
        assert (await store.head(), await store.count()) == (state.head, 4)
        with pytest.raises(HeadMovedError):
            await store.commit(batch)


async def test_a_second_process_is_kept_out_by_the_lease(place, monkeypatch):
    monkeypatch.setattr("audit.postgres_store._LEASE_WAIT", 0.2)
    async with opened(place.url) as log:
        with pytest.raises(LogUnavailableError, match="another process"):
            await AuditLog.open(place.url, origin=ORIGIN, signer=SIGNER)
        await fill(log, 1)
    async with opened(place.url) as log:
        assert log.size == 1


def without_leases(monkeypatch):
    """As if both stores' leases failed."""

    async def free(_con, _origin):
        return None

    monkeypatch.setattr("audit.sqlite_store.SqliteStore._take_lease", lambda _store: None)
    monkeypatch.setattr("audit.postgres_store.PostgresStore._take_lease", staticmethod(free))
