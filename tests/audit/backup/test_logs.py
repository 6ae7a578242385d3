# SPDX-License-Identifier: EUPL-1.2
"""Logs kept, checked, erased in and put back, on both stores."""

import asyncio
import os
import sqlite3
from dataclasses import replace

import pytest

from audit import BackupError, Kind, LogExistsError, LogUnavailableError, NoteVerifier
from audit.backup import check_log, erase_details, keep_logs, read_entries, restore_logs
from audit.backup.files import wipe
from audit.backup.records import CHUNK
from audit.backup.snapshot import open_snapshot
from tests.audit.making import (
    KEY,
    ORIGIN,
    SIGNER,
    Clock,
    create_empty,
    fill,
    new_sealer,
    open_journal,
    opened,
    plain,
    sealed,
)

VERIFIER = NoteVerifier.parse(SIGNER.vkey)


async def write(url, count=300, details=10):
    async with opened(url) as log:
        await fill(log, count)
        sealer = new_sealer()
        await log.append([sealed(sealer) for _ in range(details)])


@pytest.fixture
def filled(place):
    """A log of 310 entries, the last ten with details."""
    asyncio.run(write(place.url))
    return place


def kept_of(place, folder):
    (kept,) = keep_logs(place.url, folder)
    return kept


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "backup"
    found.mkdir()
    return found


def contents(url):
    with open_snapshot(url) as snapshot:
        (head,) = snapshot.heads()
        return head, snapshot.entries(head, 0, head.size)


def test_a_kept_log_reads_back_as_what_it_was(filled, folder):
    kept = kept_of(filled, folder)
    head, entries = contents(filled.url)
    assert kept.head == head
    assert [entry for rows in read_entries(folder, kept) for entry in rows] == entries
    checked = check_log(folder, kept, VERIFIER)
    assert (checked.size, checked.root, checked.missing) == (310, head.root, 0)


def test_a_restored_log_is_the_same_and_takes_no_entry(filled, elsewhere, folder):
    kept = kept_of(filled, folder)
    restore_logs(folder, [kept], elsewhere.url)
    head, entries = contents(elsewhere.url)
    assert (head, entries) == (replace(kept.head, closed=True), contents(filled.url)[1])
    with pytest.raises(LogUnavailableError, match="never continued"):
        asyncio.run(open_journal(elsewhere.url))


def test_a_log_moves_from_one_kind_of_store_to_the_other(sqlite_place, elsewhere, folder):
    asyncio.run(write(sqlite_place.url, 20, 2))
    restore_logs(folder, [kept_of(sqlite_place, folder)], elsewhere.url)
    assert contents(elsewhere.url)[1] == contents(sqlite_place.url)[1]


def test_a_backup_is_of_one_commit_while_a_gateway_writes(place, tmp_path):
    async def busy():
        async with opened(place.url) as log:
            await fill(log, 10)
            keeping = asyncio.create_task(asyncio.to_thread(keep_logs, place.url, tmp_path))
            while not keeping.done():
                await log.append([plain()])
            return await keeping, log.size

    (kept,), size = asyncio.run(busy())
    assert 10 <= kept.head.size <= size
    assert check_log(tmp_path, kept, VERIFIER).size == kept.head.size


def test_logs_are_put_into_an_empty_place_only(filled, folder):
    kept = kept_of(filled, folder)
    with pytest.raises(LogExistsError, match="empty place"):
        restore_logs(folder, [kept], filled.url)


@pytest.mark.parametrize("part", ["entries", "details"])
def test_a_changed_byte_of_a_kept_file_is_found(filled, folder, part):
    kept = kept_of(filled, folder)
    file = folder / getattr(kept, part)[0]
    data = bytearray(file.read_bytes())
    for at in (1, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(BackupError):
            check_log(folder, kept, VERIFIER)
    file.write_bytes(data[:-1])
    with pytest.raises(BackupError):
        check_log(folder, kept, VERIFIER)


def test_a_log_that_another_key_signed_is_found(filled, folder):
    kept = kept_of(filled, folder)
    note = kept.head.note.replace("\u2014 ", "\u2014 x")
    with pytest.raises(BackupError, match="no known key"):
        check_log(folder, replace(kept, head=replace(kept.head, note=note)), VERIFIER)


def test_nothing_is_put_in_place_when_the_entries_are_not_those_of_the_root(
    filled, elsewhere, folder
):
    kept = kept_of(filled, folder)
    file = folder / kept.entries[0]
    data = file.read_bytes()
    file.write_bytes(data[:-2] + b" }")
    with pytest.raises(BackupError, match="root"):
        restore_logs(folder, [kept], elsewhere.url)
    with pytest.raises(LogUnavailableError):
        contents(elsewhere.url)


def test_details_erased_in_a_backup_are_gone_from_its_files_and_stay_gone(
    filled, elsewhere, folder
):
    kept = kept_of(filled, folder)
    blob = contents(filled.url)[1][305].sealed.blob
    after, old = erase_details(folder, kept, {305, 306, 3, 5000})
    for name in old:
        wipe(folder / name)
    held = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(blob in data for data in held)
    assert check_log(folder, after, VERIFIER).missing == 2
    restore_logs(folder, [after], elsewhere.url)
    entries = contents(elsewhere.url)[1]
    assert [e.index for e in entries if e.sealed] == [300, 301, 302, 303, 304, 307, 308, 309]


def test_an_erasure_that_concerns_nothing_writes_nothing(filled, folder):
    kept = kept_of(filled, folder)
    assert erase_details(folder, kept, {1, 2}) == (kept, ())


def test_details_named_at_the_restore_do_not_come_back(filled, elsewhere, folder):
    kept = kept_of(filled, folder)
    restore_logs(folder, [kept], elsewhere.url, {ORIGIN: {300, 309}})
    held = [entry.index for entry in contents(elsewhere.url)[1] if entry.sealed]
    assert held == list(range(301, 309))


def test_a_file_that_was_overwritten_holds_nothing_of_it(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"who asked about whom")
    with path.open("rb") as file:
        wipe(path)
        assert os.fstat(file.fileno()).st_nlink == 0
        assert not file.read().strip(b"\0")


def test_a_long_log_is_kept_in_chunks(tmp_path):
    url = str(tmp_path / "long.db")
    create_empty(url)

    async def many():
        journal = await open_journal(url, ORIGIN, KEY, clock=Clock(), queue=CHUNK * 2)
        await journal.append([plain()] * (CHUNK + 3))
        await journal.close()

    asyncio.run(many())
    (kept,) = keep_logs(url, tmp_path)
    assert len(kept.entries) == 2
    assert check_log(tmp_path, kept).size == CHUNK + 3
    restore_logs(tmp_path, [kept], str(tmp_path / "again.db"))
    tables = [
        sqlite3.connect(tmp_path / name)
        .execute("SELECT * FROM log_tile ORDER BY log, level, number")
        .fetchall()
        for name in ("long.db", "again.db")
    ]
    assert tables[0] == tables[1]


def test_a_missing_detail_that_an_erasure_names_is_accounted_for(place, folder):
    async def erase():
        async with opened(place.url) as log:
            await log.append([sealed(new_sealer())])
            await log.append([plain(kind=Kind.ERASURE, about=("0",))])
            await log.erase_details([0])

    asyncio.run(erase())
    checked = check_log(folder, kept_of(place, folder), VERIFIER)
    assert (checked.missing, checked.unaccounted) == (1, 0)
