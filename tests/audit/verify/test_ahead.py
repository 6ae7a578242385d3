# SPDX-License-Identifier: EUPL-1.2
"""Looking ahead in other processes changes nothing that is found, and nobody is left behind."""

import asyncio
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from audit import Kind
from audit.checkpoint import Checkpoint
from audit.copies import open_copy
from audit.merkle import leaf_hash
from audit.publish import publish
from audit.tiles import Edge
from audit.verify import Lookahead, ahead
from audit.verify.ahead import Ahead, looking_ahead
from tests.audit.making import (
    ORIGIN,
    SIGNER,
    create_empty,
    fill,
    judged,
    new_sealer,
    opened,
    plain,
    sealed,
)
from tests.audit.tampering import SIZE, entries, execute, rewrite
from tests.audit.test_rewritten import REWRITES
from tests.audit.test_verify import CHANGES, POSTGRES_CHANGES, exchange

ALONE, AHEAD = Lookahead(1, 256, 0), Lookahead(2, 256, 0)


@pytest.fixture
def taken(monkeypatch):
    """The stretches that others answered for, and whether they found them clean."""
    found = {}
    take = Ahead.take

    def spied(self, span):
        answer = take(self, span)
        if self._others:
            found[span.start] = answer is not None
        return answer

    monkeypatch.setattr(Ahead, "take", spied)
    return found


@pytest.fixture
def started(monkeypatch):
    """The processes that were started."""
    found = []

    class Noted(ahead.subprocess.Popen):
        def __init__(self, *words, **options):
            super().__init__(*words, **options)
            found.append(self)

    monkeypatch.setattr(ahead.subprocess, "Popen", Noted)
    return found


def both(place, **options):
    """What both ways say, which is the same."""
    alone = judged(place, lookahead=ALONE, **options)
    assert judged(place, lookahead=AHEAD, **options) == alone
    return alone


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """A log of 1,100 entries: details that are gone by right and without, holds, older erasures."""
    path = tmp_path_factory.mktemp("rich") / "log.db"
    url = f"sqlite:///{path}"

    async def build():
        async with opened(url) as log:
            sealer = new_sealer()
            await log.append([sealed(sealer) for _ in range(600)])
            await log.append([plain(kind=Kind.LEGAL_HOLD, about=("20-30",), correlation="a")])
            await log.append([plain(kind=Kind.ERASURE, about=("0-270", "400"))])
            await log.erase_details([*range(200, 270), 25, 400, 500, 511, 512, 513])
            await log.append([plain(kind=Kind.HOLD_LIFTED, about=("20-30",), correlation="a")])
            await fill(log, 165, batch=165)
            await fill(log, 332, batch=332)
            await log.erase_details([10])

    create_empty(url)
    asyncio.run(build())
    return path


@pytest.fixture
def long(rich, tmp_path):
    return Path(shutil.copy(rich, tmp_path / "long.db"))


def folder(path, out, **options):
    with open_copy(str(path), ORIGIN) as copy:
        publish(copy, out, SIGNER.verifier, **options)
    return out


def test_a_whole_log_is_taken_from_others_and_gives_the_same_report(master, copy, tmp_path, taken):
    told = []
    report = judged(copy, lookahead=AHEAD, on_progress=lambda *seen: told.append(seen))
    assert taken == {0: True, 256: True, 512: False}
    assert told == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]  # progress is shown all the same
    assert report == judged(copy, lookahead=ALONE)
    assert report.ok
    taken.clear()
    out = folder(copy, tmp_path / "out")
    assert judged(out, lookahead=AHEAD) == judged(out, lookahead=ALONE)
    assert taken[0]
    for note in master[1]:
        assert both(copy, checkpoint=note).ok


@pytest.mark.parametrize(("size", "walked"), [(1, 0), (256, 0), (257, 256), (1024, 768)])
def test_a_stretch_with_a_root_to_compare_is_walked(long, taken, size, walked):
    edge = Edge()
    edge.extend([leaf_hash(entry) for entry in entries(long)[:size]])
    for root, whole in ((edge.root(), True), (bytes(32), False)):
        report = both(long, checkpoint=Checkpoint(ORIGIN, size, root).sign(SIGNER))
        assert any("earlier checkpoint" in f.what for f in report.findings) is not whole
        assert [n for n, clean in taken.items() if not clean] == [walked, 1024]


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_row_is_named_in_the_same_words(copy, name):
    execute(copy, CHANGES[name][0])
    assert not both(copy).ok


@pytest.mark.parametrize("name", ["edit", "drop the first", "reorder", "empty"])
def test_a_log_written_anew_is_found_in_the_same_words(master, copy, name):
    rewrite(copy, REWRITES[name](entries(copy)), SIGNER)
    assert not both(copy, checkpoint=master[1][-1]).ok


