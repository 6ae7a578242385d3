# SPDX-License-Identifier: EUPL-1.2
"""Each way to tamper with a log, and what the verifier makes of it."""

import contextlib
import hashlib
import random
import sqlite3

import pytest

from audit import LogUnavailableError, NoteError, verify_log
from audit.checkpoint import Checkpoint
from tests.audit.making import (
    ORIGIN,
    SIGNER,
    STRANGER,
    fill,
    new_sealer,
    opened,
    sealed,
    verified,
)
from tests.audit.tampering import SIZE, edited, entries, execute, verify

PLACES = random.SystemRandom()


def test_an_untouched_log_is_whole(master, copy):
    told = []
    report = verify(copy, on_progress=lambda done, size: told.append((done, size)))
    assert report.ok, report
    assert (report.size, report.erased, report.findings, report.more) == (SIZE, 0, (), 0)
    assert told == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]
    for note in master[1]:
        assert verify(copy, checkpoint=note).ok


def test_the_verifier_changes_nothing_and_leaves_nothing(copy):
    before = hashlib.sha256(copy.read_bytes()).digest()
    beside = []
    verify(copy, on_progress=lambda *_: beside.extend(copy.parent.iterdir()))
    assert hashlib.sha256(copy.read_bytes()).digest() == before
    assert {file.name for file in [*beside, *copy.parent.iterdir()]} == {"copy.db"}


async def test_a_log_in_use_can_be_verified(place):
    async with opened(place.url) as log:
        await fill(log, 300)
        report = await verified(place.url, checkpoint=await log.checkpoint())
        assert (report.ok, report.size, report.root) == (True, 300, log.root)
        await fill(log, 1)


