# SPDX-License-Identifier: EUPL-1.2
"""A log as files: complete, step by step, never a fork, and found whole by the verifier."""

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from audit import LogCorruptError, LogUnavailableError
from audit.checkpoint import Checkpoint
from audit.copies import open_copy, origins
from audit.errors import LayoutError
from audit.layout import parse_path, read_bundle
from audit.publish import publish
from audit.verify import Fault
from tests.audit.making import ORIGIN, SIGNER, STRANGER, fill, judged, new_sealer, opened, sealed
from tests.audit.tampering import SIZE, entries, execute, rewrite


def put(source, folder, verifier=SIGNER.verifier, **options):
    with open_copy(str(source), ORIGIN) as found:
        return publish(found, folder, verifier, **options)


def grow(path, count):
    async def go_on():
        async with opened(f"sqlite:///{path}") as log:
            await fill(log, count)

    asyncio.run(go_on())


def tree(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_a_folder_holds_the_log_and_nothing_else(copy, tmp_path):
    told = []
    done = put(copy, tmp_path / "out", on_progress=lambda done, size: told.append((done, size)))
    found = tree(tmp_path / "out")
    assert (done.size, done.before, done.files) == (SIZE, 0, len(found))
    assert told == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]
    assert sorted(found) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    assert all(parse_path(name).path == name for name in found if name != "checkpoint")
    bundles = [read_bundle(found[name]) for name in sorted(found) if "entries" in name]
    assert [entry for bundle in bundles for entry in bundle] == entries(copy)
    report = judged(tmp_path / "out")
    assert (report.ok, report.size, report.unchecked) == (True, SIZE, 10)
    assert origins(str(tmp_path / "out")) == [ORIGIN]


def test_a_second_run_writes_nothing_and_a_grown_log_only_what_is_new(copy, tmp_path):
    out = tmp_path / "out"
    put(copy, out)
    before = tree(out)
    assert put(copy, out).files == 0
    grow(copy, 400)
    done = put(copy, out)
    assert (done.before, done.size) == (SIZE, SIZE + 400)
    after = tree(out)
    assert {name for name in before if after[name] != before[name]} == {"checkpoint"}
    assert judged(out).ok


@pytest.mark.parametrize("details", [False, True])
def test_a_log_published_at_every_size_is_whole_at_every_size(sqlite_place, tmp_path, details):
    path, sealer = sqlite_place.url.removeprefix("sqlite:///"), new_sealer()

    async def go_on(count):
        async with opened(sqlite_place.url) as log:
            await log.append([sealed(sealer) for _ in range(count)])

    for count in (0, 1, 254, 1, 1, 300):
        if count:
            asyncio.run(go_on(count))
        put(path, tmp_path / "out", details=details)
        report = judged(tmp_path / "out")
        assert report.ok, report.findings
        assert report.unchecked == (0 if details else report.size)


def test_what_was_erased_in_the_log_goes_from_the_folder(copy, tmp_path):
    out = tmp_path / "out"
    put(copy, out, details=True)
    with open_copy(str(copy)) as found:
        gone = found.details(595, 596)[0]
    assert any(gone.salt in data and gone.blob in data for data in tree(out).values())
    execute(copy, "DELETE FROM log_detail WHERE pos = 595")
    grow(copy, 200)
    put(copy, out)
    for data in tree(out).values():
        assert gone.salt not in data
        assert gone.blob not in data
    report = judged(out)
    assert [(f.index, f.fault) for f in report.findings] == [(595, Fault.DETAIL)]