def test_details_gone_in_several_stretches_are_told_alike(long, tmp_path, taken):
    report = both(long)
    assert [f.index for f in report.findings] == [25, 500, 511]
    assert report.erased == 77
    assert [taken[n] for n in (0, 256, 512, 768)] == [True] * 4
    out = folder(long, tmp_path / "out", details=True)
    assert both(out).erased == 77
    shutil.rmtree(out / "details")
    assert both(out).unchecked == 600


def test_times_that_fall_between_two_stretches_are_found(long, taken):
    found = entries(long)
    rewrite(long, [*found[:767], found[768], found[767], *found[769:]], SIGNER)
    report = both(long)
    told = "its time is before that of the entry above: moved or back-dated"
    assert [f.index for f in report.findings if f.what == told] == [768]
    assert (taken[512], taken[768]) == (True, True)  # each alone is in order


def test_faults_in_many_places_keep_their_order(long):
    exchange(long, 255, 256)
    changes = [CHANGES[name][0] for name in ("bytes", "dropped", "upper tile", "negative")]
    execute(
        long,
        *changes,
        "UPDATE log_entry SET envelope = zeroblob(600) WHERE pos BETWEEN 800 AND 1000",
    )
    assert len(both(long).findings) > 200


def test_a_published_folder_with_faults_is_told_alike(copy, tmp_path):
    out = folder(copy, tmp_path / "out", details=True)
    bundle = out / "tile/entries/001"
    data = bundle.read_bytes()
    bundle.write_bytes(data[:9000] + bytes([data[9000] ^ 1]) + data[9001:])
    assert not both(out).ok
    bundle.write_bytes(data[:9000])
    assert not both(out).ok
    bundle.write_bytes(data)
    (out / "tile/0/000").unlink()
    assert not both(out).ok
    (out / "checkpoint").unlink()
    assert not both(out).ok


def test_a_file_with_damaged_pages_is_told_alike(copy):
    data = copy.read_bytes()
    page = data.index(entries(copy)[300]) // 4096 * 4096
    copy.write_bytes(data[:page] + os.urandom(4096) + data[page + 4096 :])
    assert not both(copy).ok


async def test_postgres_is_looked_at_ahead_and_told_alike(postgres_place, taken):
    async with opened(postgres_place.url) as log:
        await fill(log, 300)
        await log.append([sealed(new_sealer()) for _ in range(300)])
    assert (await asyncio.to_thread(both, postgres_place.url)).ok
    assert taken[0]
    for name in ("bytes", "dropped", "tile", "detail"):
        postgres_place.execute(POSTGRES_CHANGES[name][0])
        assert not (await asyncio.to_thread(both, postgres_place.url)).ok


def test_who_sees_another_head_is_not_believed(copy):
    with open_copy(str(copy), ORIGIN) as held:
        head = held.head()
    grown = head.__class__(head.origin, head.size + 1, head.root, head.note)
    spans = [range(256), range(256, 512)]
    for seen, believed in ((head, True), (grown, False)):
        with looking_ahead(AHEAD, str(copy), seen, spans) as others:
            assert [others.take(span) is not None for span in spans] == [believed] * 2


def test_others_that_are_killed_leave_a_walk_of_one_process(long, started, taken):
    def kill(_done, _size):
        for process in started:
            process.kill()

    assert judged(long, lookahead=AHEAD, on_progress=kill) == judged(long, lookahead=ALONE)
    assert len(started) == 2
    assert {process.returncode for process in started} == {-signal.SIGKILL}


def test_others_that_hang_are_left_and_the_walk_goes_on_alone(long, started, taken):
    def stop(_done, _size):
        for process in started:
            process.send_signal(signal.SIGSTOP)

    hasty = replace(AHEAD, patience=0.2)
    assert judged(long, lookahead=hasty, on_progress=stop) == judged(long, lookahead=ALONE)
    assert len(started) == 2
    assert {process.returncode for process in started} == {-signal.SIGKILL}


@pytest.mark.parametrize("command", ["/nowhere/python", "/bin/false", ""])
def test_a_machine_that_starts_no_processes_verifies_all_the_same(
    copy, monkeypatch, taken, command
):
    monkeypatch.setattr(sys, "executable", command)
    assert judged(copy, lookahead=AHEAD).ok
    assert not any(taken.values())


def test_an_interrupt_ends_everybody(long, started):
    def interrupt(_done, _size):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judged(long, lookahead=AHEAD, on_progress=interrupt)
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_others_end_by_themselves_when_the_verifier_is_gone(copy):
    other = ahead._Other()
    other._process.stdin.close()
    assert other._process.wait(30) != 0
    other.end()


def test_a_short_log_is_walked_alone(copy, started):
    judged(copy)
    judged(copy, lookahead=Lookahead(2, 256, SIZE + 1))
    judged(copy, lookahead=ALONE)
    assert started == []