CHANGES = {
    "bytes": (
        "UPDATE log_entry SET envelope = zeroblob(700) WHERE pos = 5",
        5,
        "the entry was changed",
    ),
    "bytes at the edge": (
        "UPDATE log_entry SET envelope = zeroblob(32) WHERE pos = 555",
        555,
        "not ASCII JSON",
    ),
    "dropped": ("DELETE FROM log_entry WHERE pos = 7", 7, "missing"),
    "dropped at the edge": ("DELETE FROM log_entry WHERE pos = 520", 520, "missing"),
    "dropped at the end": ("DELETE FROM log_entry WHERE pos >= 598", 598, "missing"),
    "added": (
        "INSERT INTO log_entry SELECT 600, root FROM log_head",
        600,
        "beyond the 600 of the head",
    ),
    "negative": (
        "INSERT INTO log_entry SELECT -1, root FROM log_head",
        None,
        "negative",
    ),
    "of no log": (
        "INSERT INTO log_entry SELECT 1 << 41, root FROM log_head",
        None,
        "of no log",
    ),
    "detail": ("UPDATE log_detail SET blob = zeroblob(272) WHERE pos = 595", 595, "sealed detail"),
    "salt": ("UPDATE log_detail SET salt = zeroblob(32) WHERE pos = 595", 595, "sealed detail"),
    "window": ("UPDATE log_detail SET header = zeroblob(9) WHERE pos = 595", 595, "sealed detail"),
    "foreign detail": (
        "INSERT INTO log_detail SELECT 3, blob, salt, header FROM log_detail WHERE pos = 595",
        3,
        "sealed detail",
    ),
    "detail beyond": (
        "INSERT INTO log_detail SELECT 900, blob, salt, header FROM log_detail WHERE pos = 595",
        600,
        "beyond the 600 of the head",
    ),
    "tile": (
        "UPDATE log_tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 1",
        256,
        "tile holds another hash",
    ),
    "no tile": ("DELETE FROM log_tile WHERE level = 0 AND number = 1", None, "tile 0/1 is missing"),
    "upper tile": (
        "UPDATE log_tile SET hashes = zeroblob(64) WHERE level = 1",
        None,
        "tile 1/0 is not what",
    ),
    "head size": ("UPDATE log_head SET size = 601", 600, "missing"),
    "head root": ("UPDATE log_head SET root = zeroblob(32)", None, "head row"),
    "note": ("UPDATE log_head SET note = 'x'", None, "checkpoint"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_row_is_named(copy, name):
    statement, index, what = CHANGES[name]
    execute(copy, statement)
    report = verify(copy)
    assert not report.ok
    assert report.findings[0].index == index
    assert any(f.index == index and what in f.what for f in report.findings), report.findings


def exchange(path, one, other):
    """Let two entries change their numbers."""
    with contextlib.closing(sqlite3.connect(path)) as con:
        for old, new in ((one, -5), (other, one), (-5, other)):
            con.execute("UPDATE log_entry SET pos = ? WHERE pos = ?", (new, old))
        con.commit()


@pytest.mark.parametrize(("one", "other"), [(10, 11), (300, 301)])
def test_entries_that_changed_places_are_named(copy, one, other):
    exchange(copy, one, other)
    found = {f.index: f.what for f in verify(copy).findings if f.index is not None}
    assert f"stood as entry {other}" in found[one]
    assert f"stood as entry {one}" in found[other]


def test_entries_that_changed_places_at_the_edge_are_found(copy):
    exchange(copy, 549, 550)
    report = verify(copy)
    assert report.findings[0].index == 550
    assert report.findings[0].what.startswith("its time is before that of the entry above")
    assert any("signed checkpoint" in f.what for f in report.findings)


def test_an_edit_that_is_a_good_entry_is_named(copy):
    changed = edited(entries(copy)[5])
    with contextlib.closing(sqlite3.connect(copy)) as con:
        con.execute("UPDATE log_entry SET envelope = ? WHERE pos = 5", (changed,))
        con.commit()
    report = verify(copy)
    assert report.findings[0].index == 5
    assert "its tile holds another hash" in report.findings[0].what


def test_details_that_vanish_without_an_erasure_entry_are_a_fault(copy):
    execute(copy, "DELETE FROM log_detail WHERE pos IN (593, 594)")
    report = verify(copy)
    assert (report.ok, report.erased) == (False, 2)
    assert "erasure" in report.findings[-1].what


def test_a_log_full_of_faults_gives_a_bounded_report(copy):
    with contextlib.closing(sqlite3.connect(copy)) as con:
        con.execute("UPDATE log_entry SET envelope = zeroblob(600)")
        con.commit()
    report = verify(copy)
    named = [f for f in report.findings if f.index is not None]
    assert (len(named), report.more) == (1000, 112)


CONTENT = (
    "SELECT * FROM log_head",
    "SELECT * FROM log_entry ORDER BY pos",
    "SELECT * FROM log_detail ORDER BY pos",
    "SELECT * FROM log_tile ORDER BY level, number",
)


def content(path):
    """All that a log says, or None where the file cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as con:
            con.text_factory = bytes
            return [con.execute(statement).fetchall() for statement in CONTENT]
    except sqlite3.Error:
        return None


def test_a_changed_byte_anywhere_in_the_file_is_found_or_harmless(master, copy):
    good, whole = copy.read_bytes(), content(copy)
    found = 0
    for _ in range(30):
        changed = bytearray(good)
        place = PLACES.randrange(len(good))
        changed[place] ^= 1 << PLACES.randrange(8)
        copy.write_bytes(changed)
        try:
            report = verify(copy)
        except LogUnavailableError:
            found += 1
            continue
        found += not report.ok
        assert not report.ok or content(copy) == whole, f"byte {place}"
    assert found > 8


def test_a_changed_byte_in_an_entry_names_it(copy):
    target = entries(copy)[77]
    data = copy.read_bytes()
    place = data.index(target) + target.index(b'"BA-A03"') + 4
    copy.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    found = {f.index for f in verify(copy).findings if f.index is not None}
    assert found == {77}


def test_a_file_cut_short_is_found(copy):
    data = copy.read_bytes()
    copy.write_bytes(data[: len(data) // 2])
    report = verify(copy)
    assert not report.ok
    assert any("damaged" in f.what or "cannot be read" in f.what for f in report.findings)


@pytest.mark.parametrize(
    "options",
    [
        {"vkey": "x"},
        {"checkpoint": "x"},
        {"checkpoint": STRANGER.sign("a\n")},
        {"checkpoint": Checkpoint("other", 0, hashlib.sha256(b"").digest()).sign(SIGNER)},
    ],
)
def test_a_wrong_key_or_checkpoint_is_the_askers_error(copy, options):
    with pytest.raises(NoteError):
        verify_log(str(copy), **{"vkey": SIGNER.vkey, "origin": ORIGIN, **options})


def test_nothing_to_read_is_told_apart_from_something_wrong(tmp_path):
    (tmp_path / "text").write_text("no log", encoding="utf-8")
    for url in (tmp_path / "absent", tmp_path / "text", "http://x"):
        with pytest.raises(LogUnavailableError):
            verify(url)
    assert [file.name for file in tmp_path.iterdir()] == ["text"]


async def test_a_database_without_a_log_is_nothing_to_read(durable_postgres):
    url = durable_postgres.url("postgres", driver="")
    with pytest.raises(LogUnavailableError, match="holds no log"):
        await verified(url)


POSTGRES_CHANGES = {
    "bytes": ("UPDATE log_entry SET envelope = '' WHERE pos = 5", 5),
    "dropped": ("DELETE FROM log_entry WHERE pos = 290", 290),
    "tile": ("UPDATE log_tile SET hashes = '' WHERE level = 0", None),
    "detail": ("DELETE FROM log_detail WHERE pos = 300", 300),
    "stray": ("INSERT INTO log_entry VALUES (1::bigint << 50, '')", None),
    "head": ("UPDATE log_head SET size = 299", 299),
}


@pytest.mark.parametrize("name", POSTGRES_CHANGES)
async def test_a_changed_row_in_postgres_is_named(postgres_place, name):
    statement, index = POSTGRES_CHANGES[name]
    async with opened(postgres_place.url) as log:
        await fill(log, 300)
        await log.append([sealed(new_sealer())])
    postgres_place.execute(statement)
    report = await verified(postgres_place.url)
    assert not report.ok
    assert report.findings[0].index == index