def test_a_folder_of_another_log_or_key_is_left_alone(copy, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter").write_text("dear", encoding="utf-8")
    with pytest.raises(LayoutError, match="other files"):
        put(copy, out)
    (out / "letter").unlink()
    (out / "checkpoint").write_text(Checkpoint(ORIGIN, 0, bytes(32)).sign(STRANGER))
    with pytest.raises(LayoutError, match="no known key"):
        put(copy, out)
    assert len(tree(out)) == 1


def test_a_folder_that_shows_more_or_another_past_is_left_alone(copy, tmp_path):
    out, old = tmp_path / "out", Path(shutil.copy(copy, tmp_path / "old.db"))
    grow(copy, 100)
    put(copy, out)
    before = tree(out)
    with pytest.raises(LayoutError, match="shows 700 entries and the log has 600"):
        put(old, out)
    good = entries(copy)
    forked = [*good[:5], good[6], *good[6:], good[-1]]
    for size in (700, 701):  # of one size, and longer
        rewrite(copy, forked[:size], SIGNER)
        with pytest.raises((LayoutError, LogCorruptError)):
            put(copy, out)
    assert tree(out) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entry SET envelope = zeroblob(9) WHERE pos = 5",
        "DELETE FROM log_entry WHERE pos = 5",
        "UPDATE log_head SET note = 'x'",
        "DELETE FROM log_head",
    ],
)
def test_a_log_that_does_not_fit_its_checkpoint_is_not_published(copy, tmp_path, statement):
    execute(copy, statement)
    with pytest.raises((LogCorruptError, LogUnavailableError)):
        put(copy, tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint").exists()


def test_an_interrupted_run_shows_the_old_checkpoint_and_the_next_one_ends_it(
    copy, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    put(copy, out)
    grow(copy, 400)
    real, left = os.fsync, [3]

    def full(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogUnavailableError, match="No space left"):
        put(copy, out)
    report = judged(out)
    assert (report.ok, report.size) == (True, SIZE)
    monkeypatch.undo()
    put(copy, out)
    assert not list(out.rglob("*.new"))
    assert judged(out).size == SIZE + 400


def test_a_folder_can_be_published_on(copy, tmp_path):
    put(copy, tmp_path / "one", details=True)
    put(tmp_path / "one", tmp_path / "two", details=True)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    put(copy, tmp_path / "bare")
    with pytest.raises(LayoutError, match="no sealed details"):
        put(tmp_path / "bare", tmp_path / "three", details=True)


def test_the_cosigned_checkpoint_is_what_is_published(copy, tmp_path):
    with open_copy(str(copy)) as found:
        note = found.head().note
    cosigned = note + "\u2014 witness.example/w1 " + "AAAAAAAA" * 20 + "\n"
    execute(copy, f"INSERT INTO log_cosigned VALUES (0, 600, '{cosigned}')")  # noqa: S608 - ours
    grow(copy, 10)
    assert put(copy, tmp_path / "out").size == 600
    assert (tmp_path / "out/checkpoint").read_text() == cosigned
    assert put(copy, tmp_path / "out", unwitnessed=True).size == 610
    assert put(copy, tmp_path / "out").size == 610  # never back


FILES = {
    "tile/0/000": (0, "another hash"),
    "tile/0/001": (256, "another hash"),
    "tile/0/002.p/88": (512, "another hash"),
    "tile/1/000.p/2": (None, "tile 1/0 is not what"),
    "tile/entries/001": (256, "bundle 1"),
    "checkpoint": (None, "checkpoint"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_changed_or_missing_file_is_named(copy, tmp_path, name):
    out = tmp_path / "out"
    put(copy, out)
    index, what = FILES[name]
    good = (out / name).read_bytes()
    (out / name).write_bytes(bytes([good[0] ^ 1]) + good[1:])
    report = judged(out)
    assert any(f.index == index and what in f.what for f in report.findings), report.findings
    (out / name).unlink()
    assert not judged(out).ok
    if name.endswith("/88"):  # the full one may stand in for it
        (out / "tile/0/002").write_bytes(good + bytes(8192 - len(good)))
        assert judged(out).ok


def test_the_verifier_reads_a_folder_and_leaves_it_as_it_was(copy, tmp_path):
    put(copy, tmp_path / "out", details=True)
    before = hashlib.sha256(repr(sorted(tree(tmp_path / "out").items())).encode()).digest()
    judged(tmp_path / "out")
    after = hashlib.sha256(repr(sorted(tree(tmp_path / "out").items())).encode()).digest()
    assert before == after
