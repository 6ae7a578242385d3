# SPDX-License-Identifier: EUPL-1.2
"""A file stands under its name whole or not at all; a kill at any moment included."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from anonymise.errors import ReleaseError
from anonymise.release.placing import clear_left, digest, placed, replace
from tests.anonymise.release import making

ROOT = Path(__file__).parents[3]
KILLS = 7
# Forks after one import: each child does the work or is killed on the way.
MAKER = """
import os, sys
import numpy as np
from datetime import date
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.anonymise.release import making
import anonymise.release.published, anonymise.release.local, anonymise.release.create
from anonymise.release.manifest import Draft
from anonymise.release.publish import Ticket, publish
from anonymise.release.recode import Demand, Rows, recode
folder = Path({folder!r})
known = making.read_hierarchies(making.hierarchies(folder / "hierarchies"), making.COLUMNS)
codes = np.array([[a, a % 2, a % 4] for a in range(60)], np.int32)
recode(Rows(codes, None, np.full(60, 2)), known, Demand(5, steps=0.2))  # loads compiled code
def create():
    making.made(folder)
def copy():
    draft = Draft(folder / "draft.csv")
    ticket = Ticket("BA", "IOM", "statistics", date(2027, 5, 31), str(os.getpid()), "log")
    publish(draft, draft.manifest(), ticket, folder / "out.csv", lambda _: None, making.silent)
while sys.stdin.readline():
    child = os.fork()
    if not child:
        os.write(1, b"%d\\n" % os.getpid())
        {work}()
        os._exit(0)
    os.waitpid(child, 0)
    os.write(1, b"end\\n")
"""


def line(process):
    readable, _, _ = select.select([process.stdout], [], [], 120)
    assert readable, "the maker hangs"
    return process.stdout.readline().strip()


def run(process, after=None):
    """One child; killed after so many seconds unless it is done before. Gives its seconds."""
    process.stdin.write("go\n")
    process.stdin.flush()
    child, start = int(line(process)), time.monotonic()
    if after is not None:
        time.sleep(after)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    assert line(process) == "end"
    return time.monotonic() - start


def wipe(folder):
    for path in folder.glob("out*"):
        if path.is_file():
            path.unlink()


@contextmanager
def maker(folder, work):
    """A process that does the work each time it is told to."""
    program = MAKER.format(root=str(ROOT), folder=str(folder), work=work)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield process
        process.stdin.close()


def test_a_release_killed_at_any_moment_is_whole_or_absent(tmp_path):
    making.table(tmp_path / "table.csv")
    out = tmp_path / "out.csv"
    with maker(tmp_path, "create") as process:
        whole = run(process)
        reference = out.read_bytes()
        for kill in range(KILLS):
            wipe(tmp_path)
            run(process, whole * (kill + 0.5) / KILLS)
            assert not out.exists() or out.read_bytes() == reference
        wipe(tmp_path)
        run(process)
    assert out.read_bytes() == reference
    assert not list(tmp_path.glob(".out*")), "what killed processes left is cleared"


def test_a_copy_killed_at_any_moment_is_whole_or_absent(tmp_path):
    draft = making.made(tmp_path, "draft.csv")
    out = tmp_path / "out.csv"
    with maker(tmp_path, "copy") as process:
        whole = run(process)
        for kill in range(KILLS):
            wipe(tmp_path)
            run(process, whole * (kill + 0.5) / KILLS)
            if out.exists():
                records = [json.loads(p.read_bytes()) for p in draft.publications.glob("*.json")]
                assert digest(out) in {record["sha256"] for record in records}
        wipe(tmp_path)
        run(process)
    assert out.exists()
    assert not list(tmp_path.glob(".out*"))


def test_the_name_is_free_until_the_block_ends_well(tmp_path):
    path = tmp_path / "out.csv"
    with placed(path) as beside:
        beside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_nothing(tmp_path):
    def fail():
        with placed(tmp_path / "out.csv") as beside:
            beside.write_text("half")
            raise ReleaseError("no")

    with pytest.raises(ReleaseError, match="no"):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "out.csv"

    def raced():
        with placed(path) as beside:
            beside.write_text("mine")
            path.write_text("theirs")

    with pytest.raises(ReleaseError, match="stands there already"):
        raced()
    assert path.read_text() == "theirs"


def test_a_neighbour_in_use_is_not_cleared(tmp_path):
    path = tmp_path / "out.csv"
    with placed(path) as beside:
        beside.write_text("whole")
        clear_left(path)
        assert beside.exists()
    assert path.read_text() == "whole"


def test_a_missing_folder_is_told_in_words(tmp_path):
    def missing():
        with placed(tmp_path / "gone" / "out.csv"):
            pass

    with pytest.raises(ReleaseError, match="cannot be written: No such file"):
        missing()


def test_a_small_file_is_replaced_whole(tmp_path):
    path = tmp_path / "page.html"
    replace(path, b"one")
    replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]
