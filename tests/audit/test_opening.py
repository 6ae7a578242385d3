# SPDX-License-Identifier: EUPL-1.2
"""Creating and opening a log, and what happens when two want to write to it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from audit import (
    Journal,
    LogCorruptError,
    LogExistsError,
    LogKey,
    LogUnavailableError,
    NoteError,
    encode_envelope,
)
from audit.errors import HeadMovedError
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.state import Accepted, advance
from tests.audit.making import (
    KEY,
    NOON,
    ORIGIN,
    SIGNER,
    STRANGER_KEY,
    Clock,
    create_empty,
    envelope,
    fill,
    key_of,
    open_journal,
    opened,
    plain,
    until,
    verified,
)


async def test_a_log_is_never_created_over_another(place):
    async with opened(place.url) as log:
        await fill(log, 2)
    with pytest.raises(LogExistsError):
        Journal.create(place.url, keys={"BA": KEY}, now=NOON)
    async with opened(place.url) as log:
        assert log.size == 2


async def test_a_missing_log_is_not_opened_nor_made(nowhere):
    for _ in range(2):
        with pytest.raises(LogUnavailableError, match="create a log on purpose"):
            await open_journal(nowhere.url)


async def test_a_log_is_not_opened_with_another_key_or_for_another_country(place):
    with pytest.raises(LogCorruptError, match="no known key"):
        await open_journal(place.url, key=STRANGER_KEY)
    with pytest.raises(NoteError, match="no signing key"):
        await open_journal(place.url, "audit.example/HR/2026h2")
    with pytest.raises(NoteError, match="does not sign"):
        await Journal.open(place.url, keys={"BA": LogKey("audit.example/HR", KEY.private)})
    with pytest.raises(NoteError, match="is not that of"):
        Journal.create(place.url, keys={"HR": KEY}, now=NOON)


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql+asyncpg://a/b", "http://x"])
async def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(LogUnavailableError, match="address"):
        await open_journal(url)
    with pytest.raises(LogUnavailableError, match="address"):
        Journal.create(url, keys={"BA": KEY}, now=NOON)


TAMPERINGS = {
    "an entry's bytes": ("UPDATE log_entry SET envelope = {root} WHERE pos = 298", "head's root"),
    "an entry of the last full tile": (
        "UPDATE log_entry SET envelope = {root} WHERE pos = 9",
        "tile 0/0",
    ),
    "the last entry gone": ("DELETE FROM log_entry WHERE pos = 299", "makes 299"),
    "an entry of the edge gone": ("DELETE FROM log_entry WHERE pos = 280", "entry 280"),
    "the last full tile's entry gone": ("DELETE FROM log_entry WHERE pos = 9", "entry 9"),
    "an entry beyond the head": ("INSERT INTO log_entry VALUES (300, {root})", "makes 301"),
    "a tile": ("UPDATE log_tile SET hashes = {root} WHERE level = 0", "tile 0/0"),
    "an upper tile gone": ("DELETE FROM log_tile WHERE level = 1", "tile 0/0"),
    "the head's size": ("UPDATE log_head SET size = 298", "head of .* says 298"),
    "the head's root": ("UPDATE log_head SET root = {other}", "roots differ"),
    "the head's origin": ("UPDATE log_head SET origin = 'audit.example/BA/2026h1'", "checkpoint"),
    "the checkpoint": ("UPDATE log_head SET note = 'x'", "last checkpoint"),
    "the format": ("UPDATE log_head SET format = 1", "format 2"),
    "the head row gone": ("DELETE FROM log_head", "format 2"),
}
ROOT = {"sqlite": "x'" + "ab" * 32 + "'", "postgres": "'\\x" + "ab" * 32 + "'"}


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 513, 768])
async def test_a_log_of_any_size_is_taken_up_again(sqlite_place, size):
    async with opened(sqlite_place.url) as log:
        await fill(log, size)
        root = log.root
    async with opened(sqlite_place.url) as log:
        assert (log.size, log.root) == (size, root)
        await fill(log, 1)


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_a_log_that_was_tampered_with_is_not_opened(place, name):
    statement, message = TAMPERINGS[name]
    async with opened(place.url) as log:
        await fill(log, 300)
    root = ROOT["sqlite" if place.url.startswith("sqlite") else "postgres"]
    place.execute(statement.format(root=root, other=root))
    with pytest.raises(LogCorruptError, match=message):
        await open_journal(place.url)


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
        store, old = log._store, log._state()
        accepted = [Accepted(encode_envelope(envelope()), None)]
        signers = {ORIGIN: SIGNER}
        made = advance({ORIGIN: old}, accepted, NOON + timedelta(days=1), signers)
        (batch,) = made.batches
        stale = [
            replace(old.head, root=EMPTY_ROOT),
            replace(old.head, size=2),
            replace(old.head, number=1),
        ]
        for head in stale:
            with pytest.raises(HeadMovedError):
                await store.commit([replace(batch, old=head)])
        assert (await store.heads(), await store.count(old.head)) == ([old.head], 3)
        await store.commit([batch])
        assert (await store.heads(), await store.count(old.head)) == ([batch.new], 4)
        with pytest.raises(HeadMovedError):
            await store.commit([batch])


async def test_one_moved_head_keeps_the_batches_of_all_logs_out(nowhere):
    names = [f"audit.example/{country}/2026h2" for country in ("BA", "HR")]
    await asyncio.to_thread(create_empty, nowhere.url, names)
    keys = {"BA": KEY, "HR": key_of(names[1])}
    journal = await Journal.open(nowhere.url, keys=keys, clock=Clock())
    states = {name: journal.log(name)._state() for name in names}
    accepted = [Accepted(encode_envelope(envelope(log=name)), None) for name in names]
    signers = {name: journal.signer(name) for name in names}
    made = advance(states, accepted, NOON + timedelta(days=1), signers)
    store = journal._store
    first, second = made.batches
    with pytest.raises(HeadMovedError):
        await store.commit([first, replace(second, old=replace(second.old, root=b"x" * 32))])
    assert [head.size for head in await store.heads()] == [0, 0]
    await store.commit(made.batches)
    assert [head.size for head in await store.heads()] == [1, 1]
    await journal.close()


async def test_a_second_process_is_kept_out_by_the_lease(place, monkeypatch):
    monkeypatch.setattr("audit.postgres_store._LEASE_WAIT", 0.2)
    async with opened(place.url) as log:
        with pytest.raises(LogUnavailableError, match="another process"):
            await open_journal(place.url)
        await fill(log, 1)
    async with opened(place.url) as log:
        assert log.size == 1


def without_leases(monkeypatch):
    """As if both stores' leases failed."""

    async def free(_con, _wait):
        return None

    monkeypatch.setattr("audit.sqlite_store.SqliteStore._take_lease", lambda _store: None)
    monkeypatch.setattr("audit.postgres_store.PostgresStore._take_lease", staticmethod(free))
